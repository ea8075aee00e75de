//! The relying-party half of the OpenID Foundation's conformance suite, and what lies beyond it, as data: each row is a
//! bent answer of the adversary and what must come of it. A row's name is the module's, where there is one;
//! docs/conformance.md lists them all.

mod abuse;
mod afterwards;
mod beyond;
mod clocks;
mod id_token;
mod keys;
mod page;
mod redirect;

use cloakroom_tests::adversary::{Case, run};
use cloakroom_tests::{Adversary, Gateway, Setup};

/// A gateway whose provider is the adversary.
async fn gateway_at(adversary: &Adversary) -> Gateway {
    Setup::default().issuer(&adversary.issuer).start().await
}

/// Rows that one gateway can take one after another: nothing in them outlives a login.
async fn together(cases: Vec<Case>) {
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    run(&gateway, &adversary, &cases).await;
}

/// The same with lines for the app's registration; the adversary remembers.
async fn together_with(registration: &str, cases: Vec<Case>) -> Adversary {
    let adversary = Adversary::start().await;
    let gateway = Setup::default().issuer(&adversary.issuer).registration(registration).start().await;
    run(&gateway, &adversary, &cases).await;
    adversary
}

/// Rows that bend what a gateway remembers of a provider: each has a gateway of its own.
async fn each_alone(cases: Vec<Case>) {
    for case in cases {
        together(vec![case]).await;
    }
}
