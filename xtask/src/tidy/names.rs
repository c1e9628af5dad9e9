//! Names say what a thing is: no `get_`, and no file for leftovers.

use super::Violation;
use super::tree::Tree;

/// What a file is called when nobody asked what it is for.
const LEFTOVERS: [&str; 3] = ["manager", "helper", "util"];

/// Looks at the names of functions and of tracked files.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let files = tree.paths.iter().filter_map(|path| {
        let lower = path.to_lowercase();
        let name = LEFTOVERS.iter().find(|name| lower.contains(**name))?;
        Some(Violation::new(path, 1, format!("`{name}` in a file name: call it by what it does")))
    });
    let functions = tree.sources.iter().flat_map(|source| {
        source.words("fn").filter_map(|at| {
            let name = source.code[at + 2..].trim_start();
            let message = "a function named `get_...`: call it by what it returns";
            name.starts_with("get_").then(|| Violation::new(&source.path, source.line_at(at), message))
        })
    });
    files.chain(functions).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_names_are_found() {
        let tree = Tree::planted(&[
            ("crates/a/src/good.rs", "//! x\nfn target() {}\nfn forget_it() { map.get_mut(); }\n"),
            ("crates/a/src/bad.rs", "//! x\npub fn get_target() {}\n"),
            ("crates/a/src/call_manager.rs", "//! x\n"),
            ("scripts/TestHelpers.py", ""),
            ("crates/utils/Cargo.toml", ""),
        ]);
        let found: Vec<_> =
            check(&tree).into_iter().map(|violation| (violation.path, violation.line)).collect();
        let expected = [
            ("crates/a/src/call_manager.rs", 1),
            ("scripts/TestHelpers.py", 1),
            ("crates/utils/Cargo.toml", 1),
            ("crates/a/src/bad.rs", 2),
        ];
        assert_eq!(found, expected.map(|(path, line)| (path.to_owned(), line)));
    }
}
