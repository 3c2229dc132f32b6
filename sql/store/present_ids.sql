-- Which calls of one batch are stored, when each was and from which file; one that is there twice is listed
-- twice. The times only prune: the batch's own.
SELECT id, toUnixTimestamp(inserted_at) AS stored, source_file AS file
FROM calls
WHERE id IN {ids:Array(UUID)}
  AND at >= fromUnixTimestamp64Micro({first:Int64}, 'UTC')
  AND at <= fromUnixTimestamp64Micro({last:Int64}, 'UTC')
ORDER BY id
