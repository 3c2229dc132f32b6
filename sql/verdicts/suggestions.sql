-- Suggestions that wait, the latest first. For one account only those of its own calls because
-- of its own calls: what happened to others is not told.
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
    toUnixTimestamp64Micro(suggested_at) AS suggested
FROM verdict_suggestions_open
WHERE ({account:String} = '' OR (account = {account:String} AND because_account = {account:String}))
  AND ({all:UInt8} = 1 OR id IN {ids:Array(UUID)})
ORDER BY suggested_at DESC, call_at, id
LIMIT {limit:UInt64}
