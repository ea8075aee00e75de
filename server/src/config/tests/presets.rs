//! What presets set, and what they leave alone.

use super::{GOOD, load_with, said};
use crate::config::preset::PRESETS;
use cloakroom_core::oidc::RefreshReuse;

/// The good configuration with this provider in place of its own.
fn with_provider(lines: &str, registration: &str) -> String {
    let issuer = "issuer = \"https://id.example.com\"";
    let auth = "client_secret = \"env:CLIENT_SECRET\"";
    GOOD.replacen(issuer, lines, 1).replacen(auth, &format!("{auth}\n{registration}"), 1)
}

#[test]
fn every_preset_loads_by_itself_and_gives_way_to_the_file() {
    for preset in PRESETS {
        let lines = format!("issuer = \"{}\"\npreset = \"{}\"", preset.example, preset.id);
        let loaded = load_with(&with_provider(&lines, ""), &[]).map_err(|report| report.to_string());
        let loaded = loaded.unwrap_or_else(|report| panic!("{}: {report}", preset.id));
        assert_eq!(loaded.presets.len(), preset.settings.len(), "{}", preset.id);
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
        let text =
            with_provider(&format!("{lines}\nrefresh_reuse = {{ grace_secs = 7 }}"), "scopes = [\"openid\", \"x\"]");
        let main = &load_with(&text, &[]).expect("loads").config.providers["main"];
        assert_eq!(main.refresh_reuse, RefreshReuse::Grace { secs: 7 }, "{}", preset.id);
        assert_eq!(main.registrations["web"].scopes, ["openid", "x"], "{}", preset.id);
    }
}

#[test]
fn presets_set_what_they_say() {
    let loaded = |id: &str| {
        let preset = PRESETS.iter().find(|preset| preset.id == id).expect("a preset");
        let lines = format!("issuer = \"{}\"\npreset = \"{id}\"", preset.example);
        load_with(&with_provider(&lines, ""), &[]).expect("loads").config
    };
    let google = &loaded("google").providers["main"];
    assert_eq!(google.registrations["web"].scopes, ["openid", "profile", "email"]);
    assert!(google.registrations["web"].extra_authorize.contains(&("access_type".into(), "offline".into())));
    assert!((google.refresh_reuse, google.own_callback) == (RefreshReuse::Always, false));
    let cognito = &loaded("cognito").providers["main"];
    assert_eq!((cognito.logout_redirect_parameter.as_str(), cognito.own_callback), ("logout_uri", true));
    let github = &loaded("github").providers["main"];
    assert_eq!(github.plain.as_ref().expect("plain").subject, "id");
    assert!(github.registrations["web"].userinfo);
    assert!(!loaded("entra").providers["main"].id_token_hint);
}

#[test]
fn s07_issuer_that_anybody_could_be_under_is_refused() {
    for (preset, issuer, what) in [
        ("entra", "https://login.microsoftonline.com/common/v2.0", "anybody could sign in"),
        ("entra", "https://login.microsoftonline.com/organizations/v2.0", "anybody could sign in"),
        ("entra", "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/", "/v2.0"),
        ("auth0", "https://example.eu.auth0.com", "no slash"),
        ("keycloak", "https://id.example.com", "no realm"),
        ("google", "https://accounts.google.com/", "https://accounts.google.com"),
        ("github", "https://git.example.com", "https://github.com"),
    ] {
        let shown = said(&with_provider(&format!("issuer = \"{issuer}\"\npreset = \"{preset}\""), ""));
        assert!(shown.contains(what), "{preset} {issuer}: {shown}");
    }
    let shown = said(&with_provider("issuer = \"https://id.example.com\"\npreset = \"keykloak\"", ""));
    assert!(shown.contains("did you mean \"keycloak\"?"), "{shown}");
}

#[test]
fn s13_mistakes_in_mappings_and_parameters_are_found() {
    let issuer = "issuer = \"https://id.example.com\"";
    for (lines, registration, what) in [
        ("claims = { sub = \"email\" }", "", "claims.sub is set by the sign-in itself"),
        ("claims = { acr = \"level\" }", "", "claims.acr is set by the sign-in itself"),
        ("claims = { a = \"b\", b = \"c\" }", "", "reads from a claim that is mapped itself"),
        ("claims = { a = \"b..c\" }", "", "has an empty part"),
        ("claims = { a = 1 }", "", "text in quotes, or a list"),
        ("kind = \"oauth2\"", "", "subject is missing"),
        ("subject = \"id\"", "", "is for kind = \"oauth2\""),
        ("ca = \"file:none.pem\"", "", "none.pem cannot be read"),
        ("ca = \"file:root.key\"", "", "holds no certificate"),
        ("ca = \"company.pem\"", "", "names no file"),
        ("proxy = \"socks5://a:1\"", "", "is no http or https URL"),
        ("proxy = \"http://u:hunter2@a:1\"", "", "holds a password"),
        ("mail_domains = [\"a\"]", "", "is no domain name"),
        ("", "login_parameters = [\"redirect_uri\"]", "has a meaning of its own"),
        ("", "login_parameters = [\"prompt\"]", "has a meaning of its own"),
        ("", "login_parameters = [\"a b\"]", "is no name"),
    ] {
        let shown = said(&with_provider(&format!("{issuer}\n{lines}"), registration));
        assert!(shown.contains(what), "{lines} {registration}: {shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
