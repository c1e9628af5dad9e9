//! What an exchange has since it joined an office of several: its papers and whom it believes, in `membership` of its data folder.

pub(crate) mod shared;

use crate::Failure;
use crate::directory::protocol::{FromExchange, Joined, LONGEST, NAME, ToExchange};
use crate::directory::{hex, papers_in, random, unhex, write};
use directory::{ExchangeName, Fingerprint, TicketKey};
use exchange::Membership;
use net::{Lines, Papers};
use serde::{Deserialize, Serialize};
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// A membership as it lies on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    /// Our name.
    pub(crate) exchange: ExchangeName,
    /// Where the directory is: `host:port`.
    pub(crate) directory: String,
    signing_key: String,
    ticket_key: String,
    #[serde(skip)]
    folder: PathBuf,
}

/// A newer certificate and its key.
const NEXT: &str = "next.pem";

fn folder(data: &Path) -> PathBuf {
    data.join("membership")
}

impl Member {
    /// The membership in a data folder; none if this exchange joined no directory.
    pub(crate) fn read(data: &Path) -> Result<Option<Member>, Failure> {
        let (folder, path) = (folder(data), folder(data).join("membership.json"));
        if !path.exists() {
            return Ok(None);
        }
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read(&path).map_err(|error| at(&error))?;
        let member: Member = serde_json::from_slice(&text).map_err(|error| at(&error))?;
        Ok(Some(Member { folder, ..member }))
    }

    pub(crate) fn papers(&self) -> Papers {
        papers_in(&self.folder)
    }

    /// A newer certificate and its key, if there is one that the directory has not seen yet.
    pub(crate) fn next_papers(&self) -> Option<Papers> {
        let next = self.folder.join(NEXT);
        next.exists().then(|| Papers { certificate: next.clone(), key: next, ..self.papers() })
    }

    /// Keeps a newer certificate for this key, if it is one and has that key.
    pub(crate) fn keep_next(&self, key: &str, certificate: &str) -> Result<(), Failure> {
        let path = self.folder.join(NEXT);
        write(&path, [key, certificate].concat().as_bytes())?;
        let next = Papers { certificate: path.clone(), key: path, ..self.papers() };
        if let Err(error) = next.client().and_then(|_| next.server(false)) {
            self.drop_next()?;
            return Err(error.into());
        }
        Ok(())
    }

    /// The directory knows us by the newer certificate: it takes the place of the last.
    pub(crate) fn take_next(&self) -> Result<Fingerprint, Failure> {
        fs::rename(self.folder.join(NEXT), self.papers().certificate)?;
        fs::File::open(&self.folder).and_then(|folder| folder.sync_all())?;
        Ok(Fingerprint(self.papers().fingerprint()?))
    }

    /// The directory does not want the newer certificate.
    pub(crate) fn drop_next(&self) -> Result<(), Failure> {
        Ok(fs::remove_file(self.folder.join(NEXT))?)
    }

    fn write(&self) -> Result<(), Failure> {
        write(&self.folder.join("membership.json"), &serde_json::to_vec_pretty(self)?)
    }

    /// Where the newest copy of the directory is kept for a start without it.
    pub(crate) fn copy(&self) -> PathBuf {
        self.folder.join("directory.copy")
    }

    /// The key that the directory signs with.
    pub(crate) fn signing_key(&self) -> Result<[u8; 32], Failure> {
        unhex(&self.signing_key).ok_or_else(|| "membership.json: signing_key is no key of 32 octets".into())
    }

    /// What the exchange needs of it.
    pub(crate) fn membership(&self) -> Result<Membership, Failure> {
        let ticket_key = unhex(&self.ticket_key).map(TicketKey);
        Ok(Membership {
            name: self.exchange.clone(),
            fingerprint: Fingerprint(self.papers().fingerprint()?),
            ticket_key: ticket_key.ok_or("membership.json: ticket_key is no key of 32 octets")?,
            // Tickets of our own are of this start alone.
            seed: random()?,
            own_key: random()?,
            directory: self.signing_key()?,
        })
    }
}

/// An invitation: `ringdown://HOST:PORT/KEY#FINGERPRINT`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Where the directory is.
    pub(crate) directory: String,
    /// The one-time key.
    pub(crate) key: String,
    /// SHA-256 of the directory's certificate.
    pub(crate) fingerprint: [u8; 32],
}

impl Link {
    pub(crate) fn parse(text: &str) -> Result<Link, Failure> {
        let read = || {
            let rest = text.trim().strip_prefix("ringdown://")?;
            let (rest, fingerprint) = rest.split_once('#')?;
            let (directory, key) = rest.split_once('/')?;
            let port = directory.rsplit_once(':')?.1;
            port.parse::<u16>().ok()?;
            Some(Link { directory: directory.into(), key: key.into(), fingerprint: unhex(fingerprint)? })
        };
        read()
            .ok_or_else(|| "this is no invitation: it looks like ringdown://HOST:PORT/KEY#FINGERPRINT".into())
    }
}

impl std::fmt::Display for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ringdown://{}/{}#{}", self.directory, self.key, hex(&self.fingerprint))
    }
}

/// Joins with an invitation; what comes back is kept in the data folder.
pub(crate) fn join(data: &Path, link: &Link) -> Result<ExchangeName, Failure> {
    if Member::read(data)?.is_some() {
        return Err(format!(
            "this exchange has joined a directory already; remove {} to leave it",
            folder(data).display()
        )
        .into());
    }
    let (key, public_key) = net::new_key()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let join = FromExchange::Join { key: link.key.clone(), public_key: hex(&public_key) };
    let joined = runtime.block_on(ask(link, &serde_json::to_string(&join)?))?;
    let exchange = joined.exchange.clone();
    keep(data, link, &key, &joined)?;
    Ok(exchange)
}

async fn ask(link: &Link, line: &str) -> Result<Joined, Failure> {
    let tls = net::stranger_to(link.fingerprint)?;
    let at = |error: std::io::Error| format!("the directory at {}: {error}", link.directory);
    let mut lines = Lines::connect(&*link.directory, NAME, tls, LONGEST).await.map_err(at)?;
    lines.writer.send(line).await.map_err(at)?;
    let answer = lines.reader.next().await.map_err(at)?.ok_or("the directory said nothing")?;
    match serde_json::from_str(&answer)? {
        ToExchange::Joined(joined) => Ok(joined),
        ToExchange::Refused(why) => Err(format!("the directory at {}: {why}", link.directory).into()),
        _ => Err("the directory answers something else".into()),
    }
}

/// The one file that makes it a membership comes last.
fn keep(data: &Path, link: &Link, key: &str, joined: &Joined) -> Result<(), Failure> {
    let folder = folder(data);
    make_folder(&folder)?;
    write(&papers_in(&folder).certificate, [key, &joined.certificate].concat().as_bytes())?;
    write(&folder.join("authority.pem"), joined.root.as_bytes())?;
    let member = Member {
        exchange: joined.exchange.clone(),
        directory: link.directory.clone(),
        signing_key: joined.directory.clone(),
        ticket_key: joined.ticket_key.clone(),
        folder,
    };
    member.write()
}

fn make_folder(folder: &Path) -> Result<(), Failure> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| format!("{}: {error}", folder.display()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_read_as_it_is_written() {
        let link = Link { directory: "dir.example:5063".into(), key: "ab12".into(), fingerprint: [7; 32] };
        assert_eq!(Link::parse(&link.to_string()).unwrap(), link);
        for bad in ["", "http://x/y#z", "ringdown://x/key#07", "ringdown://x:y/key#07", "ringdown://x:1/key"]
        {
            assert!(Link::parse(bad).unwrap_err().to_string().contains("ringdown://HOST:PORT"), "{bad}");
        }
    }
}
