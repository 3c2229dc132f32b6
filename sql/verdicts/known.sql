-- Which of some calls there are, and whose.
SELECT id, account, toUnixTimestamp64Micro(at) AS micros
FROM calls
WHERE id IN {ids:Array(UUID)}
ORDER BY id
LIMIT 1 BY id
