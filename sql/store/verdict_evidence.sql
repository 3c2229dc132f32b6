-- What people said of calls since the last look, with what the calls show: for the learned lists.
-- Only whole seconds that are over: nothing that comes in a second that was read is missed. What a
-- file says is nobody's word, and the honeypot speaks for itself.
SELECT
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
WHERE v.inserted_at > toDateTime({since:Int64}, 'UTC')
  AND v.inserted_at < now()
  AND v.source NOT IN ('import', 'honeypot')
ORDER BY v.inserted_at, v.id
LIMIT 1 BY v.id, v.at
LIMIT {limit:UInt64}
