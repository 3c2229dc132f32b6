-- Every INVITE that was checked, with what was known, decided and measured.
--
-- Deduplication: the shipper repeats a batch under the same insert_deduplication_token until it
-- knows that it is stored; the window below is how many blocks the engine remembers. A token is
-- kept per part, and a batch over several months makes a part for each.
--
-- Inserts are fsynced: the spool forgets what is here, so it must be on the disk.
--
-- Order: analysts ask for one account's calls over a time; that is one range of the primary key.
CREATE TABLE IF NOT EXISTS calls
(
    id UUID COMMENT 'identity of the call; a retransmitted INVITE has the same',
    at DateTime64(6, 'UTC') COMMENT 'when it was decided; for imports the time in the file' CODEC(DoubleDelta, ZSTD(1)),
    ingress LowCardinality(String) COMMENT 'prevention, detection, web, honeypot or import',
    account LowCardinality(String) COMMENT 'domain whose policy applied; empty: a free call of nobody',
    policy LowCardinality(String) COMMENT 'name of the policy that applied',
    call_id String COMMENT 'SIP Call-ID' CODEC(ZSTD(1)),
    user String COMMENT 'the caller: user part of From' CODEC(ZSTD(1)),
    domain LowCardinality(String) COMMENT 'host part of From',
    policy_user String COMMENT 'user@domain of X-TFPS; empty: none sent' CODEC(ZSTD(1)),
    dialed String COMMENT 'the dialled string as sent' CODEC(ZSTD(1)),
    number UInt64 COMMENT 'the called number, E.164 digits; 0: none' CODEC(ZSTD(1)),
    calling_code UInt16 COMMENT 'its calling code; 0: none that exists',
    country LowCardinality(String) COMMENT 'ISO 3166-1 country of the number; ZZ unknown, XG global',
    class LowCardinality(String) COMMENT 'kind of number: fixed, mobile, premium, satellite, ...',
    dial_prefix LowCardinality(String) COMMENT 'what stood before the calling code: none, +, 00, 011, custom, guessed',
    peer IPv6 COMMENT 'address of the softswitch that asked' CODEC(ZSTD(1)),
    source_ip IPv6 COMMENT 'address of the device that calls' CODEC(ZSTD(1)),
    origin LowCardinality(String) COMMENT 'ISO 3166-1 country of source_ip; ZZ unknown',
    user_agent String COMMENT 'User-Agent of the device' CODEC(ZSTD(1)),
    concurrent Nullable(UInt32) COMMENT 'calls the customer had up, as he said; NULL: not said',
    features_version UInt16 COMMENT 'version of the feature catalogue; names are in feature_names',
    features Array(Float32) COMMENT 'the features as served, in the order of feature_names' CODEC(ZSTD(1)),
    score Nullable(Float32) COMMENT 'calibrated probability of fraud; NULL: no model was in force',
    model LowCardinality(String) COMMENT 'id of the model that scored; empty: none',
    reasons Nested(tag LowCardinality(String), contribution Float32) COMMENT 'what moved the score most, in log-odds',
    code LowCardinality(String) COMMENT 'A00 or the refusal; in shadow what it would have been',
    whitelisted Bool COMMENT 'approved at once by the policy''s whitelist',
    checks Map(LowCardinality(String), Enum8('off' = 0, 'pass' = 1, 'refuse' = 2, 'audit' = 3)) COMMENT 'what each check said: checks[''R13'']',
    evidence Map(LowCardinality(String), String) COMMENT 'why, for the checks that refused or would have' CODEC(ZSTD(1)),
    latency_us UInt32 COMMENT 'from the packet to the decision, microseconds',
    source_file UInt64 COMMENT 'the spool segment or imported file the row comes from',
    source_offset UInt64 COMMENT 'its place in there; with source_file unique, so a row that is here twice would show' CODEC(DoubleDelta, ZSTD(1)),
    inserted_at DateTime DEFAULT now() COMMENT 'when the row came into ClickHouse',
    INDEX by_id id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_call_id call_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_number number TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_source_ip source_ip TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_source_file source_file TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_at at TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (account, at, id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'one row for every INVITE that was checked';
