-- Machines that use the admin API. Of a token only the hash of its secret is kept; `mark` is a keyed hash over what
-- decisions read (id to disabled_at), made by a key that is not here.
CREATE TABLE service_accounts (
    id             BYTEA PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    version        BIGINT NOT NULL CHECK (version > 0),
    -- NULL: for every tenant.
    tenant         TEXT COLLATE "C",
    -- Codes, with a space between each two.
    scopes         TEXT COLLATE "C" NOT NULL,
    secret         BYTEA NOT NULL CHECK (length(secret) = 32),
    previous       BYTEA CHECK (length(previous) = 32),
    previous_until BIGINT,
    expires_at     BIGINT,
    disabled_at    BIGINT,
    mark           BYTEA NOT NULL CHECK (length(mark) = 32),
    name           TEXT COLLATE "C" NOT NULL,
    created_at     BIGINT NOT NULL,
    created_by     TEXT COLLATE "C" NOT NULL,
    disabled_by    TEXT COLLATE "C",
    used_at        BIGINT,
    CHECK ((previous IS NULL) = (previous_until IS NULL)),
    CHECK ((disabled_at IS NULL) = (disabled_by IS NULL))
);
