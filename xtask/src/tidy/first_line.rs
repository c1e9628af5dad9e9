//! Every Rust file says in its first line what it is for.

use super::Violation;
use super::tree::Tree;

/// Looks at the first line of each file.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let silent = tree.sources.iter().filter(|source| {
        let first = source.text.lines().next().unwrap_or_default();
        first.strip_prefix("//!").is_none_or(|said| said.trim().is_empty())
    });
    silent
        .map(|source| {
            Violation::new(&source.path, 1, "begin with a `//!` line that says what the file is for")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_found() {
        let tree = Tree::planted(&[
            ("crates/a/src/good.rs", "//! What it is for.\n"),
            ("crates/a/src/bare.rs", "use std::fmt;\n"),
            ("crates/a/src/blank.rs", "//!\n"),
            ("xtask/src/empty.rs", ""),
            ("docs/not_ours.rs", ""),
        ]);
        let found: Vec<_> = check(&tree).into_iter().map(|violation| violation.path).collect();
        assert_eq!(found, ["crates/a/src/bare.rs", "crates/a/src/blank.rs", "xtask/src/empty.rs"]);
    }
}
