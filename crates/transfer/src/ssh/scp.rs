//! Files by the protocol of `scp`, spoken with the program of that name at the host.

use super::sftp::Sftp;
use super::{Channel, SshRules, Wanted};
use crate::limits;
use crate::patience::soon;
use crate::range::fits;
use crate::{CHANGED, Fetched, Place};
use net::Reach;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Octets of a line.
const LINE: usize = 4_096;

/// A line of the other end.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// When the file was changed, in its own words.
    Time(String),
    /// So many octets come.
    File(u64),
    /// Something is wrong.
    Fault(String),
}

/// Speaks with one host.
pub(crate) struct Scp<'a> {
    pub(crate) reach: &'a Reach,
    pub(crate) rules: &'a SshRules,
}

/// A file is about to come.
struct Head {
    time: String,
    size: u64,
}

impl Scp<'_> {
    pub(crate) async fn fetch(&self, place: &Place) -> Result<Fetched, String> {
        let Some((before, bytes)) = self.look(place, true).await? else { return Ok(Fetched::Missing) };
        // It is not told whether a file changed while it was sent; a second look at it tells.
        match self.look(place, false).await? {
            Some((after, _)) if (&after.time, after.size) == (&before.time, before.size) => {
                Ok(Fetched::Bytes { bytes, tag: None })
            }
            _ => Err(CHANGED.to_owned()),
        }
    }

    pub(crate) async fn put(&self, place: &Place, bytes: &[u8]) -> Result<(), String> {
        let beside = place.beside();
        let mut channel = self.run(place, format!("scp -t -- {}", quoted(&beside))).await?;
        if let Err(why) = send(&mut channel, bytes).await {
            return Err(channel.explain(why).await);
        }
        drop(channel);
        match Sftp::open(self.reach, self.rules, place).await {
            Ok(sftp) => sftp.rename(&beside, &place.path).await,
            Err(_) => self.rename(place, &beside).await,
        }
    }

    /// A host without SFTP has a shell, or it would not have `scp`.
    async fn rename(&self, place: &Place, beside: &str) -> Result<(), String> {
        let command = format!("mv -f -- {} {} && echo renamed", quoted(beside), quoted(&place.path));
        let mut channel = self.run(place, command).await?;
        let mut said = [0; 8];
        match soon(channel.pipe.read_exact(&mut said)).await {
            Ok(_) if &said == b"renamed\n" => Ok(()),
            _ => Err(channel.explain("it does not rename the file that was sent".to_owned()).await),
        }
    }

    async fn run(&self, place: &Place, command: String) -> Result<Channel, String> {
        Channel::open(self.reach, self.rules, place, &Wanted::Command(command)).await
    }

    /// What the file is, and its octets if they are wanted.
    async fn look(&self, place: &Place, wanted: bool) -> Result<Option<(Head, Vec<u8>)>, String> {
        let mut channel = self.run(place, format!("scp -p -f -- {}", quoted(&place.path))).await?;
        match receive(&mut channel, wanted).await {
            Ok(file) => Ok(file),
            Err(why) => Err(channel.explain(why).await),
        }
    }
}

async fn receive(channel: &mut Channel, wanted: bool) -> Result<Option<(Head, Vec<u8>)>, String> {
    let mut head = Head { time: String::new(), size: 0 };
    loop {
        soon(channel.pipe.write_all(&[0])).await?;
        match line(channel).await? {
            Line::Time(time) => head.time = time,
            Line::File(size) => {
                head.size = size;
                break;
            }
            Line::Fault(why) if why.contains("No such file") => return Ok(None),
            Line::Fault(why) => return Err(why),
        }
    }
    fits(head.size)?;
    if !wanted {
        return Ok(Some((head, Vec::new())));
    }
    soon(channel.pipe.write_all(&[0])).await?;
    let mut bytes = Vec::new();
    let mut piece = vec![0; limits::PIECE];
    while (bytes.len() as u64) < head.size {
        let rest = usize::try_from(head.size - bytes.len() as u64).unwrap_or(usize::MAX).min(piece.len());
        let octets = soon(channel.pipe.read(&mut piece[..rest])).await?;
        if octets == 0 {
            return Err(format!("it broke off after {} octets", bytes.len()));
        }
        bytes.extend_from_slice(&piece[..octets]);
    }
    done(channel).await?;
    Ok(Some((head, bytes)))
}

async fn send(channel: &mut Channel, bytes: &[u8]) -> Result<(), String> {
    done(channel).await?;
    soon(channel.pipe.write_all(format!("C0644 {} results\n", bytes.len()).as_bytes())).await?;
    done(channel).await?;
    for piece in bytes.chunks(limits::PIECE) {
        soon(channel.pipe.write_all(piece)).await?;
    }
    soon(channel.pipe.write_all(&[0])).await?;
    done(channel).await
}

/// An octet of zero says that all is well.
async fn done(channel: &mut Channel) -> Result<(), String> {
    match soon(channel.pipe.read_u8()).await? {
        0 => Ok(()),
        first => match rest(channel, first).await? {
            Line::Fault(why) => Err(why),
            Line::Time(_) | Line::File(_) => Err(NO_SCP.to_owned()),
        },
    }
}

async fn line(channel: &mut Channel) -> Result<Line, String> {
    let first = soon(channel.pipe.read_u8()).await?;
    rest(channel, first).await
}

async fn rest(channel: &mut Channel, first: u8) -> Result<Line, String> {
    let mut text = vec![first];
    while text.last() != Some(&b'\n') && text.len() < LINE {
        text.push(soon(channel.pipe.read_u8()).await?);
    }
    read(&text).ok_or_else(|| NO_SCP.to_owned())
}

const NO_SCP: &str = "what answers does not speak as scp does";

/// A line, with its end.
fn read(text: &[u8]) -> Option<Line> {
    let text = std::str::from_utf8(text.strip_suffix(b"\n")?).ok()?;
    let (kind, rest) = text.split_at_checked(1)?;
    match kind {
        "\u{1}" | "\u{2}" => {
            let said: String = rest.chars().filter(|sign| !sign.is_control()).take(200).collect();
            Some(Line::Fault(said))
        }
        "T" => Some(Line::Time(rest.split(' ').next()?.to_owned())),
        "C" => Some(Line::File(rest.split(' ').nth(1)?.parse().ok()?)),
        _ => None,
    }
}

/// For the shell of the host, in which nothing of it stands for something else.
fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_read_or_are_none() {
        assert_eq!(read(b"T1700000000 0 1700000001 0\n"), Some(Line::Time("1700000000".to_owned())));
        assert_eq!(read(b"C0644 12 ada.csv\n"), Some(Line::File(12)));
        assert_eq!(
            read(b"\x01scp: a: No such file\x1b\n"),
            Some(Line::Fault("scp: a: No such file".to_owned()))
        );
        for bad in [&b""[..], b"\n", b"C0644\n", b"C0644 x a\n", b"C0644 12 a", b"D0755 0 a\n", b"\xff\n"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn sec_14_a_path_is_one_word_to_any_shell() {
        assert_eq!(quoted("a b;$(c)`d`*"), "'a b;$(c)`d`*'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = read(&octets);
        }
    }
}
