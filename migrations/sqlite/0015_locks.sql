-- Who is kept out: a person, an app, or everybody whom a provider signs in. Sessions go on under a lock, but serve nobody.
CREATE TABLE lockouts (
    id          BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    -- The fence of who locked; NULL for one without. A lock touches only sessions inside it.
    tenant      TEXT,
    issuer      TEXT,
    sub         TEXT,
    subject     BLOB CHECK (length(subject) = 32),
    client_id   TEXT,
    provider_id TEXT,
    reason      TEXT NOT NULL,
    -- Who, for people to read.
    by_name     TEXT NOT NULL,
    since       INTEGER NOT NULL,
    until       INTEGER,
    lifted_at   INTEGER,
    lifted_by   TEXT,
    CHECK ((subject IS NOT NULL) + (client_id IS NOT NULL) + (provider_id IS NOT NULL) = 1),
    CHECK ((subject IS NULL) = (issuer IS NULL) AND (subject IS NULL) = (sub IS NULL)),
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
) STRICT;
CREATE INDEX lockouts_by_time ON lockouts (since, id);
CREATE INDEX lockouts_of_subject ON lockouts (subject) WHERE subject IS NOT NULL AND lifted_at IS NULL;
CREATE INDEX lockouts_of_client ON lockouts (client_id) WHERE client_id IS NOT NULL AND lifted_at IS NULL;
CREATE INDEX lockouts_of_provider ON lockouts (provider_id) WHERE provider_id IS NOT NULL AND lifted_at IS NULL;

-- Owners whom somebody with a shell on the host made so, whatever their claims say.
CREATE TABLE granted_owners (
    subject    BLOB PRIMARY KEY NOT NULL CHECK (length(subject) = 32),
    granted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
