//! The pages that a newcomer looks for are there.

use super::Violation;
use super::tree::Tree;

const DOCUMENTS: [(&str, &str); 3] = [
    ("README.md", "say what this is and how to run it"),
    ("ARCHITECTURE.md", "say where what stands and how a call goes through it"),
    ("CHANGELOG.md", "one line a change"),
];

/// Looks for each page at the root.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let missing =
        DOCUMENTS.iter().filter(|(path, _)| tree.text(path).is_none_or(|text| text.trim().is_empty()));
    missing.map(|(path, content)| Violation::new(path, 1, format!("missing or empty: {content}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_pages_are_found() {
        let tree =
            Tree::planted(&[("README.md", "# x\n"), ("CHANGELOG.md", "\n"), ("docs/ARCHITECTURE.md", "x")]);
        let found: Vec<_> = check(&tree).into_iter().map(|violation| violation.path).collect();
        assert_eq!(found, ["ARCHITECTURE.md", "CHANGELOG.md"]);
    }
}
