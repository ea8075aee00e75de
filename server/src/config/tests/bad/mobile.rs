//! Mobile apps.

use super::super::{GOOD, load_with, said, with};
use super::only;

#[test]
fn u24_mobile_apps() {
    let phone = "kind = \"mobile\"\nregistrations = [\"main.web\"]\nissuer_site = \"app\"\nsites = [\"app\"]\n\
                 redirect_uris = [\"com.example.app:/cb\"]\n";
    let with_phone = |from: &str, to: &str| {
        assert!(phone.contains(from), "{from}");
        format!("{GOOD}[clients.phone]\n{}", phone.replacen(from, to, 1))
    };
    assert!(load_with(&with_phone("sites", "sites"), &[]).is_ok());
    only(&with_phone("issuer_site = \"app\"", "issuer_site = \"none\""), 29, "issuer_site names no site: \"none\"");
    only(&with_phone("issuer_site = \"app\"\n", ""), 26, "clients.phone.issuer_site is missing");
    only(&with_phone("sites = [\"app\"]", "sites = [\"none\"]"), 30, "sites names no site: \"none\"");
    for (uri, why) in [
        ("myapp:/cb", "has a scheme without a dot"),
        ("http://localhost/cb", "is plain http"),
        ("http://127.0.0.1:8000/cb", "names a port"),
        ("https://app.example.com/cb#x", "has a fragment"),
    ] {
        only(&with_phone("com.example.app:/cb", uri), 31, why);
    }
    only(&with_phone("[\"com.example.app:/cb\"]", "[]"), 26, "redirect_uris is empty");
    only(&with_phone("sites = [\"app\"]", "dpop = \"always\""), 30, "is not one of its values");
    only(&with_phone("sites = [\"app\"]", "access_secs = 0"), 30, "is out of range");
    only(&with_phone("sites = [\"app\"]", "same_site = \"lax\""), 30, "unknown key clients.phone.same_site");
    only(&with_phone("sites = [\"app\"]", "introspection_secret = \"plain\""), 30, "introspection_secret");
    // A host for apps alone needs no web client; a policy may ask for an app's tenant.
    let api = GOOD.replacen("client = \"app\"\n", "", 1).replacen("token = \"user\"", "policy = { tenant = \"t\" }", 1);
    assert_eq!(said(&format!("{api}[clients.phone]\ntenant = \"t\"\n{phone}")), "");
    let site = with("client = \"app\"", "client = \"phone\"");
    let shown = said(&format!("{site}[clients.phone]\n{phone}"));
    assert!(shown.contains("names no client: \"phone\""), "{shown}");
}
