//! `[lists]`: call lists that the office deals out (S3).

use super::authorities;
use super::many::Many;
use super::maybe;
use exchange::lists::ListPolicy;
use lists::Assignment;
use net::Network;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use transfer::{Link, NoLink, Rules, SshRules};

/// The section.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Lists {
    /// Where phones reach their files, as in `https://pbx.example:8443`; our own address if it is not set.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) url: Option<String>,
    /// Addresses of this machine and of private networks that links to new lists may lead to.
    pub(crate) allow: Many<Network>,
    /// The authorities that vouch for their servers, PEM files; a string or a list.
    pub(crate) authorities: Many<PathBuf>,
    /// The keys of their SSH hosts; the user's and the system's if it is not set.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) ssh_known_hosts: Option<PathBuf>,
    /// How long a phone may be silent before rows that were taken from it are given to others, in seconds.
    pub(crate) lease: u32,
    /// How long a link is good, in hours.
    pub(crate) hours: u32,
    /// How often a phone looks whether its rows are others, in seconds.
    pub(crate) refresh: u32,
    /// How often it brings results, in seconds.
    pub(crate) upload: u32,
    /// Seconds between two calls.
    pub(crate) gap: u32,
    /// Seconds before a callee is called again whose list says nothing else.
    pub(crate) interval: u32,
    /// Attempts for a row whose list says nothing else.
    pub(crate) attempts: u16,
    /// How long a callee's phone rings, in seconds.
    pub(crate) ring: u16,
    /// What may come of a call, in the order of the keys 1 to 9.
    pub(crate) results: Vec<Said>,
    /// By agent, the folder of another server that their file lies in, for phones that cannot reach us.
    pub(crate) outside: BTreeMap<String, Folder>,
}

/// A folder of another server. What is secret of it is not shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Folder(Link);

impl Folder {
    pub(crate) fn link(&self) -> &Link {
        &self.0
    }

    pub(crate) fn file(&self, name: &str) -> Link {
        self.0.beneath(name)
    }
}

impl TryFrom<String> for Folder {
    type Error = NoLink;

    fn try_from(text: String) -> Result<Folder, NoLink> {
        text.trim_end_matches('/').parse().map(Folder)
    }
}

/// What came of a call, in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Said(String);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Said {
    type Error = String;

    fn try_from(text: String) -> Result<Said, String> {
        let fits = !text.trim().is_empty() && text.len() <= 64 && !text.chars().any(char::is_control);
        if fits { Ok(Said(text)) } else { Err(format!("\"{text}\" is no result of 1 to 64 characters")) }
    }
}

impl Default for Lists {
    fn default() -> Lists {
        Lists {
            url: None,
            allow: Many(Vec::new()),
            authorities: Many(vec!["/etc/ssl/certs/ca-certificates.crt".into()]),
            ssh_known_hosts: None,
            lease: 90,
            hours: 24,
            refresh: 20,
            upload: 15,
            gap: 5,
            interval: 600,
            attempts: 5,
            ring: 30,
            results: Vec::new(),
            outside: BTreeMap::new(),
        }
    }
}

impl Lists {
    pub(crate) fn policy(&self) -> ListPolicy {
        ListPolicy {
            lease: Duration::from_secs(self.lease.clamp(1, 3_600).into()),
            lives: Duration::from_secs(u64::from(self.hours.clamp(1, 24 * 92)) * 3_600),
            url: self.url.as_deref().map(Into::into),
            assignment: Assignment {
                refresh_s: self.refresh.clamp(1, 3_600),
                upload_s: self.upload.clamp(1, 3_600),
                gap_s: self.gap.min(86_400),
                interval_s: self.interval.min(86_400 * 31),
                attempts: self.attempts.max(1),
                ring_s: self.ring.clamp(5, 300),
                format: "json".to_owned(),
                keys: ('1'..='9').zip(self.results.iter().map(|said| said.0.clone())).collect(),
                ..Assignment::default()
            },
        }
    }

    /// For who fetches new lists; the files are read now.
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            allow: self.allow.0.clone(),
            hint: "; [lists] allow names the networks inside that may be reached",
            tls: authorities::read(&self.authorities),
            token: String::new(),
            ssh: SshRules {
                known_hosts: self.ssh_known_hosts.clone(),
                ask_password: std::env::current_exe().ok(),
                ..SshRules::default()
            },
        }
    }
}
