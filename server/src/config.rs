//! Configuration: one TOML file, environment overrides, secrets by reference. Every mistake is found at once, and shown
//! with its place, what is wrong and what is allowed.

mod keys;
mod load;
mod mask;
mod model;
mod preset;
mod read;
mod reader;
mod report;
mod secret;
mod store;
mod summary;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;

pub use load::{Environment, Loaded, load, load_from_process, no_colours};
pub use model::{
    Admin, Client, Config, Keys, Log, MobileClient, Origin, Provider, Registration, RegistrationId, Route, RouteTo,
    Server, Site, Tls, TokenMode, Upstream,
};
pub use report::{Item, Report};
pub use store::Store;
pub use summary::summary;
