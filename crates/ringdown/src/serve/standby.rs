//! `--standby`: an exchange that waits until the office on its server is nobody's, and takes it over (R19); so does a directory.

use crate::Failure;
use std::time::Duration;
use store::{Joining, Opened, Place, StoreError};

/// How often it is looked whether the office is free.
const LOOK: Duration = Duration::from_secs(1);

/// Opens the store; on standby once whoever has it gives it back, or has said nothing for the time of a lease.
pub(crate) fn open(place: &Place, among: Option<&Joining>, standby: bool) -> Result<Opened, Failure> {
    if let Some(told) = among {
        return Ok(Opened::join(place, told)?);
    }
    if !standby {
        return Ok(Opened::open(place)?);
    }
    if !place.is_server() {
        return Err(
            "--standby waits for an office on a server: set [store] url, as docs/store.md says".into()
        );
    }
    let mut told = String::new();
    loop {
        match store::examine(place) {
            Ok(None) => match Opened::open(place) {
                Ok(opened) => return Ok(opened),
                // Another standby was faster; anything else is told below.
                Err(error) => wait(&mut told, &error, "standby: not yet"),
            },
            Ok(Some(_)) if told == WAITS => {}
            Ok(Some(holder)) => {
                tracing::info!("standby: {holder}");
                WAITS.clone_into(&mut told);
            }
            // What is wrong from the first is a fault of the configuration; later the server may be away for a while.
            Err(error) if told.is_empty() => return Err(error.into()),
            Err(error) => wait(&mut told, &error, "standby: the server cannot be asked"),
        }
        std::thread::sleep(LOOK);
    }
}

/// What was told last while somebody else has the office.
const WAITS: &str = "it waits";

fn wait(told: &mut String, error: &StoreError, what: &str) {
    let words = error.to_string();
    if *told != words {
        tracing::warn!("{what}: {words}");
        *told = words;
    }
}
