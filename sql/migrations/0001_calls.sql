-- Every INVITE that was checked, with what was known, decided and measured.
--
-- Deduplication: the shipper repeats a batch under the same insert_deduplication_token until it
-- knows that it is stored; the window below is how many blocks the engine remembers. A token is
-- kept per part, and a batch over several months makes a part for each.
--
-- Order: analysts ask for one account's calls over a time; that is one range of the primary key.
CREATE TABLE IF NOT EXISTS calls
(
    id UUID COMMENT 'identity of the call; a retransmitted INVITE has the same',
    at DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)) COMMENT 'when it was decided; for imports the time in the file',
    ingress LowCardinality(String) COMMENT 'prevention, detection, web, honeypot or import',
    account LowCardinality(String) COMMENT 'domain whose policy applied; empty: a free call of nobody',
    policy LowCardinality(String) COMMENT 'name of the policy that applied',
    call_id String CODEC(ZSTD(1)) COMMENT 'SIP Call-ID',
    user String CODEC(ZSTD(1)) COMMENT 'the caller: user part of From',
    domain LowCardinality(String) COMMENT 'host part of From',
    policy_user String CODEC(ZSTD(1)) COMMENT 'user@domain of X-TFPS; empty: none sent',
    dialed String CODEC(ZSTD(1)) COMMENT 'the dialled string as sent',
    number UInt64 CODEC(ZSTD(1)) COMMENT 'the called number, E.164 digits; 0: none',
    calling_code UInt16 COMMENT 'its calling code; 0: none that exists',
    country LowCardinality(String) COMMENT 'ISO 3166-1 country of the number; ZZ unknown, XG global',
    class LowCardinality(String) COMMENT 'kind of number: fixed, mobile, premium, satellite, ...',
    dial_prefix LowCardinality(String) COMMENT 'what stood before the calling code: none, +, 00, 011, custom, guessed',
    peer IPv6 CODEC(ZSTD(1)) COMMENT 'address of the softswitch that asked',
    source_ip IPv6 CODEC(ZSTD(1)) COMMENT 'address of the device that calls',
    origin LowCardinality(String) COMMENT 'ISO 3166-1 country of source_ip; ZZ unknown',
    user_agent String CODEC(ZSTD(1)) COMMENT 'User-Agent of the device',
    concurrent Nullable(UInt32) COMMENT 'calls the customer had up, as he said; NULL: not said',
    features_version UInt16 COMMENT 'version of the feature catalogue; names are in feature_names',
    features Array(Float32) CODEC(ZSTD(1)) COMMENT 'the features as served, in the order of feature_names',
    score Nullable(Float32) COMMENT 'calibrated probability of fraud; NULL: no model was in force',
    model LowCardinality(String) COMMENT 'id of the model that scored; empty: none',
    reasons Nested(tag LowCardinality(String), contribution Float32) COMMENT 'what moved the score most, in log-odds',
    code LowCardinality(String) COMMENT 'A00 or the refusal; in shadow what it would have been',
    whitelisted Bool COMMENT 'approved at once by the policy''s whitelist',
    checks Map(LowCardinality(String), Enum8('off' = 0, 'pass' = 1, 'refuse' = 2, 'audit' = 3)) COMMENT 'what each check said: checks[''R13'']',
    evidence Map(LowCardinality(String), String) CODEC(ZSTD(1)) COMMENT 'why, for the checks that refused or would have',
    latency_us UInt32 COMMENT 'from the packet to the decision, microseconds',
    source_file UInt64 COMMENT 'the spool segment or imported file the row comes from',
    source_offset UInt64 CODEC(DoubleDelta, ZSTD(1)) COMMENT 'its place in there; with source_file unique, so a row that is here twice would show',
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
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'one row for every INVITE that was checked';
