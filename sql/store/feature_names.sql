SELECT name
FROM feature_names FINAL
WHERE version = {version:UInt16}
ORDER BY position
