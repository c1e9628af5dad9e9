//! Compares PINs with their hashes on a thread of its own: argon2 takes tens of milliseconds, and the core has none (R17).

use super::core::CoreInput;
use exchange::{Pin, PinCheck, limits};
use net::Sender;
use std::sync::mpsc::{SyncSender, sync_channel};

/// One comparison.
struct Question {
    check: PinCheck,
    hash: Option<Box<str>>,
    pin: Pin,
}

/// The way to the thread.
pub(crate) struct Pins {
    questions: SyncSender<Question>,
}

impl Pins {
    /// Starts the thread; it ends with the last `Pins`.
    pub(crate) fn start(core: Sender<CoreInput>) -> std::io::Result<Pins> {
        let (questions, asked) = sync_channel::<Question>(limits::PIN_CHECKS);
        let compare = move || {
            while let Ok(Question { check, hash, pin }) = asked.recv() {
                let right = api::verify_pin(hash.as_deref(), pin.reveal());
                // The core is gone only when nobody waits for the answer any more.
                let _ = core.send_waiting(CoreInput::PinVerified { check, right });
            }
        };
        std::thread::Builder::new().name("pins".into()).spawn(compare)?;
        Ok(Pins { questions })
    }

    /// Asks; false when there are too many questions already, and the PIN is as good as wrong.
    pub(crate) fn ask(&self, check: PinCheck, hash: Option<Box<str>>, pin: Pin) -> bool {
        self.questions.try_send(Question { check, hash, pin }).is_ok()
    }
}
