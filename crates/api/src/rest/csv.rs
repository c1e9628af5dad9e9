//! Files for spreadsheets (RFC 4180), whose cells are never taken for formulas (sec_17).
//!
//! The rule: a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break gets an apostrophe before it, unless all
//! of it is a plain number: digits with at most one `+` or `-` before them. Texts always stand in quotation marks.

use axum::body::Bytes;
use futures_core::Stream;
use std::fmt::Write as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// The first line of a file of records.
pub(super) const HEAD: &str = "id,session_id,caller,caller_name,callee,answered_by,started,answered,ended,ringing_ms,\
                               duration_ms,cause,blame,status,detail,task\r\n";

/// One line that is being written.
pub(super) struct Line<'a> {
    text: &'a mut String,
    raw: bool,
    first: bool,
}

impl Line<'_> {
    pub(super) fn new(text: &mut String, raw: bool) -> Line<'_> {
        Line { text, raw, first: true }
    }

    pub(super) fn number(&mut self, number: i64) -> &mut Self {
        self.separate();
        let _ = write!(self.text, "{number}");
        self
    }

    pub(super) fn text(&mut self, cell: &str) -> &mut Self {
        self.separate();
        self.text.push('"');
        if !self.raw && is_formula(cell) {
            self.text.push('\'');
        }
        self.text.push_str(&cell.replace('"', "\"\""));
        self.text.push('"');
        self
    }

    pub(super) fn end(&mut self) {
        self.text.push_str("\r\n");
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.text.push(',');
        }
    }
}

/// Whether a spreadsheet would take it for a formula. Its own forms of = + - @ in full width count too.
fn is_formula(cell: &str) -> bool {
    let plain = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    if !plain.is_empty() && plain.bytes().all(|octet| octet.is_ascii_digit()) {
        return false;
    }
    cell.trim_start_matches(' ').starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

/// Parts of a file as they come.
pub(super) struct Parts(pub(super) mpsc::Receiver<Result<Bytes, io::Error>>);

impl Stream for Parts {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_17_formulas_are_known_and_plain_numbers_spared() {
        for formula in ["=1", "+1+1", "-1-1", "@A1", "\t=1", "\r=1", "\n=1", " =1", "+86 10", "＝1", "+", "-"]
        {
            assert!(is_formula(formula), "{formula}");
        }
        for plain in ["", "+8613800138000", "-5", "101", "Alice", "a=b", "*98", "alice-phone"] {
            assert!(!is_formula(plain), "{plain}");
        }
    }
}
