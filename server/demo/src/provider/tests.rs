//! The provider from outside, by its endpoints.

mod authorize;
mod login;
mod logout;
mod tokens;
