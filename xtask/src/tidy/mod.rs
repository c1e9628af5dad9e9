//! `tidy`: reads the tracked tree once, asks each rule, and prints what is wrong and what to do about it.
//!
//! A rule is one file with one `check`. To add one, write the file with a test that plants a violation, and
//! add it to [`RULES`].

mod banned;
mod code;
mod dependencies;
mod documents;
mod file_length;
mod first_line;
mod floors;
mod function_length;
mod lessons;
mod names;
mod source;
mod text;
mod tree;

use std::fmt;
use std::process::ExitCode;

use tree::Tree;

/// Every rule, in the order of its report.
const RULES: [fn(&Tree) -> Vec<Violation>; 10] = [
    floors::check,
    first_line::check,
    file_length::check,
    function_length::check,
    banned::check,
    names::check,
    text::check,
    documents::check,
    lessons::check,
    dependencies::check,
];

/// One breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Violation {
    path: String,
    /// Counts from 1.
    line: usize,
    message: String,
}

impl Violation {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Violation {
        Violation { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Checks the tree that this crate stands in; fails when any rule is broken.
pub(crate) fn run() -> ExitCode {
    let tree = match Tree::read() {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("tidy: {error}");
            return ExitCode::from(2);
        }
    };
    let violations: Vec<Violation> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    for violation in &violations {
        println!("{violation}");
    }
    println!("tidy: {}; {} violations", file_length::Lengths::of(&tree), violations.len());
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
