-- Calls that look like part of the campaign of some calls just called fraud (the seeds).
--
-- Four rules, the strongest first; each call is suggested once, by the strongest rule and the
-- seed nearest in time. New means: not seen in the thirty days that end so long before the seed
-- as the rule reaches back. Without new-ness a rule would suggest the customer's daily traffic. What
-- is new to an account is believed only of accounts that have calls of before those thirty days: of
-- a shorter history everything is new.
--   caller-block    same caller, same thousand numbers, within a day
--   caller-country  same caller, same country, which was new to him, within six hours
--   source-tool     same account, same address and same User-Agent, the address new to the
--                   account, or, where that is not to be believed, most calls from it suspicious
--                   (refused, or scored above one half); within a day
--   block-tenants   other callers, of any account, to the same thousand numbers, which were new
--                   to their account, within a day
-- Left out: what is judged, what was settled before, and what waits already. For an analyst's word
-- that is what analysts judged, settled or wait for (and what is fraud already): a customer cannot
-- keep calls from them.
WITH
    seeds AS
    (
        SELECT id, at, account, user, domain, source_ip, user_agent, country, intDiv(number, 1000) AS block
        FROM calls
        WHERE id IN {ids:Array(UUID)}
          AND at >= fromUnixTimestamp64Micro({first:Int64}, 'UTC')
          AND at <= fromUnixTimestamp64Micro({last:Int64}, 'UTC')
        LIMIT 1 BY id
    ),
    near AS
    (
        SELECT id, at, account, user, domain, source_ip, user_agent, country, intDiv(number, 1000) AS block,
            code != 'A00' OR ifNull(score, 0) > 0.5 AS is_suspicious
        FROM calls
        WHERE at >= fromUnixTimestamp64Micro({first:Int64}, 'UTC') - INTERVAL 1 DAY
          AND at <= fromUnixTimestamp64Micro({last:Int64}, 'UTC') + INTERVAL 1 DAY
          AND ({account:String} = '' OR account = {account:String})
          AND id NOT IN {ids:Array(UUID)}
          -- Fraud by where they rang already; and anybody can make thousands of them.
          AND ingress != 'honeypot'
    ),
    before AS
    (
        SELECT at, account, user, domain, source_ip, country, intDiv(number, 1000) AS block
        FROM calls
        WHERE at >= fromUnixTimestamp64Micro({first:Int64}, 'UTC') - INTERVAL 31 DAY
          AND at <= fromUnixTimestamp64Micro({last:Int64}, 'UTC')
    ),
    established AS
    (
        SELECT DISTINCT account
        FROM calls
        WHERE account IN (SELECT account FROM seeds UNION DISTINCT SELECT account FROM near)
          AND at < fromUnixTimestamp64Micro({first:Int64}, 'UTC') - INTERVAL 30 DAY
    ),
    suspicious_sources AS
    (
        SELECT s.id AS id
        FROM near AS n
        INNER JOIN seeds AS s ON s.account = n.account AND s.source_ip = n.source_ip
        WHERE abs(dateDiff('second', s.at, n.at)) <= 86400
        GROUP BY s.id
        HAVING 2 * countIf(n.is_suspicious) > count()
    ),
    old_countries AS
    (
        SELECT DISTINCT s.id AS id
        FROM before AS b
        INNER JOIN seeds AS s ON s.account = b.account AND s.user = b.user AND s.domain = b.domain AND s.country = b.country
        WHERE b.at < s.at - INTERVAL 6 HOUR AND b.at >= s.at - INTERVAL 30 DAY
    ),
    old_sources AS
    (
        SELECT DISTINCT s.id AS id
        FROM before AS b
        INNER JOIN seeds AS s ON s.account = b.account AND s.source_ip = b.source_ip
        WHERE b.at < s.at - INTERVAL 1 DAY AND b.at >= s.at - INTERVAL 31 DAY
    ),
    old_blocks AS
    (
        SELECT DISTINCT s.id AS id, b.account AS account
        FROM before AS b
        INNER JOIN seeds AS s ON s.block = b.block
        WHERE b.at < s.at - INTERVAL 1 DAY AND b.at >= s.at - INTERVAL 31 DAY
    ),
    found AS
    (
        SELECT n.id AS id, n.account AS account, n.at AS at, s.id AS because, s.account AS because_account,
            s.at AS because_at, 1 AS rank, 'caller-block' AS rule
        FROM near AS n
        INNER JOIN seeds AS s ON s.account = n.account AND s.user = n.user AND s.domain = n.domain AND s.block = n.block
        WHERE s.block != 0 AND abs(dateDiff('second', s.at, n.at)) <= 86400
        UNION ALL
        SELECT n.id, n.account, n.at, s.id, s.account, s.at, 2, 'caller-country'
        FROM near AS n
        INNER JOIN seeds AS s ON s.account = n.account AND s.user = n.user AND s.domain = n.domain AND s.country = n.country
        WHERE s.country NOT IN ('', 'ZZ') AND abs(dateDiff('second', s.at, n.at)) <= 21600
          AND s.id NOT IN (SELECT id FROM old_countries)
        UNION ALL
        SELECT n.id, n.account, n.at, s.id, s.account, s.at, 3, 'source-tool'
        FROM near AS n
        INNER JOIN seeds AS s ON s.account = n.account AND s.source_ip = n.source_ip AND s.user_agent = n.user_agent
        WHERE s.user_agent != '' AND abs(dateDiff('second', s.at, n.at)) <= 86400
          AND s.id NOT IN (SELECT id FROM old_sources)
          AND (s.account IN (SELECT account FROM established) OR s.id IN (SELECT id FROM suspicious_sources))
        UNION ALL
        SELECT n.id, n.account, n.at, s.id, s.account, s.at, 4, 'block-tenants'
        FROM near AS n
        INNER JOIN seeds AS s ON s.block = n.block
        WHERE s.block != 0 AND (n.account != s.account OR n.user != s.user OR n.domain != s.domain)
          AND abs(dateDiff('second', s.at, n.at)) <= 86400
          AND n.account IN (SELECT account FROM established)
          AND (s.id, n.account) NOT IN (SELECT id, account FROM old_blocks)
    )
SELECT
    id,
    toString(account) AS owner,
    toUnixTimestamp64Micro(at) AS micros,
    because,
    toString(because_account) AS because_owner,
    toUnixTimestamp64Micro(because_at) AS because_micros,
    rule
FROM found
WHERE id NOT IN
    (
        SELECT id FROM verdicts_latest
        WHERE {source:String} != 'analyst' OR verdict = 'fraud' OR verdict_source != 'customer'
    )
  AND id NOT IN
    (
        SELECT id FROM verdict_suggestions
        WHERE settled_as != '' AND ({source:String} != 'analyst' OR settled_as = 'analyst')
    )
  AND id NOT IN
    (
        SELECT id FROM verdict_suggestions_open
        WHERE {source:String} != 'analyst' OR source = 'analyst'
    )
ORDER BY rank, abs(dateDiff('second', because_at, at)), id
LIMIT 1 BY id
LIMIT {limit:UInt64}
