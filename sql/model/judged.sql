-- What came of the calls that one model scored as they were asked about: judged calls by range of
-- scores. Copies of strangers are left out, and so are files and the honeypot's.
-- `begins`: where the ranges begin, ascending; `bin`: 1 for the first.
-- One row per call even where a part of `calls` was shipped twice and not yet merged. Only judged
-- calls are grouped: of all calls of a month the groups would not fit into memory.
SELECT
    toUInt64(arrayCount(begin -> scored.served >= begin, {begins:Array(Float64)})) AS bin,
    toUInt64(count()) AS calls,
    toUInt64(countIf(judged.verdict = 'fraud')) AS fraud,
    sum(scored.served) AS scores,
    toUInt64(countIf(scored.served > {threshold:Float64})) AS above,
    toUInt64(countIf(scored.served > {threshold:Float64} AND judged.verdict = 'fraud')) AS above_fraud
FROM
(
    SELECT id, toFloat64(any(assumeNotNull(score))) AS served
    FROM calls
    WHERE model = {model:String}
      AND at >= {since:DateTime64(6, 'UTC')}
      AND ingress IN ('prevention', 'web', 'detection')
      AND account != ''
      AND score IS NOT NULL
      AND id IN (SELECT id FROM verdicts_latest)
    GROUP BY id
) AS scored
INNER JOIN verdicts_latest AS judged ON judged.id = scored.id
GROUP BY bin
ORDER BY bin
SETTINGS max_threads = 1, max_execution_time = 60, max_memory_usage = 2000000000, max_bytes_before_external_group_by = 500000000
