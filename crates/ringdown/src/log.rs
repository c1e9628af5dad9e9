//! The log: one line an event on stderr.

use std::io::IsTerminal as _;

/// RINGDOWN_LOG chooses what is told, as in `info,net=debug`; `usual` without it.
pub(crate) fn start(usual: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("RINGDOWN_LOG").unwrap_or_else(|_| usual.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
