//! How each exchange is, as the directory tells all of them: for who looks at the office, and for no decision.

use crate::book::Health;
use crate::machine::Directory;
use crate::names::ExchangeName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How an exchange is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteHealth {
    /// Which.
    pub exchange: ExchangeName,
    /// Whether it takes calls.
    pub health: Health,
    /// Where it stands.
    pub region: Box<str>,
    /// What it runs.
    pub version: Box<str>,
    /// How much of what it can carry it carries, in thousandths.
    pub load: u16,
    /// How many of its calls go to or come from which other exchange.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calls: BTreeMap<ExchangeName, u32>,
}

impl Directory {
    /// All that joined, in the order of their names. One that is down has no calls and no load.
    #[must_use]
    pub fn health(&self) -> Vec<SiteHealth> {
        let exchanges = self.book().exchanges();
        let line = exchanges.map(|(name, known)| {
            let (report, up) = (known.report.as_ref(), known.health != Health::Down);
            SiteHealth {
                exchange: name.clone(),
                health: known.health,
                region: report.map(|report| report.region.clone()).unwrap_or_default(),
                version: report.map(|report| report.version.clone()).unwrap_or_default(),
                load: report.filter(|_| up).map_or(0, |report| report.load),
                calls: report.filter(|_| up).map(|report| report.calls.clone()).unwrap_or_default(),
            }
        });
        line.collect()
    }
}
