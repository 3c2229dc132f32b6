-- Judged calls with their latest verdict, the latest words first. An empty account: everybody's.
SELECT
    v.id AS id,
    toString(v.verdict) AS said,
    v.campaign AS campaign,
    v.verdict_by AS by,
    v.verdict_source AS source,
    toUnixTimestamp64Micro(v.verdict_at) AS micros
FROM verdicts_latest AS v
WHERE ({said:String} = '' OR toString(v.verdict) = {said:String})
  AND ({account:String} = '' OR v.id IN (SELECT id FROM calls WHERE account = {account:String}))
ORDER BY v.verdict_at DESC, v.id
LIMIT {limit:UInt64}
