-- Answers by truth and code: the reasons named most often, or what the check found.
SELECT
    a.verdict AS `in truth`,
    a.code AS answer,
    count() AS calls,
    round(quantile(0.5)(a.latency_us) / 1000, 1) AS `ms (median)`,
    multiIf(
        a.code = 'A00', 'approved',
        a.code = 'R15', arrayStringConcat(topK(3)(splitByChar(',', a.reasons)[1]), ', '),
        arrayStringConcat(topK(2)(c.evidence[a.code]), ', ')
    ) AS why
FROM demo_answers AS a
INNER JOIN calls AS c ON c.call_id = a.call_id AND c.ingress = 'prevention'
GROUP BY a.verdict, a.code
ORDER BY a.verdict DESC, a.code
FORMAT PrettyCompactNoEscapes
