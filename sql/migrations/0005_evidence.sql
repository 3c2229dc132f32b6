-- What detection adds to a call.
ALTER TABLE calls ADD COLUMN IF NOT EXISTS signs UInt16 DEFAULT 0
    COMMENT 'oddities of the message, as bits; 0: none, or not from SIP' AFTER concurrent;
ALTER TABLE calls ADD COLUMN IF NOT EXISTS price Nullable(Float32)
    COMMENT 'price of a minute to the number by the rate deck in force, in its currency; NULL: not in the deck'
    AFTER dial_prefix;
ALTER TABLE calls ADD COLUMN IF NOT EXISTS novelty Nullable(Float32)
    COMMENT 'how unlike the calls of the training the call is, 0 to 1; it alerts, it never blocks; NULL: the model has none'
    AFTER score;
