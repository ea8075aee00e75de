-- What stands for a mobile app's session: when its code may be redeemed and was, and hashes of its refresh token and of
-- the one before. `answer` is the answer to that one, sealed under a key derived from it, for a response that was
-- lost; it is nobody's after `answer_until`.
CREATE TABLE mobile_grants (
    session_id      BLOB PRIMARY KEY NOT NULL REFERENCES sessions (id),
    code_expires_at INTEGER NOT NULL,
    redeemed_at     INTEGER,
    refresh         BLOB CHECK (length(refresh) = 32),
    previous        BLOB CHECK (length(previous) = 32),
    answer          BLOB,
    answer_until    INTEGER,
    CHECK ((answer IS NULL) = (answer_until IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX mobile_grants_by_answer ON mobile_grants (answer_until) WHERE answer_until IS NOT NULL;

-- What must not be used twice: proofs of possession, pushed requests. By hash, remembered until it would be refused anyway.
CREATE TABLE used_once (
    hash       BLOB PRIMARY KEY NOT NULL CHECK (length(hash) = 32),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_once_by_expiry ON used_once (expires_at);

-- The name that its owner gave a device.
ALTER TABLE sessions ADD COLUMN device_name TEXT;
