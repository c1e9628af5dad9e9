//! Finds out where trunks are and opens connections to them, off the core (R17); the answer comes back as an input.

use super::core::{CoreInput, Deliver};
use exchange::Host;
use net::{Advertised, ClientConfig, Located, Locator, Sender, Streams, Wanted};
use sip::{Flow, Transport};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// How soon a trunk that cannot be found is looked for again.
const AGAIN: Duration = Duration::from_secs(15);

/// How long an address is believed to be the trunk's.
const ADDRESS_LIVES: Duration = Duration::from_secs(3_600);

/// What is needed to reach somebody.
#[derive(Clone)]
pub(crate) struct Reacher {
    inner: Arc<Inner>,
}

struct Inner {
    runtime: Handle,
    locator: Result<Locator, String>,
    streams: Streams,
    deliver: Deliver,
    core: Sender<CoreInput>,
    /// Our UDP addresses, and the public one if a NAT stands between us and the world.
    udp: Vec<SocketAddr>,
    public: Option<std::net::IpAddr>,
    /// Where others can open a connection to us.
    tcp: Option<u16>,
    tls: Option<u16>,
    authorities: PathBuf,
}

/// Where we are reached ourselves.
pub(crate) struct Own {
    pub(crate) udp: Vec<SocketAddr>,
    pub(crate) public: Option<std::net::IpAddr>,
    pub(crate) tcp: Option<u16>,
    pub(crate) tls: Option<u16>,
}

impl Reacher {
    pub(crate) fn new(
        runtime: Handle,
        servers: &[SocketAddr],
        streams: Streams,
        core: Sender<CoreInput>,
        own: Own,
        authorities: PathBuf,
    ) -> Reacher {
        let locator = {
            let _inside = runtime.enter();
            Locator::new(servers)
        };
        let deliver = Deliver::new(core.clone());
        let Own { udp, public, tcp, tls } = own;
        let inner = Inner { runtime, locator, streams, deliver, core, udp, public, tcp, tls, authorities };
        Reacher { inner: Arc::new(inner) }
    }

    /// Looks for a trunk; the answer goes to the core.
    pub(crate) fn reach(&self, trunk: Box<str>, host: Host, port: Option<u16>, transport: Transport) {
        let inner = Arc::clone(&self.inner);
        self.inner.runtime.spawn(async move {
            let (flows, lives, why) = match inner.paths(&host, port, transport).await {
                Ok((flows, lives)) => (flows, lives, String::new()),
                Err(why) => (Vec::new(), AGAIN, why),
            };
            let mut value = CoreInput::Reached { trunk, flows, lives, why };
            // The core may be busy; it is gone only when nobody asks any more.
            while let Err(net::Full(back)) = inner.core.send(value) {
                value = back;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    }
}

impl Inner {
    async fn paths(
        &self,
        host: &Host,
        port: Option<u16>,
        transport: Transport,
    ) -> Result<(Vec<Flow>, Duration), String> {
        let name = host.to_string();
        let located = match host {
            // An address needs no DNS, and works on a machine that has none.
            Host::Address(ip) => {
                let port = port.unwrap_or(transport.default_port());
                Located { addresses: vec![SocketAddr::new(*ip, port)], lives: ADDRESS_LIVES }
            }
            Host::Name(host) => {
                let locator = self.locator.as_ref().map_err(Clone::clone)?;
                locator.locate(Wanted { host, port, transport }).await?
            }
        };
        match transport {
            Transport::Udp => {
                let flows: Vec<Flow> = located
                    .addresses
                    .iter()
                    .filter_map(|remote| Some(Flow::udp(self.local(*remote)?, *remote)))
                    .collect();
                if flows.is_empty() {
                    return Err(format!("no UDP address of ours reaches {name}"));
                }
                Ok((flows, located.lives))
            }
            Transport::Ws | Transport::Wss => Err("a trunk is reached by udp, tcp or tls".to_owned()),
            Transport::Tcp | Transport::Tls => self.connect(host, &located.addresses, transport).await,
        }
    }

    /// R13: the local address that the route to a peer selects.
    fn local(&self, remote: SocketAddr) -> Option<SocketAddr> {
        let bound = self.udp.iter().find(|bound| bound.is_ipv6() == remote.is_ipv6())?;
        Some(Advertised::new(*bound, self.public).towards(remote.ip()))
    }

    /// The first address that lets us in.
    async fn connect(
        &self,
        host: &Host,
        addresses: &[SocketAddr],
        transport: Transport,
    ) -> Result<(Vec<Flow>, Duration), String> {
        let mut last = String::new();
        for &remote in addresses {
            let name = match host {
                Host::Address(address) => address.to_string(),
                Host::Name(name) => name.to_string(),
            };
            let config = match transport {
                Transport::Tls => Some(self.client_config()?),
                _ => None,
            };
            let listener = if transport == Transport::Tls { self.tls } else { self.tcp };
            let tls = config.map(|config| (&*name, config));
            match self.streams.connect(remote, listener, tls, self.deliver.clone()).await {
                // A connection tells of its end by itself; until then there is nothing to look for.
                Ok(flow) => return Ok((vec![flow], Duration::from_secs(u64::from(u32::MAX)))),
                Err(why) => last = why,
            }
        }
        Err(last)
    }

    fn client_config(&self) -> Result<Arc<ClientConfig>, String> {
        net::client_config(&[self.authorities.as_path()]).map_err(|error| error.to_string())
    }
}
