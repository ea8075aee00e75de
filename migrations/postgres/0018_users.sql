-- People: each stands in the list by their newest session. A person's sessions by time; and everybody's.
CREATE INDEX sessions_of_user ON sessions (subject, created_at, id, tenant, live_until);
CREATE INDEX sessions_by_time ON sessions (created_at, id, live_until);
CREATE INDEX lockouts_of_user ON lockouts (subject, since) WHERE subject IS NOT NULL;

-- Who was erased, by keyed hash, and when: what was sealed before that does not open, and is not broken for it.
CREATE TABLE erased_subjects (
    subject BYTEA PRIMARY KEY NOT NULL CHECK (length(subject) = 32),
    at      BIGINT NOT NULL
);
