-- Who a call was counted to: quotas are his, and so are the reports.
ALTER TABLE calls ADD COLUMN IF NOT EXISTS subscriber LowCardinality(String)
    COMMENT 'who in the account the call was counted to: a subscriber, a mapped caller number, or the default user'
    AFTER account;
