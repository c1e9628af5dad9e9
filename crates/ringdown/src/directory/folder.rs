//! What a directory keeps, each in a file of its own that is written whole or not at all: its keys, the exchanges that joined,
//! and invitations that nobody has used.

use super::invitations::Invitations;
use super::protocol::NAME;
use crate::Failure;
use clock::Wall;
use directory::{ExchangeName, Fingerprint, Issuer, Named as _, TicketKey};
use net::{Authority, Papers};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// How long before its end a certificate is made anew.
const RENEWED_BEFORE: i64 = 30 * 86_400;
/// The folder.
pub(crate) struct Folder {
    path: PathBuf,
    authority: Authority,
}

/// An exchange that joined.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    fingerprint: Fingerprint,
    ticket_key: String,
    /// Of a newer certificate that it has not shown yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<Fingerprint>,
}

/// An exchange that joined, as the directory's other parts see it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) exchange: ExchangeName,
    /// Of the certificate that it shows.
    pub(crate) fingerprint: Fingerprint,
    /// Of a newer one that it has not shown yet.
    pub(crate) next: Option<Fingerprint>,
    pub(crate) key: TicketKey,
}

impl Folder {
    /// The directory's part of a data folder, made now if there is none.
    pub(crate) fn open(data: &Path, now: Wall) -> Result<Folder, Failure> {
        let path = data.join("directory");
        for folder in [path.clone(), path.join("exchanges"), path.join("invitations")] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let seconds = u64::try_from(now.seconds()).unwrap_or(0);
        let authority = Authority::open(&path, seconds)?;
        let seed_path = path.join("signing-key");
        if !seed_path.exists() {
            write(&seed_path, hex(&random::<32>()?).as_bytes())?;
        }
        let folder = Folder { path, authority };
        folder.renew_own(now)?;
        Ok(folder)
    }

    /// What it signs with.
    pub(crate) fn issuer(&self) -> Result<Issuer, Failure> {
        let path = self.path.join("signing-key");
        let seed = unhex::<32>(fs::read_to_string(&path)?.trim());
        Ok(Issuer::new(&seed.ok_or_else(|| format!("{}: is no key of 32 octets", path.display()))?))
    }

    /// What it proves itself with.
    pub(crate) fn papers(&self) -> Papers {
        papers_in(&self.path)
    }

    /// Makes the directory's own certificate anew when it is time; whether it was.
    pub(crate) fn renew_own(&self, now: Wall) -> Result<bool, Failure> {
        let papers = self.papers();
        if !renewal_is_due(&papers, now) {
            return Ok(false);
        }
        let (key, public) = net::new_key()?;
        let certificate = self.vouch(&[NAME], &public, now)?;
        write(&papers.certificate, (key + &certificate).as_bytes())?;
        Ok(true)
    }

    /// A certificate for the holder of a key.
    pub(crate) fn vouch(&self, names: &[&str], public_key: &[u8], now: Wall) -> Result<String, Failure> {
        let seconds = u64::try_from(now.seconds()).unwrap_or(0);
        Ok(self.authority.vouch(names, public_key, seconds)?)
    }

    /// The authority's own certificate, PEM.
    pub(crate) fn root(&self) -> &str {
        self.authority.root()
    }

    /// A one-time key with which an exchange joins under this name.
    pub(crate) fn invite(&self, exchange: &ExchangeName, now: Wall) -> Result<String, Failure> {
        // Its certificate would be taken for the directory's own.
        if exchange.as_str().eq_ignore_ascii_case(NAME) {
            return Err(format!("\"{NAME}\" is the directory's own name").into());
        }
        self.invitations().invite(exchange, now)
    }

    /// Which exchange a one-time key invites.
    pub(crate) fn redeem(&self, key: &str, now: Wall) -> Result<ExchangeName, Failure> {
        self.invitations().redeem(key, now)
    }

    fn invitations(&self) -> Invitations {
        Invitations::within(&self.path.join("invitations"))
    }

    /// An exchange joined; what is answered to it is true from now on.
    pub(crate) fn keep(
        &self,
        exchange: &ExchangeName,
        fingerprint: Fingerprint,
        key: &TicketKey,
    ) -> Result<(), Failure> {
        let member = Member { fingerprint, ticket_key: hex(&key.0), next: None };
        write(&self.member(exchange), &serde_json::to_vec_pretty(&member)?)
    }

    /// It has a newer certificate, which counts from the moment it is shown.
    pub(crate) fn keep_next(&self, exchange: &ExchangeName, next: Fingerprint) -> Result<(), Failure> {
        let member = Member { next: Some(next), ..read_member(&self.member(exchange))? };
        write(&self.member(exchange), &serde_json::to_vec_pretty(&member)?)
    }

    fn member(&self, exchange: &ExchangeName) -> PathBuf {
        // A name may hold what a path may not.
        self.path.join("exchanges").join(format!("{}.json", hex(exchange.as_str().as_bytes())))
    }

    /// All that joined.
    pub(crate) fn members(&self) -> Result<Vec<Known>, Failure> {
        let mut members = Vec::new();
        for entry in fs::read_dir(self.path.join("exchanges"))? {
            let path = entry?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let wrong = || format!("{}: is no exchange's file", path.display());
            let name = octets(stem).and_then(|name| String::from_utf8(name).ok()).ok_or_else(wrong)?;
            let Member { fingerprint, ticket_key, next } = read_member(&path)?;
            let key = unhex(&ticket_key).map(TicketKey).ok_or_else(wrong)?;
            members.push(Known { exchange: ExchangeName::parse(&name)?, fingerprint, next, key });
        }
        members.sort_by(|one, other| one.exchange.cmp(&other.exchange));
        Ok(members)
    }
}

fn read_member(path: &Path) -> Result<Member, Failure> {
    let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = fs::read(path).map_err(|error| at(&error))?;
    Ok(serde_json::from_slice(&text).map_err(|error| at(&error))?)
}

/// Key and certificate lie in one file, so that one is never without the other.
pub(crate) fn papers_in(folder: &Path) -> Papers {
    let own = folder.join("papers.pem");
    Papers { certificate: own.clone(), key: own, root: folder.join("authority.pem") }
}

/// Whether a certificate ends soon, or is none.
pub(crate) fn renewal_is_due(papers: &Papers, now: Wall) -> bool {
    let until = net::validity(&papers.certificate).map_or(0, |validity| validity.until);
    until - now.seconds() <= RENEWED_BEFORE
}

/// Whole or not at all, readable by its owner alone.
pub(crate) fn write(path: &Path, octets: &[u8]) -> Result<(), Failure> {
    let at = |error: std::io::Error| format!("{}: {error}", path.display());
    let beside = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(at)?;
    file.write_all(octets).map_err(at)?;
    file.sync_all().map_err(at)?;
    fs::rename(&beside, path).map_err(at)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(at)?;
    Ok(())
}

/// Random octets of the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut octets = [0; N];
    fs::File::open("/dev/urandom")?.read_exact(&mut octets)?;
    Ok(octets)
}

/// In hexadecimal.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Reads [`hex`].
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    octets(text)?.try_into().ok()
}

/// The same, of any length.
pub(crate) fn octets(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    (digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit))
        .then(|| digits.chunks(2).map(pair).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_keys_are_kept() {
        let data = std::env::temp_dir().join(format!("ringdown-directory-{}", std::process::id()));
        let (now, exchange) = (Wall(1_800_000_000_000), ExchangeName::parse("north/1").unwrap());
        let folder = Folder::open(&data, now).unwrap();
        let own = folder.invite(&ExchangeName::parse("Directory").unwrap(), now);
        assert!(own.unwrap_err().to_string().contains("own name"));
        let key = folder.invite(&exchange, now).unwrap();
        assert_eq!(folder.redeem(&key, now).unwrap(), exchange);
        folder.keep(&exchange, Fingerprint([7; 32]), &TicketKey([8; 32])).unwrap();
        // The same keys at the next start.
        let again = Folder::open(&data, now).unwrap();
        let known = |next| {
            let (exchange, fingerprint, key) = (exchange.clone(), Fingerprint([7; 32]), TicketKey([8; 32]));
            Known { exchange, fingerprint, next, key }
        };
        assert_eq!(again.members().unwrap(), [known(None)]);
        again.keep_next(&exchange, Fingerprint([9; 32])).unwrap();
        assert_eq!(again.members().unwrap(), [known(Some(Fingerprint([9; 32])))]);
        assert_eq!(again.issuer().unwrap().public(), folder.issuer().unwrap().public());
        assert_eq!(again.papers().fingerprint().unwrap(), folder.papers().fingerprint().unwrap());
        // In time, the certificate is made anew.
        let later = Folder::open(&data, Wall(now.0 + 61 * 86_400_000)).unwrap();
        let lasts = net::validity(&later.papers().certificate).unwrap().until;
        assert_eq!(lasts, 1_800_000_000 + 61 * 86_400 + 90 * 86_400);
        fs::remove_dir_all(&data).unwrap();
    }
}
