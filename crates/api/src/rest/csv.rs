//! Files for spreadsheets (RFC 4180), whose cells are never taken for formulas (sec_17):
//! a cell that would be ([`is_formula`]) gets an apostrophe before it. Texts always stand in quotation marks.

use axum::body::Bytes;
use futures_core::Stream;
use lists::is_formula;
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

/// Parts of a file as they come.
pub(super) struct Parts(pub(super) mpsc::Receiver<Result<Bytes, io::Error>>);

impl Stream for Parts {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}
