-- The catalogue of features, so that a stored vector can be read without the program.
CREATE TABLE IF NOT EXISTS feature_names
(
    version UInt16 COMMENT 'of the catalogue; calls.features_version',
    position UInt16 COMMENT 'place in calls.features, from 1 as arrays count here',
    name LowCardinality(String) COMMENT 'of the feature',
    words String COMMENT 'what it says, in words'
)
ENGINE = ReplacingMergeTree
ORDER BY (version, position)
COMMENT 'names of the features by version';

-- One row for every feature of every call, by name.
CREATE OR REPLACE VIEW call_features AS
SELECT
    exploded.id AS id,
    exploded.at AS at,
    exploded.account AS account,
    names.name AS name,
    exploded.value AS value
FROM
(
    SELECT id, at, account, features_version, value, position
    FROM calls
    ARRAY JOIN features AS value, arrayEnumerate(features) AS position
) AS exploded
INNER JOIN (SELECT version, position, any(name) AS name FROM feature_names GROUP BY version, position) AS names
    ON names.version = exploded.features_version AND names.position = exploded.position;
