-- Lists that hold ten million numbers: numbers and prefixes as integers, what many entries have in
-- common kept once, and a log of what changed, so that an edit is seen without reading a list.
CREATE TABLE list (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    scope        TEXT NOT NULL,                 -- '' is the system's; otherwise 'domain/policy'
    list         TEXT NOT NULL CHECK (list IN ('black', 'white', 'group')),
    epoch        INTEGER NOT NULL DEFAULT 0,    -- times its numbers changed beyond the log
    patterns     INTEGER NOT NULL DEFAULT 0,    -- edits of its networks and user agents
    expires_from INTEGER,                       -- nothing in it expires before
    UNIQUE (scope, list)
) STRICT;

CREATE TABLE list_note (
    id     INTEGER PRIMARY KEY,
    reason TEXT NOT NULL,
    source TEXT NOT NULL,
    UNIQUE (reason, source)
) STRICT;

CREATE TABLE list_number (
    list       INTEGER NOT NULL,
    prefix     INTEGER NOT NULL CHECK (prefix IN (0, 1)),  -- 1: every number that begins so
    number     INTEGER NOT NULL,
    note       INTEGER NOT NULL,
    listed_at  INTEGER NOT NULL,                -- seconds since the epoch
    expires_at INTEGER,
    PRIMARY KEY (list, prefix, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE list_pattern (
    list       INTEGER NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('network', 'agent')),
    value      TEXT NOT NULL,
    note       INTEGER NOT NULL,
    listed_at  INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (list, kind, value)
) STRICT, WITHOUT ROWID;

-- Numbers and prefixes that were listed, changed or taken off, in order; the last of them only.
CREATE TABLE list_change (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    list   INTEGER NOT NULL,
    prefix INTEGER NOT NULL,
    number INTEGER NOT NULL
) STRICT;

INSERT INTO list (scope, list, expires_from)
    SELECT scope, list, min(expires_at) FROM list_entry GROUP BY scope, list ORDER BY scope, list;
INSERT INTO list_note (reason, source)
    SELECT DISTINCT reason, source FROM list_entry ORDER BY reason, source;
INSERT INTO list_number
    SELECT l.id, e.kind = 'prefix', CAST(e.value AS INTEGER), n.id, e.created_at, e.expires_at
    FROM list_entry e
    JOIN list l ON l.scope = e.scope AND l.list = e.list
    JOIN list_note n ON n.reason = e.reason AND n.source = e.source
    WHERE e.kind IN ('number', 'prefix');
INSERT INTO list_pattern
    SELECT l.id, e.kind, e.value, n.id, e.created_at, e.expires_at
    FROM list_entry e
    JOIN list l ON l.scope = e.scope AND l.list = e.list
    JOIN list_note n ON n.reason = e.reason AND n.source = e.source
    WHERE e.kind IN ('network', 'agent');
DROP TABLE list_entry;
