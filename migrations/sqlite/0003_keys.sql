-- What is sealed under a key of the ring: counted, and re-wrapped in small batches, after a rotation.
CREATE INDEX sessions_by_key ON sessions (key_id);
CREATE INDEX subject_keys_by_key ON subject_keys (key_id);
