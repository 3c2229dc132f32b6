-- What people said of calls since the last look, with what the calls show: for the learned lists.
-- Read on from the last row that is in, in an order that no two rows share, and only up to a few
-- seconds ago: an insert's time is set before its rows can be seen. What a file says is nobody's
-- word, and the honeypot speaks for itself.
SELECT
    toString(v.id) AS id,
    toString(v.verdict) AS verdict,
    toString(v.by) AS by,
    toString(v.source) AS source,
    toUnixTimestamp64Micro(v.at) AS at,
    toInt64(toUnixTimestamp(v.inserted_at)) AS inserted_at,
    toString(c.account) AS account,
    c.number AS number,
    toString(c.source_ip) AS source_ip
FROM verdicts AS v
INNER JOIN calls AS c ON c.id = v.id
WHERE v.inserted_at >= toDateTime({since:Int64}, 'UTC')
  AND (toInt64(toUnixTimestamp(v.inserted_at)), v.id, toUnixTimestamp64Micro(v.at))
      > ({since:Int64}, {id:UUID}, {at:Int64})
  AND v.inserted_at < now() - 5
  AND v.source NOT IN ('import', 'honeypot')
ORDER BY v.inserted_at, v.id, v.at
LIMIT 1 BY v.id, v.at
LIMIT {limit:UInt64}
