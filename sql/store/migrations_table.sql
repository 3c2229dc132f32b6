CREATE TABLE IF NOT EXISTS schema_migrations
(
    version UInt32 COMMENT 'number of the file',
    name String COMMENT 'of the file',
    checksum String COMMENT 'SHA-256 of the file as it was applied',
    applied_at DateTime DEFAULT now() COMMENT 'when'
)
ENGINE = MergeTree
ORDER BY version
COMMENT 'which files of sql/migrations this database has had'
