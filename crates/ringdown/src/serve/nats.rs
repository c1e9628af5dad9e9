//! NATS: hints for the other exchanges of the cluster, and live events for other programs (docs/nats.md).

use super::backend::Roof;
use super::cluster::{Others, Told};
use super::core::CoreInput;
use crate::Failure;
use crate::config::Config;
use api::Api;
use api::rest::{Published, Unpublished};
use net::{Nats, NatsEvent, NotKept, Sender};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;

/// Begins to connect, if there is any server.
pub(super) fn start(
    runtime: &Runtime,
    config: &Config,
    core: &Sender<CoreInput>,
    (others, roof): (Others, Roof),
) -> Result<(Others, Roof, Option<Nats>), Failure> {
    let hints = config.cluster.listen.is_some();
    let rules = config.nats.rules(&config.cluster.known_as(), hints, &config.dns.servers.0)?;
    let Some(rules) = rules else { return Ok((others, roof, None)) };
    let _inside = runtime.enter();
    let (nats, heard) = Nats::start(rules);
    runtime.spawn(hear(heard, core.clone()));
    Ok((others.hinting_by(nats.clone()), roof.with_nats(nats.clone()), Some(nats)))
}

/// Whoever hears a hint looks into the store.
async fn hear(mut heard: Receiver<()>, core: Sender<CoreInput>) {
    while heard.recv().await.is_some() {
        // One that finds no room is healed by the next look.
        let _ = core.send(CoreInput::Cluster(Box::new(Told::Look)));
    }
}

/// Publishes live events, for as long as the exchange runs.
pub(super) fn publish(runtime: &Runtime, api: &Api, nats: Option<Nats>) {
    let Some(nats) = nats else { return };
    runtime.spawn(api.clone().publish_events(move |event| {
        let nats = nats.clone();
        async move {
            let Published { id, kind, text } = event;
            let kept = nats.keep(NatsEvent { id, kind, text }).await;
            kept.map_err(|why| match why {
                NotKept::Yet => Unpublished::Yet,
                NotKept::Ever => Unpublished::Ever,
            })
        }
    }));
}
