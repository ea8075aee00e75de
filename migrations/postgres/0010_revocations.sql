-- Revocations of many sessions: decided once, over at once, their rows ended in small batches.
CREATE TABLE revocations (
    id            BYTEA PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    -- The fence of who decided; NULL for one without.
    tenant        TEXT COLLATE "C",
    -- Which sessions, and who decided: JSON.
    filter        TEXT COLLATE "C" NOT NULL,
    actor         TEXT COLLATE "C" NOT NULL,
    reason        TEXT COLLATE "C" NOT NULL,
    decided_at    BIGINT NOT NULL,
    -- How many the preview showed.
    expected      BIGINT NOT NULL,
    ended         BIGINT NOT NULL DEFAULT 0,
    finished_at   BIGINT,
    -- What the providers said of the sessions' tokens so far.
    told          BIGINT NOT NULL DEFAULT 0,
    untold        BIGINT NOT NULL DEFAULT 0,
    not_supported BIGINT NOT NULL DEFAULT 0,
    -- Until when an access token of theirs may still be taken by an upstream that does not ask back.
    access_until  BIGINT
);
CREATE INDEX revocations_by_time ON revocations (decided_at, id);
CREATE INDEX revocations_unfinished ON revocations (decided_at) WHERE finished_at IS NULL;

-- Tokens of a revocation that their provider was not told of in the end, and why.
CREATE TABLE revocation_failures (
    revocation_id BYTEA NOT NULL REFERENCES revocations (id),
    session_id    BYTEA NOT NULL,
    detail        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (revocation_id, session_id)
);

-- Token sets of ended sessions wait here until their provider is told: when it is tried next, and how often it was.
ALTER TABLE tokens ADD COLUMN tell_at BIGINT;
ALTER TABLE tokens ADD COLUMN tell_tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN revocation_id BYTEA;
CREATE INDEX tokens_to_tell ON tokens (tell_at) WHERE tell_at IS NOT NULL;
CREATE INDEX tokens_of_revocation ON tokens (revocation_id) WHERE revocation_id IS NOT NULL;
UPDATE tokens SET tell_at = 0 WHERE session_id IN (SELECT id FROM sessions WHERE ended_at IS NOT NULL);

-- Whoever decides to keep people out holds this row alone, and every login that is being kept shares it: of the two, one
-- comes first.
CREATE TABLE decisions (one SMALLINT PRIMARY KEY CHECK (one = 1));
INSERT INTO decisions (one) VALUES (1);
