-- Calls at the honeypot, as frauds that are shown to the fit of a training and to nothing else of it
-- (`tfps train --honeypot`); columns as in train/dataset.sql.
-- Only of sources that were shown to be where they say (sign 1 << 14, `source not shown`, is 0): any
-- other address can be forged. Of each source (an IPv4 address, a /64 of IPv6) and day at most 20,
-- its campaign; of all of them `limit`, drawn by a hash of the id and not by time, so that a flood
-- displaces nobody by being the latest. Which somebody called legitimate are left out.
-- The drawing holds ids only; the features are read of the calls that were drawn.
WITH
    if(
        startsWith(toString(c.peer), '::ffff:'),
        replaceOne(toString(c.peer), '::ffff:', ''),
        concat(toString(tupleElement(IPv6CIDRToRange(c.peer, 64), 1)), '/64')
    ) AS source
SELECT
    toUnixTimestamp64Micro(c.at) AS at,
    'honeypot' AS account,
    toString(c.ingress) AS ingress,
    toString(c.code) AS code,
    c.features AS features,
    toInt64(c.features_version) AS features_version,
    'fraud' AS verdict,
    concat('honeypot/', source, '/', toString(toDate(c.at))) AS campaign
FROM calls AS c
WHERE c.ingress = 'honeypot'
  AND c.features_version = {features_version:UInt16}
  AND c.at >= {from:DateTime64(6, 'UTC')}
  AND c.at < {to:DateTime64(6, 'UTC')}
  AND c.id IN
  (
      SELECT tupleElement(drawn, 2) AS id
      FROM
      (
          SELECT arrayJoin(groupArraySorted(20)((cityHash64(c.id), c.id))) AS drawn
          FROM calls AS c
          WHERE c.ingress = 'honeypot'
            AND bitAnd(c.signs, 16384) = 0
            AND c.features_version = {features_version:UInt16}
            AND c.at >= {from:DateTime64(6, 'UTC')}
            AND c.at < {to:DateTime64(6, 'UTC')}
            AND c.id NOT IN (SELECT id FROM verdicts_latest WHERE verdict = 'legitimate')
          GROUP BY source, toDate(c.at)
      )
      GROUP BY drawn
      ORDER BY drawn
      LIMIT {limit:UInt64}
  )
ORDER BY c.at DESC, c.id
LIMIT 1 BY c.id
LIMIT {limit:UInt64}
FORMAT ArrowStream
SETTINGS output_format_arrow_string_as_string = 1, output_format_arrow_low_cardinality_as_dictionary = 0
