//! `[platforms.NAME]`: telephone platforms that are not ours, at which agents work (S0.3).

use super::many::Many;
use net::{HttpRules, Network};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a platform has to answer, beside what it is asked to hold.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The keys of a platform.
pub(super) const KEYS: [&str; 8] =
    ["kind", "url", "secret_file", "every", "hold", "connections", "clear", "authorities"];

/// `[platforms.NAME]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Platform {
    pub(crate) kind: Kind,
    /// What the paths of docs/platforms.md are appended to.
    pub(crate) url: String,
    /// The file with the token that we prove ourselves by; none is sent if not set.
    #[serde(default)]
    pub(crate) secret_file: Option<PathBuf>,
    /// How often all agents are asked for, in seconds.
    #[serde(default = "one")]
    pub(crate) every: u32,
    /// How long the platform may hold a question for events, in seconds; 0 when it offers none.
    #[serde(default)]
    pub(crate) hold: u32,
    /// Connections to it at most.
    #[serde(default = "connections")]
    pub(crate) connections: usize,
    /// Plain HTTP is spoken beyond this machine, too.
    #[serde(default)]
    pub(crate) clear: bool,
    /// The authorities that vouch for it, PEM files; a string or a list.
    #[serde(default = "authorities")]
    pub(crate) authorities: Many<PathBuf>,
}

/// What a platform speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// JSON over HTTP, as docs/platforms.md says.
    Http,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Http => "http",
        }
    }
}

fn one() -> u32 {
    1
}

fn connections() -> usize {
    16
}

fn authorities() -> Many<PathBuf> {
    Many(vec!["/etc/ssl/certs/ca-certificates.crt".into()])
}

impl Platform {
    pub(crate) fn every(&self) -> Duration {
        Duration::from_secs(self.every.into())
    }

    /// The key that cannot work, why, and what to do.
    pub(crate) fn fault(&self) -> Option<(&'static str, String, &'static str)> {
        let fault = |key, what: String, advice| Some((key, what, advice));
        if !self.url.starts_with("http://") && !self.url.starts_with("https://") {
            return fault("url", "this is no URL".into(), "write it as in https://platform.example/v1");
        }
        if !(1..=3_600).contains(&self.every) {
            return fault("every", format!("{} s cannot be kept", self.every), "write 1 to 3600 seconds");
        }
        if self.hold > 60 {
            return fault("hold", format!("{} s is too long", self.hold), "write at most 60 seconds");
        }
        if !(3..=64).contains(&self.connections) {
            let what = format!("{} connections cannot be had", self.connections);
            return fault("connections", what, "write 3 to 64");
        }
        let error = self.secret().err()?;
        fault(
            "secret_file",
            error,
            "name a file with the token on one line, readable for the exchange's user",
        )
    }

    /// The token.
    pub(crate) fn secret(&self) -> Result<Option<String>, String> {
        let Some(path) = &self.secret_file else { return Ok(None) };
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let token = text.trim();
        let sound = !token.is_empty() && token.bytes().all(|octet| octet.is_ascii_graphic());
        match sound {
            true => Ok(Some(token.to_owned())),
            false => Err(format!("{}: no token of printable characters without spaces", path.display())),
        }
    }

    /// For who asks; the files are read now. Whoever writes the configuration may name any server.
    pub(crate) fn rules(&self) -> HttpRules {
        let paths: Vec<&Path> = self.authorities.0.iter().map(PathBuf::as_path).collect();
        let tls = net::client_config(&paths).map_err(|error| error.to_string());
        let allow = ["0.0.0.0/0", "::/0"].iter().filter_map(|all| all.parse::<Network>().ok()).collect();
        HttpRules { allow, clear: self.clear, patience: PATIENCE, tls }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_named_by_its_key() {
        let of = |rest: &str| -> Platform {
            toml::from_str(&format!("kind = \"http\"\nurl = \"https://platform.example\"\n{rest}"))
                .expect("sound")
        };
        assert_eq!(of("").fault(), None);
        assert_eq!((of("").every(), of("").connections), (Duration::from_secs(1), 16));
        for (rest, key) in [
            ("every = 0", "every"),
            ("hold = 61", "hold"),
            ("connections = 2", "connections"),
            ("connections = 65", "connections"),
            ("secret_file = \"/nowhere/token\"", "secret_file"),
        ] {
            assert_eq!(of(rest).fault().map(|(key, ..)| key), Some(key), "{rest}");
        }
        for wrong in [
            "kind = \"ami\"\nurl = \"https://x\"",
            "kind = \"http\"",
            "kind = \"http\"\nurl = \"https://x\"\ntea = 1",
        ] {
            assert!(toml::from_str::<Platform>(wrong).is_err(), "{wrong}");
        }
    }
}
