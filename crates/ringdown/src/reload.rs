//! `ringdown reload`: the running exchange reads its configuration again, whole or not at all.

use crate::{Failure, talk};
use api::control::{Request, Response};
use std::path::Path;

pub(crate) fn run(data: &Path) -> Result<(), Failure> {
    match talk::ask(data, &Request::Reload)? {
        Response::Reloaded { waits } if waits.is_empty() => println!("taken; running calls were not touched"),
        Response::Reloaded { waits } => {
            println!("taken, but for what needs a restart: {}", waits.join(", "));
        }
        other => return Err(talk::unexpected(&other)),
    }
    Ok(())
}
