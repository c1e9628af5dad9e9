//! `[notices]`: how watches, pendants and apps hear of calls.

use super::authorities;
use super::many::Many;
use super::maybe;
use net::{Broker, MqttRules};
use serde::Deserialize;
use std::path::PathBuf;

/// `[notices]`
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Notices {
    /// The MQTT 5 broker; none if not set.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) broker: Option<Broker>,
    /// Who we are there, and how we prove it.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) user: Option<String>,
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) password: Option<String>,
    /// What our topics begin with.
    pub(crate) topic: String,
    /// The authorities that vouch for the broker, PEM files; a string or a list.
    pub(crate) authorities: Many<PathBuf>,
    /// Whom push services may write to: a `mailto:` or `https:` URL.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) contact: Option<String>,
}

impl Default for Notices {
    fn default() -> Notices {
        Notices {
            broker: None,
            user: None,
            password: None,
            topic: "ringdown".into(),
            authorities: Many(vec!["/etc/ssl/certs/ca-certificates.crt".into()]),
            contact: None,
        }
    }
}

/// Never the password.
impl std::fmt::Debug for Notices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notices")
            .field("broker", &self.broker)
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

impl Notices {
    /// How the broker is spoken to, if there is one; the files are read now. `name` tells us from its other clients.
    pub(crate) fn rules(&self, name: &str) -> Option<MqttRules> {
        let broker = self.broker.clone()?;
        let tls = match broker.secure {
            true => authorities::read(&self.authorities),
            false => Err("the broker is not reached by TLS".into()),
        };
        Some(MqttRules {
            broker,
            client: format!("ringdown-{name}"),
            user: self.user.clone(),
            password: self.password.clone(),
            tls,
            hears: format!("{}/+/dismiss", self.topic),
        })
    }

    /// Whether the topics are ones: no wildcard and nothing empty in them (MQTT 5.0 4.7).
    pub(crate) fn topic_is_sound(&self) -> bool {
        let part =
            |part: &str| !part.is_empty() && !part.contains(['+', '#', '\0']) && !part.starts_with('$');
        self.topic.len() <= 200 && self.topic.split('/').all(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_without_wildcards_are_sound() {
        let sound = |topic: &str| Notices { topic: topic.into(), ..Notices::default() }.topic_is_sound();
        assert!(sound("ringdown") && sound("office/calls"));
        for bad in ["", "/x", "x/", "a//b", "a/+", "#", "$SYS"] {
            assert!(!sound(bad), "{bad}");
        }
        let secret = Notices { password: Some("geheim".into()), ..Notices::default() };
        assert!(!format!("{secret:?}").contains("geheim"));
    }
}
