-- Who is kept out: a person, an app, or everybody whom a provider signs in. Sessions go on under a lock, but serve nobody.
CREATE TABLE lockouts (
    id          BYTEA PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    -- The fence of who locked; NULL for one without. A lock touches only sessions inside it.
    tenant      TEXT COLLATE "C",
    issuer      TEXT COLLATE "C",
    sub         TEXT COLLATE "C",
    subject     BYTEA CHECK (length(subject) = 32),
    client_id   TEXT COLLATE "C",
    provider_id TEXT COLLATE "C",
    reason      TEXT COLLATE "C" NOT NULL,
    -- Who, for people to read.
    by_name     TEXT COLLATE "C" NOT NULL,
    since       BIGINT NOT NULL,
    until       BIGINT,
    lifted_at   BIGINT,
    lifted_by   TEXT COLLATE "C",
    CHECK (num_nonnulls(subject, client_id, provider_id) = 1),
    CHECK ((subject IS NULL) = (issuer IS NULL) AND (subject IS NULL) = (sub IS NULL)),
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
CREATE INDEX lockouts_by_time ON lockouts (since, id);
CREATE INDEX lockouts_of_subject ON lockouts (subject) WHERE subject IS NOT NULL AND lifted_at IS NULL;
CREATE INDEX lockouts_of_client ON lockouts (client_id) WHERE client_id IS NOT NULL AND lifted_at IS NULL;
CREATE INDEX lockouts_of_provider ON lockouts (provider_id) WHERE provider_id IS NOT NULL AND lifted_at IS NULL;

-- Owners whom somebody with a shell on the host made so, whatever their claims say.
CREATE TABLE granted_owners (
    subject    BYTEA PRIMARY KEY NOT NULL CHECK (length(subject) = 32),
    granted_at BIGINT NOT NULL
);
