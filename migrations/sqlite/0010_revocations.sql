-- Revocations of many sessions: decided once, over at once, their rows ended in small batches.
CREATE TABLE revocations (
    id            BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    -- The fence of who decided; NULL for one without.
    tenant        TEXT,
    -- Which sessions, and who decided: JSON.
    filter        TEXT NOT NULL,
    actor         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    decided_at    INTEGER NOT NULL,
    -- How many the preview showed.
    expected      INTEGER NOT NULL,
    ended         INTEGER NOT NULL DEFAULT 0,
    finished_at   INTEGER,
    -- What the providers said of the sessions' tokens so far.
    told          INTEGER NOT NULL DEFAULT 0,
    untold        INTEGER NOT NULL DEFAULT 0,
    not_supported INTEGER NOT NULL DEFAULT 0,
    -- Until when an access token of theirs may still be taken by an upstream that does not ask back.
    access_until  INTEGER
) STRICT;
CREATE INDEX revocations_by_time ON revocations (decided_at, id);
CREATE INDEX revocations_unfinished ON revocations (decided_at) WHERE finished_at IS NULL;

-- Tokens of a revocation that their provider was not told of in the end, and why.
CREATE TABLE revocation_failures (
    revocation_id BLOB NOT NULL REFERENCES revocations (id),
    session_id    BLOB NOT NULL,
    detail        TEXT NOT NULL,
    PRIMARY KEY (revocation_id, session_id)
) STRICT, WITHOUT ROWID;

-- Token sets of ended sessions wait here until their provider is told: when it is tried next, and how often it was.
ALTER TABLE tokens ADD COLUMN tell_at INTEGER;
ALTER TABLE tokens ADD COLUMN tell_tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN revocation_id BLOB;
CREATE INDEX tokens_to_tell ON tokens (tell_at) WHERE tell_at IS NOT NULL;
CREATE INDEX tokens_of_revocation ON tokens (revocation_id) WHERE revocation_id IS NOT NULL;
UPDATE tokens SET tell_at = 0 WHERE session_id IN (SELECT id FROM sessions WHERE ended_at IS NOT NULL);
