//! No function is longer than a screen.

use super::Violation;
use super::code::is_name_byte;
use super::source::Source;
use super::tree::Tree;

const LONGEST: usize = 70;

/// Measures each function outside tests.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    tree.sources.iter().filter(|source| !source.is_test()).flat_map(check_file).collect()
}

fn check_file(source: &Source) -> Vec<Violation> {
    let end = source.tests_at().unwrap_or(source.code.len());
    let long = source.words("fn").take_while(|&at| at < end).filter_map(|at| {
        let (name, close) = function(&source.code, at)?;
        let first = source.line_at(at);
        let lines = source.line_at(close) + 1 - first;
        let message =
            format!("`{name}` has {lines} lines, at most {LONGEST}: give its steps names of their own");
        (lines > LONGEST).then(|| Violation::new(&source.path, first, message))
    });
    long.collect()
}

/// The name and the closing brace of the function at `at`; `None` for a type or a declaration.
fn function(code: &str, at: usize) -> Option<(&str, usize)> {
    let name_at = at + 2 + code[at + 2..].bytes().take_while(u8::is_ascii_whitespace).count();
    let name =
        code[name_at..].split(|letter: char| !letter.is_ascii() || !is_name_byte(letter as u8)).next()?;
    if name.is_empty() {
        return None;
    }
    let open = body(code, name_at)?;
    let mut depth = 0;
    for (offset, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some((name, offset)),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The brace that opens the body: the first one outside parentheses and brackets, before a semicolon.
fn body(code: &str, from: usize) -> Option<usize> {
    let mut depth = 0;
    for (offset, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(offset),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function_of(lines: usize) -> String {
        format!("fn f(a: [u8; {{ 1 }}]) -> Option<fn()> {{\n{}}}\n", "    '}'; // }\n".repeat(lines - 2))
    }

    #[test]
    fn long_functions_are_found() {
        let long = format!("//! x\ntrait T {{ fn g(); }}\n{}{}", function_of(70), function_of(71));
        let tested = format!("//! x\n#[cfg(test)]\nmod tests {{\n{}}}\n", function_of(71));
        let tree = Tree::planted(&[
            ("crates/a/src/long.rs", &long),
            ("crates/a/src/tested.rs", &tested),
            ("crates/a/tests/long.rs", &long),
        ]);
        let message = "`f` has 71 lines, at most 70: give its steps names of their own";
        assert_eq!(check(&tree), [Violation::new("crates/a/src/long.rs", 73, message)]);
    }
}
