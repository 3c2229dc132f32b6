-- Countries the operator gives another risk class than the usual one.
CREATE TABLE country_risk (
    country TEXT PRIMARY KEY CHECK (length(country) = 2),
    risk    TEXT NOT NULL CHECK (risk IN ('low', 'medium', 'high'))
) STRICT;
