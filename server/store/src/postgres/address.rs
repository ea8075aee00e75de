//! Where a database is: `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE`; a host that begins with `%2F` is a socket's folder.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr as _;

use sqlx::postgres::PgConnectOptions;

const PORT: u16 = 5432;

/// The address of a database. Its password is shown nowhere.
#[derive(Clone)]
pub struct Address {
    pub(super) options: Box<PgConnectOptions>,
    has_password: bool,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.to_string()).finish()
    }
}

/// Host, port and database.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.options.get_database().unwrap_or_default();
        match self.options.get_socket() {
            Some(folder) => write!(f, "postgres {} database {database}", folder.display()),
            None => write!(f, "postgres {}:{} database {database}", self.options.get_host(), self.options.get_port()),
        }
    }
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it, without any part of it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        let rest = rest.ok_or("does not start with postgres://")?;
        if rest.contains(['?', '#']) {
            return Err("has parameters, of which none may stand there");
        }
        let (authority, database) = rest.split_once('/').ok_or("names no database")?;
        if database.is_empty() {
            return Err("names no database");
        }
        let (user, host) = authority.rsplit_once('@').ok_or("names no user")?;
        let (user, password) = user.split_once(':').map_or((user, None), |(user, password)| (user, Some(password)));
        if user.is_empty() {
            return Err("names no user");
        }
        if host.contains(',') {
            return Err("names several hosts; give one name that leads to the primary");
        }
        if host.is_empty() {
            return Err("names no host");
        }
        let options = PgConnectOptions::from_str(text).map_err(|_| "is no address")?;
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()));
        let options = if has_port { options } else { options.port(PORT) };
        Ok(Self { options: Box::new(options.application_name("cloakroom")), has_password: password.is_some() })
    }

    /// Whether a password stands in it.
    #[must_use]
    pub const fn has_password(&self) -> bool {
        self.has_password
    }

    /// Whether what is sent there never leaves this machine: a socket, or the loopback interface.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let host = self.options.get_host().trim_matches(['[', ']']);
        self.options.get_socket().is_some()
            || host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_without_their_password() {
        let cases = [
            ("postgres://u:hunter2@db.example/cloakroom", "postgres db.example:5432 database cloakroom", false),
            ("postgresql://u@db.example:6432/c", "postgres db.example:6432 database c", false),
            ("postgres://u@127.0.0.1:6432/c", "postgres 127.0.0.1:6432 database c", true),
            ("postgres://u@[::1]/c", "postgres [::1]:5432 database c", true),
            ("postgres://u@%2Frun%2Fpostgresql/c", "postgres /run/postgresql database c", true),
        ];
        for (text, shown, local) in cases {
            let address = Address::parse(text).expect(text);
            assert_eq!((&*address.to_string(), address.is_local()), (shown, local), "{text}");
            assert!(!format!("{address:?}").contains("hunter2"));
            assert_eq!(address.has_password(), text.contains("hunter2"));
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (text, why) in [
            ("mysql://u@h/c", "does not start"),
            ("postgres://u@h", "no database"),
            ("postgres://u@h/", "no database"),
            ("postgres://h/c", "no user"),
            ("postgres://:p@h/c", "no user"),
            ("postgres://u@/c", "no host"),
            ("postgres://u@a,b/c", "several hosts"),
            ("postgres://u@h/c?sslmode=disable", "has parameters"),
            ("postgres://u@h:x/c", "no address"),
        ] {
            let told = Address::parse(text).expect_err(text);
            assert!(told.contains(why), "{text}: {told}");
        }
    }
}
