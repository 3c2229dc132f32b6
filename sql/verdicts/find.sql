-- Calls by what an analyst knows of them; an empty text, 0 and the whole of time ask for nothing.
SELECT
    id,
    account,
    toUnixTimestamp64Micro(at) AS micros,
    user,
    domain,
    toString(number) AS called,
    toString(country) AS called_country,
    toString(code) AS refusal,
    ifNull(toString(v.verdict), '') AS said
FROM calls
LEFT JOIN (SELECT id AS judged, toNullable(verdict) AS verdict FROM verdicts_latest) AS v ON v.judged = calls.id
WHERE at >= fromUnixTimestamp64Micro({from:Int64}, 'UTC')
  AND at <= fromUnixTimestamp64Micro({to:Int64}, 'UTC')
  AND ({account:String} = '' OR account = {account:String})
  AND ({user:String} = '' OR user = {user:String})
  AND ({domain:String} = '' OR domain = {domain:String})
  AND ({call_id:String} = '' OR call_id = {call_id:String})
  AND ({prefix:String} = '' OR startsWith(toString(number), {prefix:String}))
ORDER BY at DESC, id
LIMIT 1 BY id
LIMIT {limit:UInt64}
