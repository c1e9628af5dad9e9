//! Files stay short: half of them, nine tenths of them, and each of them, without its tests.

use std::fmt;

use super::Violation;
use super::tree::Tree;

const LONGEST: usize = 800;
const MEDIAN: usize = 200;
const NINE_TENTHS: usize = 500;

/// Looks at each file and at all of them together.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let long = tree.sources.iter().filter(|source| !source.is_test()).filter_map(|source| {
        let lines = source.lines_without_tests();
        let message =
            format!("{lines} lines without tests, at most {LONGEST}: split the file by what it does");
        (lines > LONGEST).then(|| Violation::new(&source.path, LONGEST + 1, message))
    });
    let mut violations: Vec<Violation> = long.collect();
    let lengths = Lengths::of(tree);
    for (value, most, what) in
        [(lengths.median, MEDIAN, "median"), (lengths.nine_tenths, NINE_TENTHS, "90th percentile")]
    {
        if value > most {
            let message =
                format!("the {what} of file lengths is {value}, at most {most}: split the longest files");
            violations.push(Violation::new("Cargo.toml", 1, message));
        }
    }
    violations
}

/// How long the files are without their tests, in lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lengths {
    files: usize,
    median: usize,
    nine_tenths: usize,
    longest: usize,
}

impl Lengths {
    /// Of all Rust files but tests and fuzz targets, which are a few lines each.
    pub(super) fn of(tree: &Tree) -> Lengths {
        let counted =
            tree.sources.iter().filter(|source| !source.is_test() && !source.path.starts_with("fuzz/"));
        let mut lines: Vec<usize> = counted.map(|source| source.lines_without_tests()).collect();
        lines.sort_unstable();
        let at = |index: usize| lines.get(index).copied().unwrap_or(0);
        Lengths {
            files: lines.len(),
            median: at(lines.len() / 2),
            nine_tenths: at(lines.len() * 9 / 10),
            longest: lines.last().copied().unwrap_or(0),
        }
    }
}

impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lengths { files, median, nine_tenths, longest } = self;
        write!(f, "{files} files, lines without tests: median {median}, p90 {nine_tenths}, longest {longest}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(code: usize, tests: usize) -> String {
        format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "//! x\n".repeat(code), "//\n".repeat(tests))
    }

    #[test]
    fn long_files_are_found() {
        let (long, short) = (file(801, 0), file(100, 900));
        let tree = Tree::planted(&[
            ("crates/a/src/long.rs", &long),
            ("crates/a/src/short.rs", &short),
            ("crates/a/src/short2.rs", &short),
            ("crates/a/tests/long.rs", &long),
        ]);
        let found: Vec<_> = check(&tree).into_iter().map(|violation| violation.path).collect();
        assert_eq!(found, ["crates/a/src/long.rs", "Cargo.toml"], "the file and the percentile");
    }

    #[test]
    fn lengths_are_summed_up() {
        let files: Vec<_> =
            (1..=10).map(|tenth| (format!("crates/a/src/{tenth}.rs"), file(tenth * 10, 3))).collect();
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let lengths = Lengths::of(&Tree::planted(&files));
        assert_eq!(lengths, Lengths { files: 10, median: 60, nine_tenths: 100, longest: 100 });
    }
}
