-- Per attack: calls that were approved before its first refusal, and all that leaked.
SELECT
    campaign AS attack,
    count() AS calls,
    countIf(code != 'A00') AS refused,
    if(refused = 0, 'all', toString(arrayFirstIndex(c -> c != 'A00', codes) - 1)) AS `leaked first`,
    countIf(code = 'A00') AS `leaked in all`
FROM
(
    SELECT
        a.campaign AS campaign,
        a.code AS code,
        groupArray(a.code) OVER (
            PARTITION BY a.campaign ORDER BY c.at, c.source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS codes
    FROM demo_answers AS a
    INNER JOIN calls AS c ON c.call_id = a.call_id AND c.ingress = 'prevention'
    WHERE a.verdict = 'fraud'
)
GROUP BY campaign, codes
ORDER BY campaign
FORMAT PrettyCompactNoEscapes
