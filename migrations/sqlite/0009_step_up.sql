-- Sessions whose place another took by a step-up: the old secret counts until `good_until`, as long as the successor
-- runs. The first use after that is noted, once.
CREATE TABLE successions (
    session_id BLOB PRIMARY KEY NOT NULL CHECK (length(session_id) = 16),
    successor  BLOB NOT NULL CHECK (length(successor) = 16),
    good_until INTEGER NOT NULL,
    reused_at  INTEGER
) STRICT, WITHOUT ROWID;
