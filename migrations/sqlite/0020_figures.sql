-- Figures by the minute (width 1) and by the hour (width 60, `minute` is its first). Each node adds what it counted.
CREATE TABLE figures (
    width       INTEGER NOT NULL CHECK (width IN (1, 60)),
    minute      INTEGER NOT NULL,
    tenant      TEXT NOT NULL,
    measure     TEXT NOT NULL,
    client_id   TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    n           INTEGER NOT NULL CHECK (n >= 0),
    PRIMARY KEY (width, minute, tenant, measure, client_id, provider_id)
) STRICT, WITHOUT ROWID;
