//! All that a phone hears comes together here: its own events, what people and programs say, and what a courier brings.

use super::app::Cloud;
use super::screen::Key;
use crate::Failure;
use ::phone::work::{Fetched, Said, What};
use ::phone::{Event, Hand, Phone, Told};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// What waits to be heard; who has more to say waits.
const WAITING: usize = 1_024;

/// One thing that was heard.
pub(crate) enum Heard {
    /// Something happened to an account of the phone.
    Event(Arc<str>, Event),
    /// Somebody said something.
    Said(Said),
    /// A file was fetched, or not.
    Fetched(What, Result<Fetched, String>),
    /// A file was uploaded, or not.
    Uploaded(String, Result<(), String>),
    /// Something of the directory.
    Cloud(Cloud),
    /// A key was pressed.
    Key(Key),
    /// The terminal has another size.
    Resized,
    /// The phone has stopped.
    Gone,
}

/// Says something into the hub.
pub(crate) type Ear = SyncSender<Heard>;

pub(crate) fn open() -> (Ear, Receiver<Heard>) {
    sync_channel(WAITING)
}

/// Brings what the phone tells into the hub, on a thread of its own; what it is to be told goes by the hand.
pub(crate) fn listen(phone: Phone, ear: Ear) -> Result<Hand, Failure> {
    let hand = phone.hand();
    let pump = move || {
        loop {
            match phone.wait(Duration::from_secs(60)) {
                Ok(Some(Told::Event(_, account, event))) => {
                    if ear.send(Heard::Event(account, event)).is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                Err(::phone::Gone) => {
                    let _ = ear.send(Heard::Gone);
                    return;
                }
            }
        }
    };
    std::thread::Builder::new().name("told".into()).spawn(pump)?;
    Ok(hand)
}
