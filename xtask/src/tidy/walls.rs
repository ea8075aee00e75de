//! Who may know whom. Cargo holds the walls between crates; these are those inside them.

mod table;

use super::rust::{Path, Rust};
use super::{Finding, Source};
use table::{CRATES, DOORS, WALLS, Wall};

/// Checks files one by one, and remembers which doors were used.
pub(super) struct Walls<'a> {
    /// The console's pages, by their modules' names.
    pages: Vec<&'a str>,
    opened: Vec<(&'static str, &'static str)>,
}

impl<'a> Walls<'a> {
    pub(super) fn around(sources: &'a [Source]) -> Self {
        let pages = sources.iter().filter_map(|source| page_of(&source.path)).collect();
        Self { pages, opened: Vec::new() }
    }

    pub(super) fn check_rust(&mut self, source: &Source, rust: &Rust, findings: &mut Vec<Finding>) {
        let walls: Vec<&Wall> = WALLS.iter().filter(|wall| stands_around(wall, &source.path)).collect();
        let page = page_of(&source.path);
        if walls.is_empty() && page.is_none() {
            return;
        }
        for path in rust.paths() {
            let whole = from_the_root(&source.path, &path);
            for wall in &walls {
                if let Some(banned) = wall.banned.iter().find(|banned| begins(&whole, banned)) {
                    self.refuse(wall, banned, source, path.line, findings);
                }
            }
            if let (Some(page), ["crate", "pages", other, ..]) = (page, whole.as_slice())
                && *other != page
                && self.pages.contains(other)
            {
                let what = format!("the page {page} imports the page {other}: move what both need to domain or ui");
                findings.push(Finding::new("wall-pages", source, path.line, what));
            }
        }
    }

    /// The dependencies of a manifest, dev and build ones too.
    pub(super) fn check_manifest(&mut self, source: &Source, findings: &mut Vec<Finding>) {
        let mut in_dependencies = false;
        for (i, line) in source.text.lines().enumerate() {
            if let Some(section) = line.strip_prefix('[') {
                let section = section.trim_end_matches(']');
                in_dependencies = section.ends_with("dependencies");
                if let Some((_, name)) = section.split_once("dependencies.") {
                    self.dependency(name, source, i + 1, findings);
                }
            } else if in_dependencies {
                let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
                self.dependency(name, source, i + 1, findings);
            }
        }
    }

    fn dependency(&mut self, name: &str, source: &Source, line: usize, findings: &mut Vec<Finding>) {
        if let Some((_, instead)) = CRATES.iter().find(|(banned, _)| *banned == name) {
            findings.push(Finding::new("banned-crate", source, line, format!("{name} has no place here: {instead}")));
        }
        for wall in WALLS.iter().filter(|wall| stands_around(wall, &source.path)) {
            if let Some(banned) = wall.banned.iter().find(|banned| **banned == name) {
                self.refuse(wall, banned, source, line, findings);
            }
        }
    }

    fn refuse(&mut self, wall: &Wall, banned: &'static str, at: &Source, line: usize, findings: &mut Vec<Finding>) {
        if let Some(door) = DOORS.iter().find(|door| door.file == at.path && door.banned == banned) {
            self.opened.push((door.file, banned));
            return;
        }
        findings.push(Finding::new(wall.rule, at, line, format!("{banned} has no place here: {}", wall.instead)));
    }

    /// Doors that nobody went through: to be closed.
    pub(super) fn check_doors(&self, findings: &mut Vec<Finding>) {
        for door in &DOORS {
            if self.opened.contains(&(door.file, door.banned)) {
                continue;
            }
            let what = format!("{} ({}) no longer needs {}: take the door out", door.file, door.reason, door.banned);
            findings.push(Finding::at("unused-door", "xtask/src/tidy/walls/table.rs", 0, what));
        }
    }
}

fn stands_around(wall: &Wall, path: &str) -> bool {
    is_in(path, wall.inside) && !wall.but.iter().any(|room| is_in(path, room))
}

/// Whether a file is the room's own or lies in its folder.
fn is_in(path: &str, room: &str) -> bool {
    let Some(rest) = path.strip_prefix(room) else { return false };
    room.is_empty() || rest.is_empty() || rest == ".rs" || rest.starts_with('/')
}

/// The page that a file of the console belongs to.
fn page_of(path: &str) -> Option<&str> {
    path.strip_prefix("frontend/src/pages/")?.split(['/', '.']).next()
}

/// Whether a path is the banned one or goes on from it.
fn begins(whole: &[&str], banned: &str) -> bool {
    let mut segments = whole.iter();
    banned.split("::").all(|part| segments.next() == Some(&part))
}

/// The path with `self` and `super` replaced by the module they stand for.
fn from_the_root<'a>(file: &'a str, path: &Path<'a>) -> Vec<&'a str> {
    let segments = path.segments.as_slice();
    let named = segments.iter().take_while(|part| matches!(**part, "self" | "super")).count();
    if named == 0 {
        return segments.to_vec();
    }
    let (ups, rest) = segments.split_at_checked(named).unwrap_or_default();
    let ups = ups.iter().filter(|part| **part == "super").count();
    let module: Vec<&str> = file
        .rsplit_once("src/")
        .and_then(|(_, inner)| inner.strip_suffix(".rs"))
        .map(|inner| inner.split('/').filter(|part| !matches!(*part, "lib" | "main")).collect())
        .unwrap_or_default();
    let above = ups.saturating_sub(path.inline_modules);
    let kept = module.len().saturating_sub(above);
    ["crate"].into_iter().chain(module.into_iter().take(kept)).chain(rest.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        let source = Source { path: path.into(), text: text.into() };
        let pages = ["overview", "sessions"]
            .map(|page| Source { path: format!("frontend/src/pages/{page}.rs"), text: String::new() });
        let (mut walls, mut findings) = (Walls::around(&pages), Vec::new());
        if source.is("toml") {
            walls.check_manifest(&source, &mut findings);
        } else {
            walls.check_rust(&source, &Rust::read(text), &mut findings);
        }
        findings.iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn each_wall_refuses_what_it_bans() {
        let cases = [
            ("wall-rooms", "server/src/web/login.rs", "use crate::admin::roles;"),
            ("wall-rooms", "server/src/web.rs", "use crate::{edge, proxy::call};"),
            ("wall-rooms", "server/src/web/login.rs", "use super::super::proxy;"),
            ("wall-rooms", "server/src/web.rs", "mod tests { use super::super::mobile; }"),
            ("wall-rooms", "server/src/mobile/par.rs", "fn f() { crate::web::login::begin() }"),
            ("wall-rooms", "server/src/admin/me.rs", "use crate::mobile::par;"),
            ("wall-rooms", "server/src/proxy/call.rs", "use crate::web as w;"),
            ("wall-core", "server/core/Cargo.toml", "[dependencies]\naxum.workspace = true"),
            ("wall-core", "server/core/Cargo.toml", "[dev-dependencies.hyper]\nworkspace = true"),
            ("wall-core", "server/core/src/http.rs", "use tokio::{net::TcpStream, sync};"),
            ("wall-sql", "server/core/Cargo.toml", "[dependencies]\nsqlx = { workspace = true }"),
            ("wall-sql", "server/src/app.rs", "sqlx::query(\"x\")"),
            ("wall-demo", "server/demo/src/lib.rs", "use cloakroom_core::session;"),
            ("wall-keys", "server/core/src/session.rs", "use aws_lc_rs::aead::Aad;"),
            ("wall-keys", "server/src/edge/ticket.rs", "use cookie::{Cookie, Key};"),
            ("wall-environment", "server/src/app.rs", "let x = std::env::var(\"X\");"),
            ("wall-outbound", "server/src/web/login.rs", "reqwest::Client::builder()"),
            ("wall-ui", "frontend/src/ui/button.rs", "use crate::domain::session;"),
            ("wall-fetch", "frontend/src/pages/overview.rs", "use gloo_net::http::Request;"),
            ("wall-fetch", "frontend/src/app.rs", "window.fetch_with_str(url)"),
            ("wall-pages", "frontend/src/pages/overview.rs", "use super::sessions::Row;"),
            ("wall-pages", "frontend/src/pages/sessions/drawer.rs", "use crate::pages::{overview, sessions};"),
            ("wall-api", "api/Cargo.toml", "[dependencies]\ntokio.workspace = true"),
            ("banned-crate", "server/Cargo.toml", "[dependencies]\nring = \"0.17\""),
        ];
        for (rule, path, text) in cases {
            assert_eq!(rules(path, text), [rule], "{path}: {text}");
        }
    }

    #[test]
    fn each_wall_lets_the_rest_pass() {
        let cases = [
            ("server/src/web/login.rs", "use crate::edge::{page, proxy};"),
            ("server/src/web/login.rs", "use super::proxy; // a module of its own\n"),
            ("server/src/web/login.rs", "//! Unlike crate::proxy\nconst A: &str = \"crate::proxy\";"),
            ("server/src/webhook.rs", "use crate::proxy::call;"),
            ("server/src/edge/router.rs", "use crate::{admin, proxy, web};"),
            ("server/core/Cargo.toml", "[package]\ndescription = \"no axum\"\n[dependencies]\nhttp = \"1\""),
            ("server/core/src/http.rs", "use std::net::IpAddr; use tokio::sync::Mutex;"),
            ("server/store/src/sqlite.rs", "use sqlx::Row;"),
            ("server/core/src/vault.rs", "use aws_lc_rs::aead::Aad;"),
            ("server/core/src/vault/ring.rs", "use aws_lc_rs::aead::Aad;"),
            ("server/src/config/load.rs", "std::env::vars()"),
            ("frontend/src/ui/button.rs", "use crate::state::prefs;"),
            ("frontend/src/api/client.rs", "use gloo_net::http::Request;"),
            ("frontend/src/app.rs", "use crate::pages::{overview, sessions};"),
            ("frontend/src/pages/overview.rs", "use super::heading;"),
            ("frontend/src/pages/sessions/drawer.rs", "use super::pager; use crate::pages::sessions::table;"),
        ];
        for (path, text) in cases {
            assert_eq!(rules(path, text), [""; 0], "{path}: {text}");
        }
    }

    #[test]
    fn a_door_that_nobody_uses_is_reported() {
        let (mut walls, mut findings) = (Walls::around(&[]), Vec::new());
        walls.check_doors(&mut findings);
        assert_eq!(findings.len(), DOORS.len());
        let source = Source { path: "server/src/config/load.rs".into(), text: String::new() };
        walls.check_rust(&source, &Rust::read("use std::env;"), &mut Vec::new());
        findings.clear();
        walls.check_doors(&mut findings);
        assert_eq!(findings.len(), DOORS.len() - 1);
    }
}
