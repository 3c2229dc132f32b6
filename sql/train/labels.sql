-- What there is to learn from: judged calls by version of their features, verdict and source.
SELECT
    toUInt64(c.features_version) AS features_version,
    toString(v.verdict) AS verdict,
    toString(v.verdict_source) AS source,
    toUInt64(uniqExact(c.id)) AS calls
FROM calls AS c
INNER JOIN verdicts_latest AS v ON v.id = c.id
GROUP BY features_version, verdict, source
ORDER BY features_version DESC, verdict, source
