-- What was learned and is proposed for the system's lists, listed, or decided by a person.
CREATE TABLE learned (
    kind       TEXT NOT NULL CHECK (kind IN ('number', 'prefix', 'network', 'agent')),
    value      TEXT NOT NULL,                   -- as it stands, or would, on the list
    state      TEXT NOT NULL CHECK (state IN ('proposed', 'listed', 'approved', 'rejected')),
    why        TEXT NOT NULL,                   -- of a proposal: why it is not listed
    reason     TEXT NOT NULL,                   -- the evidence in words
    evidence   TEXT NOT NULL,                   -- weight by kind of witness, JSON
    weight     REAL NOT NULL,
    parties    INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,                -- seconds since the epoch
    last_seen  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decided_by TEXT,                            -- who approved or rejected it
    decided_at INTEGER,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
