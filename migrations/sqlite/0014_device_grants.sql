-- Sign-ins that devices without a browser asked for (RFC 8628): hashes of both codes, what the person is told, and what
-- came of it. `code` is the session's, sealed.
CREATE TABLE device_grants (
    device      BLOB PRIMARY KEY NOT NULL CHECK (length(device) = 32),
    user_code   BLOB NOT NULL UNIQUE CHECK (length(user_code) = 32),
    client_id   TEXT NOT NULL,
    scopes      TEXT NOT NULL,
    address     TEXT NOT NULL,
    user_agent  TEXT,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    polled_at   INTEGER NOT NULL,
    interval_ms INTEGER NOT NULL,
    denied      INTEGER NOT NULL DEFAULT 0,
    code        BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX device_grants_by_expiry ON device_grants (expires_at);
