-- What stands for a mobile app's session: when its code may be redeemed and was, and hashes of its refresh token and of
-- the one before. `answer` is the answer to that one, sealed under a key derived from it, for a response that was
-- lost; it is nobody's after `answer_until`.
CREATE TABLE mobile_grants (
    session_id      BYTEA PRIMARY KEY REFERENCES sessions (id),
    code_expires_at BIGINT NOT NULL,
    redeemed_at     BIGINT,
    refresh         BYTEA CHECK (length(refresh) = 32),
    previous        BYTEA CHECK (length(previous) = 32),
    answer          BYTEA,
    answer_until    BIGINT,
    CHECK ((answer IS NULL) = (answer_until IS NULL))
);
CREATE INDEX mobile_grants_by_answer ON mobile_grants (answer_until) WHERE answer_until IS NOT NULL;

-- What must not be used twice: proofs of possession, pushed requests. By hash, remembered until it would be refused anyway.
CREATE TABLE used_once (
    hash       BYTEA PRIMARY KEY CHECK (length(hash) = 32),
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_once_by_expiry ON used_once (expires_at);

-- The name that its owner gave a device.
ALTER TABLE sessions ADD COLUMN device_name TEXT COLLATE "C";
