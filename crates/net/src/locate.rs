//! Where a SIP server is that has a name (RFC 3263): NAPTR, SRV and addresses from the DNS.

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use sip::Transport;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Addresses of one server at most.
const ADDRESSES: usize = 16;
/// How long one question may take, and how often it is asked.
const PATIENCE: (Duration, usize) = (Duration::from_secs(2), 2);

/// Asks the DNS.
#[derive(Clone)]
pub struct Locator {
    resolver: TokioResolver,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The preferred first.
    pub addresses: Vec<SocketAddr>,
    /// How long that may be believed.
    pub lives: Duration,
}

/// A host, of which one port or service is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its name.
    pub host: &'a str,
    /// A port that is given ends the search for services (RFC 3263 4.2).
    pub port: Option<u16>,
    /// The transport that it shall be spoken to by.
    pub transport: Transport,
}

/// One SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Service {
    priority: u16,
    weight: u16,
    port: u16,
    target: String,
}

impl Locator {
    /// Asks these servers, or those of the system when there is none.
    ///
    /// # Errors
    /// When the system's configuration cannot be read.
    pub fn new(servers: &[SocketAddr]) -> Result<Locator, String> {
        let builder = if servers.is_empty() {
            TokioResolver::builder_tokio().map_err(|error| format!("/etc/resolv.conf: {error}"))?
        } else {
            let server = |address: &SocketAddr| {
                let mut udp = ConnectionConfig::udp();
                let mut tcp = ConnectionConfig::tcp();
                (udp.port, tcp.port) = (address.port(), address.port());
                NameServerConfig::new(address.ip(), true, vec![udp, tcp])
            };
            let config = ResolverConfig::from_name_servers(servers.iter().map(server).collect());
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let mut builder = builder;
        (builder.options_mut().timeout, builder.options_mut().attempts) = PATIENCE;
        Ok(Locator { resolver: builder.build().map_err(|error| error.to_string())? })
    }

    /// Finds a server.
    ///
    /// # Errors
    /// In words, when it has no address.
    pub async fn locate(&self, wanted: Wanted<'_>) -> Result<Located, String> {
        let default = wanted.transport.default_port();
        let host = wanted.host;
        if let Some(port) = wanted.port {
            return self.addresses(host, port).await;
        }
        let (services, lives) = self.services(host, wanted.transport).await;
        if services.is_empty() {
            return self.addresses(host, default).await;
        }
        let mut located = Located { addresses: Vec::new(), lives };
        let mut last = format!("none of the servers of {host} has an address");
        for service in in_order(services, random) {
            match self.addresses(&service.target, service.port).await {
                Ok(found) => {
                    located.addresses.extend(found.addresses);
                    located.lives = located.lives.min(found.lives);
                }
                Err(why) => last = why,
            }
        }
        located.addresses.truncate(ADDRESSES);
        if located.addresses.is_empty() { Err(last) } else { Ok(located) }
    }

    /// The SRV records of a domain: by the name that a NAPTR record gives for the transport, else by the usual one.
    async fn services(&self, domain: &str, transport: Transport) -> (Vec<Service>, Duration) {
        let usual = match transport {
            Transport::Udp => format!("_sip._udp.{domain}."),
            Transport::Tcp => format!("_sip._tcp.{domain}."),
            Transport::Tls => format!("_sips._tcp.{domain}."),
            // A browser's way in, never one of ours out: nobody has such a service (RFC 7118 section 6).
            Transport::Ws | Transport::Wss => return (Vec::new(), Duration::ZERO),
        };
        let name = self.naptr(domain, transport).await.unwrap_or(usual);
        let Ok(lookup) = self.resolver.srv_lookup(name).await else { return (Vec::new(), Duration::ZERO) };
        let services = lookup.answers().iter().filter_map(|record| match &record.data {
            // RFC 2782: a single dot says that there is no such service.
            RData::SRV(srv) if !srv.target.is_root() => Some(Service {
                priority: srv.priority,
                weight: srv.weight,
                port: srv.port,
                target: srv.target.to_string(),
            }),
            _ => None,
        });
        (services.take(ADDRESSES).collect(), lives(lookup.valid_until()))
    }

    /// RFC 3263 4.1: where NAPTR sends those who come by this transport.
    async fn naptr(&self, domain: &str, transport: Transport) -> Option<String> {
        let service: &[u8] = match transport {
            Transport::Udp => b"SIP+D2U",
            Transport::Tcp => b"SIP+D2T",
            Transport::Tls => b"SIPS+D2T",
            Transport::Ws => b"SIP+D2W",
            Transport::Wss => b"SIPS+D2W",
        };
        let lookup = self
            .resolver
            .lookup(format!("{domain}."), hickory_resolver::proto::rr::RecordType::NAPTR)
            .await
            .ok()?;
        let fitting = lookup.answers().iter().filter_map(|record| match &record.data {
            RData::NAPTR(naptr)
                if naptr.services.eq_ignore_ascii_case(service) && naptr.flags.eq_ignore_ascii_case(b"s") =>
            {
                Some((naptr.order, naptr.preference, naptr.replacement.to_string()))
            }
            _ => None,
        });
        fitting.min().map(|(_, _, name)| name)
    }

    /// The addresses of a host, each with this port.
    ///
    /// # Errors
    /// In words, when it has none.
    pub async fn addresses(&self, host: &str, port: u16) -> Result<Located, String> {
        let found = self.resolver.lookup_ip(host).await.map_err(|error| format!("{host}: {error}"))?;
        let addresses: Vec<SocketAddr> =
            found.iter().take(ADDRESSES).map(|ip| SocketAddr::new(ip, port)).collect();
        if addresses.is_empty() {
            return Err(format!("{host} has no address"));
        }
        Ok(Located { addresses, lives: lives(found.valid_until()) })
    }
}

fn lives(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// RFC 2782: the lowest priority first; within one, each comes next with a chance in proportion to its weight.
fn in_order(mut services: Vec<Service>, mut random: impl FnMut() -> u64) -> Vec<Service> {
    services.sort_by_key(|service| service.priority);
    let mut ordered = Vec::with_capacity(services.len());
    while let Some(first) = services.first() {
        let same = services.iter().take_while(|service| service.priority == first.priority).count();
        let total: u64 = services[..same].iter().map(|service| u64::from(service.weight)).sum();
        let mut drawn = if total == 0 { 0 } else { random() % total };
        let heavy_enough = |service: &Service| {
            let weight = u64::from(service.weight);
            let taken = drawn < weight;
            drawn = drawn.saturating_sub(weight);
            taken
        };
        let next = services[..same].iter().position(heavy_enough).unwrap_or(0);
        ordered.push(services.remove(next));
    }
    ordered
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(priority: u16, weight: u16, target: &str) -> Service {
        Service { priority, weight, port: 5_060, target: target.into() }
    }

    #[test]
    fn rfc_2782_priorities_come_in_order_and_weights_in_proportion() {
        let services = || vec![service(20, 0, "last"), service(10, 75, "heavy"), service(10, 25, "light")];
        let mut heavy_first = 0;
        for draw in 0..100 {
            let order = in_order(services(), || draw);
            assert_eq!(order[2].target, "last");
            heavy_first += u32::from(order[0].target == "heavy");
        }
        assert_eq!(heavy_first, 75);
        assert_eq!(in_order(vec![service(1, 0, "only")], || 7)[0].target, "only");
    }
}
