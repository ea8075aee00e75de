//! Bad policies, machines and token modes, each with the line and what is said about it.

use super::bad::{check, only};
use super::{GOOD, said, with};

#[test]
fn u24_policies() {
    let of = |lines: &str| with("token = \"user\"", &format!("policy = {{ {lines} }}"));
    for (lines, message) in [
        ("", "this policy asks for nothing"),
        ("group = [\"a\"]", "unknown key routes[0].policy.group"),
        ("groups = []", "routes[0].policy.groups is empty"),
        ("groups = [\"\"]", "groups: \"\" is empty"),
        ("groups = \"staff\"", "groups must be a list of texts"),
        ("role_claim = \"x\", groups = [\"a\"]", "role_claim changes nothing without roles"),
        ("role_claim = \"a..b\", roles = [\"a\"]", "has an empty part"),
        ("role_claim = [], roles = [\"a\"]", "has an empty part"),
        ("claims = [{ claim = \"a\" }]", "must say exactly one of equals, contains, one_of"),
        ("claims = [{ claim = \"a\", equals = 1, contains = \"b\" }]", "must say exactly one of"),
        ("claims = [{ equals = 1 }]", "claims[0].claim is missing"),
        ("claims = [{ claim = \"a\", equals = 1.5 }]", "must be text in quotes, a whole number, true or false"),
        ("mail_domains = [\"@example.com\"]", "\"@example.com\" is no domain name"),
        ("networks = [\"10.0.0.1/8\"]", "\"10.0.0.1/8\" has bits set behind its prefix"),
        ("networks = [\"office\"]", "\"office\" is no IP address or network"),
        ("providers = [\"mian\"]", "\"mian\" is none of the providers"),
        ("tenant = \"acme\"", "is no client's tenant: \"acme\""),
        ("max_age_secs = 0", "max_age_secs = 0 is out of range"),
        ("any = []", "any is empty"),
        ("any = [{ any = [{ any = [{ any = [{ groups = [\"a\"] }] }] }] }]", "lies too deep"),
    ] {
        only(&of(lines), 25, message);
    }
    check(&[
        ("token = \"user\"", "policy = \"stuff\"", 25, "routes[0].policy names no policy: \"stuff\""),
        ("token = \"user\"", "access = \"anonymous\"\npolicy = { groups = [\"a\"] }", 26, "can ask for networks alone"),
    ]);
}

#[test]
fn t08_tokens_of_other_kinds() {
    let of = |lines: &str| with("token = \"user\"", &format!("token = {{ {lines} }}"));
    for good in [
        "mode = \"exchange\", audience = \"a\"",
        "mode = \"exchange\", resource = \"https://a\", scopes = [\"x\"]",
        "mode = \"client_credentials\", registration = \"main.web\"",
        "mode = \"user\"",
    ] {
        assert_eq!(said(&of(good)), "", "{good}");
    }
    for (lines, message) in [
        ("audience = \"a\"", "routes[0].token.mode is missing"),
        ("mode = \"swap\"", "mode = \"swap\" is not one of its values"),
        ("mode = \"exchange\"", "an exchange for nothing"),
        ("mode = \"exchange\", audience = \"\"", "audience = \"\" is empty"),
        ("mode = \"exchange\", audience = \"a\", registration = \"main.web\"", "the session signed in with"),
        ("mode = \"client_credentials\"", "the registration is missing"),
        ("mode = \"client_credentials\", registration = \"main.none\"", "\"main.none\" is no registration"),
        ("mode = \"exchange\", scopes = [\"a b\"]", "\"a b\" is no scope"),
    ] {
        only(&of(lines), 25, message);
    }
    let exchange = "token = { mode = \"exchange\", audience = \"a\" }";
    only(&with("token = \"user\"", &format!("{exchange}\naccess = \"anonymous\"")), 25, "needs access = \"signed_in\"");
}

#[test]
fn p15_machines() {
    let of = |lines: &str| {
        format!("{GOOD}callers = [\"machine\"]\n[machines.job]\n{lines}").replace("token = \"user\"\n", "")
    };
    let both = "issuer = \"https://m.example.com\"\naudience = \"a\"\n";
    assert_eq!(said(&of(both)), "");
    only(&of("audience = \"a\""), 26, "machines.job.issuer is missing");
    only(&of("issuer = \"https://m.example.com\""), 26, "machines.job.audience is missing");
    for (line, message) in [
        ("algorithms = [\"HS256\"]", "\"HS256\" is not taken"),
        ("algorithms = [\"none\"]", "\"none\" is not taken"),
        ("jwks_uri = \"http://m.example.com/keys\"", "is plain http beyond this machine"),
        ("subject = \"sub\"", "subject = \"sub\" is not one of its values"),
        ("scopes = [\"a b\"]", "\"a b\" is no scope"),
    ] {
        only(&of(&format!("{both}{line}")), 29, message);
    }
    only(&of(&format!("{both}client_id = \"a\"")), 26, "client_id changes nothing without introspection_endpoint");
    let asks =
        format!("{both}introspection_endpoint = \"https://m.example.com/i\"\nclient_secret = \"env:CLIENT_SECRET\"\n");
    only(&of(&asks), 26, "machines.job.client_id is missing");
    only(
        &of(&format!("{asks}client_id = \"c\"\njwks_uri = \"https://m.example.com/k\"")),
        26,
        "jwks_uri changes nothing",
    );
    for (lines, line, message) in [
        ("callers = [\"machine\"]", 26, "there is no [machines.ID]"),
        ("callers = [\"robot\", \"session\"]", 26, "\"robot\" is no kind of caller"),
        ("callers = []", 21, "callers names nobody"),
    ] {
        only(&format!("{GOOD}{lines}\n").replace("token = \"user\"", "token = \"none\""), line, message);
    }
    only(&format!("{GOOD}callers = [\"session\", \"machine\"]\n[machines.job]\n{both}"), 26, "and a machine has none");
    let open = "access = \"anonymous\"\ncallers = [\"session\"]";
    only(&with("token = \"user\"", open), 26, "callers changes nothing where access");
}
