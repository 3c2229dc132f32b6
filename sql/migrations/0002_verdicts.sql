-- What turned out to be true of a call. Nothing is overwritten: the latest verdict counts, and
-- who said what before stays on record.
CREATE TABLE IF NOT EXISTS verdicts
(
    id UUID COMMENT 'the call',
    verdict Enum8('legitimate' = 0, 'fraud' = 1) COMMENT 'what it was',
    campaign String COMMENT 'groups the calls of one attack; empty: none named; a label, never a feature' CODEC(ZSTD(1)),
    by LowCardinality(String) COMMENT 'who says so: an analyst''s name, or the program''s part',
    source LowCardinality(String) COMMENT 'how it is known: analyst, import, honeypot, report',
    note String COMMENT 'in the words of whoever says so' CODEC(ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'when it was said',
    inserted_at DateTime DEFAULT now() COMMENT 'when the row came into ClickHouse'
)
ENGINE = MergeTree
ORDER BY (id, at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'what calls turned out to be';

-- The latest verdict of each call.
CREATE OR REPLACE VIEW verdicts_latest AS
SELECT
    id,
    argMax(verdict, (at, inserted_at)) AS verdict,
    argMax(campaign, (at, inserted_at)) AS campaign,
    argMax(by, (at, inserted_at)) AS verdict_by,
    argMax(source, (at, inserted_at)) AS verdict_source,
    max(at) AS verdict_at
FROM verdicts
GROUP BY id;

-- The calls of which it is known what they were.
CREATE OR REPLACE VIEW calls_labelled AS
SELECT
    calls.*,
    labels.verdict AS verdict,
    labels.campaign AS campaign,
    labels.verdict_by AS verdict_by,
    labels.verdict_source AS verdict_source,
    labels.verdict_at AS verdict_at
FROM calls
INNER JOIN verdicts_latest AS labels ON labels.id = calls.id;
