-- A fenced administrator's overview: counts by kind, and the newest events.
CREATE INDEX audit_events_of_tenant_by_time ON audit_events (tenant, at, kind);
CREATE INDEX audit_events_of_tenant ON audit_events (tenant, place);
