//! Who interrupts a phone wants it to hang up and leave its server, not to vanish.

use super::hub::{Ear, Heard};
use crate::Failure;
use ::phone::Command;
use ::phone::work::Said;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The first signal lets the phone say good-bye; the second ends it at once.
pub(crate) fn quit_when_told(ear: Ear) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (interrupt, terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let wait = move || runtime.block_on(quit(ear, interrupt, terminate));
    std::thread::Builder::new().name("signals".into()).spawn(wait)?;
    Ok(())
}

async fn quit(ear: Ear, mut interrupt: Signal, mut terminate: Signal) {
    for round in 0..2 {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if round == 0 {
            let _ = ear.try_send(Heard::Said(Said::Phone(Command::Quit)));
        } else {
            std::process::exit(1);
        }
    }
}
