//! Wire types of the admin API, shared by gateway and console.
