//! The apps that enrolled, and invitations that nobody has used, each in a file of its own.

use super::super::folder::{hex, unhex, write};
use super::super::invitations::Invitations;
use crate::Failure;
use clock::Wall;
use directory::{AccountName, Confirmation, DeviceId, Fingerprint, Named as _, Way};
use serde::{Deserialize, Serialize};
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// The folder.
pub(crate) struct AppFolder {
    path: PathBuf,
}

/// An app that enrolled, as it lies on disk.
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
}

impl Enrolment {
    /// What it proves with at exchanges that it is it.
    pub(crate) fn cnf(&self) -> Confirmation {
        self.media.map_or(Confirmation::Tls(self.fingerprint), Confirmation::Media)
    }
}

impl AppFolder {
    /// In a data folder of a directory, made now if there is none.
    pub(crate) fn open(data: &Path) -> Result<AppFolder, Failure> {
        let path = data.join("directory");
        for folder in [path.join("apps"), path.join("app-invitations")] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        Ok(AppFolder { path })
    }

    /// A one-time key with which a device of this account enrols.
    pub(crate) fn invite(&self, account: &AccountName, now: Wall) -> Result<String, Failure> {
        self.invitations().invite(account, now)
    }

    /// Whose devices a one-time key lets in.
    pub(crate) fn redeem(&self, key: &str, now: Wall) -> Result<AccountName, Failure> {
        self.invitations().redeem(key, now)
    }

    fn invitations(&self) -> Invitations {
        Invitations::within(&self.path.join("app-invitations"))
    }

    /// What is answered to an app is true from now on.
    pub(crate) fn keep(&self, enrolment: &Enrolment) -> Result<(), Failure> {
        write(&self.file(&enrolment.device), &serde_json::to_vec_pretty(enrolment)?)
    }

    /// Whether an app is still one of the office.
    pub(crate) fn has(&self, device: &DeviceId) -> bool {
        self.file(device).exists()
    }

    /// An app is one of the office no more.
    pub(crate) fn remove(&self, device: &DeviceId) -> Result<(), Failure> {
        fs::remove_file(self.file(device)).map_err(|_| format!("there is no app {device}").into())
    }

    fn file(&self, device: &DeviceId) -> PathBuf {
        // A name may hold what a path may not.
        self.path.join("apps").join(format!("{}.json", hex(device.as_str().as_bytes())))
    }

    /// All that enrolled.
    pub(crate) fn enrolled(&self) -> Result<Vec<Enrolment>, Failure> {
        let mut all: Vec<Enrolment> = Vec::new();
        for entry in fs::read_dir(self.path.join("apps"))? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let text = fs::read(&path).map_err(|error| at(&error))?;
            all.push(serde_json::from_slice(&text).map_err(|error| at(&error))?);
        }
        all.sort_by(|one, other| one.device.cmp(&other.device));
        Ok(all)
    }
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
    use super::*;

    #[test]
    fn apps_are_kept_and_a_link_is_read_as_it_is_written() {
        let data = std::env::temp_dir().join(format!("ringdown-apps-{}", std::process::id()));
        let (now, anna) = (Wall(1_800_000_000_000), AccountName::parse("anna").unwrap());
        let folder = AppFolder::open(&data).unwrap();
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
        };
        folder.keep(&enrolment).unwrap();
        let again = AppFolder::open(&data).unwrap();
        assert_eq!(again.enrolled().unwrap()[0].device, enrolment.device);
        assert!(again.has(&enrolment.device));
        again.remove(&enrolment.device).unwrap();
        assert!(!folder.has(&enrolment.device) && again.remove(&enrolment.device).is_err());
        fs::remove_dir_all(&data).unwrap();

        let link = AppLink { directory: "dir.example:5064".into(), key, fingerprint: [7; 32] };
        assert_eq!(link.page(), format!("https://dir.example:5064/#{}", link.key));
        assert_eq!(link.to_string().parse(), Ok(link));
        for bad in ["", "ringdown://x:1/key#07", "ringdown-app://x/key#07", "ringdown-app://x:1/key"] {
            assert!(bad.parse::<AppLink>().unwrap_err().contains("ringdown-app://HOST:PORT"), "{bad}");
        }
    }
}
