-- Everything that was ever said of one call, the latest first.
SELECT
    toString(verdict) AS said,
    campaign,
    by,
    source,
    note,
    toUnixTimestamp64Micro(at) AS micros
FROM verdicts
WHERE id = {id:UUID}
ORDER BY at DESC, inserted_at DESC
LIMIT 1000
