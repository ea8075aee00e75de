//! Presets: what is odd about a provider's product, known beforehand. A preset writes keys into the provider's table
//! where the file has none; everything else reads them as if they stood in the file.

use super::tree::{self, Node, Place, Table, Value};

/// A key that a preset writes, for the provider or (after `registrations.`) for each of its registrations.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) key: &'static str,
    /// In TOML.
    pub(super) value: &'static str,
    pub(super) why: &'static str,
}

/// What is wrong about an issuer.
type IssuerCheck = fn(&str) -> Result<(), &'static str>;

/// What is known of a product.
pub(super) struct Preset {
    pub(super) id: &'static str,
    pub(super) settings: &'static [Setting],
    /// What its issuers look like, and what is wrong about one that does not.
    issuer: Option<IssuerCheck>,
    pub(super) example: &'static str,
}

const fn set(key: &'static str, value: &'static str, why: &'static str) -> Setting {
    Setting { key, value, why }
}

const fn preset(
    id: &'static str,
    example: &'static str,
    issuer: Option<IssuerCheck>,
    settings: &'static [Setting],
) -> Preset {
    Preset { id, settings, issuer, example }
}

const NO_ISS: &str = "it does not promise `iss` in its answers (RFC 9207)";
const ROTATES: &str = "it rotates refresh tokens, and takes a second use for theft";
const NO_OFFLINE: &str = "it knows no scope `offline_access`, and refuses unknown ones";

/// Every preset. docs/providers.md shows them as a table; a test holds that it says the same.
pub(super) const PRESETS: &[Preset] = &[
    preset(
        "keycloak",
        "https://id.example.com/realms/main",
        Some(realm),
        &[
            set(
                "refresh_reuse",
                "\"never\"",
                "with \"Revoke Refresh Token\" on, a second use ends the whole session there",
            ),
            set(
                "registrations.scopes",
                "[\"openid\", \"profile\", \"email\"]",
                "refresh tokens come without `offline_access`, which would make sessions that outlive a logout",
            ),
        ],
    ),
    preset(
        "auth0",
        "https://example.eu.auth0.com/",
        Some(slash),
        &[
            set("callback", "\"own\"", NO_ISS),
            set(
                "refresh_reuse",
                "\"never\"",
                "with rotation on, its overlap period is 0 unless set, and a second use revokes the family",
            ),
        ],
    ),
    preset(
        "okta",
        "https://example.okta.com/oauth2/default",
        None,
        &[
            set("callback", "\"own\"", NO_ISS),
            set(
                "refresh_reuse",
                "\"never\"",
                "with rotation on, a second use after its grace period revokes every token of the person",
            ),
        ],
    ),
    preset(
        "entra",
        "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
        Some(entra),
        &[
            set("callback", "\"own\"", NO_ISS),
            set("refresh_reuse", "\"always\"", "it gives new refresh tokens and leaves the old ones valid"),
            set(
                "id_token_hint",
                "false",
                "its ID tokens are long; it takes `logout_hint` from the optional claim `login_hint`",
            ),
        ],
    ),
    preset(
        "google",
        "https://accounts.google.com",
        Some(google),
        &[
            set("refresh_reuse", "\"always\"", "its refresh tokens do not change"),
            set("registrations.scopes", "[\"openid\", \"profile\", \"email\"]", NO_OFFLINE),
            set(
                "registrations.extra_authorize",
                "{ access_type = \"offline\", prompt = \"consent\" }",
                "without the first it gives no refresh token, without the second only once per person",
            ),
        ],
    ),
    preset(
        "cognito",
        "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example",
        None,
        &[
            set("callback", "\"own\"", NO_ISS),
            set("refresh_reuse", "\"always\"", "its refresh tokens do not change unless rotation is switched on"),
            set("logout_redirect_parameter", "\"logout_uri\"", "its `/logout` knows no `post_logout_redirect_uri`"),
            set("claims", "{ groups = \"cognito:groups\" }", "so it calls groups"),
            set("registrations.scopes", "[\"openid\", \"profile\", \"email\"]", NO_OFFLINE),
        ],
    ),
    preset(
        "zitadel",
        "https://example.zitadel.cloud",
        None,
        &[
            set("callback", "\"own\"", NO_ISS),
            set("refresh_reuse", "\"never\"", ROTATES),
            set("registrations.userinfo", "true", "its ID tokens hold no profile unless the app says so there"),
        ],
    ),
    preset(
        "authentik",
        "https://id.example.com/application/o/cloakroom/",
        Some(slash),
        &[set("callback", "\"own\"", NO_ISS), set("refresh_reuse", "\"never\"", ROTATES)],
    ),
    preset(
        "authelia",
        "https://auth.example.com",
        None,
        &[
            set("refresh_reuse", "\"never\"", ROTATES),
            set(
                "registrations.scopes",
                "[\"openid\", \"profile\", \"email\", \"groups\", \"offline_access\"]",
                "groups are a scope of their own there",
            ),
            set("registrations.userinfo", "true", "its ID tokens prove the sign-in alone, claims are at userinfo"),
        ],
    ),
    preset(
        "github",
        "https://github.com",
        Some(github),
        &[
            set("kind", "\"oauth2\"", "it gives no ID tokens"),
            set("authorization_endpoint", "\"https://github.com/login/oauth/authorize\"", "it publishes no document"),
            set("token_endpoint", "\"https://github.com/login/oauth/access_token\"", "it publishes no document"),
            set("userinfo_endpoint", "\"https://api.github.com/user\"", "it publishes no document"),
            set("emails_endpoint", "\"https://api.github.com/user/emails\"", "the profile's address is not verified"),
            set("subject", "\"id\"", "login names can be changed, and taken by others"),
            set("callback", "\"own\"", NO_ISS),
            set("registrations.client_auth", "\"client_secret_post\"", "it takes the secret in the body"),
            set(
                "registrations.scopes",
                "[\"read:user\", \"user:email\"]",
                "the second one opens the list of addresses",
            ),
        ],
    ),
];

fn realm(issuer: &str) -> Result<(), &'static str> {
    if issuer.contains("/realms/") { Ok(()) } else { Err("names no realm") }
}

fn slash(issuer: &str) -> Result<(), &'static str> {
    if issuer.ends_with('/') { Ok(()) } else { Err("has no slash at its end, as this product's issuers have") }
}

/// Its endpoints for several tenants name an issuer with a gap, `{tenantid}`: whoever has any tenant of their own could
/// sign in, and the issuer that makes identity (S7) would be whatever the token says.
fn entra(issuer: &str) -> Result<(), &'static str> {
    let shared = ["/common/", "/organizations/", "/consumers/", "{"];
    match issuer {
        _ if shared.iter().any(|part| issuer.contains(part)) => {
            Err("is for every tenant, so anybody could sign in: name each tenant as a provider of its own")
        }
        _ if issuer.ends_with("/v2.0") => Ok(()),
        _ => Err("does not end with /v2.0, as this product's issuers do"),
    }
}

fn google(issuer: &str) -> Result<(), &'static str> {
    if issuer == "https://accounts.google.com" { Ok(()) } else { Err("is not https://accounts.google.com") }
}

fn github(issuer: &str) -> Result<(), &'static str> {
    if issuer == "https://github.com" {
        Ok(())
    } else {
        Err("is not https://github.com; for an own server, write the endpoints")
    }
}

/// A preset by its id.
pub(super) fn find(id: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.id == id)
}

impl Preset {
    /// What is wrong about an issuer of this product.
    pub(super) fn check_issuer(&self, issuer: &str) -> Result<(), &'static str> {
        self.issuer.map_or(Ok(()), |check| check(issuer))
    }
}

/// What a preset set for a provider.
pub(super) type Applied = (String, &'static Setting);

/// Writes what presets say into the tree of a file, and tells what it wrote. What they cannot be is told by the readers.
pub(super) fn apply(root: &mut Table) -> Vec<Applied> {
    let mut applied = Vec::new();
    let Some((_, Node { value: Value::Table(providers), .. })) = root.get_mut("providers") else { return applied };
    for (name, (_, provider)) in providers {
        let Value::Table(provider) = &mut provider.value else { continue };
        let Some((place, Node { value: Value::Text(id), .. })) = provider.get("preset").cloned() else { continue };
        for setting in find(&id).iter().flat_map(|preset| preset.settings) {
            let value = tree::parse_value(setting.value, &place);
            let written = match setting.key.strip_prefix("registrations.") {
                None => put(provider, setting.key, &value, &place),
                Some(key) => {
                    let Some((_, Node { value: Value::Table(all), .. })) = provider.get_mut("registrations") else {
                        continue;
                    };
                    let mut written = false;
                    for (_, one) in all.values_mut() {
                        if let Value::Table(one) = &mut one.value {
                            written |= put(one, key, &value, &place);
                        }
                    }
                    written
                }
            };
            if written {
                applied.push((name.clone(), setting));
            }
        }
    }
    applied
}

/// Whether the key was not there.
fn put(table: &mut Table, key: &str, value: &Value, place: &Place) -> bool {
    let free = !table.contains_key(key);
    if free {
        let node = Node { value: value.clone(), place: place.clone(), raw: None };
        table.insert(key.to_owned(), (place.clone(), node));
    }
    free
}
