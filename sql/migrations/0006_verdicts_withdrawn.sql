-- A verdict can be taken back, and spreads to its campaign as suggestions.
--
-- Withdrawn is a word like the others: the latest counts, and a call whose latest word is that
-- nothing is known of it has no verdict.
ALTER TABLE verdicts MODIFY COLUMN IF EXISTS verdict
    Enum8('legitimate' = 0, 'fraud' = 1, 'withdrawn' = 2)
    COMMENT 'what it was; withdrawn: whoever said something before no longer does';

ALTER TABLE verdicts COMMENT COLUMN IF EXISTS source
    'how it is known: analyst, customer, import, honeypot, report';

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
GROUP BY id
HAVING verdict != 'withdrawn';

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

-- Calls that look like part of a campaign somebody called fraud. A suggestion is no label: it
-- becomes one when somebody accepts it, as a verdict of his own.
CREATE TABLE IF NOT EXISTS verdict_suggestions
(
    id UUID COMMENT 'the call of which it is suggested',
    account LowCardinality(String) COMMENT 'domain whose policy applied to that call',
    call_at DateTime64(6, 'UTC') COMMENT 'when that call was',
    because UUID COMMENT 'the call that was called fraud',
    because_account LowCardinality(String) COMMENT 'domain of the call that was called fraud',
    campaign String COMMENT 'campaign of the verdict; may be empty' CODEC(ZSTD(1)),
    rule LowCardinality(String) COMMENT 'what links the two calls: caller-block, caller-country, source-tool, block-tenants',
    reason String COMMENT 'the same in words' CODEC(ZSTD(1)),
    state Enum8('open' = 0, 'accepted' = 1, 'dismissed' = 2) COMMENT 'what became of it; the latest row counts',
    by LowCardinality(String) COMMENT 'who gave the verdict, or settled the suggestion',
    at DateTime64(6, 'UTC') COMMENT 'when he did',
    inserted_at DateTime DEFAULT now() COMMENT 'when the row came into ClickHouse'
)
ENGINE = MergeTree
ORDER BY (account, id, at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'what verdicts suggest of other calls, and what became of it';

-- Suggestions that wait: of calls nobody has judged since, because of verdicts that still stand.
CREATE OR REPLACE VIEW verdict_suggestions_open AS
SELECT * FROM
(
    SELECT
        id,
        argMax(account, (at, inserted_at)) AS account,
        argMax(call_at, (at, inserted_at)) AS call_at,
        argMax(because, (at, inserted_at)) AS because,
        argMax(because_account, (at, inserted_at)) AS because_account,
        argMax(campaign, (at, inserted_at)) AS campaign,
        argMax(rule, (at, inserted_at)) AS rule,
        argMax(reason, (at, inserted_at)) AS reason,
        argMax(state, (at, inserted_at)) AS state,
        argMax(by, (at, inserted_at)) AS by,
        max(verdict_suggestions.at) AS suggested_at
    FROM verdict_suggestions
    GROUP BY id
)
WHERE state = 'open'
  AND id NOT IN (SELECT id FROM verdicts_latest)
  AND because IN (SELECT id FROM verdicts_latest WHERE verdict = 'fraud');
