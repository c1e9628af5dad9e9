//! Carries what the exchange asks of outside telephone platforms there and back, off the core (R17). One adapter a kind of
//! platform; all take the same values, so that another kind is one more file here.

mod http;
mod json;

use super::core::CoreInput;
use crate::Failure;
use crate::config::Config;
use exchange::{PlatformInput, PlatformOutput};
use net::{HttpClient, Sender};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// Requests about single agents that may wait for one connection; beyond, they count as lost.
const WAITING: usize = 8_192;

/// The ways to all platforms.
pub(crate) struct Platforms {
    of: BTreeMap<Box<str>, Ways>,
}

/// The ways to one platform.
struct Ways {
    /// Each agent has their lane, so that what is about them stays in order.
    lanes: Vec<mpsc::Sender<PlatformOutput>>,
    polls: mpsc::Sender<PlatformOutput>,
}

impl Platforms {
    /// Makes a way to each platform of the configuration; nothing is asked yet.
    pub(crate) fn start(
        runtime: &Runtime,
        config: &Config,
        core: &Sender<CoreInput>,
    ) -> Result<Platforms, Failure> {
        let _inside = runtime.enter();
        let mut of = BTreeMap::new();
        for (name, platform) in &config.platforms {
            let client = HttpClient::new(&config.dns.servers.0, platform.rules());
            let (lanes, lane_ends) = (0..platform.connections / 2).map(|_| mpsc::channel(WAITING)).unzip();
            let (polls, poll_end) = mpsc::channel(2);
            let back = Back { platform: name.as_str().into(), core: core.clone() };
            http::start(platform, &client, back, lane_ends, poll_end)?;
            of.insert(name.as_str().into(), Ways { lanes, polls });
        }
        Ok(Platforms { of })
    }

    /// Asks; what cannot even be queued is answered at once.
    pub(crate) fn ask(&self, platform: &str, asked: PlatformOutput) -> Option<PlatformInput> {
        let Some(ways) = self.of.get(platform) else { return lost(asked) };
        let way = match &asked {
            PlatformOutput::Poll { .. } => &ways.polls,
            PlatformOutput::SignIn { agent, .. }
            | PlatformOutput::SignOut(agent)
            | PlatformOutput::SetState { agent, .. } => {
                let sum =
                    agent.bytes().fold(0usize, |sum, octet| sum.wrapping_mul(31).wrapping_add(octet.into()));
                ways.lanes.get(sum % ways.lanes.len())?
            }
        };
        way.try_send(asked).err().and_then(|refused| match refused {
            mpsc::error::TrySendError::Full(asked) | mpsc::error::TrySendError::Closed(asked) => lost(asked),
        })
    }
}

/// What the exchange hears of something that has no answer.
fn lost(asked: PlatformOutput) -> Option<PlatformInput> {
    match asked {
        PlatformOutput::SignIn { agent, .. } | PlatformOutput::SetState { agent, .. } => {
            Some(PlatformInput::Lost(agent))
        }
        // Whom nobody asks for any more, a platform signs out by itself.
        PlatformOutput::SignOut(_) => None,
        PlatformOutput::Poll { .. } => Some(PlatformInput::Unreachable),
    }
}

/// The way back.
#[derive(Clone)]
struct Back {
    platform: Box<str>,
    core: Sender<CoreInput>,
}

impl Back {
    async fn say(&self, said: PlatformInput) {
        let mut value = CoreInput::Platform { platform: self.platform.clone(), said };
        // The core may be busy; it is gone only when nobody asks any more.
        while let Err(net::Full(back)) = self.core.send(value) {
            value = back;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
