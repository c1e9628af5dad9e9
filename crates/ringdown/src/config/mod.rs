//! `ringdown.toml`: everything settable. Unknown keys are refused with their line.

mod many;
mod numbers;

use many::Many;
use numbers::{Emergency, Numbers};
use serde::Deserialize;
use sip::digest::ChallengePolicy;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) sip: Sip,
    pub(crate) media: Media,
    pub(crate) http: Http,
    pub(crate) calls: Calls,
    pub(crate) numbers: Numbers,
    pub(crate) emergency: Emergency,
    pub(crate) dns: Dns,
}

/// `[sip]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sip {
    /// Where to listen; a string or a list.
    pub(crate) udp: Many<SocketAddr>,
    pub(crate) tcp: Many<SocketAddr>,
    pub(crate) tls: Many<SocketAddr>,
    /// The public address, when a NAT stands between us and the world (R13).
    pub(crate) advertise: Option<IpAddr>,
    /// The host of From and To; the address that the phone reaches if not set.
    pub(crate) domain: Option<String>,
    /// Which digest algorithms are asked for (R10).
    pub(crate) challenge: Challenge,
    /// The certificate chain and key for TLS, PEM; made at the first start if not set.
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    /// The authorities that vouch for trunks reached by TLS, PEM.
    pub(crate) authorities: PathBuf,
}

impl Default for Sip {
    fn default() -> Sip {
        let everywhere = |port| Many(vec![SocketAddr::from(([0, 0, 0, 0], port))]);
        Sip {
            udp: everywhere(5060),
            tcp: everywhere(5060),
            tls: everywhere(5061),
            advertise: None,
            domain: None,
            challenge: Challenge::Md5,
            certificate: None,
            key: None,
            authorities: "/etc/ssl/certs/ca-certificates.crt".into(),
        }
    }
}

/// Which digest algorithms are asked for.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Challenge {
    Md5,
    Sha256,
    Both,
}

impl From<Challenge> for ChallengePolicy {
    fn from(challenge: Challenge) -> ChallengePolicy {
        match challenge {
            Challenge::Md5 => ChallengePolicy::Md5,
            Challenge::Sha256 => ChallengePolicy::Sha256,
            Challenge::Both => ChallengePolicy::Both,
        }
    }
}

/// `[media]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Media {
    /// Where RTP is received; a string or a list. The address of the route to the world if not set.
    pub(crate) address: Many<IpAddr>,
    /// Ranges of ports, as in "20000-29999"; a string or a list (R22).
    pub(crate) ports: Many<Ports>,
    /// The public address, when a NAT stands between us and the world (R13).
    pub(crate) advertise: Option<IpAddr>,
    /// Threads that move media; one for each core if not set.
    pub(crate) workers: Option<u16>,
}

impl Default for Media {
    fn default() -> Media {
        Media {
            address: Many(Vec::new()),
            ports: Many(vec![Ports(20_000..=29_999)]),
            advertise: None,
            workers: None,
        }
    }
}

/// `[http]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Http {
    /// Where to listen; a string or a list.
    pub(crate) listen: Many<SocketAddr>,
}

impl Default for Http {
    fn default() -> Http {
        Http { listen: Many(vec![SocketAddr::from(([127, 0, 0, 1], 8080))]) }
    }
}

/// `[calls]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Calls {
    /// How long a call rings.
    ring_seconds: u32,
    /// How long the devices of somebody ring who forwards calls that nobody answers.
    no_answer_seconds: u32,
    /// How long a call to the outside may ring.
    outside_seconds: u32,
    /// The number that says back what it hears; empty for none.
    pub(crate) echo_number: String,
}

impl Default for Calls {
    fn default() -> Calls {
        Calls { ring_seconds: 60, no_answer_seconds: 20, outside_seconds: 120, echo_number: "600".into() }
    }
}

impl Calls {
    pub(crate) fn ring_limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.ring_seconds.clamp(5, 600)))
    }
}

impl Calls {
    pub(crate) fn no_answer_limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.no_answer_seconds.clamp(5, 600)))
    }

    pub(crate) fn outside_limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.outside_seconds.clamp(5, 600)))
    }
}

/// `[dns]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Dns {
    /// Whom to ask; the servers of the system if there is none.
    pub(crate) servers: Many<SocketAddr>,
}

/// `20000-29999`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ports(pub(crate) RangeInclusive<u16>);

impl std::str::FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Ports, String> {
        let wrong = || format!("\"{text}\" is no range of ports; write it as in \"20000-29999\"");
        let (first, last) = text.split_once('-').ok_or_else(wrong)?;
        let first: u16 = first.trim().parse().map_err(|_| wrong())?;
        let last: u16 = last.trim().parse().map_err(|_| wrong())?;
        if first < 1_024 || last <= first {
            return Err(format!(
                "\"{text}\" is no range of ports: it begins at 1024 or above and ends later"
            ));
        }
        Ok(Ports(first..=last))
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// In words, with file, line and column.
    pub(crate) fn read(path: &Path) -> Result<Config, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Config::parse(&text).map_err(|what| format!("{}:{what}", path.display()))
    }

    fn parse(text: &str) -> Result<Config, String> {
        let config: Config = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            format!("{line}: {}", error.message())
        })?;
        if config.sip.certificate.is_some() != config.sip.key.is_some() {
            return Err("1: [sip] certificate and key belong together: set both or none".into());
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_lists() {
        let config = Config::parse(
            "[sip]\nudp = \"127.0.0.1:5060\"\ntcp = [\"127.0.0.1:5060\", \"[::1]:5060\"]\ntls = []\n\
             [media]\naddress = \"127.0.0.1\"\nports = [\"20000-20100\", \"30000-30100\"]\n",
        )
        .unwrap();
        assert_eq!((config.sip.udp.0.len(), config.sip.tcp.0.len(), config.sip.tls.0.len()), (1, 2, 0));
        assert_eq!(config.media.ports.0, [Ports(20_000..=20_100), Ports(30_000..=30_100)]);
        assert_eq!(config.calls.ring_limit(), Duration::from_secs(60));
    }

    #[test]
    fn faults_name_their_line() {
        for (text, line, words) in [
            ("[sip]\nudp = 5\n", "2:", "string"),
            ("[sip]\n\nupd = \"127.0.0.1:5060\"\n", "3:", "upd"),
            ("[sip]\nudp = \"here\"\n", "2:", "here"),
            ("[media]\nports = \"9-5\"\n", "2:", "9-5"),
            ("[media]\nports = \"x\"\n", "2:", "20000-29999"),
            ("[nonsense]\n", "1:", "nonsense"),
            ("[sip\n", "1:", ""),
            ("[sip]\nkey = \"k.pem\"\n", "1:", "belong together"),
        ] {
            let what = Config::parse(text).unwrap_err();
            assert!(what.starts_with(line) && what.contains(words), "{text:?}: {what}");
        }
    }
}
