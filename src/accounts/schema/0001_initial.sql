-- Accounts, policies and lists.
CREATE TABLE domain (
    name           TEXT PRIMARY KEY,
    is_root        INTEGER NOT NULL DEFAULT 0,
    default_policy TEXT NOT NULL,
    dial_prefixes  TEXT NOT NULL DEFAULT '[]'   -- JSON array of digit strings
) STRICT;

CREATE TABLE trusted_peer (
    domain  TEXT NOT NULL REFERENCES domain (name) ON DELETE CASCADE,
    network TEXT NOT NULL,
    PRIMARY KEY (domain, network)
) STRICT;

CREATE TABLE policy (
    domain TEXT NOT NULL REFERENCES domain (name) ON DELETE CASCADE,
    name   TEXT NOT NULL,
    rules  TEXT NOT NULL,                       -- JSON of PolicyRules
    PRIMARY KEY (domain, name)
) STRICT;

CREATE TABLE subscriber (
    domain TEXT NOT NULL,
    user   TEXT NOT NULL,
    policy TEXT NOT NULL,
    PRIMARY KEY (domain, user),
    FOREIGN KEY (domain, policy) REFERENCES policy (domain, name)
) STRICT;

CREATE TABLE ani (
    domain TEXT NOT NULL,
    number TEXT NOT NULL,
    policy TEXT NOT NULL,
    PRIMARY KEY (domain, number),
    FOREIGN KEY (domain, policy) REFERENCES policy (domain, name)
) STRICT;

-- scope '' is the system's; otherwise 'domain/policy'
CREATE TABLE list_entry (
    id         INTEGER PRIMARY KEY,
    scope      TEXT NOT NULL,
    list       TEXT NOT NULL CHECK (list IN ('black', 'white', 'group')),
    kind       TEXT NOT NULL CHECK (kind IN ('number', 'prefix', 'network', 'agent')),
    value      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    source     TEXT NOT NULL,
    created_at INTEGER NOT NULL,                -- seconds since the epoch
    expires_at INTEGER,
    UNIQUE (scope, list, kind, value)
) STRICT;

CREATE TABLE audit_log (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL
) STRICT;
