-- Searches of the audit log, newest first: by person, by administrator, by kind. The tenant stands last, so that a fenced
-- administrator's count is told without reading the rows.
CREATE INDEX audit_events_of_subject ON audit_events (subject, at, tenant) WHERE subject IS NOT NULL;
CREATE INDEX audit_events_of_actor ON audit_events (actor, at, tenant) WHERE actor IS NOT NULL;
CREATE INDEX audit_events_of_kind ON audit_events (kind, at);
CREATE INDEX audit_events_of_tenant_kind ON audit_events (tenant, kind, at);

-- From where an event's person came, as a keyed hash. Beside the log and outside of its chain: it goes when the person
-- is erased.
CREATE TABLE audit_addresses (
    place   INTEGER PRIMARY KEY NOT NULL,
    address BLOB NOT NULL CHECK (length(address) = 32),
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_addresses_of_address ON audit_addresses (address, at);
