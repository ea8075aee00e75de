-- Sessions. What decisions read is inside `sealed`; the other columns serve look-ups and lists. A rowid table, so that
-- the indexes stay narrow and a list skips what its index already rules out.
CREATE TABLE sessions (
    id              BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    tenant          TEXT NOT NULL,
    client_id       TEXT NOT NULL,
    provider_id     TEXT NOT NULL,
    registration_id TEXT NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('web', 'mobile')),
    issuer          TEXT NOT NULL,
    sub             TEXT NOT NULL,
    subject         BLOB NOT NULL CHECK (length(subject) = 32),
    upstream_sid    BLOB CHECK (length(upstream_sid) = 32),
    name            TEXT,
    email           TEXT,
    address         TEXT,
    user_agent      TEXT,
    created_at      INTEGER NOT NULL,
    last_seen_at    INTEGER NOT NULL,
    -- How long it may go unused.
    idle_ms         INTEGER NOT NULL CHECK (idle_ms >= 0),
    expires_at      INTEGER NOT NULL,
    -- The earlier of both expiries while it runs, 0 once it was ended: one comparison tells live from over.
    live_until      INTEGER NOT NULL,
    ended_at        INTEGER,
    ended_reason    TEXT,
    ended_text      TEXT,
    ended_by        TEXT,
    version         INTEGER NOT NULL,
    secret_hash     BLOB NOT NULL CHECK (length(secret_hash) = 32),
    key_id          TEXT NOT NULL,
    wrapped_key     BLOB NOT NULL,
    sealed          BLOB NOT NULL,
    CHECK ((ended_at IS NULL) = (ended_reason IS NULL)),
    CHECK (ended_at IS NULL OR live_until = 0)
) STRICT;

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
-- Those that a provider's logout names.
CREATE INDEX sessions_of_upstream_sid ON sessions (upstream_sid) WHERE upstream_sid IS NOT NULL AND ended_at IS NULL;

-- Sealed token sets, apart from the rows that lists read. Gone once the provider was told of the session's end.
CREATE TABLE tokens (
    session_id   BLOB PRIMARY KEY NOT NULL REFERENCES sessions (id),
    generation   INTEGER NOT NULL CHECK (generation > 0),
    sealed       BLOB NOT NULL,
    refreshed_at INTEGER NOT NULL
) STRICT;

-- Who may refresh a session's token set, and until when; `until` is 0 when nobody does. The fence goes up with every lease.
CREATE TABLE refresh_leases (
    session_id BLOB PRIMARY KEY NOT NULL REFERENCES sessions (id),
    owner      TEXT NOT NULL,
    fence      INTEGER NOT NULL,
    until      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Refreshes that were begun and whose outcome is not known: committed before the first byte leaves, deleted when the
-- outcome is. One left behind by a holder without a lease puts its generation in doubt.
CREATE TABLE refresh_attempts (
    session_id BLOB NOT NULL REFERENCES sessions (id),
    generation INTEGER NOT NULL,
    fence      INTEGER NOT NULL,
    begun_at   INTEGER NOT NULL,
    PRIMARY KEY (session_id, generation, fence)
) STRICT, WITHOUT ROWID;

-- Login transactions that were used: by their state's hash, remembered until they would have expired.
CREATE TABLE used_transactions (
    hash       BLOB PRIMARY KEY NOT NULL CHECK (length(hash) = 32),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_transactions_by_expiry ON used_transactions (expires_at);

-- The key ring, wrapped by the root key, which is not here.
CREATE TABLE ring_keys (
    id         TEXT PRIMARY KEY NOT NULL,
    wrapped    BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A key per person for the personal fields of the audit log. Deleting one erases the person there.
CREATE TABLE subject_keys (
    subject BLOB PRIMARY KEY NOT NULL CHECK (length(subject) = 32),
    key_id  TEXT NOT NULL,
    wrapped BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The audit log, in the order events came (`place`). `seq` and `hash` are an event's place in the chain; NULL until the
-- sequencer has linked it.
CREATE TABLE audit_events (
    place          INTEGER PRIMARY KEY AUTOINCREMENT,
    id             BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    version        INTEGER NOT NULL,
    tenant         TEXT NOT NULL,
    at             INTEGER NOT NULL,
    kind           TEXT NOT NULL,
    session_id     BLOB CHECK (length(session_id) = 16),
    client_id      TEXT,
    provider_id    TEXT,
    subject        BLOB CHECK (length(subject) = 32),
    subject_sealed BLOB NOT NULL,
    actor          BLOB CHECK (length(actor) = 32),
    actor_sealed   BLOB NOT NULL,
    facts          TEXT NOT NULL,
    seq            INTEGER UNIQUE,
    hash           BLOB CHECK (length(hash) = 32),
    CHECK ((seq IS NULL) = (hash IS NULL))
) STRICT;
CREATE INDEX audit_events_unchained ON audit_events (place) WHERE seq IS NULL;
CREATE INDEX audit_events_of_session ON audit_events (session_id, place) WHERE session_id IS NOT NULL;
CREATE INDEX audit_events_by_time ON audit_events (at, kind);

-- The end of the chain: one row.
CREATE TABLE audit_head (
    one  INTEGER PRIMARY KEY NOT NULL CHECK (one = 1),
    seq  INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, zeroblob(32));
