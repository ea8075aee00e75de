//! Service accounts are kept, changed one version after the other, and listed within their fence.

use cloakroom_core::store::{Account, AccountId, Rights, Store};

use super::make::{NOW, event};

fn account(n: u8, tenant: Option<&str>) -> Account {
    Account {
        rights: Rights {
            id: AccountId::from_bytes([n; 16]),
            version: 1,
            tenant: tenant.map(str::to_owned),
            scopes: vec!["audit.read".into(), "sessions.read".into()],
            secret: [n; 32],
            previous: None,
            expires_at: Some(NOW.plus_secs(3_600)),
            disabled_at: None,
        },
        mark: [n; 32],
        name: format!("machine {n}"),
        created_at: NOW.plus_secs(i64::from(n)),
        created_by: "Olivia".into(),
        disabled_by: None,
        used_at: None,
    }
}

async fn add(store: &dyn Store, account: Account) {
    store.add_account(account, event("service_account.created", None)).await.expect("kept");
}

pub(crate) async fn v01_an_account_comes_back_as_it_was(store: &dyn Store) {
    let first = account(1, None);
    add(store, first.clone()).await;
    assert_eq!(store.account(first.rights.id).await.expect("read"), Some(first.clone()));
    assert_eq!(store.account(AccountId::from_bytes([9; 16])).await.expect("read"), None);
    let mut rotated = first.clone();
    rotated.rights = Rights {
        version: 2,
        secret: [5; 32],
        previous: Some(([1; 32], NOW.plus_secs(60))),
        disabled_at: Some(NOW.plus_secs(2)),
        ..rotated.rights
    };
    rotated.mark = [6; 32];
    rotated.disabled_by = Some("Otto".into());
    let change = async |account: &Account| {
        store.change_account(account.clone(), event("service_account.rotated", None)).await.expect("answered")
    };
    assert!(change(&rotated).await);
    assert!(!change(&rotated).await, "of two changes of one version one counts");
    for at in [20, 10] {
        store.used_account(first.rights.id, NOW.plus_secs(at)).await.expect("kept");
    }
    rotated.used_at = Some(NOW.plus_secs(20));
    assert_eq!(store.account(first.rights.id).await.expect("read"), Some(rotated));
    let (_, events) = store.unchained(100).await.expect("read");
    assert_eq!(events.len(), 2, "an event each, and none for what was not done");
}

pub(crate) async fn a01_accounts_are_listed_within_their_fence(store: &dyn Store) {
    for (n, tenant) in [(1, None), (2, Some("acme")), (3, Some("globex"))] {
        add(store, account(n, tenant)).await;
    }
    let ids = async |tenant: Option<&str>| {
        let found = store.accounts(tenant).await.expect("listed");
        found.iter().map(|account| account.rights.id.as_bytes()[0]).collect::<Vec<_>>()
    };
    assert_eq!((ids(None).await, ids(Some("acme")).await, ids(Some("x")).await), (vec![3, 2, 1], vec![2], vec![]));
}
