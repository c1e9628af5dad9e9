//! Waking a device that has no connection: by the office's broker.

use crate::Failure;
use directory::{Wake, Way};
use net::{Broker, Mqtt, MqttRules};
use std::path::PathBuf;
use std::time::Duration;

/// What topics of apps begin with.
const TOPICS: &str = "ringdown/";
/// A client subscribes to something; here nobody says anything to us.
const HEARS: &str = "ringdown/directory";
/// Octets of a topic.
const TOPIC: usize = 256;

/// How devices are woken.
#[derive(Clone, Default)]
pub(in crate::directory) struct Wakers {
    mqtt: Option<Mqtt>,
}

/// What the command line says of it.
#[derive(clap::Args)]
pub(in crate::directory) struct WakeArguments {
    /// The broker by which apps that sleep are woken, as in mqtts://broker.example:8883
    #[arg(long, value_name = "BROKER")]
    mqtt: Option<Broker>,
    /// Who we are at the broker
    #[arg(long, value_name = "NAME", requires = "mqtt")]
    mqtt_user: Option<String>,
    /// How we prove it
    #[arg(long, value_name = "TEXT", env = "RINGDOWN_MQTT_PASSWORD", hide_env_values = true)]
    mqtt_password: Option<String>,
    /// Whom to believe that they are the broker: a PEM file
    #[arg(long, value_name = "FILE", default_value = "/etc/ssl/certs/ca-certificates.crt")]
    mqtt_authorities: PathBuf,
}

impl Wakers {
    /// To be called inside of a runtime.
    pub(in crate::directory) fn start(arguments: &WakeArguments) -> Result<Wakers, Failure> {
        let Some(broker) = arguments.mqtt.clone() else { return Ok(Wakers::default()) };
        let rules = MqttRules {
            broker,
            client: format!("ringdown-directory-{}", std::process::id()),
            user: arguments.mqtt_user.clone(),
            password: arguments.mqtt_password.clone(),
            tls: net::client_config(&[&arguments.mqtt_authorities]).map_err(|error| error.to_string()),
            hears: HEARS.into(),
        };
        let (mqtt, _) = Mqtt::start(&[], rules);
        Ok(Wakers { mqtt: Some(mqtt) })
    }

    /// Whether a device may be woken so.
    pub(super) fn takes(&self, way: &Way) -> Result<(), String> {
        match way.provider {
            Wake::Mqtt if self.mqtt.is_none() => Err("this directory has no broker".into()),
            Wake::Mqtt => {
                let topic = &*way.prid;
                let plain = topic.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'+' | b'#'));
                match topic.starts_with(TOPICS) && topic.len() <= TOPIC && plain {
                    true => Ok(()),
                    false => Err(format!("a topic begins with {TOPICS}, and has no wildcards")),
                }
            }
            Wake::WebPush => Err("this directory wakes nobody by Web Push".into()),
        }
    }

    /// Wakes, and waits for nothing.
    pub(super) fn wake(&self, way: &Way, signed: Box<str>, lives: Duration) {
        if let (Wake::Mqtt, Some(mqtt)) = (way.provider, &self.mqtt) {
            mqtt.publish(way.prid.to_string(), signed.into_string().into_bytes(), lives);
        }
    }
}
