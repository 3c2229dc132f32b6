-- How many calls of one file came in since a second of this server's clock.
SELECT uniqExact(id)
FROM calls
WHERE source_file = {file:UInt64} AND inserted_at >= toDateTime({since:UInt32})
