-- Sign-ins that devices without a browser asked for (RFC 8628): hashes of both codes, what the person is told, and what
-- came of it. `code` is the session's, sealed.
CREATE TABLE device_grants (
    device      BYTEA PRIMARY KEY CHECK (length(device) = 32),
    user_code   BYTEA NOT NULL UNIQUE CHECK (length(user_code) = 32),
    client_id   TEXT COLLATE "C" NOT NULL,
    scopes      TEXT COLLATE "C" NOT NULL,
    address     TEXT COLLATE "C" NOT NULL,
    user_agent  TEXT COLLATE "C",
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    polled_at   BIGINT NOT NULL,
    interval_ms BIGINT NOT NULL,
    denied      BOOLEAN NOT NULL DEFAULT FALSE,
    code        BYTEA
);
CREATE INDEX device_grants_by_expiry ON device_grants (expires_at);
