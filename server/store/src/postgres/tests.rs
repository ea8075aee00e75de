//! What PostgreSQL alone promises, and the suite of every store.

#[expect(
    dead_code,
    unreachable_pub,
    clippy::disallowed_methods,
    reason = "the black-box tests' own file, which does more than these tests need"
)]
#[path = "../../../../tests/src/postgres.rs"]
mod server;

mod opening;
mod racing;

use super::{Address, Postgres, Settings, Tls};
use crate::conformance::conformance;
use server::Server;

/// A store in a database of its own.
struct Fresh {
    postgres: Postgres,
    database: String,
}

impl Fresh {
    fn store(&self) -> &Postgres {
        &self.postgres
    }

    fn settings(&self) -> Settings {
        settings(&self.database)
    }

    fn psql(&self, sql: &str) -> String {
        Server::shared().psql(&self.database, sql)
    }
}

fn settings(database: &str) -> Settings {
    let address = Address::parse(&Server::shared().url(database)).expect("an address");
    Settings { address, tls: Tls::Off, pool_size: 8 }
}

async fn fresh() -> Fresh {
    let database = Server::shared().database();
    let postgres = Postgres::open(&settings(&database)).await.expect("opened");
    Fresh { postgres, database }
}

mod suite {
    use cloakroom_core::store::Store as _;

    super::conformance!(super::fresh);
}
