//! Every crate of others that we build upon is named, with its reason, on one page.

use std::collections::BTreeMap;

use super::Violation;
use super::tree::Tree;

const PAGE: &str = "docs/dependencies.md";
const MANIFEST: &str = "Cargo.toml";

/// Looks up the workspace table, and what crates take past it, on the page.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let page = tree.text(PAGE).unwrap_or_default();
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    for dependency in tree.packages.iter().filter_map(|package| package["dependencies"].as_array()).flatten()
    {
        if let (true, Some(name)) = (dependency["path"].is_null(), dependency["name"].as_str()) {
            used.insert(name, 1);
        }
    }
    used.extend(table(tree.text(MANIFEST).unwrap_or_default()));
    let unnamed = used.into_iter().filter(|(name, _)| !names(page, name));
    unnamed
        .map(|(name, line)| {
            Violation::new(
                MANIFEST,
                line,
                format!("`{name}` is not in {PAGE}: say there why it is needed, and the runner-up"),
            )
        })
        .collect()
}

/// Names and line numbers of the external crates in `[workspace.dependencies]`.
fn table(manifest: &str) -> impl Iterator<Item = (&str, usize)> {
    let lines =
        manifest.lines().enumerate().skip_while(|(_, line)| line.trim() != "[workspace.dependencies]");
    let entries = lines.skip(1).take_while(|(_, line)| !line.starts_with('['));
    entries.filter(|(_, line)| !line.contains("path =")).filter_map(|(number, line)| {
        let (name, _) = line.split_once('=')?;
        Some((name.trim(), number + 1)).filter(|(name, _)| !name.starts_with('#'))
    })
}

/// Whether the page holds the name as a word; a hyphen is part of a word.
fn names(page: &str, name: &str) -> bool {
    page.split(|letter: char| !letter.is_alphanumeric() && letter != '-' && letter != '_')
        .any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unnamed_crates_are_found() {
        let manifest = "[workspace.dependencies]\nwire = { path = \"crates/wire\" }\n\
            # why\ntokio = \"1\"\ntokio-rustls = { version = \"0.26\" }\n\n[profile.dev]\nopt-level = 1\n";
        let mut tree = Tree::planted(&[(MANIFEST, manifest), (PAGE, "| tokio-rustls, csv | for streams |")]);
        tree.packages =
            vec![json!({ "dependencies": [{ "name": "opus", "path": null }, { "name": "csv" }] })];
        let found: Vec<_> =
            check(&tree).into_iter().map(|violation| (violation.line, violation.message)).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].1.starts_with("`opus`") && found[0].0 == 1);
        assert!(found[1].1.starts_with("`tokio`") && found[1].0 == 4);
    }
}
