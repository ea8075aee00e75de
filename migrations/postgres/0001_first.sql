-- Everything of migrations/sqlite 0001 to 0007, and what several nodes need besides. Text that is compared or sorted goes
-- by its bytes (COLLATE "C"), so that both stores answer alike and an index never depends on the machine's locale.

-- Sessions. What decisions read is inside `sealed`; the other columns serve look-ups and lists.
CREATE TABLE sessions (
    id              BYTEA PRIMARY KEY CHECK (length(id) = 16),
    tenant          TEXT COLLATE "C" NOT NULL,
    client_id       TEXT COLLATE "C" NOT NULL,
    provider_id     TEXT COLLATE "C" NOT NULL,
    registration_id TEXT COLLATE "C" NOT NULL,
    kind            TEXT COLLATE "C" NOT NULL CHECK (kind IN ('web', 'mobile')),
    issuer          TEXT COLLATE "C" NOT NULL,
    sub             TEXT COLLATE "C" NOT NULL,
    subject         BYTEA NOT NULL CHECK (length(subject) = 32),
    upstream_sid    BYTEA CHECK (length(upstream_sid) = 32),
    name            TEXT COLLATE "C",
    email           TEXT COLLATE "C",
    address         TEXT COLLATE "C",
    user_agent      TEXT COLLATE "C",
    created_at      BIGINT NOT NULL,
    last_seen_at    BIGINT NOT NULL,
    -- How long it may go unused.
    idle_ms         BIGINT NOT NULL CHECK (idle_ms >= 0),
    expires_at      BIGINT NOT NULL,
    -- The earlier of both expiries while it runs, 0 once it was ended: one comparison tells live from over.
    live_until      BIGINT NOT NULL,
    ended_at        BIGINT,
    ended_reason    TEXT COLLATE "C",
    ended_text      TEXT COLLATE "C",
    ended_by        TEXT COLLATE "C",
    version         BIGINT NOT NULL,
    secret_hash     BYTEA NOT NULL CHECK (length(secret_hash) = 32),
    key_id          TEXT COLLATE "C" NOT NULL,
    wrapped_key     BYTEA NOT NULL,
    sealed          BYTEA NOT NULL,
    CHECK ((ended_at IS NULL) = (ended_reason IS NULL)),
    CHECK (ended_at IS NULL OR live_until = 0)
);

-- A tenant's lists, of all clients and of one. `live_until` at the end: the state is told without reading the row.
CREATE INDEX sessions_by_created ON sessions (tenant, created_at, id, live_until);
CREATE INDEX sessions_by_last_seen ON sessions (tenant, last_seen_at, id, live_until);
CREATE INDEX sessions_of_client_by_created ON sessions (tenant, client_id, created_at, id, live_until);
CREATE INDEX sessions_of_client_by_last_seen ON sessions (tenant, client_id, last_seen_at, id, live_until);
-- Counts and totals.
CREATE INDEX sessions_by_life ON sessions (tenant, live_until, client_id, provider_id);
-- One person's, by the provider's id for them and by the keyed hash.
CREATE INDEX sessions_of_sub ON sessions (tenant, sub, created_at, id);
CREATE INDEX sessions_of_subject ON sessions (subject, client_id, created_at, id);
CREATE INDEX sessions_running_of_subject ON sessions (subject) WHERE ended_at IS NULL;
-- Those that a provider's logout names.
CREATE INDEX sessions_of_upstream_sid ON sessions (upstream_sid) WHERE upstream_sid IS NOT NULL AND ended_at IS NULL;
-- What is sealed under a key of the ring: counted, and re-wrapped in small batches, after a rotation.
CREATE INDEX sessions_by_key ON sessions (key_id);

-- Sealed token sets, apart from the rows that lists read. Gone once the provider was told of the session's end.
CREATE TABLE tokens (
    session_id   BYTEA PRIMARY KEY REFERENCES sessions (id),
    generation   BIGINT NOT NULL CHECK (generation > 0),
    sealed       BYTEA NOT NULL,
    refreshed_at BIGINT NOT NULL
);

-- Who may refresh a session's token set, and until when; `until` is 0 when nobody does. The fence goes up with every lease.
CREATE TABLE refresh_leases (
    session_id BYTEA PRIMARY KEY REFERENCES sessions (id),
    owner      TEXT COLLATE "C" NOT NULL,
    fence      BIGINT NOT NULL,
    until      BIGINT NOT NULL
);

-- Refreshes that were begun and whose outcome is not known: committed before the first byte leaves, deleted when the
-- outcome is. One left behind by a holder without a lease puts its generation in doubt.
CREATE TABLE refresh_attempts (
    session_id BYTEA NOT NULL REFERENCES sessions (id),
    generation BIGINT NOT NULL,
    fence      BIGINT NOT NULL,
    begun_at   BIGINT NOT NULL,
    PRIMARY KEY (session_id, generation, fence)
);

-- Login transactions that were used: by their state's hash, remembered until they would have expired.
CREATE TABLE used_transactions (
    hash       BYTEA PRIMARY KEY CHECK (length(hash) = 32),
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_transactions_by_expiry ON used_transactions (expires_at);

-- Logout tokens that were used (OIDC Back-Channel Logout 1.0): by a keyed hash of issuer and jti, remembered until they
-- would no longer be taken.
CREATE TABLE used_logout_tokens (
    hash       BYTEA PRIMARY KEY CHECK (length(hash) = 32),
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_logout_tokens_by_expiry ON used_logout_tokens (expires_at);

-- Logouts that logins on their way must not outrun: by the keyed hash of the provider's session or of the person.
CREATE TABLE logout_tombstones (
    name        BYTEA PRIMARY KEY CHECK (length(name) = 32),
    -- By the provider's clock.
    issued_at   BIGINT NOT NULL,
    -- By ours.
    received_at BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX logout_tombstones_by_expiry ON logout_tombstones (expires_at);

-- Rows that units of work lock so as to meet. 0 to 255: a login and a logout of the same name, chosen by the name's first
-- byte; logins share a row, a logout has it alone, and neither misses what the other is about to commit. 256: the key ring.
CREATE TABLE locks (
    slot SMALLINT PRIMARY KEY
);
INSERT INTO locks (slot) SELECT slot FROM generate_series(0, 256) AS slot;

-- The key ring, wrapped by the root key, which is not here.
CREATE TABLE ring_keys (
    id         TEXT COLLATE "C" PRIMARY KEY,
    wrapped    BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

-- A key per person for the personal fields of the audit log. Deleting one erases the person there.
CREATE TABLE subject_keys (
    subject BYTEA PRIMARY KEY CHECK (length(subject) = 32),
    key_id  TEXT COLLATE "C" NOT NULL,
    wrapped BYTEA NOT NULL
);
CREATE INDEX subject_keys_by_key ON subject_keys (key_id);

-- The audit log, in the order events came (`place`; two that come at once may change places). `seq` and `hash` are an
-- event's place in the chain; NULL until the sequencer has linked it.
CREATE TABLE audit_events (
    place          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id             BYTEA NOT NULL UNIQUE CHECK (length(id) = 16),
    version        BIGINT NOT NULL,
    tenant         TEXT COLLATE "C" NOT NULL,
    at             BIGINT NOT NULL,
    kind           TEXT COLLATE "C" NOT NULL,
    session_id     BYTEA CHECK (length(session_id) = 16),
    client_id      TEXT COLLATE "C",
    provider_id    TEXT COLLATE "C",
    subject        BYTEA CHECK (length(subject) = 32),
    subject_sealed BYTEA NOT NULL,
    actor          BYTEA CHECK (length(actor) = 32),
    actor_sealed   BYTEA NOT NULL,
    facts          TEXT COLLATE "C" NOT NULL,
    seq            BIGINT UNIQUE,
    hash           BYTEA CHECK (length(hash) = 32),
    CHECK ((seq IS NULL) = (hash IS NULL))
);
CREATE INDEX audit_events_unchained ON audit_events (place) WHERE seq IS NULL;
CREATE INDEX audit_events_of_session ON audit_events (session_id, place) WHERE session_id IS NOT NULL;
CREATE INDEX audit_events_by_time ON audit_events (at, kind);
CREATE INDEX audit_events_of_tenant_by_time ON audit_events (tenant, at, kind);
CREATE INDEX audit_events_of_tenant ON audit_events (tenant, place);

-- The end of the chain: one row.
CREATE TABLE audit_head (
    one  SMALLINT PRIMARY KEY CHECK (one = 1),
    seq  BIGINT NOT NULL,
    hash BYTEA NOT NULL CHECK (length(hash) = 32)
);
INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

-- The change log: what other nodes must hear of. A transaction takes its number last and holds it to its commit, so that
-- numbers have no gaps and their order is that of the commits. `incarnation` is another for another store.
CREATE TABLE log_head (
    one         SMALLINT PRIMARY KEY CHECK (one = 1),
    n           BIGINT NOT NULL,
    incarnation UUID NOT NULL
);
INSERT INTO log_head (one, n, incarnation) VALUES (1, 0, gen_random_uuid());

CREATE TABLE change_log (
    n        BIGINT PRIMARY KEY,
    -- By the database's clock, in ms: old entries are swept.
    at       BIGINT NOT NULL,
    -- `ended`: these sessions. `all`: any session may have ended. `keys`: the key ring.
    what     TEXT COLLATE "C" NOT NULL,
    sessions BYTEA[] NOT NULL
);
