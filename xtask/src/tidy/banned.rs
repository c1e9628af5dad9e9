//! What the code of this house does without, each with what to do instead.

use super::Violation;
use super::source::Source;
use super::tree::Tree;

/// Code that stands nowhere; comments and strings were blanked out before, so naming it here is no breach.
const BANNED: [(&str, &str); 8] = [
    ("unbounded_channel", "give the channel a bound and say what happens when it is full"),
    ("unbounded()", "give the channel a bound and say what happens when it is full"),
    ("mpsc::channel()", "it has no bound: use `sync_channel`"),
    ("todo!(", "finish it, or leave it out"),
    ("unimplemented!(", "finish it, or leave it out"),
    ("#[ignore", "a test that nobody runs keeps nothing: make it fast, or an example"),
    ("#[allow(", "use `#[expect(..., reason = \"...\")]`"),
    ("#![allow(", "use `#![expect(..., reason = \"...\")]`"),
];

/// Searches the code of each file, tests included.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    tree.sources.iter().flat_map(check_file).collect()
}

fn check_file(source: &Source) -> Vec<Violation> {
    // A type between the colons and the parentheses makes std's channel no less unbounded.
    let code = source.code.replace("mpsc::channel::<", "mpsc::channel()<");
    let mut violations = Vec::new();
    for (number, line) in code.lines().enumerate() {
        for (pattern, advice) in BANNED {
            if line.contains(pattern) {
                violations.push(Violation::new(&source.path, number + 1, format!("`{pattern}`: {advice}")));
            }
        }
    }
    if !may_be_unsafe(source) {
        let unsafes = source.words("unsafe").map(|at| {
            Violation::new(
                &source.path,
                source.line_at(at),
                "`unsafe` stands only in crates/net: find a safe call",
            )
        });
        violations.extend(unsafes);
    }
    violations
}

/// System calls are made on one floor. A test or an example may count allocations, which has no safe way.
fn may_be_unsafe(source: &Source) -> bool {
    let measures = source.path.split('/').any(|part| matches!(part, "tests" | "examples" | "benches"));
    source.path.starts_with("crates/net/") || source.path.starts_with("bench/") || measures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pattern_is_found() {
        for text in [
            "let (a, b) = unbounded_channel();",
            "let (a, b) = crossbeam::unbounded();",
            "let (a, b) = std::sync::mpsc::channel();",
            "let (a, b) = mpsc::channel::<u8>();",
            "todo!()",
            "unimplemented!(\"later\")",
            "#[ignore = \"slow\"]",
            "#[allow(dead_code)]",
            "#![allow(dead_code)]",
            "unsafe { call() }",
        ] {
            let tree = Tree::planted(&[("crates/a/src/a.rs", &format!("//! x\n{text}\n"))]);
            let found: Vec<_> = check(&tree).into_iter().map(|violation| violation.line).collect();
            assert_eq!(found, [2], "{text}");
        }
    }

    #[test]
    fn the_rest_is_left_alone() {
        let tree = Tree::planted(&[
            ("crates/a/src/a.rs", "//! x\nlet a = mpsc::channel(16); // todo!()\nlet b = \"#[ignore\";\n"),
            ("crates/net/src/a.rs", "//! x\nunsafe { call() }\n"),
            ("crates/a/tests/a.rs", "//! x\n#![expect(unsafe_code)]\nunsafe impl A for B {}\n"),
        ]);
        assert_eq!(check(&tree), []);
    }
}
