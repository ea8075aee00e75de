//! Bad configurations, each with the line and what is said about it.

mod front;
mod mobile;

use super::{GOOD, load_with, said, with};

/// The mistake on a line must say this, and there must be no other mistake.
pub(super) fn only(text: &str, line: usize, message: &str) {
    let report = load_with(text, &[]).err().unwrap_or_else(|| panic!("line {line}, {message}: loads\n{text}"));
    let items = report.items();
    assert_eq!(items.len(), 1, "line {line}, {message}\n{report}");
    let at = items[0].position.map_or(0, |(line, _)| line);
    assert!(at == line && items[0].message.contains(message), "line {line}, {message}: line {at}\n{report}");
    assert!(!items[0].help.is_empty(), "{report}");
}

/// Checks rows of (what is replaced, by what, the line, what is said). Line 0: nowhere in the file.
pub(super) fn check(cases: &[(&str, &str, usize, &str)]) {
    for (from, to, line, message) in cases {
        only(&with(from, to), *line, message);
    }
}

#[test]
fn u24_keys_that_are_unknown_or_missing() {
    check(&[
        ("listen = ", "lisen = ", 2, "unknown key server.lisen"),
        ("[store]\n", "[stores]\n", 4, "unknown key stores"),
        ("[store]\nurl = \"sqlite:cloakroom.db\"\n", "", 0, "store is missing"),
        ("[keys]\nroot = \"file:root.key\"\n", "", 0, "keys is missing"),
        ("management = \"127.0.0.1:9090\"\n", "", 1, "server.management is missing"),
        ("[server]\n", "[server]\nidle_secs = 5\n", 2, "unknown key server.idle_secs"),
        ("[server]\n", "workers = 2\n[server]\n", 1, "unknown key workers"),
        ("client_id = \"cloakroom\"\n", "", 10, "providers.main.registrations.web.client_id is missing"),
        ("kind = \"web\"\n", "", 13, "clients.app.kind is missing"),
        ("registrations = [\"main.web\"]\n", "", 13, "clients.app.registrations is missing"),
        ("upstream = \"api\"", "upstreem = \"api\"", 24, "unknown key routes[0].upstreem"),
        (
            "[clients.app]",
            "[clients.My_App]\nkind = \"web\"\nregistrations = [\"main.web\"]\n[clients.app]",
            13,
            "\"My_App\" is no id",
        ),
    ]);
}

#[test]
fn u24_help_names_the_nearest_key_or_where_it_belongs() {
    let cases = [
        (with("listen = ", "lisen = "), "did you mean listen? known here: listen, management"),
        (with("[server]\n", "[server]\nidle_secs = 5\n"), "idle_secs belongs under [clients.ID]"),
        (with("[\"main.web\"]", "[\"main.wep\"]"), "did you mean main.web?"),
        (with("client = \"app\"", "client = \"appp\""), "did you mean app? known clients: app"),
        (with("kind = \"web\"", "kind = \"web\"\nsame_site = \"strickt\""), "did you mean \"strict\"?"),
    ];
    for (text, help) in cases {
        assert!(said(&text).contains(help), "{help}: {}", said(&text));
    }
}

#[test]
fn u24_values_of_the_wrong_type_or_out_of_range() {
    check(&[
        ("\"127.0.0.1:8080\"", "8080", 2, "server.listen must be text in quotes, but is a number"),
        ("[server]\n", "[server]\nworkers = \"two\"\n", 2, "server.workers must be a whole number, but is text"),
        ("[server]\n", "[server]\nworkers = 1.5\n", 2, "but is a number with a point"),
        ("[server]\n", "[server]\nworkers = 0\n", 2, "server.workers = 0 is out of range"),
        ("[server]\n", "[server]\ndrain_secs = -1\n", 2, "server.drain_secs = -1 is out of range"),
        ("[server]\n", "[server]\nmax_connections = 15\n", 2, "server.max_connections = 15 is out of range"),
        ("[server]\n", "[server]\nhead_timeout_secs = 0\n", 2, "server.head_timeout_secs = 0 is out of range"),
        ("[server]\n", "[server]\nbody_idle_timeout_secs = 3601\n", 2, "server.body_idle_timeout_secs = 3601 is out"),
        ("[server]\n", "[server]\nkeep_alive_secs = \"75\"\n", 2, "server.keep_alive_secs must be a whole number"),
        ("[server]\n", "[server]\nworkers = 99999999999999999999\n", 2, "but is a number too large"),
        ("[\"main.web\"]", "\"main.web\"", 15, "must be a list of texts, but is text"),
        (
            "[\"main.web\"]",
            "[\"main.web\", 1]",
            15,
            "clients.app.registrations[1] must be text in quotes, but is a number",
        ),
        ("[server]\n", "log = 1\n[server]\n", 1, "log must be a table, but is a number"),
        ("token = \"user\"", "forms = \"yes\"", 25, "routes[0].forms must be true or false, but is text"),
        ("[clients.app]\n", "[clients.app]\nidle_secs = 0\n", 14, "clients.app.idle_secs = 0 is out of range"),
        ("[clients.app]\n", "[clients.app]\nidle_secs = 50000\n", 14, "longer than absolute_secs = 36000"),
        ("[clients.app]\n", "[clients.app]\nwhen_full = \"refuse\"\n", 14, "without max_sessions does nothing"),
        ("[clients.app]\n", "[clients.app]\nmax_sessions = 0\n", 14, "max_sessions = 0 is out of range"),
        ("[clients.app]\n", "[clients.app]\nstep_up_grace_secs = 301\n", 14, "step_up_grace_secs = 301 is out"),
        (
            "[clients.app]\n",
            "[clients]\nlogo = 1\n[clients.app]\n",
            14,
            "clients.logo must be a table, but is a number",
        ),
        ("token = \"user\"", "body_limit_bytes = -1", 25, "out of range"),
        ("[upstreams.api]\n", "[upstreams.api]\nconnect_timeout_ms = 0\n", 20, "out of range"),
    ]);
}

#[test]
fn u24_addresses_urls_and_ids() {
    check(&[
        ("\"127.0.0.1:8080\"", "\"localhost\"", 2, "server.listen = \"localhost\" is no IP address with a port"),
        ("127.0.0.1:9090", "127.0.0.1:8080", 3, "are the same address"),
        ("sqlite:cloakroom.db", "mysql://x", 5, "starts with neither sqlite: nor postgres:"),
        ("sqlite:cloakroom.db", "postgres://x", 5, "names no database"),
        ("sqlite:cloakroom.db", "postgres://u@h/c?sslmode=disable", 5, "has parameters"),
        ("sqlite:cloakroom.db", "env:NOWHERE", 5, "NOWHERE is not set"),
        ("cloakroom.db\"", "cloakroom.db\"\nkeep_ended_days = 0", 6, "store.keep_ended_days = 0 is out of range"),
        ("cloakroom.db\"", "cloakroom.db\"\npool_size = 4", 6, "store.pool_size means nothing with a SQLite file"),
        (
            "cloakroom.db\"",
            "cloakroom.db\"\ntls_ca = \"file:site.pem\"",
            6,
            "store.tls_ca means nothing with a SQLite file",
        ),
        ("sqlite:cloakroom.db", "sqlite://cloakroom.db", 5, "has // after sqlite:"),
        ("sqlite:cloakroom.db", "sqlite::memory:", 5, "is no file"),
        ("https://id.example.com", "http://id.example.com", 9, "is plain http beyond this machine"),
        ("https://id.example.com", "id", 9, "is no URL"),
        ("https://id.example.com", "https://id.example.com/?x", 9, "has a query or a fragment"),
        ("https://app.example.com", "https://app.example.com/", 17, "write \"https://app.example.com\""),
        ("https://app.example.com", "https://App.example.com", 17, "write \"https://app.example.com\""),
        ("https://app.example.com", "https://app.example.com:443", 17, "write \"https://app.example.com\""),
        ("https://app.example.com", "https:app.example.com/.", 17, "write \"https://app.example.com\""),
        ("https://app.example.com", "http://app.example.com", 17, "is plain http beyond this machine"),
        ("https://app.example.com", "https://user@app.example.com", 17, "holds a user name or password"),
        ("http://127.0.0.1:4000", "ftp://127.0.0.1", 20, "starts with neither https:// nor http://"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000/base", 20, "has a path"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:0", 20, "has port 0"),
        ("[upstreams.api]", "[upstreams.2nd]\nurl = \"https://a.example\"\n[upstreams.api]", 19, "\"2nd\" is no id"),
        (
            "[clients.app]\n",
            "[clients.app]\nreturn_urls = [\"http://a.example\"]\n",
            14,
            "\"http://a.example\" is plain http",
        ),
        ("[clients.app]\n", "[clients.app]\npost_logout_path = \"//evil\"\n", 14, "is not in normal form"),
        ("[clients.app]\n", "[clients.app]\nname = \" \"\n", 14, "clients.app.name = \" \" is empty"),
    ]);
}

#[test]
fn u24_logins() {
    let secret = "client_secret = \"env:CLIENT_SECRET\"";
    check(&[
        ("\"cloakroom\"", "\"\"", 11, "client_id = \"\" is empty"),
        (secret, "client_secret = \"hunter2\"", 12, "client_secret: a secret must not stand in this file"),
        (secret, "client_secret = \"env:NOT_THERE\"", 12, "NOT_THERE is not set"),
        ("file:root.key", "file:none.key", 7, "none.key cannot be read"),
        ("client_id =", "scopes = [\"openid profile\"]\nclient_id =", 11, "\"openid profile\" is no scope"),
        ("client_id =", "client_auth = \"none\"\nclient_id =", 11, "client_auth = \"none\" is not one of its values"),
        ("client_id =", "extra_authorize = { state = \"x\" }\nclient_id =", 11, "state is set by each login itself"),
        ("client_id =", "extra_authorize = { a = 1 }\nclient_id =", 11, "extra_authorize.a must be text in quotes"),
        ("issuer =", "refresh_reuse = \"sometimes\"\nissuer =", 9, "refresh_reuse = \"sometimes\" is not one of"),
        ("issuer =", "refresh_reuse = { grace_secs = 0 }\nissuer =", 9, "grace_secs = 0 is out of range"),
        ("issuer =", "refresh_reuse = {}\nissuer =", 9, "refresh_reuse.grace_secs is missing"),
        ("issuer =", "clock_skew_secs = 601\nissuer =", 9, "out of range"),
        ("kind = \"web\"", "kind = \"desktop\"", 14, "clients.app.kind = \"desktop\" is no kind of client"),
        ("kind = \"web\"", "kind = \"web\"\nsame_site = \"none\"", 15, "same_site = \"none\" is not one of its values"),
        ("[\"main.web\"]", "[\"main.other\"]", 15, "\"main.other\" is no registration"),
        ("[\"main.web\"]", "[\"main\"]", 15, "\"main\" is no registration"),
        ("[\"main.web\"]", "[\"main.web\", \"main.web\"]", 15, "\"main.web\" is named twice"),
        ("[\"main.web\"]", "[]", 13, "clients.app.registrations is empty"),
        (
            "[clients.app]",
            "[providers.twin]\nissuer = \"https://id.example.com\"\n[clients.app]",
            14,
            "have the same issuer",
        ),
        (
            "kind = \"web\"",
            "kind = \"web\"\ntrusted_origins = [\"https://*.example.com\"]",
            15,
            "clients.app.trusted_origins: \"https://*.example.com\"",
        ),
        (
            "kind = \"web\"",
            "kind = \"web\"\ntrusted_origins = [\"https://www.example.com/\"]",
            15,
            "write \"https://www.example.com\"",
        ),
        ("kind = \"web\"", "kind = \"web\"\ntrusted_origins = [\"null\"]", 15, "trusted_origins: \"null\""),
        ("client = \"app\"", "client = \"appp\"", 18, "sites.app.client names no client: \"appp\""),
        ("client = \"app\"", "client = \"app\"\nbase_path = \"/admin/x\"", 19, "/admin is Cloakroom's own"),
        ("client = \"app\"", "client = \"app\"\nbase_path = \"/x/\"", 19, "ends with a slash"),
    ]);
    let two = "[sites.two]\norigin = \"https://app.example.com:444\"\n";
    only(&format!("{GOOD}{two}"), 27, "sites.app and sites.two have the same host name");
    let two = "[sites.two]\norigin = \"https://b.example.com\"\nclient = \"app\"\n";
    only(&format!("{GOOD}{two}"), 28, "sites.app and sites.two have the same client");
}

#[test]
fn u24_ways_of_client_authentication() {
    let secret = "client_secret = \"env:CLIENT_SECRET\"";
    let by_key = "client_auth = \"private_key_jwt\"\n";
    check(&[
        (secret, by_key, 10, "providers.main.registrations.web.private_key is missing"),
        (secret, "private_key = \"file:client.key\"\nclient_secret = \"env:CLIENT_SECRET\"", 12, "uses no such key"),
        (secret, "private_key_id = \"k1\"\nclient_secret = \"env:CLIENT_SECRET\"", 12, "uses no such key"),
        (secret, &format!("{by_key}private_key = \"file:client.key\"\n{secret}"), 14, "uses no such key"),
        (secret, &format!("{by_key}private_key = \"file:console.secret\""), 13, "it is no private key"),
        (secret, &format!("{secret}\nresponse_mode = \"fragment\""), 13, "response_mode = \"fragment\""),
        (secret, &format!("{secret}\nuserinfo = \"yes\""), 13, "userinfo must be true or false"),
        (secret, &format!("{secret}\nextra_authorize = {{ dpop_jkt = \"x\" }}"), 13, "dpop_jkt is set by each login"),
        ("[providers.main]\n", "[providers.main]\ntimeout_secs = 0\n", 9, "timeout_secs = 0 is out of range"),
        ("[providers.main]\n", "[providers.main]\nid_token_hint = 1\n", 9, "id_token_hint must be true or false"),
    ]);
}

#[test]
fn u24_routes() {
    check(&[
        ("site = \"app\"", "site = \"none\"", 22, "routes[0].site names no site: \"none\""),
        ("upstream = \"api\"\ntoken = \"user\"", "folder = \"nowhere\"", 24, "is no folder"),
        (
            "upstream = \"api\"\ntoken = \"user\"",
            "folder = \"help\"\nupstream = \"api\"",
            25,
            "to an upstream or to a folder, not to both",
        ),
        ("upstream = \"api\"", "folder = \"help\"", 25, "a folder takes no token"),
        ("upstream = \"api\"", "upstream = \"none\"", 24, "routes[0].upstream names no upstream: \"none\""),
        ("path = \"/api/\"", "path = \"api\"", 23, "does not start with /"),
        ("path = \"/api/\"", "path = \"/api/../x\"", 23, "is not in normal form"),
        ("path = \"/api/\"", "path = \"/%61pi/\"", 23, "is not in normal form"),
        ("path = \"/api/\"", "path = \"/api/?x\"", 23, "has a query or a fragment"),
        ("path = \"/api/\"", "path = \"/bff/x\"", 23, "/bff is Cloakroom's own"),
        ("path = \"/api/\"", "path = \"/bff\"", 23, "/bff is Cloakroom's own"),
        ("path = \"/api/\"", "path = \"/.well-known/\"", 23, "/.well-known is Cloakroom's own"),
        ("path = \"/api/\"", "path = \"/admin/api/\"", 23, "/admin is Cloakroom's own"),
        ("path = \"/api/\"", "path = \"/oauth\"", 23, "/oauth is Cloakroom's own"),
        ("token = \"user\"", "methods = [\"get\"]", 25, "\"get\" is no method"),
        ("token = \"user\"", "methods = [\"CONNECT\"]", 25, "\"CONNECT\" is forwarded nowhere"),
        ("token = \"user\"", "kind = \"page\"\nforms = true", 26, "forms = true is for kind = \"api\""),
        ("token = \"user\"", "kind = \"page\"\ncsrf_on_get = true", 26, "csrf_on_get = true is for kind = \"api\""),
        ("token = \"user\"", "kind = \"page\"\ndocuments = true", 26, "documents = true is for kind = \"api\""),
        ("token = \"user\"", "forms = true\ncsrf_on_get = true", 26, "a header that the HTML forms of forms = true"),
        ("token = \"user\"", "access = \"anonymous\"\nforms = true", 26, "forms = true changes nothing"),
        ("token = \"user\"", "token = \"user\"\naccess = \"anonymous\"", 25, "needs access = \"signed_in\""),
        ("token = \"user\"", "token = \"exchange\"", 25, "token = \"exchange\" is not one of its values"),
        ("http://127.0.0.1:4000", "http://api.example.com", 25, "would travel over plain http"),
        ("client = \"app\"\n", "", 20, "needs a site with a client"),
    ]);
    let again = "[[routes]]\nsite = \"app\"\npath = \"/api\"\nupstream = \"api\"\nmethods = [\"GET\"]\n";
    only(&format!("{GOOD}{again}"), 28, "this route is never used");
}

#[test]
fn u24_the_console() {
    let with_admin = |lines: &str| format!("{GOOD}[admin]\n{lines}\n");
    only(&with_admin("site = \"none\""), 27, "admin.site names no site: \"none\"");
    only(&with_admin(""), 26, "admin.site is missing");
    only(&with_admin("site = \"app\"\nrole_claim = \"a..b\""), 28, "has an empty part");
    only(&with_admin("site = \"app\"\nrole_claim = [\"a\", \"\"]"), 28, "has an empty part");
    only(&with_admin("site = \"app\"\nrole_claim = []"), 28, "has an empty part");
    only(&with_admin("site = \"app\"\ntenant_claim = \".org\""), 28, "has an empty part");
    only(&with_admin("site = \"app\"\nroles = { admin = [] }"), 28, "unknown key admin.roles.admin");
    only(&with_admin("site = \"app\"\nroles = { owner = [\"\"] }"), 28, "admin.roles.owner has an empty claim value");
    let owners = |owner: &str| with_admin(&format!("site = \"app\"\nowners = [{{ {owner} }}]"));
    only(&owners("issuer = \"https://id.example.com\""), 28, "admin.owners[0].sub is missing");
    only(&owners("issuer = \"https://id.example.org\", sub = \"1\""), 28, "no provider has the issuer");
    let trusting = GOOD.replace("kind = \"web\"", "kind = \"web\"\ntrusted_origins = [\"https://www.example.com\"]");
    only(&format!("{trusting}[admin]\nsite = \"app\"\nowners = []\n"), 28, "whose pages could then administrate");
    let bare = "[sites.bare]\norigin = \"https://b.example.com\"\n[admin]\nsite = \"bare\"\n";
    only(&format!("{GOOD}{bare}"), 29, "admin.site has no client");
}

#[test]
fn u24_what_is_not_toml() {
    check(&[
        ("[server]", "[server", 1, "not TOML: unclosed table"),
        ("listen = \"127.0.0.1:8080\"", "listen = 127.0.0.1:8080", 2, "not TOML"),
        ("listen = \"127.0.0.1:8080\"", "listen: \"127.0.0.1:8080\"", 2, "not TOML"),
        ("listen = \"127.0.0.1:8080\"", "listen =", 2, "not TOML"),
        ("url = \"sqlite:cloakroom.db\"", "url = \"sqlite:cloakroom.db", 5, "not TOML"),
        ("[\"main.web\"]", "[\"main.web\"", 15, "not TOML: this list is never closed"),
        ("[\"main.web\"]", "[\"main.web\" \"main.web\"]", 15, "not TOML: missing comma"),
        ("[store]\n", "[server]\n[store]\n", 4, "not TOML: duplicate key"),
        ("kind = \"web\"", "kind = \"web\"\nkind = \"web\"", 15, "not TOML: duplicate key"),
        ("token = \"user\"", "forms = True", 25, "not TOML"),
    ]);
    let help = said(&with("listen = \"127.0.0.1:8080\"", "listen = 127.0.0.1:8080"));
    assert!(help.contains("write text in quotes: listen = \"…\""), "{help}");
}

#[test]
fn u24_all_mistakes_are_reported_at_once_and_in_order() {
    let text = GOOD
        .replace("listen =", "lisen =")
        .replace("url = \"sqlite:cloakroom.db\"", "url = sqlite")
        .replace("kind = \"web\"", "kind = \"web\"\nidle_secs = \"long\"")
        .replace("path = \"/api/\"", "path = \"api\"")
        .replace("token = \"user\"", "token = \"user\"\n= 1");
    let report = load_with(&text, &[("CLOAKROOM__LOG__FORMAT", "xml")]).expect_err("mistakes");
    let lines: Vec<_> = report.items().iter().map(|item| item.position.map(|(line, _)| line)).collect();
    assert_eq!(lines, [Some(2), Some(5), Some(15), Some(24), Some(27), None], "{report}");
    assert!(report.to_string().ends_with("cloakroom.toml: 6 mistakes\n"), "{report}");
    assert!(report.coloured().contains('\u{1b}') && !report.to_string().contains('\u{1b}'));
}

#[test]
fn a_file_that_cannot_be_read_is_one_mistake() {
    let report = super::load(std::path::Path::new("/nowhere/cloakroom.toml"), &super::environment(&[]));
    let report = report.expect_err("nothing there");
    assert_eq!(report.items().len(), 1);
    assert!(report.to_string().contains("No such file") && report.to_string().contains("/nowhere/"), "{report}");
}
