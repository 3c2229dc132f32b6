-- Which records of one batch are stored. The times only prune: the batch's own.
SELECT source_offset
FROM calls
WHERE source_file = {file:UInt64}
  AND source_offset >= {start:UInt64}
  AND source_offset < {end:UInt64}
  AND at >= fromUnixTimestamp64Micro({first:Int64}, 'UTC')
  AND at <= fromUnixTimestamp64Micro({last:Int64}, 'UTC')
ORDER BY source_offset
