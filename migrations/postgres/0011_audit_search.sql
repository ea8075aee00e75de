-- Searches of the audit log, newest first: by person, by administrator, by kind. The tenant stands last, so that a fenced
-- administrator's count is told without reading the rows.
CREATE INDEX audit_events_of_subject ON audit_events (subject, at, place, tenant) WHERE subject IS NOT NULL;
CREATE INDEX audit_events_of_actor ON audit_events (actor, at, place, tenant) WHERE actor IS NOT NULL;
CREATE INDEX audit_events_of_kind ON audit_events (kind, at, place);
CREATE INDEX audit_events_of_tenant_kind ON audit_events (tenant, kind, at, place);

-- From where an event's person came, as a keyed hash. Beside the log and outside of its chain: it goes when the person
-- is erased.
CREATE TABLE audit_addresses (
    place   BIGINT PRIMARY KEY,
    address BYTEA NOT NULL CHECK (length(address) = 32),
    at      BIGINT NOT NULL
);
CREATE INDEX audit_addresses_of_address ON audit_addresses (address, at, place);
