//! Backend-for-Frontend session gateway: the library and the cloakroom binary.
