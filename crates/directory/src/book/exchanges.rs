//! The exchanges: who joined, how they are, and who has said nothing for too long.

use super::{Book, Refused};
use crate::limits;
use crate::names::{ExchangeName, Fingerprint};
use crate::ticket::TicketKey;
use clock::Mono;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether an exchange takes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// It does.
    Up,
    /// It finishes those that it has; phones leave it.
    Draining,
    /// It said nothing for too long, or never.
    Down,
}

impl Health {
    /// In one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Health::Up => "up",
            Health::Draining => "draining",
            Health::Down => "down",
        }
    }
}

/// What an exchange says of itself, again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Where others reach it by SIP over TLS: `host:port`.
    pub address: Box<str>,
    /// Where it takes browsers, the address of a WebSocket; empty if it takes none.
    pub web: Box<str>,
    /// Where it stands, in the words of the office.
    pub region: Box<str>,
    /// What it runs.
    pub version: Box<str>,
    /// How much of what it can carry it carries, in thousandths.
    pub load: u16,
    /// It takes no new calls.
    pub draining: bool,
    /// How many of its calls go to or come from which other exchange.
    pub calls: BTreeMap<ExchangeName, u32>,
}

/// One exchange.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Who it proves to be: SHA-256 of its certificate.
    pub fingerprint: Fingerprint,
    /// What it said last; none since it joined, or since the directory started.
    pub report: Option<Report>,
    /// Whether it takes calls.
    pub health: Health,
    pub(crate) key: TicketKey,
    seen: Mono,
}

impl Book {
    /// Each exchange, in the order of their names.
    pub fn exchanges(&self) -> impl Iterator<Item = (&ExchangeName, &Exchange)> {
        self.exchanges.iter()
    }

    /// One exchange.
    #[must_use]
    pub fn exchange(&self, name: &ExchangeName) -> Option<&Exchange> {
        self.exchanges.get(name)
    }

    /// An exchange joined, or has another certificate. It is down until it reports.
    ///
    /// # Errors
    /// When there is no room.
    pub fn join(
        &mut self,
        now: Mono,
        name: ExchangeName,
        fingerprint: Fingerprint,
        key: TicketKey,
    ) -> Result<(), Refused> {
        if let Some(known) = self.exchanges.get_mut(&name) {
            (known.fingerprint, known.key) = (fingerprint, key);
            return Ok(());
        }
        if self.exchanges.len() >= limits::EXCHANGES {
            return Err(Refused::Full("exchanges"));
        }
        let exchange = Exchange { fingerprint, report: None, health: Health::Down, key, seen: now };
        self.exchanges.insert(name, exchange);
        Ok(())
    }

    /// An exchange says how it is; true when its health is another than before.
    ///
    /// # Errors
    /// When it never joined.
    pub fn report(&mut self, now: Mono, name: &ExchangeName, report: Report) -> Result<bool, Refused> {
        let exchange = self.exchanges.get_mut(name).ok_or_else(|| Refused::UnknownExchange(name.clone()))?;
        let health = if report.draining { Health::Draining } else { Health::Up };
        let changed = exchange.health != health;
        self.heard.remove(&(exchange.seen, name.clone()));
        self.heard.insert((now, name.clone()));
        let calls = report.calls.into_iter().take(limits::PEERS_TOLD).collect();
        let web = if report.web.len() > limits::WEB_OCTETS { "".into() } else { report.web };
        exchange.report = Some(Report { load: report.load.min(1_000), calls, web, ..report });
        (exchange.health, exchange.seen) = (health, now);
        Ok(changed)
    }

    /// Those that have said nothing for too long are down now.
    pub(crate) fn silent(&mut self, now: Mono) -> Vec<ExchangeName> {
        let mut silent = Vec::new();
        while let Some((seen, name)) = self.heard.first().cloned() {
            if now.since(seen) < limits::SILENCE {
                break;
            }
            self.heard.remove(&(seen, name.clone()));
            if let Some(exchange) = self.exchanges.get_mut(&name) {
                exchange.health = Health::Down;
                silent.push(name);
            }
        }
        silent
    }

    /// When the next of them has said nothing for too long.
    pub(crate) fn next_silence(&self) -> Option<Mono> {
        self.heard.first().map(|(seen, _)| *seen + limits::SILENCE)
    }
}
