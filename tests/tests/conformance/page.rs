//! docs/conformance.md says what the tables hold, no more and no less.

use std::collections::BTreeSet;
use std::fs;

fn read(path: &str) -> String {
    fs::read_to_string(cloakroom_tests::folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn is_module(name: &str) -> bool {
    let known = ["oidcc-", "fapi2-security-profile-final-", "OIDCCClientTest"];
    known.iter().any(|start| name.starts_with(start))
}

/// Where a source names modules: in quotes, or in a comment.
fn modules(source: &str) -> BTreeSet<&str> {
    let cut = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_');
    source.split(cut).filter(|word| is_module(word)).collect()
}

#[test]
fn page_of_conformance_names_every_row_and_its_test() {
    let page = read("../docs/conformance.md");
    let files = ["beyond", "afterwards", "id_token", "keys", "redirect"]
        .map(|name| read(&format!("tests/conformance/{name}.rs")));
    let server = read("tests/mobile/conformance.rs");
    let files: Vec<String> = files.into_iter().chain([server]).collect();
    // Held by units: no clock is turned in front of the binary, and no configuration with a fragment starts.
    let units = ["mobile/par.rs", "config/tests/bad/mobile.rs"].map(|path| read(&format!("../server/src/{path}")));
    let logout = ["backchannel", "frontchannel"].map(|name| read(&format!("tests/logout/{name}.rs")));
    let mut listed = BTreeSet::new();
    for row in page.lines().filter(|line| line.starts_with("| ") && is_module(&line[2..])) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let (module, test) = (cells[0], cells[2].trim_matches('`'));
        let function = format!("async fn {test}()");
        // The logout tokens have a table of their own, whose rows are not called after the modules.
        let held = files.iter().any(|file| file.contains(&function) && modules(file).contains(module))
            || (module.contains("-rp-backchannel-") || module.contains("-rp-frontchannel-"))
                && logout.iter().any(|file| file.contains(&function))
            || units.iter().any(|file| file.contains(&format!("fn {test}()")));
        assert!(held, "{module} is not held by {test}");
        assert!(listed.insert(module), "{module} stands twice on the page");
    }
    for module in files.iter().flat_map(|file| modules(file)) {
        assert!(listed.contains(module), "{module} is tried, but docs/conformance.md does not name it");
    }
}
