//! `ringdown.toml`: everything settable. Unknown keys are refused with their line.

mod agents;
mod authorities;
mod background;
mod badges;
mod call_lists;
mod cluster;
mod codes;
mod directory;
mod many;
mod maybe;
mod messages;
mod nats;
mod notices;
mod numbers;
mod place;
mod platforms;
pub(crate) mod profile;
mod seats;
pub(crate) mod secret;
mod smpp;
mod store;
mod template;
mod webhooks;

#[cfg(test)]
pub(crate) use place::known;
pub(crate) use place::{EXAMPLE, line_at, line_of, strangers};

pub(crate) use self::store::StoreConfig;
pub(crate) use agents::Agents;
pub(crate) use background::Background;
pub(crate) use badges::Badges;
pub(crate) use call_lists::{Folder, Lists};
pub(crate) use cluster::ClusterConfig;
use codes::FeatureCodes;
pub(crate) use directory::DirectoryConfig;
use many::Many;
pub(crate) use messages::{Carrier, HttpMessages, Messages};
pub(crate) use nats::NatsConfig;
pub(crate) use notices::Notices;
use numbers::{Emergency, Numbers};
pub(crate) use platforms::{PATIENCE as PLATFORM_PATIENCE, Platform};
use seats::Seats;
use serde::Deserialize;
use sip::digest::ChallengePolicy;
pub(crate) use smpp::SmppMessages;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;
pub(crate) use template::{Template, Writing, percent};
pub(crate) use webhooks::Webhooks;

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) sip: Sip,
    pub(crate) media: Media,
    pub(crate) http: Http,
    pub(crate) webhooks: Webhooks,
    pub(crate) notices: Notices,
    pub(crate) nats: NatsConfig,
    pub(crate) calls: Calls,
    pub(crate) codes: FeatureCodes,
    pub(crate) seats: Seats,
    pub(crate) background: Background,
    pub(crate) messages: Messages,
    pub(crate) agents: Agents,
    pub(crate) lists: Lists,
    /// The outside telephone platforms, by name.
    pub(crate) platforms: BTreeMap<String, Platform>,
    pub(crate) numbers: Numbers,
    pub(crate) emergency: Emergency,
    pub(crate) badges: Badges,
    pub(crate) directory: DirectoryConfig,
    pub(crate) cluster: ClusterConfig,
    pub(crate) store: StoreConfig,
    pub(crate) dns: Dns,
    pub(crate) log: Log,
}

/// `[sip]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sip {
    /// Where to listen; a string or a list.
    pub(crate) udp: Many<SocketAddr>,
    pub(crate) tcp: Many<SocketAddr>,
    pub(crate) tls: Many<SocketAddr>,
    /// SIP over WebSocket alone (RFC 7118), for those who do not use `/sip` of HTTP.
    pub(crate) ws: Many<SocketAddr>,
    pub(crate) wss: Many<SocketAddr>,
    /// The public address, when a NAT stands between us and the world (R13).
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) advertise: Option<IpAddr>,
    /// The host of From and To; the address that the phone reaches if not set.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) domain: Option<String>,
    /// Which digest algorithms are asked for (R10).
    pub(crate) challenge: Challenge,
    /// The certificate chain and key for TLS, PEM; made at the first start if not set.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) certificate: Option<PathBuf>,
    #[serde(deserialize_with = "maybe::text")]
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
            ws: Many(Vec::new()),
            wss: Many(Vec::new()),
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Media {
    /// Where RTP is received; a string or a list. The address of the route to the world if not set.
    pub(crate) address: Many<IpAddr>,
    /// Ranges of ports, as in "20000-29999"; a string or a list (R22).
    pub(crate) ports: Many<Ports>,
    /// The public address, when a NAT stands between us and the world (R13).
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) advertise: Option<IpAddr>,
    /// Threads that move media; 0 for one a core.
    pub(crate) workers: u16,
    /// A device under TLS that refuses SRTP is asked once more in clear (R14).
    pub(crate) clear_fallback: bool,
}

impl Default for Media {
    fn default() -> Media {
        Media {
            address: Many(Vec::new()),
            ports: Many(vec![Ports(20_000..=29_999)]),
            advertise: None,
            workers: 0,
            clear_fallback: false,
        }
    }
}

/// `[http]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Http {
    /// Where to listen; a string or a list.
    pub(crate) listen: Many<SocketAddr>,
    /// Where to listen for HTTPS, with the certificate of `[sip]`.
    pub(crate) tls: Many<SocketAddr>,
    /// The origins of other sites whose pages may hold a web phone.
    pub(crate) origins: Many<Origin>,
    /// Where what takes an administrator answers.
    pub(crate) administrators: Administrators,
}

impl Http {
    /// The listed origins, for who judges.
    pub(crate) fn listed_origins(&self) -> Vec<Box<str>> {
        self.origins.0.iter().map(|origin| origin.0.clone()).collect()
    }
}

/// `https://portal.example`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin(pub(crate) Box<str>);

impl std::str::FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Origin, &'static str> {
        let wrong = "is no origin; write it without a path, as in \"https://portal.example\"";
        net::plain_origin(text).map(Origin).ok_or(wrong)
    }
}

/// Where what takes an administrator answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Administrators {
    /// On the exchange's own machine only.
    #[default]
    Loopback,
    /// Wherever HTTP does.
    Anywhere,
}

impl Default for Http {
    fn default() -> Http {
        Http {
            listen: Many(vec![SocketAddr::from(([127, 0, 0, 1], 8080))]),
            tls: Many(vec![SocketAddr::from(([0, 0, 0, 0], 8443))]),
            origins: Many(Vec::new()),
            administrators: Administrators::default(),
        }
    }
}

/// `[calls]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Calls {
    /// How long a call rings.
    pub(crate) ring_seconds: u32,
    /// How long the devices of somebody ring who forwards calls that nobody answers.
    pub(crate) no_answer_seconds: u32,
    /// How long a call to the outside may ring.
    pub(crate) outside_seconds: u32,
    /// The number that says back what it hears; empty for none.
    pub(crate) echo_number: String,
    /// The numbers at which parked calls wait.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) park: Option<ParkRange>,
    /// How long they wait there before they ring again.
    pub(crate) park_seconds: u32,
    /// How long running calls may go on when we are told to stop.
    pub(crate) drain_seconds: u32,
}

impl Default for Calls {
    fn default() -> Calls {
        Calls {
            ring_seconds: 60,
            no_answer_seconds: 20,
            outside_seconds: 120,
            echo_number: "600".into(),
            park: Some(ParkRange(701..=709)),
            park_seconds: 120,
            drain_seconds: 600,
        }
    }
}

impl Calls {
    pub(crate) fn ring_limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.ring_seconds.clamp(5, 600)))
    }

    pub(crate) fn park_limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.park_seconds.clamp(2, 3_600)))
    }

    pub(crate) fn drain_limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.drain_seconds.min(86_400)))
    }
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// What is told on stderr.
    pub(crate) level: String,
}

impl Default for Log {
    fn default() -> Log {
        Log { level: "info".into() }
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Dns {
    /// Whom to ask; the servers of the system if there is none.
    pub(crate) servers: Many<SocketAddr>,
}

/// `20000-29999`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ports(pub(crate) RangeInclusive<u16>);

impl std::fmt::Display for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.0.start(), self.0.end())
    }
}

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

/// `701-709`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParkRange(pub(crate) RangeInclusive<u32>);

/// Calls that can wait at once.
const PARKS: u32 = 100;

impl std::str::FromStr for ParkRange {
    type Err = String;

    fn from_str(text: &str) -> Result<ParkRange, String> {
        let wrong = || format!("write numbers as in \"701-709\", {PARKS} at most");
        let (first, last) = text.split_once('-').ok_or_else(wrong)?;
        let (first, last): (u32, u32) =
            (first.parse().map_err(|_| wrong())?, last.parse().map_err(|_| wrong())?);
        let right = first > 0 && (first..first.saturating_add(PARKS)).contains(&last);
        if right { Ok(ParkRange(first..=last)) } else { Err(wrong()) }
    }
}

impl Calls {
    pub(crate) fn park_numbers(&self) -> Vec<Box<str>> {
        let range = self.park.iter().flat_map(|range| range.0.clone());
        range.map(|number| number.to_string().into()).collect()
    }
}

/// A file that was read, with its text, so that what is found later can name its line.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// What is wrong with a file: the line, and words.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl Source {
    pub(crate) fn read(path: &Path) -> Result<Source, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Source { path: path.into(), text })
    }

    /// `ringdown.toml:12`, or the file alone when it leaves the key to its default.
    pub(crate) fn place(&self, section: &str, key: &str) -> String {
        match line_of(&self.text, section, key) {
            Some(line) => format!("{}:{line}", self.path.display()),
            None => self.path.display().to_string(),
        }
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// In words, with file and line.
    pub(crate) fn read(path: &Path) -> Result<(Config, Source), String> {
        let source = Source::read(path)?;
        let config = Config::parse(&source.text)
            .map_err(|fault| format!("{}:{}: {}", path.display(), fault.line, fault.what))?;
        Ok((config, source))
    }

    pub(crate) fn parse(text: &str) -> Result<Config, Fault> {
        if let Some((line, what)) = strangers(text).into_iter().next() {
            return Err(Fault { line, what });
        }
        toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_at(text, span.start));
            Fault { line, what: error.message().to_owned() }
        })
    }
}

/// Where the office of a data folder is kept, as a configuration says.
pub(crate) fn place(data: &Path, path: Option<&Path>) -> Result<::store::Place, String> {
    let config = path.map(Config::read).transpose()?.map(|(config, _)| config);
    config.unwrap_or_default().store.place(data)
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
            ("[webhooks]\nallow = \"10.0.0.1/8\"\n", "2:", "10.0.0.0/8"),
            ("[calls]\npark = \"709-701\"\n", "2:", "701-709"),
            ("[http]\norigins = \"https://portal.example/page\"\n", "2:", "without a path"),
            ("[nonsense]\n", "1:", "nonsense"),
            ("[sip\n", "1:", ""),
        ] {
            let fault = Config::parse(text).unwrap_err();
            let what = format!("{}: {}", fault.line, fault.what);
            assert!(what.starts_with(line) && what.contains(words), "{text:?}: {what}");
        }
    }

    #[test]
    fn the_example_holds_every_key_with_its_default() {
        assert_eq!(Config::parse(EXAMPLE).unwrap(), Config::default());
        assert_eq!(Config::parse(&place::all_set()).unwrap(), Config::default());
        for (section, keys) in known() {
            // serde names all keys that it knows when it meets one that it does not.
            let error = toml::from_str::<Config>(&format!("[{section}]\nx = \"\"\n")).unwrap_err();
            let mut settable: Vec<&str> = error.message().split('`').skip(3).step_by(2).collect();
            settable.sort_unstable();
            let mut written = keys.clone();
            written.sort_unstable();
            assert_eq!(settable, written, "[{section}]");
        }
        let error = toml::from_str::<Config>("x = 1\n").unwrap_err();
        let sections = known().iter().filter(|(name, _)| !name.contains('.')).count();
        assert_eq!(error.message().split('`').skip(3).step_by(2).count(), sections);
    }
}
