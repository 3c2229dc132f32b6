-- What an analyst looks at of calls whose ids are known; within a span of time, so that little is read.
SELECT
    id,
    user,
    domain AS caller_domain,
    toString(number) AS called,
    toString(country) AS called_country,
    score
FROM calls
WHERE id IN {ids:Array(UUID)}
  AND at >= fromUnixTimestamp64Micro({first:Int64}, 'UTC')
  AND at <= fromUnixTimestamp64Micro({last:Int64}, 'UTC')
LIMIT 1 BY id
LIMIT {limit:UInt64}
