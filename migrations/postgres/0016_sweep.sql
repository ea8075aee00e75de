-- Ended sessions in the order in which they are deleted.
CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;

-- Which node sweeps, and until when no other does.
CREATE TABLE sweeper (
    one   SMALLINT PRIMARY KEY CHECK (one = 1),
    owner TEXT COLLATE "C" NOT NULL,
    until BIGINT NOT NULL
);
INSERT INTO sweeper (one, owner, until) VALUES (1, '', 0);
