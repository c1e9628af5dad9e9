//! The media workers: how many, on which addresses and ports, and how many calls that carries (R22).

use super::core::CoreInput;
use super::music::Music;
use crate::Failure;
use crate::config::Media;
use calls::{MediaPolicy, PortLease};
use net::{Clock, MediaInbox, MediaWorker, Sender, WorkerConfig};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

/// Descriptors that are not for media: connections, files, the rest.
pub(crate) const OTHER_DESCRIPTORS: u64 = 2_048;
/// An address that is never ours (RFC 5737); asking for the route to it sends nothing.
const WORLD: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// Our workers, and the ports that they lend.
pub(crate) struct Workers {
    pub(crate) inboxes: Vec<MediaInbox>,
    pub(crate) leases: Vec<PortLease>,
    /// The ports that browsers share, one a worker.
    pub(crate) shared: Vec<PortLease>,
    /// How media is protected.
    pub(crate) policy: MediaPolicy,
    /// What queues have of their own.
    pub(crate) music: Arc<Music>,
}

/// The address of the route to the world; this machine's own if there is none.
pub(crate) fn own_address() -> IpAddr {
    net::route_address(WORLD).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Binds all ports and starts the workers.
pub(crate) fn start(
    config: &Media,
    clock: Clock,
    core: &Sender<CoreInput>,
    data: &Path,
) -> Result<Workers, Failure> {
    let addresses = if config.address.0.is_empty() { vec![own_address()] } else { config.address.0.clone() };
    let count = if config.workers == 0 { cores() } else { config.workers.min(64) };
    // Two sockets a port pair; the pairs are shared out among addresses and workers.
    let room = raise_descriptors().saturating_sub(OTHER_DESCRIPTORS) / 2;
    let share = usize::try_from(room / (addresses.len() as u64 * u64::from(count))).unwrap_or(usize::MAX);
    let (music, sounds) = Music::load(data);
    // Browsers can do without: their calls are refused, all others go on.
    let identity = net::dtls_identity()
        .inspect_err(|error| tracing::warn!(%error, "no certificate for DTLS; calls of browsers are refused"))
        .ok();
    let fingerprint = identity.as_ref().map(::media::webrtc::Identity::fingerprint);
    let policy = MediaPolicy { fingerprint, clear_fallback: config.clear_fallback };
    let mut workers = Workers {
        inboxes: Vec::new(),
        leases: Vec::new(),
        shared: Vec::new(),
        policy,
        music: Arc::new(music),
    };
    let total = count * u16::try_from(addresses.len()).unwrap_or(1);
    for (place, address) in addresses.iter().enumerate() {
        for index in 0..count {
            let bind = WorkerConfig {
                bind: *address,
                address: config
                    .advertise
                    .filter(|public| public.is_ipv6() == address.is_ipv6())
                    .unwrap_or(*address),
                ports: config.ports.0.iter().map(|ports| ports.0.clone()).collect(),
                worker: u16::try_from(place).unwrap_or(0) * count + index,
                workers: total,
                most: share.max(1),
                identity: identity.clone(),
            };
            let events = core.clone();
            let started = MediaWorker::start(&bind, clock, Arc::clone(&sounds), move |event| {
                // What the core has no room for is a report less, never a call.
                let _ = events.send(CoreInput::Media(event));
            })
            .map_err(|error| format!("media on {address}: {error}; see [media] ports"))?;
            workers.inboxes.push(started.inbox);
            workers.leases.extend(started.leases);
            workers.shared.extend(started.shared);
        }
    }
    workers.music.play_by(&workers.inboxes);
    tracing::info!(
        calls = workers.leases.len() / 2,
        "media ports are enough for this many calls of two legs"
    );
    Ok(workers)
}

fn cores() -> u16 {
    std::thread::available_parallelism().map_or(1, |cores| u16::try_from(cores.get()).unwrap_or(1)).min(8)
}

/// Raises the soft limit of descriptors to the hard one; returns what we have.
fn raise_descriptors() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    let hard = limit.maximum.unwrap_or(1 << 20);
    if limit.current.is_some_and(|soft| soft < hard) {
        limit.current = Some(hard);
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "cannot raise the limit of open files");
        }
    }
    getrlimit(Resource::Nofile).current.unwrap_or(hard)
}
