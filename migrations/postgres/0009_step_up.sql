-- Sessions whose place another took by a step-up: the old secret counts until `good_until`, as long as the successor
-- runs. The first use after that is noted, once.
CREATE TABLE successions (
    session_id BYTEA PRIMARY KEY CHECK (length(session_id) = 16),
    successor  BYTEA NOT NULL CHECK (length(successor) = 16),
    good_until BIGINT NOT NULL,
    reused_at  BIGINT
);
