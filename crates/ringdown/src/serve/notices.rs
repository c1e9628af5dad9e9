//! The MQTT broker that notices leave by, and what wearables say there.

use super::backend::Roof;
use super::first_start;
use crate::Failure;
use crate::config::Config;
use api::Api;
use net::{Mqtt, MqttMessage};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;

/// Begins to connect, if a broker is configured.
pub(super) fn start(
    runtime: &Runtime,
    config: &Config,
    roof: Roof,
) -> Result<(Roof, Option<Receiver<MqttMessage>>), Failure> {
    // A name that no other client of the broker has, or they would push each other out.
    let name: String = first_start::seed()?.iter().take(8).map(|octet| format!("{octet:02x}")).collect();
    let Some(rules) = config.notices.rules(&name) else {
        return Ok((roof.with_notices(&config.notices, None), None));
    };
    let _inside = runtime.enter();
    let (mqtt, heard) = Mqtt::start(&config.dns.servers.0, rules);
    Ok((roof.with_notices(&config.notices, Some(mqtt)), Some(heard)))
}

/// Delivers notices, and hears what wearables say, for as long as the exchange runs.
pub(super) fn deliver(runtime: &Runtime, api: &Api, heard: Option<Receiver<MqttMessage>>) {
    runtime.spawn(api.clone().deliver_notices());
    runtime.spawn(hear(api.clone(), heard));
}

/// One after another.
async fn hear(api: Api, heard: Option<Receiver<MqttMessage>>) {
    let Some(mut heard) = heard else { return };
    while let Some(MqttMessage { topic, payload }) = heard.recv().await {
        api.heard_from_broker(&topic, &payload).await;
    }
}
