//! One Rust file: its text, its code without comments and literals, and where its tests begin.

use super::code;

/// A file with its code.
#[derive(Debug)]
pub(super) struct Source {
    /// From the root, with slashes.
    pub(super) path: String,
    pub(super) text: String,
    /// The text with comments, strings and character literals blanked out; same bytes a line.
    pub(super) code: String,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned(), code: code::blank(text) }
    }

    /// Whether the whole file is a test: below `tests/`, or the test file of a module.
    pub(super) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.path.split('/').any(|part| part == "tests") || name == "tests.rs" || name.ends_with("_tests.rs")
    }

    /// Lines before the test module; all of them when there is none.
    pub(super) fn lines_without_tests(&self) -> usize {
        match self.tests_at() {
            Some(at) => self.line_at(at) - 1,
            None => self.text.lines().count(),
        }
    }

    /// The offset of the first `#[cfg(test)]` that stands on a module.
    pub(super) fn tests_at(&self) -> Option<usize> {
        let marker = "#[cfg(test)]";
        self.code.match_indices(marker).map(|(at, _)| at).find(|&at| {
            let mut rest = self.code[at + marker.len()..].trim_start();
            while let Some(end) = rest.strip_prefix("#[").and_then(|rest| rest.find(']')) {
                rest = rest[2 + end + 1..].trim_start();
            }
            rest.starts_with("mod ")
        })
    }

    /// The line of an offset into text or code, counted from 1.
    pub(super) fn line_at(&self, at: usize) -> usize {
        1 + self.code.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count()
    }

    /// The offsets at which `word` stands in the code as a word of its own.
    pub(super) fn words<'s>(&'s self, word: &'s str) -> impl Iterator<Item = usize> + 's {
        let bytes = self.code.as_bytes();
        self.code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
            let before = at.checked_sub(1).map(|before| bytes[before]);
            let after = bytes.get(at + word.len()).copied();
            !before.is_some_and(code::is_name_byte) && !after.is_some_and(code::is_name_byte)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_told_from_code() {
        let text =
            "//! x\nfn a() {}\n#[cfg(test)]\nfn b() {}\n#[cfg(test)]\n#[path = \"x.rs\"]\nmod tests;\n";
        let source = Source::new("crates/a/src/a.rs", text);
        assert_eq!(source.lines_without_tests(), 4);
        assert_eq!(Source::new("crates/a/src/a.rs", "//! x\n// y\n").lines_without_tests(), 2);
        for (path, expected) in [
            ("crates/a/src/a.rs", false),
            ("crates/a/tests/a.rs", true),
            ("crates/a/src/tests.rs", true),
            ("crates/a/src/a_tests.rs", true),
            ("crates/a/src/latest.rs", false),
        ] {
            assert_eq!(Source::new(path, "").is_test(), expected, "{path}");
        }
    }

    #[test]
    fn words_stand_alone() {
        let source = Source::new("a.rs", "unsafe_code; unsafe { \"unsafe\" } not_unsafe");
        assert_eq!(source.words("unsafe").collect::<Vec<_>>(), [13]);
    }
}
