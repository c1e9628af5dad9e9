//! The apps that enrolled, and invitations that nobody has used.

use super::super::folder::{hex, unhex};
use super::super::home::{Home, Shelf};
use super::super::invitations::Invitations;
use crate::Failure;
use clock::Wall;
use directory::{AccountName, Confirmation, DeviceId, ExchangeName, Fingerprint, Named as _, Way};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a directory keeps of apps.
#[derive(Clone)]
pub(crate) struct AppFolder {
    home: Arc<Home>,
}

/// An app that enrolled, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrolment {
    pub(crate) device: DeviceId,
    pub(crate) account: AccountName,
    /// P-256, uncompressed, in hexadecimal.
    pub(crate) public_key: String,
    /// Of its certificate.
    pub(crate) fingerprint: Fingerprint,
    /// When that ends, in seconds since 1970.
    pub(crate) until: i64,
    /// How it is woken.
    pub(crate) ways: Vec<Way>,
    /// Of the certificate that its media show, if it is a page in a browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media: Option<Fingerprint>,
    /// The home of its account, as it was told last; only that one says that the account is no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) home: Option<ExchangeName>,
}

impl Enrolment {
    /// What it proves with at exchanges that it is it.
    pub(crate) fn cnf(&self) -> Confirmation {
        self.media.map_or(Confirmation::Tls(self.fingerprint), Confirmation::Media)
    }
}

impl AppFolder {
    /// In the home of a directory.
    pub(crate) fn within(home: Arc<Home>) -> AppFolder {
        AppFolder { home }
    }

    /// A one-time key with which a device of this account enrols.
    pub(crate) fn invite(&self, account: &AccountName, now: Wall) -> Result<String, Failure> {
        self.invitations().invite(account, now)
    }

    /// Whose devices a one-time key lets in.
    pub(crate) fn redeem(&self, key: &str, now: Wall) -> Result<AccountName, Failure> {
        self.invitations().redeem(key, now)
    }

    fn invitations(&self) -> Invitations<'_> {
        Invitations::of(&self.home, Shelf::AppInvitations)
    }

    /// What is answered to an app is true from now on.
    pub(crate) fn keep(&self, enrolment: &Enrolment) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(enrolment)?;
        self.home.keep(Shelf::Apps, &[(&name_of(&enrolment.device), &text)])
    }

    /// Whether an app is still one of the office.
    pub(crate) fn has(&self, device: &DeviceId) -> Result<bool, Failure> {
        Ok(self.home.read(Shelf::Apps, &name_of(device))?.is_some())
    }

    /// Which of these are none of the office any more.
    pub(crate) fn gone(&self, known: Vec<DeviceId>) -> Result<Vec<DeviceId>, Failure> {
        let kept: BTreeSet<String> = self.home.all(Shelf::Apps)?.into_iter().map(|(name, _)| name).collect();
        Ok(known.into_iter().filter(|device| !kept.contains(&name_of(device))).collect())
    }

    /// An app is one of the office no more.
    pub(crate) fn remove(&self, device: &DeviceId) -> Result<(), Failure> {
        let removed = self.home.take(Shelf::Apps, &name_of(device))?;
        removed.map(drop).ok_or_else(|| format!("there is no app {device}").into())
    }

    /// All that enrolled.
    pub(crate) fn enrolled(&self) -> Result<Vec<Enrolment>, Failure> {
        let mut all: Vec<Enrolment> = Vec::new();
        for (name, text) in self.home.all(Shelf::Apps)? {
            all.push(serde_json::from_str(&text).map_err(|error| format!("apps/{name}: {error}"))?);
        }
        all.sort_by(|one, other| one.device.cmp(&other.device));
        Ok(all)
    }
}

/// A name may hold what a path may not.
fn name_of(device: &DeviceId) -> String {
    format!("{}.json", hex(device.as_str().as_bytes()))
}

/// An invitation of an app: `ringdown-app://HOST:PORT/KEY#FINGERPRINT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppLink {
    /// Where the directory is for apps.
    pub(crate) directory: String,
    /// The one-time key.
    pub(crate) key: String,
    /// SHA-256 of the directory's certificate.
    pub(crate) fingerprint: [u8; 32],
}

impl AppLink {
    /// The same for a browser, whose address bar does not tell the key to anybody.
    pub(crate) fn page(&self) -> String {
        format!("https://{}/#{}", self.directory, self.key)
    }
}

impl std::str::FromStr for AppLink {
    type Err = String;

    fn from_str(text: &str) -> Result<AppLink, String> {
        let read = || {
            let rest = text.trim().strip_prefix("ringdown-app://")?;
            let (rest, fingerprint) = rest.split_once('#')?;
            let (directory, key) = rest.split_once('/')?;
            directory.rsplit_once(':')?.1.parse::<u16>().ok()?;
            Some(AppLink { directory: directory.into(), key: key.into(), fingerprint: unhex(fingerprint)? })
        };
        read().ok_or_else(|| {
            "this is no invitation of an app: it looks like ringdown-app://HOST:PORT/KEY#FINGERPRINT".into()
        })
    }
}

impl std::fmt::Display for AppLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ringdown-app://{}/{}#{}", self.directory, self.key, hex(&self.fingerprint))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::home::tests::with_both;
    use super::*;

    #[test]
    fn apps_are_kept() {
        with_both("apps", |_, open| {
            let (now, anna) = (Wall(1_800_000_000_000), AccountName::parse("anna").unwrap());
            let folder = AppFolder::within(open());
            let key = folder.invite(&anna, now).unwrap();
            assert_eq!(folder.redeem(&key, now).unwrap(), anna);
            let enrolment = Enrolment {
                device: DeviceId::parse("app-1").unwrap(),
                account: anna,
                public_key: "04ab".into(),
                fingerprint: Fingerprint([7; 32]),
                until: 5,
                ways: vec![],
                media: None,
                home: None,
            };
            let device = &enrolment.device;
            folder.keep(&enrolment).unwrap();
            let again = AppFolder::within(open());
            assert_eq!(again.enrolled().unwrap()[0].device, *device);
            assert!(again.has(device).unwrap() && again.gone(vec![device.clone()]).unwrap().is_empty());
            again.remove(device).unwrap();
            assert!(!folder.has(device).unwrap() && again.remove(device).is_err());
            assert_eq!(folder.gone(vec![device.clone()]).unwrap(), std::slice::from_ref(device));
        });
    }

    #[test]
    fn a_link_is_read_as_it_is_written() {
        let key = "6f0c9e6a0d8e4d7c".to_owned();
        let link = AppLink { directory: "dir.example:5064".into(), key, fingerprint: [7; 32] };
        assert_eq!(link.page(), format!("https://dir.example:5064/#{}", link.key));
        assert_eq!(link.to_string().parse(), Ok(link));
        for bad in ["", "ringdown://x:1/key#07", "ringdown-app://x/key#07", "ringdown-app://x:1/key"] {
            assert!(bad.parse::<AppLink>().unwrap_err().contains("ringdown-app://HOST:PORT"), "{bad}");
        }
    }
}
