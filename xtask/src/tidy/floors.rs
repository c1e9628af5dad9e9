//! Arrows go down only, and below the shell no crate can reach a socket, a file or a database.

use serde_json::Value;

use super::Violation;
use super::tree::Tree;

/// The floor of each crate (CONTRIBUTING.md, "How the house is built").
const FLOORS: [(&str, u8); 19] = [
    ("wire", 0),
    ("clock", 0),
    ("sip", 1),
    ("media", 1),
    ("dialing", 1),
    ("calls", 2),
    ("lists", 2),
    ("directory", 2),
    ("exchange", 3),
    ("net", 4),
    ("store", 4),
    ("api", 4),
    ("phone", 4),
    ("transfer", 4),
    ("tap", 4),
    ("headset", 4),
    ("adapters", 4),
    ("ringdown", 5),
    // The one crate beside the house that house crates are tested with: the simulator reaches the office.
    ("testkit", 4),
];

/// Tools that stand beside the house: they may use every floor, and no floor may use them.
const BESIDE: [&str; 2] = ["xtask", "bench"];

/// Neighbours on one floor that may see each other all the same: the phone has no other shell, and what fetches files goes only
/// where `net` judges that it may.
const NEIGHBOURS: [(&str, &str); 4] =
    [("phone", "net"), ("phone", "headset"), ("phone", "adapters"), ("transfer", "net")];

/// The first floor with sockets, files and clocks.
const SHELL: u8 = 4;

/// What brings the outside world in.
const SHELL_ONLY: [&str; 6] = ["tokio", "socket2", "sqlx", "rustix", "libc", "axum"];

/// Reads what `cargo metadata` says of each crate's normal dependencies.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    tree.packages.iter().flat_map(|package| check_package(tree, package)).collect()
}

fn check_package(tree: &Tree, package: &Value) -> Vec<Violation> {
    let name = package["name"].as_str().unwrap_or_default();
    let manifest = manifest_path(tree, package);
    let Some(place) = place(name) else {
        let message = format!("crate `{name}` has no floor: give it one in xtask/src/tidy/floors.rs");
        return vec![Violation::new(&manifest, 1, message)];
    };
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let normal = dependencies.iter().filter(|dependency| dependency["kind"].is_null());
    normal
        .filter_map(|dependency| {
            let used = dependency["name"].as_str()?;
            let fault = match dependency["path"].as_str() {
                Some(_) => inner_fault(name, place, used),
                None => outer_fault(name, place, used),
            }?;
            Some(Violation::new(&manifest, line_of(tree, &manifest, used), fault))
        })
        .collect()
}

/// The floor, or `None` inside for what stands beside the house; nothing for an unknown crate.
fn place(name: &str) -> Option<Option<u8>> {
    if BESIDE.contains(&name) {
        return Some(None);
    }
    FLOORS.iter().find(|(known, _)| *known == name).map(|(_, floor)| Some(*floor))
}

fn inner_fault(name: &str, place: Option<u8>, used: &str) -> Option<String> {
    let floor = place?;
    if NEIGHBOURS.contains(&(name, used)) {
        return None;
    }
    if BESIDE.contains(&used) || used == "testkit" {
        return Some(format!(
            "`{name}` uses `{used}`, which stands beside the house: move it to dev-dependencies"
        ));
    }
    let below = FLOORS.iter().find(|(known, _)| *known == used).map(|(_, floor)| *floor)?;
    (below >= floor).then(|| {
        format!("`{name}` (floor {floor}) uses `{used}` (floor {below}): arrows go down only, pass a value instead")
    })
}

fn outer_fault(name: &str, place: Option<u8>, used: &str) -> Option<String> {
    let inside = matches!(place, Some(floor) if floor < SHELL) || name == "testkit";
    (inside && SHELL_ONLY.contains(&used)).then(|| {
        format!(
            "`{name}` uses `{used}`, which belongs to floor {SHELL}: take its effect as an input or an output"
        )
    })
}

/// The manifest from the root: absolute in the metadata, so found among the tracked files.
fn manifest_path(tree: &Tree, package: &Value) -> String {
    let absolute = package["manifest_path"].as_str().unwrap_or_default().replace('\\', "/");
    let tracked =
        tree.paths.iter().filter(|path| path.contains('/') && absolute.ends_with(&format!("/{path}")));
    tracked.max_by_key(|path| path.len()).cloned().unwrap_or_else(|| "Cargo.toml".to_owned())
}

fn line_of(tree: &Tree, manifest: &str, dependency: &str) -> usize {
    let lines = tree.text(manifest).unwrap_or_default().lines();
    let is_it =
        |line: &str| line.strip_prefix(dependency).is_some_and(|rest| rest.starts_with([' ', '.', '=']));
    lines.into_iter().position(is_it).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(name: &str, used: &str, path: Option<&str>, kind: Option<&str>) -> usize {
        let mut tree = Tree::planted(&[("crates/x/Cargo.toml", "[dependencies]\nlog = \"1\"\n")]);
        tree.packages = vec![json!({
            "name": name,
            "manifest_path": "/somewhere/crates/x/Cargo.toml",
            "dependencies": [{ "name": used, "path": path, "kind": kind }],
        })];
        check(&tree).len()
    }

    #[test]
    fn arrows_go_down_only() {
        for (name, used, expected) in [
            ("sip", "wire", 0),
            ("sip", "clock", 0),
            ("wire", "clock", 1),
            ("sip", "media", 1),
            ("wire", "sip", 1),
            ("calls", "exchange", 1),
            ("net", "calls", 0),
            ("api", "store", 1),
            ("phone", "net", 0),
            ("net", "phone", 1),
            ("ringdown", "net", 0),
            ("testkit", "exchange", 0),
            ("testkit", "store", 1),
            ("exchange", "testkit", 1),
            ("ringdown", "testkit", 1),
            ("bench", "ringdown", 0),
            ("ringdown", "xtask", 1),
        ] {
            assert_eq!(faults(name, used, Some("/somewhere"), None), expected, "{name} uses {used}");
        }
        assert_eq!(faults("sip", "testkit", Some("/somewhere"), Some("dev")), 0);
    }

    #[test]
    fn the_shell_keeps_the_world() {
        for (name, used, kind, expected) in [
            ("calls", "tokio", None, 1),
            ("calls", "tokio", Some("dev"), 0),
            ("testkit", "libc", None, 1),
            ("net", "tokio", None, 0),
            ("xtask", "libc", None, 0),
            ("sip", "slotmap", None, 0),
        ] {
            assert_eq!(faults(name, used, None, kind), expected, "{name} uses {used}");
        }
    }

    #[test]
    fn every_crate_has_a_floor() {
        assert_eq!(faults("common", "wire", Some("/somewhere"), None), 1);
    }

    #[test]
    fn the_line_is_named() {
        let manifest = "[dependencies]\nlog-extra = \"1\"\nlog.workspace = true\n";
        let tree = Tree::planted(&[("crates/x/Cargo.toml", manifest)]);
        assert_eq!(line_of(&tree, "crates/x/Cargo.toml", "log"), 3);
    }
}
