-- What plans give, who may use the REST API, and what an edit changed.
CREATE TABLE plan (
    name             TEXT PRIMARY KEY CHECK (name IN ('free', 'basic', 'itsp')),
    calls_per_second INTEGER CHECK (calls_per_second > 0),   -- NULL: unlimited
    seats            INTEGER CHECK (seats >= 0)              -- NULL: unlimited
) STRICT;

INSERT INTO plan (name, calls_per_second, seats)
VALUES ('free', 10, 10), ('basic', 100, 1000), ('itsp', NULL, NULL);

CREATE TABLE token (
    name       TEXT PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,                         -- SHA-256 of the token, which is not kept
    role       TEXT NOT NULL CHECK (role IN ('operator', 'domain', 'reader')),
    domain     TEXT REFERENCES domain (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,                             -- seconds since the epoch
    expires_at INTEGER,
    CHECK ((role = 'domain') = (domain IS NOT NULL))
) STRICT;

ALTER TABLE audit_log ADD COLUMN change TEXT;                -- JSON: fields before and after
CREATE INDEX audit_log_at ON audit_log (at);
