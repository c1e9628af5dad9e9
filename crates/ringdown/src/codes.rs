//! `ringdown codes`: what can be dialled beside people.

use crate::{Failure, talk};
use api::control::{Request, Response};
use std::path::Path;

pub(crate) fn run(data: &Path) -> Result<(), Failure> {
    match talk::ask(data, &Request::Codes)? {
        Response::Codes(items) => {
            let rows = items.into_iter().map(|item| vec![item.code, item.does]);
            talk::table(&["dial", "what it does"], &rows.collect::<Vec<_>>())
        }
        other => Err(talk::unexpected(&other)),
    }
}
