-- Suggestions that wait, the latest first. For one account only those of its own calls because
-- of its own calls: what happened to others is not told; nor what is judged or it settled already.
SELECT
    id,
    account,
    toUnixTimestamp64Micro(call_at) AS micros,
    because,
    because_account,
    campaign,
    rule,
    reason,
    by,
    source,
    toUnixTimestamp64Micro(suggested_at) AS suggested
FROM verdict_suggestions_open
WHERE ({account:String} = '' OR (account = {account:String} AND because_account = {account:String}))
  AND ({account:String} = '' OR id NOT IN (SELECT id FROM verdict_suggestions WHERE settled_as = 'customer'))
  AND ({account:String} = '' OR id NOT IN (SELECT id FROM verdicts_latest))
  AND ({all:UInt8} = 1 OR id IN {ids:Array(UUID)})
ORDER BY suggested_at DESC, call_at, id
LIMIT {limit:UInt64}
