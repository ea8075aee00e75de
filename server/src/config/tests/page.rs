//! The reference page says what the readers do.

use super::super::keys::SECTIONS;
use super::super::preset::{PRESETS, Setting};
use super::super::summary;
use super::{GOOD, load_with, said, with};

const PAGE: &str = include_str!("../../../../docs/configuration.md");

fn blocks(kind: &str) -> Vec<&'static str> {
    let start = format!("```{kind}\n");
    PAGE.split(&start).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

/// The header in the complete example that stands for a section.
fn header(section: &str) -> String {
    if section == "[clients.ID] of a mobile app" {
        return "[clients.phone]".to_owned();
    }
    let id = match section {
        s if s.starts_with("[providers") => "main",
        s if s.starts_with("[upstreams") => "api",
        s if s.starts_with("[policies") => "staff",
        s if s.starts_with("[machines") => "partner",
        _ => "app",
    };
    section.replacen("ID", id, 1).replace("ID", "web")
}

#[test]
fn u24_every_example_of_the_page_loads_without_a_warning() {
    let examples = blocks("toml");
    assert!(!examples.is_empty());
    for text in examples {
        let loaded = load_with(text, &[]).map_err(|report| report.to_string()).expect("loads");
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    }
}

#[test]
fn u24_the_complete_example_and_the_page_have_every_key() {
    let example = blocks("toml")[0];
    for (section, keys) in SECTIONS {
        let (_, rest) = PAGE.split_once(&format!("### `{section}`\n")).expect(section);
        let part = rest.split("\n### ").next().unwrap_or_default();
        for key in *keys {
            assert!(part.contains(&format!("| `{key}` |")), "{section} {key} is not on the page");
            let used =
                example.contains(&format!("\n{key} = ")) || matches!(*key, "registrations" | "tls" | "certificates");
            assert!(used, "{key} is not in the example");
        }
        let rows = part.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(rows, keys.len(), "{section}: the page has a key that is none");
    }
}

#[test]
fn u24_the_readers_take_the_keys_of_the_list() {
    let example = blocks("toml")[0];
    for (section, keys) in SECTIONS {
        let header = header(section);
        assert!(example.contains(&header), "{header}");
        let shown = said(&example.replacen(&header, &format!("{header}\nzzzz = 1"), 1));
        assert!(shown.contains(&format!("known here: {}\n", keys.join(", "))), "{section}: {shown}");
    }
}

#[test]
fn the_page_shows_a_report_as_it_is() {
    let text = with("listen =", "lisen =").replace("[\"main.web\"]", "[\"main.wep\"]");
    let folder = super::folder(&text);
    let path = folder.path().join("cloakroom.toml");
    let report = super::load(&path, &super::environment(&[])).expect_err("mistakes").to_string();
    let report = report.replace(&path.display().to_string(), "cloakroom.toml");
    assert_eq!(blocks("text")[0], report.trim_end(), "\n{report}");
}

#[test]
fn the_page_shows_a_summary_as_it_is() {
    let folder = super::folder(GOOD);
    let path = folder.path().join("cloakroom.toml");
    let env = super::environment(&[("CLOAKROOM__SERVER__WORKERS", "2")]);
    let shown = summary(&super::load(&path, &env).expect("loads"));
    let shown = shown.replace(&path.display().to_string(), "cloakroom.toml");
    let shown = shown.replace(&folder.path().display().to_string(), "/etc/cloakroom");
    assert_eq!(blocks("text")[1], shown.trim_end(), "\n{shown}");
}

#[test]
fn u24_every_snippet_of_other_pages_loads_without_a_warning() {
    let pages = [include_str!("../../../../docs/policies.md"), include_str!("../../../../docs/upstreams.md")];
    let mut shown = 0;
    let snippets = pages.iter().flat_map(|page| snippets(page));
    for snippet in snippets {
        let first = if snippet.contains("[upstreams.") { "[upstreams.api]" } else { "[[routes]]" };
        let base = GOOD.split(first).next().unwrap_or_default();
        let loaded = load_with(&format!("{base}{snippet}\n"), &[]).map_err(|report| report.to_string()).expect("loads");
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
        shown += 1;
    }
    assert!(shown >= 3);
}

/// Snippets of providers.md bring their providers and clients themselves.
#[test]
fn u24_every_snippet_about_providers_loads_without_a_warning() {
    let (before, rest) = GOOD.split_once("[providers.main]").expect("providers");
    let (_, after) = rest.split_once("[sites.app]").expect("sites");
    let mut shown = 0;
    for snippet in snippets(include_str!("../../../../docs/providers.md")) {
        let client = "[clients.app]\nkind = \"web\"\nregistrations = [";
        let named = snippet.lines().filter_map(|line| line.strip_prefix("[providers.")?.strip_suffix(']'));
        let named = named.filter_map(|path| path.split_once(".registrations."));
        let named: Vec<_> = named.map(|(provider, id)| format!("\"{provider}.{id}\"")).collect();
        let own =
            if snippet.contains("[clients.app]") { String::new() } else { format!("{client}{}]\n", named.join(", ")) };
        let text = format!("{before}{snippet}\n{own}[sites.app]{after}");
        let loaded = load_with(&text, &[]).map_err(|report| format!("{text}\n{report}")).expect("loads");
        assert!(loaded.warnings.is_empty(), "{text}\n{}", loaded.warnings);
        shown += 1;
    }
    assert!(shown >= 1);
}

fn snippets(page: &str) -> impl Iterator<Item = &str> {
    page.split("```toml\n").skip(1).filter_map(|rest| rest.split("\n```").next())
}

#[test]
fn the_page_shows_what_presets_set() {
    let page = include_str!("../../../../docs/providers.md");
    for preset in PRESETS {
        for Setting { key, value, why } in preset.settings {
            let row = format!("| `{}` | `{key}` | `{value}` | {why} |", preset.id);
            assert!(page.contains(&row), "{row}");
        }
    }
    let rows = page.lines().filter(|line| PRESETS.iter().any(|one| line.starts_with(&format!("| `{}` |", one.id))));
    assert_eq!(rows.count(), PRESETS.iter().map(|preset| preset.settings.len()).sum::<usize>());
}
