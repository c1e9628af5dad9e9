//! The log: one line an event on stderr.

use std::io::IsTerminal as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload::Handle;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry};

/// What a library says of each try to connect, while we say it once.
const QUIET: &str = "async_nats=error";

/// What is told can change while we run.
#[derive(Clone)]
pub(crate) struct Level {
    filter: Handle<EnvFilter, Registry>,
}

impl Level {
    /// Tells more or less from now on, unless RINGDOWN_LOG said what to tell.
    pub(crate) fn put(&self, level: &str) {
        if std::env::var_os("RINGDOWN_LOG").is_none()
            && let Ok(filter) = filter(level).parse::<EnvFilter>()
        {
            // It fails only when the log is gone.
            let _ = self.filter.reload(filter);
        }
    }
}

fn filter(level: &str) -> String {
    format!("{QUIET},{level}")
}

/// RINGDOWN_LOG chooses what is told, as in `info,net=debug`; `usual` without it.
pub(crate) fn start(usual: &str) -> Level {
    let filter = EnvFilter::try_from_env("RINGDOWN_LOG").unwrap_or_else(|_| filter(usual).into());
    let (filter, handle) = tracing_subscriber::reload::Layer::new(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    tracing_subscriber::registry().with(filter).with(lines).init();
    Level { filter: handle }
}
