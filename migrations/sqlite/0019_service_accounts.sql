-- Machines that use the admin API. Of a token only the hash of its secret is kept; `mark` is a keyed hash over what
-- decisions read (id to disabled_at), made by a key that is not here.
CREATE TABLE service_accounts (
    id             BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    version        INTEGER NOT NULL CHECK (version > 0),
    -- NULL: for every tenant.
    tenant         TEXT,
    -- Codes, with a space between each two.
    scopes         TEXT NOT NULL,
    secret         BLOB NOT NULL CHECK (length(secret) = 32),
    previous       BLOB CHECK (length(previous) = 32),
    previous_until INTEGER,
    expires_at     INTEGER,
    disabled_at    INTEGER,
    mark           BLOB NOT NULL CHECK (length(mark) = 32),
    name           TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    created_by     TEXT NOT NULL,
    disabled_by    TEXT,
    used_at        INTEGER,
    CHECK ((previous IS NULL) = (previous_until IS NULL)),
    CHECK ((disabled_at IS NULL) = (disabled_by IS NULL))
) STRICT, WITHOUT ROWID;
