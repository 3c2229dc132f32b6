-- The training set: judged calls with the features they were scored by.
-- The latest verdict on a call wins (view `verdicts_latest`). Calls at the honeypot are never among
-- them, judged or not: whoever rings there would choose how many rows there are, when they are and
-- how much of all is fraud, and the features tell that it was the honeypot that was rung
-- (train/honeypot.sql, docs/models.md).
-- Types are those train/dataset.rs reads: plain integers and strings, so that polars needs
-- no optional data types.
-- One row per call even where a part of `calls` was shipped twice and not yet merged.
SELECT
    toUnixTimestamp64Micro(c.at) AS at,
    toString(c.account) AS account,
    toString(c.ingress) AS ingress,
    toString(c.code) AS code,
    c.features AS features,
    toInt64(c.features_version) AS features_version,
    v.said AS verdict,
    v.campaign AS campaign
FROM calls AS c
INNER JOIN
(
    SELECT id, toString(verdict) AS said, campaign
    FROM verdicts_latest
) AS v ON v.id = c.id
WHERE c.ingress != 'honeypot'
  AND c.features_version = {features_version:UInt16}
  AND c.at >= {from:DateTime64(6, 'UTC')}
  AND c.at < {to:DateTime64(6, 'UTC')}
ORDER BY c.at DESC, c.id
LIMIT 1 BY c.id
LIMIT {limit:UInt64}
FORMAT ArrowStream
SETTINGS output_format_arrow_string_as_string = 1, output_format_arrow_low_cardinality_as_dictionary = 0
