-- What the sender of the demo knows of each call: the answer on the wire, and the truth.
CREATE TABLE demo_answers
(
    call_id String,
    status UInt16,
    code String,
    number String,
    score String,
    reasons String,
    latency_us UInt64,
    user String,
    domain String,
    verdict String,
    campaign String
)
ENGINE = Memory
