-- A verdict can be taken back, and spreads to its campaign as suggestions.
--
-- Withdrawn is a word like the others, and takes back what the same source said before: a customer
-- cannot take back an analyst's word, nor talk over it.
ALTER TABLE verdicts MODIFY COLUMN IF EXISTS verdict
    Enum8('legitimate' = 0, 'fraud' = 1, 'withdrawn' = 2)
    COMMENT 'what it was; withdrawn: this source no longer says what it said before';

ALTER TABLE verdicts COMMENT COLUMN IF EXISTS source
    'how it is known: analyst, customer, import, honeypot, report';

-- What counts of each call: of each source the latest word, unless it took it back, and of these
-- an analyst's before a customer's before a report's, an imported file's and the honeypot's.
CREATE OR REPLACE VIEW verdicts_latest AS
SELECT
    id,
    argMin(said, rank) AS verdict,
    argMin(named, rank) AS campaign,
    argMin(said_by, rank) AS verdict_by,
    argMin(said_source, rank) AS verdict_source,
    argMin(said_at, rank) AS verdict_at
FROM
(
    SELECT
        id,
        toString(source) AS said_source,
        argMax(verdict, (at, inserted_at)) AS said,
        argMax(campaign, (at, inserted_at)) AS named,
        argMax(by, (at, inserted_at)) AS said_by,
        max(at) AS said_at,
        (transform(said_source, ['analyst', 'customer', 'report', 'import', 'honeypot'], [1, 2, 3, 4, 5], 6), said_source) AS rank
    FROM verdicts
    GROUP BY id, said_source
    HAVING said != 'withdrawn'
)
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
    source LowCardinality(String) COMMENT 'how whoever gave the verdict knew: analyst, customer',
    settled_as LowCardinality(String) COMMENT 'the same of whoever settled the suggestion; empty: nobody has',
    at DateTime64(6, 'UTC') COMMENT 'when he did',
    inserted_at DateTime DEFAULT now() COMMENT 'when the row came into ClickHouse'
)
ENGINE = MergeTree
ORDER BY (account, id, at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'what verdicts suggest of other calls, and what became of it';

-- Suggestions that wait: because of verdicts that still stand, of calls nobody has judged since. What
-- a customer says of his calls, and what he settles, keeps no suggestion of an analyst's from the
-- analysts: who commits fraud would dismiss them all.
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
        argMax(source, (at, inserted_at)) AS source,
        max(verdict_suggestions.at) AS suggested_at
    FROM verdict_suggestions
    WHERE NOT (verdict_suggestions.source = 'analyst' AND settled_as = 'customer')
    GROUP BY id
)
WHERE state = 'open'
  AND id NOT IN (SELECT id FROM verdicts_latest WHERE verdict = 'fraud' OR verdict_source != 'customer')
  AND (source = 'analyst' OR id NOT IN (SELECT id FROM verdicts_latest))
  AND because IN (SELECT id FROM verdicts_latest WHERE verdict = 'fraud');
