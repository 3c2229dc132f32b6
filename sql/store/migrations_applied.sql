-- Two programs that migrate at once may both have noted a version: once is enough.
SELECT version, checksum
FROM schema_migrations
GROUP BY version, checksum
ORDER BY version
