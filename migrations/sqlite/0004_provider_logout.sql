-- Logout tokens that were used (OIDC Back-Channel Logout 1.0): by a keyed hash of issuer and jti, remembered until they
-- would no longer be taken.
CREATE TABLE used_logout_tokens (
    hash       BLOB PRIMARY KEY NOT NULL CHECK (length(hash) = 32),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_logout_tokens_by_expiry ON used_logout_tokens (expires_at);

-- Logouts that logins on their way must not outrun: by the keyed hash of the provider's session or of the person.
CREATE TABLE logout_tombstones (
    name        BLOB PRIMARY KEY NOT NULL CHECK (length(name) = 32),
    -- By the provider's clock.
    issued_at   INTEGER NOT NULL,
    -- By ours.
    received_at INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX logout_tombstones_by_expiry ON logout_tombstones (expires_at);

-- A person's sessions that run, without walking over those that ended.
CREATE INDEX sessions_running_of_subject ON sessions (subject) WHERE ended_at IS NULL;
