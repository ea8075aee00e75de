-- Figures by the minute (width 1) and by the hour (width 60, `minute` is its first). Each node adds what it counted.
CREATE TABLE figures (
    width       BIGINT NOT NULL CHECK (width IN (1, 60)),
    minute      BIGINT NOT NULL,
    tenant      TEXT COLLATE "C" NOT NULL,
    measure     TEXT COLLATE "C" NOT NULL,
    client_id   TEXT COLLATE "C" NOT NULL,
    provider_id TEXT COLLATE "C" NOT NULL,
    n           BIGINT NOT NULL CHECK (n >= 0),
    PRIMARY KEY (width, minute, tenant, measure, client_id, provider_id)
);
