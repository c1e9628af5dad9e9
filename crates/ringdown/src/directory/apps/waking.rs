//! Waking a device that has no connection: by the office's broker, or by the push service of its browser (RFC 8030, 8291, 8292).

use super::super::folder::{Folder, random};
use crate::Failure;
use api::web_push::{self, BASE64, Keys};
use base64::Engine as _;
use directory::{Wake, Way};
use net::{Broker, Clock, HttpClient, HttpRules, Mqtt, MqttRules, Network};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// What topics of apps begin with.
const TOPICS: &str = "ringdown/";
/// A client subscribes to something; here nobody says anything to us.
const HEARS: &str = "ringdown/directory";
/// Octets of a topic, and of a push service's address.
const PRID: usize = 1_024;
/// Requests to push services under way; a ticket does not work for longer than the wait for a place.
const PUSHES: usize = 256;
/// What is told to push services that we are us.
const PUSH_KEYS: &str = "push-keys.json";
/// How long a push service may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How devices are woken.
#[derive(Clone)]
pub(in crate::directory) struct Wakers {
    mqtt: Option<Mqtt>,
    pushes: Arc<Pushes>,
}

struct Pushes {
    keys: Keys,
    client: HttpClient,
    contact: Option<String>,
    clock: Clock,
    room: Semaphore,
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
    /// How push services reach us when something is wrong, as in mailto:pbx@example.com
    #[arg(long, value_name = "URL")]
    push_contact: Option<String>,
    /// A network inside that may be reached as a push service
    #[arg(long, value_name = "NETWORK")]
    push_allow: Vec<Network>,
    /// Whom to believe that they are the broker, or a push service: a PEM file
    #[arg(long, value_name = "FILE", default_value = "/etc/ssl/certs/ca-certificates.crt")]
    authorities: PathBuf,
}

impl Wakers {
    /// To be called inside of a runtime; the key for push services is kept with the directory's own.
    pub(in crate::directory) fn start(
        arguments: &WakeArguments,
        office: &Folder,
        clock: Clock,
    ) -> Result<Wakers, Failure> {
        let tls = net::client_config(&[&arguments.authorities]).map_err(|error| error.to_string());
        let mqtt = arguments.mqtt.clone().map(|broker| {
            let rules = MqttRules {
                broker,
                client: format!("ringdown-directory-{}", std::process::id()),
                user: arguments.mqtt_user.clone(),
                password: arguments.mqtt_password.clone(),
                tls: tls.clone(),
                hears: HEARS.into(),
            };
            Mqtt::start(&[], rules).0
        });
        let make = || Ok(Keys::make(&random()?).ok_or("no key for push services can be made")?);
        let kept = office.key(PUSH_KEYS, make)?;
        let keys = Keys::read(&kept).ok_or_else(|| format!("{PUSH_KEYS}: is no key for push services"))?;
        let hint = "; --push-allow names the networks inside that may be reached";
        let allow = arguments.push_allow.clone();
        let client = HttpClient::new(&[], HttpRules { allow, hint, clear: false, patience: PATIENCE, tls });
        let (contact, room) = (arguments.push_contact.clone(), Semaphore::new(PUSHES));
        Ok(Wakers { mqtt, pushes: Arc::new(Pushes { keys, client, contact, clock, room }) })
    }

    /// The key that browsers subscribe with.
    pub(super) fn push_key(&self) -> String {
        self.pushes.keys.public()
    }

    /// Whether a device may be woken so.
    pub(super) fn takes(&self, way: &Way) -> Result<(), String> {
        if way.prid.len() > PRID || way.param.len() > PRID {
            return Err(format!("the names of a way to wake have {PRID} octets at most"));
        }
        match way.provider {
            Wake::Mqtt if self.mqtt.is_none() => Err("this directory has no broker".into()),
            Wake::Mqtt => {
                let topic = &*way.prid;
                let plain = topic.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'+' | b'#'));
                match topic.starts_with(TOPICS) && plain {
                    true => Ok(()),
                    false => Err(format!("a topic begins with {TOPICS}, and has no wildcards")),
                }
            }
            Wake::WebPush if web_push::origin(&way.prid).is_none() => {
                Err("a push service is reached by https alone".into())
            }
            Wake::WebPush => subscription(way).map(|_| ()).ok_or_else(|| {
                "pn-param of Web Push is the subscription's p256dh and auth, with a dot between".into()
            }),
        }
    }

    /// Wakes by the first way that works; whoever calls waits for nothing.
    pub(super) fn wake(&self, ways: &[Way], signed: &str, lives: Duration) {
        let (wakers, ways, signed) = (self.clone(), ways.to_vec(), signed.to_owned());
        tokio::spawn(async move {
            for way in ways {
                match wakers.try_one(&way, &signed, lives).await {
                    Ok(()) => return,
                    Err(why) => tracing::warn!(by = way.provider.name(), why, "an app cannot be woken"),
                }
            }
        });
    }

    async fn try_one(&self, way: &Way, signed: &str, lives: Duration) -> Result<(), String> {
        match way.provider {
            Wake::Mqtt => {
                let mqtt = self.mqtt.as_ref().ok_or("this directory has no broker")?;
                mqtt.publish(way.prid.to_string(), signed.as_bytes().to_vec(), lives);
                // What waits for the broker goes when it is back, if that is in time; another way may be quicker.
                let state = mqtt.state();
                if state.connected { Ok(()) } else { Err(state.trouble.unwrap_or_default()) }
            }
            Wake::WebPush => self.pushes.post(way, signed, lives).await,
        }
    }
}

impl Pushes {
    async fn post(&self, way: &Way, signed: &str, lives: Duration) -> Result<(), String> {
        let _place = self.room.try_acquire().map_err(|_| "too many pushes are under way")?;
        let (browser, auth) = subscription(way).ok_or("it is no subscription")?;
        let salt = random::<16>().map_err(|error| error.to_string())?;
        let body =
            web_push::encrypt(&browser, &auth, salt, signed.as_bytes()).ok_or("it cannot be encrypted")?;
        let now = self.clock.now().wall.0;
        let proof = self.keys.proof(&way.prid, self.contact.as_deref(), now).ok_or("it is no address")?;
        let headers = [
            ("ttl", lives.as_secs().max(1).to_string()),
            ("urgency", "high".to_owned()),
            ("content-encoding", "aes128gcm".to_owned()),
            ("content-type", "application/octet-stream".to_owned()),
            ("authorization", proof),
        ];
        let reply = self.client.post(&way.prid, &headers, body.into()).await?;
        match reply.status {
            200..300 => Ok(()),
            // RFC 8030 7.3.
            404 | 410 => Err("its subscription is over".into()),
            status => Err(format!("its push service says {status}")),
        }
    }
}

/// The key and the secret of a browser's subscription.
fn subscription(way: &Way) -> Option<(Vec<u8>, Vec<u8>)> {
    let (p256dh, auth) = way.param.split_once('.')?;
    let (p256dh, auth) = (BASE64.decode(p256dh).ok()?, BASE64.decode(auth).ok()?);
    (web_push::is_point(&p256dh) && auth.len() == web_push::AUTH).then_some((p256dh, auth))
}
