//! `[nats]`: hints between exchanges of a cluster, and live events for other programs (docs/nats.md).

use super::authorities;
use super::many::Many;
use super::maybe;
use super::secret;
use net::{HttpClient, NatsRules, NatsServer, NatsStream};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How long the server may take to show its settings.
const PATIENCE: Duration = Duration::from_secs(5);

/// `[nats]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NatsConfig {
    /// Where the servers are; none if not set.
    pub(crate) servers: Many<NatsServer>,
    /// Who we are there.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) user: Option<String>,
    /// The file with the password.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) password_file: Option<PathBuf>,
    /// The authorities that vouch for the servers, PEM files; a string or a list.
    pub(crate) authorities: Many<PathBuf>,
    /// What our subjects begin with.
    pub(crate) subject: String,
    /// The stream that keeps events; none if empty.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) stream: Option<String>,
    /// For how long.
    pub(crate) keep_hours: u32,
    /// Where the server shows its settings.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) monitor: Option<String>,
}

impl Default for NatsConfig {
    fn default() -> NatsConfig {
        NatsConfig {
            servers: Many(Vec::new()),
            user: None,
            password_file: None,
            authorities: Many(vec!["/etc/ssl/certs/ca-certificates.crt".into()]),
            subject: "ringdown".into(),
            stream: Some("RINGDOWN".into()),
            keep_hours: 24,
            monitor: None,
        }
    }
}

impl NatsConfig {
    /// How NATS is spoken to, if there is any; the files are read now. `name` is what people know this exchange by.
    pub(crate) fn rules(
        &self,
        name: &str,
        hints: bool,
        dns: &[SocketAddr],
    ) -> Result<Option<NatsRules>, String> {
        if self.servers.0.is_empty() {
            return Ok(None);
        }
        let user = match (&self.user, &self.password_file) {
            (Some(user), Some(file)) => Some((user.clone(), secret::read(file)?)),
            _ => None,
        };
        let asks = authorities::any_server(&self.authorities, true, PATIENCE);
        Ok(Some(NatsRules {
            servers: self.servers.0.clone(),
            client: format!("ringdown {name}"),
            user,
            tls: authorities::read(&self.authorities),
            subject: self.subject.clone(),
            hints,
            stream: self.stream.clone().map(|name| NatsStream {
                name,
                keeps: Duration::from_secs(3_600 * u64::from(self.keep_hours)),
            }),
            monitor: self.monitor.clone().map(|at| (at, HttpClient::new(dns, asks))),
        }))
    }

    /// Whether every server is reached by TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.servers.0.iter().all(|server| server.secure)
    }

    /// What is wrong with it: key, what, and advice.
    pub(crate) fn faults(&self) -> Vec<(&'static str, String, &'static str)> {
        let mut faults = Vec::new();
        let token = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet))
        };
        if self.subject.len() > 200 || !self.subject.split('.').all(token) {
            let what = format!("\"{}\" is no beginning of a subject", self.subject);
            faults.push((
                "subject",
                what,
                "write letters and digits, parts with . between them, as in \"ringdown\"",
            ));
        }
        if let Some(stream) = self.stream.as_ref().filter(|stream| stream.len() > 100 || !token(stream)) {
            let what = format!("\"{stream}\" is no name of a stream");
            faults.push((
                "stream",
                what,
                "write letters, digits, - and _, as in \"RINGDOWN\", or \"\" for none",
            ));
        }
        if !(1..=8_760).contains(&self.keep_hours) {
            let what = format!("events are kept for 1 to 8760 hours, not for {}", self.keep_hours);
            faults.push(("keep_hours", what, "24 is a day"));
        }
        let some = self.servers.0.first().map(|server| server.secure);
        if self.servers.0.iter().any(|server| Some(server.secure) != some) {
            let what = "some servers are reached by TLS, and some in clear".to_owned();
            faults.push(("servers", what, "write tls:// before all of them"));
        }
        if self.servers.0.len() > 16 {
            faults.push((
                "servers",
                "there are more than 16 servers".to_owned(),
                "name a few; the others are found",
            ));
        }
        if self.user.is_some() != self.password_file.is_some() {
            let what = "a user and the file with its password go together".to_owned();
            faults.push(("user", what, "set both user and password_file, or neither"));
        }
        let http = |at: &&String| !at.starts_with("http://") && !at.starts_with("https://");
        if let Some(monitor) = self.monitor.as_ref().filter(http) {
            let what = format!("\"{monitor}\" is no address of a monitor");
            faults.push(("monitor", what, "write it as in \"http://nats.office.example:8222\""));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        let with = |change: fn(&mut NatsConfig)| {
            let mut config = NatsConfig::default();
            change(&mut config);
            config.faults().into_iter().map(|(key, ..)| key).collect::<Vec<_>>()
        };
        assert_eq!(with(|_| ()), Vec::<&str>::new());
        assert_eq!(with(|config| config.subject = "office.calls".into()), Vec::<&str>::new());
        for bad in ["", "a..b", "a.*", ">", "$SYS", "a b"] {
            let config = NatsConfig { subject: bad.into(), ..NatsConfig::default() };
            assert_eq!(config.faults().len(), 1, "{bad}");
        }
        assert_eq!(with(|config| config.stream = Some("a.b".into())), ["stream"]);
        assert_eq!(with(|config| config.keep_hours = 0), ["keep_hours"]);
        assert_eq!(with(|config| config.user = Some("ringdown".into())), ["user"]);
        assert_eq!(with(|config| config.monitor = Some("nats:8222".into())), ["monitor"]);
        let mixed = |config: &mut NatsConfig| {
            config.servers = Many(vec!["tls://a".parse().unwrap(), "nats://b".parse().unwrap()]);
        };
        assert_eq!(with(mixed), ["servers"]);
    }

    #[test]
    fn without_a_server_there_is_nothing_and_a_missing_password_is_named() {
        assert!(NatsConfig::default().rules("a", true, &[]).unwrap().is_none());
        let config = NatsConfig {
            servers: Many(vec!["tls://nats.example".parse().unwrap()]),
            user: Some("ringdown".into()),
            password_file: Some("/nowhere/password".into()),
            ..NatsConfig::default()
        };
        let Err(why) = config.rules("a", true, &[]) else { panic!("it read what is not there") };
        assert!(why.contains("/nowhere/password"), "{why}");
        let config = NatsConfig { user: None, password_file: None, ..config };
        let rules = config.rules("north", true, &[]).unwrap().unwrap();
        assert_eq!((rules.client.as_str(), rules.hints, rules.user), ("ringdown north", true, None));
        assert_eq!(rules.stream.unwrap().keeps, Duration::from_secs(86_400));
    }
}
