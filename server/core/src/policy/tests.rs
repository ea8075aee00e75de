use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;
use serde_json::json;

use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3));
const NOW: UnixMs = UnixMs(1_000_000_000);

fn texts(list: &[&str]) -> Vec<Box<str>> {
    list.iter().map(|one| Box::from(*one)).collect()
}

fn path(text: &str) -> ClaimPath {
    ClaimPath::parse(text).expect("a path")
}

fn ask(test: Test, claims: &Value, scopes: &[&str]) -> bool {
    let scopes: Vec<String> = scopes.iter().map(|one| (*one).to_owned()).collect();
    let claims = claims.as_object().cloned().unwrap_or_default();
    let facts = Facts {
        scopes: &scopes,
        voucher: Some(Voucher::Provider("main")),
        tenant: Some("default"),
        acr: Some("silver"),
        auth_time: Some(NOW.secs() - 100),
        ..nobody(&claims, HERE, NOW)
    };
    let policy = Policy { name: None, tests: vec![test] };
    let holds = policy.holds(&facts);
    assert_eq!(holds, policy.needs(&facts).is_empty(), "a need for whatever does not hold, and for nothing else");
    assert_eq!(holds, meets(&policy, &facts).is_ok());
    holds
}

#[test]
fn s16_contains_is_membership_and_every_value_counts() {
    let rows = [
        (json!({"g": ["staff", "admin"]}), true),
        (json!({"g": ["admins", "adm"]}), false),
        (json!({"g": "admin"}), true),
        (json!({"g": "admin staff"}), false),
        (json!({"g": "xadminx"}), false),
        (json!({"g": ["ADMIN"]}), false),
        (json!({"g": [["admin"]]}), false),
        (json!({"g": {"admin": true}}), false),
        (json!({"g": null}), false),
        (json!({"h": ["admin"]}), false),
        (json!({}), false),
    ];
    for (claims, expected) in rows {
        for test in [
            Test::Claim(path("g"), ClaimTest::Contains("admin".into())),
            Test::Claim(path("g"), ClaimTest::OneOf(texts(&["owner", "admin"]))),
            Test::Role(path("g"), texts(&["admin"])),
            Test::Group(path("g"), texts(&["other", "admin"])),
        ] {
            assert_eq!(ask(test.clone(), &claims, &[]), expected, "{test:?} {claims}");
        }
    }
}

#[test]
fn s16_equals_holds_the_type_too() {
    let rows = [
        (json!("1"), json!("1"), true),
        (json!("1"), json!(1), false),
        (json!(1), json!(1), true),
        (json!(true), json!(true), true),
        (json!(true), json!("true"), false),
        (json!("a"), json!(["a"]), false),
        (json!("a"), json!("ab"), false),
    ];
    for (wanted, found, expected) in rows {
        let test = Test::Claim(path("c"), ClaimTest::Equals(wanted.clone()));
        assert_eq!(ask(test, &json!({"c": found}), &[]), expected, "{wanted} {found}");
    }
}

#[test]
fn s16_paths_lead_into_claims_and_urls_are_names() {
    let claims = json!({
        "realm_access": {"roles": ["a"]},
        "https://app.example.com/roles": ["a"],
        "urn:x.y": ["a"],
        "dotted.name": ["a"],
        "list": [{"roles": ["a"]}],
    });
    let contains = |path: ClaimPath| ask(Test::Claim(path, ClaimTest::Contains("a".into())), &claims, &[]);
    for (text, expected) in [
        ("realm_access.roles", true),
        ("https://app.example.com/roles", true),
        ("urn:x.y", true),
        ("dotted.name", false),
        ("realm_access", false),
        ("realm_access.roles.0", false),
        ("list.0.roles", false),
    ] {
        assert_eq!(contains(path(text)), expected, "{text}");
    }
    assert!(contains(ClaimPath::exact(["dotted.name"]).expect("a path")));
    assert!(ClaimPath::parse("a..b").is_err() && ClaimPath::parse("").is_err() && ClaimPath::exact([]).is_err());
}

#[test]
fn s16_mail_domains_are_parsed_and_need_a_verified_address() {
    let test = Test::Mail(vec![MailDomain::parse("Example.com").expect("a domain")]);
    let verified = json!(true);
    let rows = [
        ("a@example.com", &verified, true),
        ("a.b+c@EXAMPLE.COM", &verified, true),
        ("a@example.com", &json!(false), false),
        ("a@example.com", &json!("true"), false),
        ("a@example.com", &json!(null), false),
        ("a@evil.com", &verified, false),
        ("a@notexample.com", &verified, false),
        ("a@sub.example.com", &verified, false),
        ("a@example.com.evil.com", &verified, false),
        ("a@example.com@evil.com", &verified, false),
        ("a@evil.com@example.com", &verified, false),
        ("\"a@evil.com\"@example.com", &verified, false),
        ("\"a\"@example.com", &verified, false),
        ("a@example.com ", &verified, false),
        ("a@example.com\n", &verified, false),
        ("a@example.com.", &verified, false),
        ("x <a@example.com>", &verified, false),
        ("a(b)@example.com", &verified, false),
        ("a,b@example.com", &verified, false),
        ("a%evil.com@example.com", &verified, true),
        ("@example.com", &verified, false),
        ("example.com", &verified, false),
        ("a@ex\u{e4}mple.com", &verified, false),
        ("a@\u{ff45}xample.com", &verified, false),
        ("", &verified, false),
    ];
    for (email, verified, expected) in rows {
        let claims = json!({"email": email, "email_verified": verified});
        assert_eq!(ask(test.clone(), &claims, &[]), expected, "{email} {verified}");
    }
    assert!(!ask(test.clone(), &json!({"email": ["a@example.com"], "email_verified": true}), &[]));
    assert!(!ask(test, &json!({"email": "a@example.com"}), &[]));
}

#[test]
fn s16_scopes_are_whole_words_and_none_is_none() {
    let test = |scope: &str| Test::Scope(scope.into());
    assert!(ask(test("notes:read"), &json!({}), &["openid", "notes:read"]));
    assert!(!ask(test("notes"), &json!({}), &["notes:read"]));
    assert!(!ask(test("notes:read"), &json!({"scope": "notes:read"}), &[]));
    assert!(!ask(test("a"), &json!({}), &["a b"]));
}

#[test]
fn p15_what_is_known_of_the_sign_in() {
    let rows = [
        (Test::Acr(texts(&["gold", "silver"])), true),
        (Test::Acr(texts(&["gold"])), false),
        (Test::MaxAge(100), true),
        (Test::MaxAge(99), false),
        (Test::Tenant("default".into()), true),
        (Test::Tenant("defaul".into()), false),
        (Test::Provider(texts(&["other", "main"])), true),
        (Test::Provider(texts(&["other"])), false),
        (Test::Machine(texts(&["main"])), false),
        (Test::Network(vec![Network::parse("10.0.0.0/8").expect("a network")]), true),
        (Test::Network(vec![Network::parse("192.0.2.0/24").expect("a network")]), false),
        (Test::Any(vec![vec![Test::MaxAge(1)], vec![Test::MaxAge(100), Test::Tenant("default".into())]]), true),
        (Test::Any(vec![vec![Test::MaxAge(1), Test::Tenant("default".into())]]), false),
        (Test::Any(vec![]), false),
    ];
    for (test, expected) in rows {
        assert_eq!(ask(test.clone(), &json!({}), &[]), expected, "{test:?}");
    }
    let none = Map::new();
    for test in [Test::Acr(texts(&[""])), Test::MaxAge(i64::MAX), Test::Tenant("".into()), Test::Provider(texts(&[""]))]
    {
        assert!(!test.holds(&nobody(&none, HERE, NOW)), "{test:?} of nobody");
    }
}

#[test]
fn networks_are_read_strictly() {
    let rows = [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.0.0.0/8", "::ffff:10.0.0.1", true),
        ("10.0.0.0/8", "a00::1", false),
        ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.8", false),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "::1", false),
        ("::/0", "203.0.113.9", false),
        ("2001:db8::/33", "2001:db8:7fff::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false),
    ];
    for (network, address, expected) in rows {
        let network = Network::parse(network).expect("a network");
        assert_eq!(network.holds(address.parse().expect("an address")), expected, "{network} {address}");
    }
    for bad in ["", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/+8", "10.0.0/8", "::/129", "::ffff:10.0.0.0/104", "a/8"] {
        assert!(Network::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn refusals_name_what_is_missing_and_step_up_only_where_it_helps() {
    let claims = Map::new();
    let facts = nobody(&claims, HERE, NOW);
    let policy = |tests: Vec<Test>| Policy { name: None, tests };
    let (acr, age) = (Test::Acr(texts(&["gold"])), Test::MaxAge(60));
    let step_up = StepUp { acr_values: texts(&["gold"]), max_age_secs: Some(60) };
    assert_eq!(meets(&policy(vec![acr.clone(), age.clone()]), &facts), Err(Refusal::StepUp(step_up.clone())));
    assert_eq!(policy(vec![acr.clone(), age.clone()]).sign_in_ask(), step_up);
    let either = Test::Any(vec![vec![Test::Scope("x".into())], vec![acr.clone()]]);
    let only_acr = StepUp { max_age_secs: None, ..step_up.clone() };
    assert_eq!(meets(&policy(vec![either.clone()]), &facts), Err(Refusal::StepUp(only_acr)));
    assert_eq!(meets(&policy(vec![age.clone(), either]), &facts), Err(Refusal::StepUp(step_up)));
    let missing = meets(&policy(vec![acr, Test::Group(path("groups"), texts(&["staff", "it"]))]), &facts);
    let text = missing.expect_err("refused").to_string();
    assert_eq!(
        text,
        "you may not use this address: it needs a sign-in of the level gold and one of the groups staff, it"
    );
    let odds = vec![Test::Acr(texts(&["a"])), Test::Acr(texts(&["b"]))];
    assert!(matches!(meets(&policy(odds), &facts), Err(Refusal::Missing(_))), "no sign-in has two levels");
}

proptest! {
    /// Whatever a claim holds, a policy that asks for a member finds that very member or refuses.
    #[test]
    fn s16_membership_is_exact(member in "[a-c]{1,3}", list in proptest::collection::vec("[a-c ]{0,4}", 0..4)) {
        let claims = json!({"g": list});
        let test = Test::Claim(path("g"), ClaimTest::Contains(member.as_str().into()));
        prop_assert_eq!(ask(test, &claims, &[]), list.contains(&member));
    }

    /// No address is at two domains, and none that is refused anywhere else is let in by its look.
    #[test]
    fn s16_an_address_is_at_its_last_part_alone(address in "\\PC{0,20}(@|a@)[a-z.@]{0,16}") {
        if let Some(domain) = mail::domain_of(&address) {
            let end = format!("@{domain}");
            prop_assert!(address.ends_with(&end));
            prop_assert_eq!(address.matches('@').count(), 1);
            prop_assert!(address.is_ascii());
        }
    }

    /// A network holds exactly the addresses that share its first bits.
    #[test]
    fn networks_compare_the_first_bits(network: u32, bits in 0u8..=32, address: u32) {
        let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
        let first = Ipv4Addr::from(network & mask);
        let parsed = Network::parse(&format!("{first}/{bits}")).expect("a network");
        prop_assert_eq!(parsed.holds(IpAddr::V4(address.into())), address & mask == network & mask);
    }
}

#[test]
fn p15_a_route_takes_only_the_kinds_of_callers_that_it_lists() {
    let machine = || {
        Caller::Machine(Arc::new(Machine {
            issuer_id: "main".into(),
            issuer: "https://m".into(),
            sub: "job".into(),
            client_id: "job".into(),
            scopes: vec!["a".into()],
            claims: Map::new(),
            good_until: NOW,
            expires_at: None,
        }))
    };
    let rule = |access, callers, tests: Option<Vec<Test>>| Rule {
        access,
        callers,
        policy: tests.map(|tests| Arc::new(Policy { name: None, tests })),
    };
    let ask = |rule: &Rule, caller| decide(rule, caller, HERE, || NOW).map(|permit| permit.machine().is_some());
    let rows = [
        (rule(Access::SignedIn, Callers::Sessions, None), Err(Refusal::SignInNeeded), Err(Refusal::SignInNeeded)),
        (rule(Access::SignedIn, Callers::Machines, None), Ok(true), Err(Refusal::MachineTokenNeeded)),
        (rule(Access::SignedIn, Callers::Both, None), Ok(true), Err(Refusal::SignInNeeded)),
        (rule(Access::Anonymous, Callers::Sessions, None), Err(Refusal::SignInNeeded), Ok(false)),
        (
            rule(Access::SignedIn, Callers::Both, Some(vec![Test::Scope("a".into())])),
            Ok(true),
            Err(Refusal::SignInNeeded),
        ),
        (
            rule(Access::SignedIn, Callers::Machines, Some(vec![Test::Machine(texts(&["main"]))])),
            Ok(true),
            Err(Refusal::MachineTokenNeeded),
        ),
        // A machine's issuer is no provider, even of the same name.
        (
            rule(Access::SignedIn, Callers::Both, Some(vec![Test::Provider(texts(&["main"]))])),
            Err(Refusal::Missing(vec![Need::Provider { any_of: vec!["main".into()] }])),
            Err(Refusal::SignInNeeded),
        ),
    ];
    for (rule, of_machine, of_nobody) in rows {
        assert_eq!(ask(&rule, machine()), of_machine, "{rule:?}");
        assert_eq!(ask(&rule, Caller::Anonymous), of_nobody, "{rule:?}");
    }
}
