//! The MQTT broker that notices leave by, what wearables say there, and phones that it wakes (RFC 8599).

use super::backend::Roof;
use super::first_start;
use crate::Failure;
use crate::config::Config;
use api::Api;
use exchange::WakeUp;
use net::{Mqtt, MqttMessage};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;

/// What wakes phones that sleep, if a broker is configured.
pub(super) struct Waker(Option<(Mqtt, String)>);

impl Waker {
    /// Each hears of itself alone: `TOPIC/NAME/wake` (docs/wake-up.md).
    pub(super) fn wake(&self, wake: &WakeUp) {
        let Some((mqtt, topic)) = &self.0 else { return };
        let what = if wake.waits { "wake" } else { "withdrawn" };
        let text = serde_json::json!({ what: &*wake.session_id }).to_string();
        mqtt.publish(format!("{topic}/{}/wake", wake.device), text.into_bytes(), wake.lives);
    }
}

/// Begins to connect, if a broker is configured.
pub(super) fn start(
    runtime: &Runtime,
    config: &Config,
    roof: Roof,
) -> Result<(Roof, Option<Receiver<MqttMessage>>, Waker), Failure> {
    // A name that no other client of the broker has, or they would push each other out.
    let name: String = first_start::seed()?.iter().take(8).map(|octet| format!("{octet:02x}")).collect();
    let Some(rules) = config.notices.rules(&name) else {
        return Ok((roof.with_notices(&config.notices, None), None, Waker(None)));
    };
    let _inside = runtime.enter();
    let (mqtt, heard) = Mqtt::start(&config.dns.servers.0, rules);
    let waker = Waker(Some((mqtt.clone(), config.notices.topic.clone())));
    Ok((roof.with_notices(&config.notices, Some(mqtt)), Some(heard), waker))
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
