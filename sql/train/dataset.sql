-- The training set: judged calls with the features they were scored by.
-- The latest verdict on a call wins (view `verdicts_latest`). A call at the honeypot is fraud unless
-- somebody said otherwise: nobody has anything to call there. The calls of one source in a day are
-- one campaign, and all of the honeypot are of one account, so that the caps on what a campaign and
-- an account contribute hold for it, however many sources somebody makes up.
-- Types are those train/dataset.rs reads: plain integers and strings, so that polars needs
-- no optional data types.
-- One row per call even where a part of `calls` was shipped twice and not yet merged.
SELECT
    toUnixTimestamp64Micro(c.at) AS at,
    if(c.ingress = 'honeypot', 'honeypot', toString(c.account)) AS account,
    toString(c.ingress) AS ingress,
    toString(c.code) AS code,
    c.features AS features,
    toInt64(c.features_version) AS features_version,
    if(v.is_judged, v.said, 'fraud') AS verdict,
    if(
        c.ingress = 'honeypot' AND v.campaign = '' AND v.said != 'legitimate',
        concat('honeypot/', replaceOne(toString(c.peer), '::ffff:', ''), '/', toString(toDate(c.at))),
        v.campaign
    ) AS campaign
FROM calls AS c
LEFT JOIN
(
    SELECT id, toString(verdict) AS said, campaign, true AS is_judged
    FROM verdicts_latest
) AS v ON v.id = c.id
WHERE (v.is_judged OR c.ingress = 'honeypot')
  AND c.features_version = {features_version:UInt16}
  AND c.at >= {from:DateTime64(6, 'UTC')}
  AND c.at < {to:DateTime64(6, 'UTC')}
ORDER BY c.at DESC, c.id
LIMIT 1 BY c.id
LIMIT {limit:UInt64}
FORMAT ArrowStream
SETTINGS output_format_arrow_string_as_string = 1, output_format_arrow_low_cardinality_as_dictionary = 0
