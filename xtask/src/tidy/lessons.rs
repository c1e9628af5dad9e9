//! Each test that `docs/security-lessons.md` names is there, and a lesson without one says why.

use super::Violation;
use super::tree::Tree;

const PAGE: &str = "docs/security-lessons.md";
/// What stands in the column of a lesson whose surface is not built.
const NO_SURFACE: &str = "no surface yet";

/// Reads the last column of the table.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let Some(page) = tree.text(PAGE) else {
        return vec![Violation::new(PAGE, 1, "missing: the lessons and their tests")];
    };
    let mut violations = Vec::new();
    for (index, line) in page.lines().enumerate().filter(|(_, line)| line.starts_with("| sec_")) {
        let column = line.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default().trim();
        let names: Vec<&str> = column.split('`').skip(1).step_by(2).collect();
        if names.is_empty() && !column.starts_with(NO_SURFACE) {
            let what = format!("a lesson names its tests in backticks, or says \"{NO_SURFACE}\" and which");
            violations.push(Violation::new(PAGE, index + 1, what));
        }
        for name in names.into_iter().filter(|name| !exists(tree, name)) {
            violations.push(Violation::new(PAGE, index + 1, format!("there is no test `{name}`")));
        }
    }
    violations
}

/// Whether there is a test of this name, or a folder of them.
fn exists(tree: &Tree, name: &str) -> bool {
    if name.contains('/') {
        let inside = format!("{name}/");
        return tree.paths.iter().any(|path| path == name || path.starts_with(&inside));
    }
    let (rust, python) = (format!("fn {name}("), format!("def {name}("));
    tree.texts.iter().any(|file| {
        (file.path.ends_with(".rs") && file.text.contains(&rust))
            || (file.path.ends_with(".py") && file.text.contains(&python))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_are_not_there_are_found() {
        let page = "| no. | test |\n|---|---|\n| sec_01 | `sec_01_here`, `test_sec_01_there` |\n\
                    | sec_02 | `sec_02_gone` |\n| sec_03 | |\n| sec_04 | no surface yet: browser legs |\n\
                    | sec_05 | `crates/x/tests`, `crates/y/tests` |\n";
        let tree = Tree::planted(&[
            (PAGE, page),
            ("crates/x/tests/a.rs", "fn sec_01_here() {}\n// sec_02_gone\n"),
            ("tests/e2e/test_a.py", "def test_sec_01_there():\n"),
        ]);
        let found: Vec<usize> = check(&tree).into_iter().map(|violation| violation.line).collect();
        assert_eq!(found, [4, 5, 7]);
        assert_eq!(check(&Tree::planted(&[])).len(), 1);
    }
}
