-- What files have said so far of some calls: of each call the last word.
SELECT
    id,
    argMax(toInt8(verdict), (at, inserted_at)) AS said,
    argMax(campaign, (at, inserted_at)) AS named,
    toUnixTimestamp64Micro(max(at)) AS micros
FROM verdicts
WHERE source = 'import' AND id IN {ids:Array(UUID)}
GROUP BY id
