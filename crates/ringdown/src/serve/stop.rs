//! Being told things by signals. SIGTERM or Ctrl-C: no new calls, running ones go on until they end or their time is
//! over; once more: stop at once. SIGHUP: read the configuration anew.

use super::core::CoreInput;
use super::reload::Reload;
use crate::Failure;
use net::Sender;
use std::io::Write as _;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// The signals that mean something to us.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits until somebody asks us to stop.
    async fn stop(&mut self, reload: &Arc<Reload>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => take_anew(reload).await,
            }
        }
    }
}

/// Returns when somebody asks a server without calls to stop.
pub(crate) async fn asked_to_stop() {
    match Signals::listen() {
        Ok(mut signals) => {
            tokio::select! {
                _ = signals.terminate.recv() => {}
                _ = signals.interrupt.recv() => {}
            }
        }
        Err(error) => tracing::error!(%error, "cannot hear signals"),
    }
}

/// Returns when the core has ended, because it was told to or by itself. `calls` says how many are still up.
pub(crate) async fn until_stopped(
    core: Sender<CoreInput>,
    reload: Arc<Reload>,
    mut calls: watch::Receiver<Option<usize>>,
) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    tokio::select! {
        () = signals.stop(&reload) => {}
        // The core ended by itself: whoever waits for its thread is told why.
        () = ended(calls.clone()) => return Ok(()),
    }
    tracing::info!("stopping: no new calls");
    let limit = reload.drain_limit().await;
    let _ = core.send_waiting(CoreInput::Drain { limit });
    loop {
        tokio::select! {
            changed = calls.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                tell(*calls.borrow_and_update());
            }
            () = signals.stop(&reload) => {
                tracing::info!("stopping at once");
                let _ = core.send_waiting(CoreInput::Stop);
            }
        }
    }
}

async fn ended(mut calls: watch::Receiver<Option<usize>>) {
    while calls.changed().await.is_ok() {}
}

fn tell(calls: Option<usize>) {
    let Some(calls) = calls.filter(|calls| *calls > 0) else { return };
    let word = if calls == 1 { "call" } else { "calls" };
    let mut out = std::io::stdout().lock();
    // Whoever started us may read no more; that is no reason to stop otherwise than asked.
    let _ =
        writeln!(out, "draining: {calls} {word} left; once more stops at once").and_then(|()| out.flush());
}

async fn take_anew(reload: &Arc<Reload>) {
    match reload.reload().await {
        Ok(waits) if waits.is_empty() => tracing::info!("configuration and certificate read anew"),
        Ok(waits) => tracing::warn!(keys = waits.join(", "), "read anew; these wait for a restart"),
        Err(why) => tracing::error!(%why, "nothing was changed"),
    }
}
