//! What a directory keeps of itself: its keys, the exchanges that joined, and invitations that nobody has used.

use super::home::{Home, Shelf};
use super::invitations::Invitations;
use super::protocol::{Joined, NAME};
use crate::Failure;
use clock::Wall;
use directory::{ExchangeName, Fingerprint, Issuer, Named as _, TicketKey};
use net::{Authority, Papers};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

/// How long before its end a certificate is made anew.
const RENEWED_BEFORE: i64 = 30 * 86_400;
/// The authority, what the directory proves itself with, and what it signs with.
const AUTHORITY_KEY: &str = "authority-key.pem";
const AUTHORITY: &str = "authority.pem";
const PAPERS: &str = "papers.pem";
const SIGNING_KEY: &str = "signing-key";

/// The directory's own part of its home.
pub(crate) struct Folder {
    home: Arc<Home>,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) exchange: ExchangeName,
    /// Of the certificate that it shows.
    pub(crate) fingerprint: Fingerprint,
    /// Of a newer one that it has not shown yet.
    pub(crate) next: Option<Fingerprint>,
    pub(crate) key: TicketKey,
}

impl Folder {
    /// With keys that are made now if there are none, unless the home is another's.
    pub(crate) fn open(home: Arc<Home>, now: Wall) -> Result<Folder, Failure> {
        let seconds = u64::try_from(now.seconds()).unwrap_or(0);
        let kept = |name| home.read(Shelf::Keys, name);
        let (key, root) = match (kept(AUTHORITY_KEY)?, kept(AUTHORITY)?) {
            (Some(key), Some(root)) => (key, root),
            _ if !home.is_served() => {
                return Err("no directory has started on this database; start it first".into());
            }
            _ => {
                let (key, root) = Authority::make(seconds)?;
                home.keep(Shelf::Keys, &[(AUTHORITY_KEY, &key), (AUTHORITY, &root)])?;
                (key, root)
            }
        };
        let authority = Authority::read(&key, &root).map_err(|error| format!("{AUTHORITY_KEY}: {error}"))?;
        let folder = Folder { home, authority };
        if folder.home.is_served() {
            folder.key(SIGNING_KEY, || Ok(hex(&random::<32>()?)))?;
            folder.home.lay_out(AUTHORITY, &root)?;
            match folder.home.read(Shelf::Keys, PAPERS)? {
                Some(papers) => folder.home.lay_out(PAPERS, &papers)?,
                // Another directory's may lie there.
                None => drop(fs::remove_file(folder.papers().certificate)),
            }
            folder.renew_own(now)?;
        }
        Ok(folder)
    }

    /// A key of the directory's, made now if there is none.
    pub(crate) fn key(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<String, Failure>,
    ) -> Result<String, Failure> {
        if let Some(key) = self.home.read(Shelf::Keys, name)? {
            return Ok(key);
        }
        let key = make()?;
        self.home.keep(Shelf::Keys, &[(name, &key)])?;
        Ok(key)
    }

    /// What it signs with.
    pub(crate) fn issuer(&self) -> Result<Issuer, Failure> {
        let key = self.home.read(Shelf::Keys, SIGNING_KEY)?.ok_or("the directory has no key to sign with")?;
        let seed = unhex::<32>(key.trim());
        Ok(Issuer::new(&seed.ok_or_else(|| format!("{SIGNING_KEY}: is no key of 32 octets"))?))
    }

    /// What it proves itself with.
    pub(crate) fn papers(&self) -> Papers {
        papers_in(self.home.path())
    }

    /// SHA-256 of its certificate.
    pub(crate) fn fingerprint(&self) -> Result<[u8; 32], Failure> {
        let papers = self.home.read(Shelf::Keys, PAPERS)?.ok_or("the directory has no certificate")?;
        Ok(net::fingerprint_of_pem(&papers)?)
    }

    /// Makes the directory's own certificate anew when it is time; whether it was.
    pub(crate) fn renew_own(&self, now: Wall) -> Result<bool, Failure> {
        if !renewal_is_due(&self.papers(), now) {
            return Ok(false);
        }
        let (key, public) = net::new_key()?;
        let papers = key + &self.vouch(&[NAME], &public, now)?;
        self.home.keep(Shelf::Keys, &[(PAPERS, &papers)])?;
        self.home.lay_out(PAPERS, &papers)?;
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

    /// Whether what must happen once may happen here.
    pub(crate) fn is_ours(&self) -> bool {
        self.home.is_ours()
    }

    fn invitations(&self) -> Invitations<'_> {
        Invitations::of(&self.home, Shelf::Invitations)
    }

    /// An exchange joins with a one-time key; it is kept before anybody is told.
    pub(crate) fn join(&self, key: &str, public_key: &str, now: Wall) -> Result<(Known, Joined), Failure> {
        let public_key = octets(public_key).ok_or("the public key is not in hexadecimal")?;
        let exchange: ExchangeName = self.invitations().redeem(key, now)?;
        let certificate = self.vouch(&[exchange.as_str()], &public_key, now)?;
        let fingerprint = Fingerprint(net::fingerprint_of_pem(&certificate)?);
        let key = TicketKey(random()?);
        self.keep(&exchange, fingerprint, &key)?;
        let joined = Joined {
            exchange: exchange.clone(),
            certificate,
            root: self.root().into(),
            directory: hex(&self.issuer()?.public()),
            ticket_key: hex(&key.0),
        };
        Ok((Known { exchange, fingerprint, next: None, key }, joined))
    }

    /// An exchange joined, or shows its newer certificate.
    pub(crate) fn keep(
        &self,
        exchange: &ExchangeName,
        fingerprint: Fingerprint,
        key: &TicketKey,
    ) -> Result<(), Failure> {
        self.put(exchange, &Member { fingerprint, ticket_key: hex(&key.0), next: None })
    }

    /// It has a newer certificate, which counts from the moment it is shown.
    pub(crate) fn keep_next(&self, exchange: &ExchangeName, next: Fingerprint) -> Result<(), Failure> {
        let name = name_of(exchange);
        let member = self.home.read(Shelf::Exchanges, &name)?.ok_or("it is no member any more")?;
        self.put(exchange, &Member { next: Some(next), ..read_member(&name, &member)? })
    }

    fn put(&self, exchange: &ExchangeName, member: &Member) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(member)?;
        self.home.keep(Shelf::Exchanges, &[(&name_of(exchange), &text)])
    }

    /// All that joined.
    pub(crate) fn members(&self) -> Result<Vec<Known>, Failure> {
        let mut members = Vec::new();
        for (name, text) in self.home.all(Shelf::Exchanges)? {
            let wrong = || format!("exchanges/{name}: is no exchange's");
            let exchange = name.strip_suffix(".json").and_then(octets);
            let exchange = exchange.and_then(|name| String::from_utf8(name).ok()).ok_or_else(wrong)?;
            let Member { fingerprint, ticket_key, next } = read_member(&name, &text)?;
            let key = unhex(&ticket_key).map(TicketKey).ok_or_else(wrong)?;
            members.push(Known { exchange: ExchangeName::parse(&exchange)?, fingerprint, next, key });
        }
        members.sort_by(|one, other| one.exchange.cmp(&other.exchange));
        Ok(members)
    }
}

/// A name may hold what a path may not.
fn name_of(exchange: &ExchangeName) -> String {
    format!("{}.json", hex(exchange.as_str().as_bytes()))
}

fn read_member(name: &str, text: &str) -> Result<Member, Failure> {
    Ok(serde_json::from_str(text).map_err(|error| format!("exchanges/{name}: {error}"))?)
}

/// Key and certificate lie in one file, so that one is never without the other.
pub(crate) fn papers_in(folder: &Path) -> Papers {
    let own = folder.join(PAPERS);
    Papers { certificate: own.clone(), key: own, root: folder.join(AUTHORITY) }
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
    use super::super::home::tests::with_both;
    use super::*;

    #[test]
    fn members_and_keys_are_kept() {
        with_both("directory", |data, home| {
            let (now, exchange) = (Wall(1_800_000_000_000), ExchangeName::parse("north/1").unwrap());
            let open = |now| Folder::open(home(), now).unwrap();
            let folder = open(now);
            let own = folder.invite(&ExchangeName::parse("Directory").unwrap(), now);
            assert!(own.unwrap_err().to_string().contains("own name"));
            let (key, public) = (folder.invite(&exchange, now).unwrap(), hex(&net::new_key().unwrap().1));
            let (known, joined) = folder.join(&key, &public, now).unwrap();
            assert_eq!((&known.exchange, known.next), (&exchange, None));
            assert_eq!(joined.root, folder.root());
            assert!(folder.join(&key, &public, now).unwrap_err().to_string().contains("was used"));
            // The same keys at the next start, and on a machine that has nothing but the database.
            let _ = fs::remove_file(data.join("directory").join(if data.join("office.db").exists() {
                PAPERS
            } else {
                ""
            }));
            let again = open(now);
            assert_eq!(again.members().unwrap(), std::slice::from_ref(&known));
            again.keep_next(&exchange, Fingerprint([9; 32])).unwrap();
            assert_eq!(again.members().unwrap(), [Known { next: Some(Fingerprint([9; 32])), ..known }]);
            assert_eq!(again.issuer().unwrap().public(), folder.issuer().unwrap().public());
            assert_eq!(again.papers().fingerprint().unwrap(), folder.fingerprint().unwrap());
            // In time, the certificate is made anew.
            let later = open(Wall(now.0 + 61 * 86_400_000));
            let lasts = net::validity(&later.papers().certificate).unwrap().until;
            assert_eq!(lasts, 1_800_000_000 + 61 * 86_400 + 90 * 86_400);
        });
    }
}
