//! FTP (RFC 959, 2428, 3659), in clear or by TLS (RFC 4217): always passive, and data go only to the host that one has logged in
//! to. A file is sent under another name and renamed when it is whole.

mod control;
mod reply;

use crate::limits;
use crate::patience::soon;
use crate::range::fits;
use crate::{CHANGED, Fetched, FtpSecurity, Place};
use control::{Control, Pipe, expect, refused, secure};
use net::{ClientConfig, Reach};
use reply::Reply;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Somebody is logged in.
pub(crate) struct Session {
    control: Control,
    host: String,
    /// Who answers, port included.
    peer: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
}

/// What a server says of a file; nothing where it does not know the question.
#[derive(Debug, PartialEq, Eq)]
struct State {
    size: Option<u64>,
    modified: Option<String>,
}

impl Session {
    pub(crate) async fn open(
        reach: &Reach,
        place: &Place,
        security: FtpSecurity,
        tls: Option<Arc<ClientConfig>>,
    ) -> Result<Session, String> {
        let stream = reach.connect(&place.host, place.port).await?;
        let peer = stream.peer_addr().map_err(|error| error.to_string())?;
        let mut pipe: Pipe = Box::new(stream);
        if let (FtpSecurity::Implicit, Some(tls)) = (security, &tls) {
            pipe = secure(&place.host, pipe, Arc::clone(tls)).await?;
        }
        let mut control = Control::new(pipe);
        let mut greeting = control.hear().await?;
        if greeting.code == 120 {
            greeting = control.hear().await?;
        }
        expect("the connection", greeting, &[220])?;
        if let (FtpSecurity::Explicit, Some(tls)) = (security, &tls) {
            control.must("AUTH", "TLS", &[234]).await?;
            control = control.secure(&place.host, Arc::clone(tls)).await?;
        }
        let mut session = Session { control, host: place.host.clone(), peer, tls };
        session.log_in(place).await?;
        Ok(session)
    }

    async fn log_in(&mut self, place: &Place) -> Result<(), String> {
        let user = place.user.as_deref().unwrap_or("anonymous");
        let reply = self.control.say("USER", user).await?;
        if reply.code == 331 {
            let password = place.password.as_deref().unwrap_or("anonymous@");
            let reply = self.control.say("PASS", password).await?;
            if !matches!(reply.code, 202 | 230) {
                return Err(format!("it does not let {user} in ({} {})", reply.code, reply.text));
            }
        } else {
            expect("USER", reply, &[230, 232])?;
        }
        if self.tls.is_some() {
            // RFC 4217 9: data are as secret as the conversation.
            self.control.must("PBSZ", "0", &[200]).await?;
            self.control.must("PROT", "P", &[200]).await?;
        }
        // Octets as they are, and lengths that count them.
        self.control.must("TYPE", "I", &[200]).await?;
        Ok(())
    }

    pub(crate) async fn fetch(mut self, path: &str) -> Result<Fetched, String> {
        let before = self.state(path).await?;
        fits(before.size.unwrap_or(0))?;
        let stream = self.data().await?;
        let reply = self.control.say("RETR", path).await?;
        if reply.is_missing() {
            return Ok(Fetched::Missing);
        }
        expect("RETR", reply, &[125, 150])?;
        let pipe = self.shield(stream).await?;
        let (bytes, is_closed) = receive(pipe, limits::FILE).await?;
        let end = self.control.hear().await?;
        expect("RETR", end, &[226, 250])?;
        let after = self.state(path).await?;
        if after != before {
            return Err(CHANGED.to_owned());
        }
        match before.size {
            Some(size) if size != bytes.len() as u64 => {
                Err(format!("it has {size} octets, and {} came", bytes.len()))
            }
            // Some end TLS without a word, which is also how it is cut off; then only the length tells.
            None if !is_closed => Err(format!("it broke off after {} octets", bytes.len())),
            _ => {
                self.leave().await;
                Ok(Fetched::Bytes { bytes, tag: None })
            }
        }
    }

    /// The last part of each name that a folder has; some servers put the folder's before it.
    pub(crate) async fn names(mut self, folder: &str) -> Result<Vec<String>, String> {
        let stream = self.data().await?;
        let reply = self.control.say("NLST", folder).await?;
        if reply.is_missing() || is_empty_folder(&reply) {
            return Ok(Vec::new());
        }
        expect("NLST", reply, &[125, 150])?;
        let pipe = self.shield(stream).await?;
        let (bytes, _) = receive(pipe, limits::NAMES_OCTETS as u64).await?;
        let end = self.control.hear().await?;
        if !is_empty_folder(&end) {
            expect("NLST", end, &[226, 250])?;
        }
        self.leave().await;
        let text = String::from_utf8_lossy(&bytes);
        let last = |line: &str| line.rsplit('/').next().unwrap_or_default().to_owned();
        let names: Vec<String> = text.lines().map(last).take(limits::NAMES + 1).collect();
        if names.len() > limits::NAMES { Err(crate::TOO_MANY.to_owned()) } else { Ok(names) }
    }

    pub(crate) async fn put(mut self, place: &Place, bytes: &[u8]) -> Result<(), String> {
        let beside = place.beside();
        let stream = self.data().await?;
        self.control.must("STOR", &beside, &[125, 150]).await?;
        let mut pipe = self.shield(stream).await?;
        for piece in bytes.chunks(limits::PIECE) {
            soon(pipe.write_all(piece)).await?;
        }
        // By TLS this also says that nothing was cut off.
        soon(pipe.shutdown()).await?;
        drop(pipe);
        let end = self.control.hear().await?;
        expect("STOR", end, &[226, 250])?;
        if let Some(size) = self.state(&beside).await?.size
            && size != bytes.len() as u64
        {
            return Err(format!("{} octets were sent, and {size} are there", bytes.len()));
        }
        self.rename(&beside, &place.path).await?;
        self.leave().await;
        Ok(())
    }

    async fn rename(&mut self, from: &str, to: &str) -> Result<(), String> {
        self.control.must("RNFR", from, &[350]).await?;
        if self.control.say("RNTO", to).await?.code == 250 {
            return Ok(());
        }
        // Some servers rename only to names that are free.
        self.control.must("DELE", to, &[250]).await?;
        self.control.must("RNFR", from, &[350]).await?;
        self.control.must("RNTO", to, &[250]).await.map(drop)
    }

    /// RFC 3659 3 and 4.
    async fn state(&mut self, path: &str) -> Result<State, String> {
        let size = self.control.say("SIZE", path).await?;
        let modified = self.control.say("MDTM", path).await?;
        let told = |reply: Reply| (reply.code == 213).then_some(reply.text);
        Ok(State { size: told(size).and_then(|size| size.trim().parse().ok()), modified: told(modified) })
    }

    /// A connection for data, to the host that one has logged in to.
    async fn data(&mut self) -> Result<TcpStream, String> {
        let extended = self.control.say("EPSV", "").await?;
        let port = if extended.code == 229 {
            extended.extended_port()
        } else if self.peer.is_ipv4() {
            self.control.must("PASV", "", &[227]).await?.passive_port()
        } else {
            return Err(refused("EPSV", &extended));
        };
        let port = port.ok_or("it does not say which port data go to")?;
        let at = SocketAddr::new(self.peer.ip(), port);
        let opened = timeout(limits::ANSWER, TcpStream::connect(at)).await;
        let opened = opened.map_err(|_| format!("no connection for data to {at}: nobody answers"))?;
        opened.map_err(|error| format!("no connection for data to {at}: {error}"))
    }

    /// Data go as secret as the conversation.
    async fn shield(&self, stream: TcpStream) -> Result<Pipe, String> {
        match &self.tls {
            Some(tls) => secure(&self.host, Box::new(stream), Arc::clone(tls)).await,
            None => Ok(Box::new(stream)),
        }
    }

    /// Says goodbye; all is done already.
    async fn leave(mut self) {
        let _ = self.control.say("QUIT", "").await;
    }
}

/// How some servers say that nothing lies there (RFC 1123 4.1.2.5 leaves it open).
fn is_empty_folder(reply: &Reply) -> bool {
    matches!(reply.code, 450 | 550) && reply.text.to_ascii_lowercase().contains("no files")
}

/// All that comes, and whether it was said that this was all.
async fn receive(mut pipe: Pipe, most: u64) -> Result<(Vec<u8>, bool), String> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; limits::PIECE];
    loop {
        let read = timeout(limits::ANSWER, pipe.read(&mut piece)).await;
        match read.map_err(|_| format!("it broke off after {} octets: nothing came any more", bytes.len()))? {
            Ok(0) => return Ok((bytes, true)),
            Ok(octets) => {
                let came = (bytes.len() + octets) as u64;
                fits(came)?;
                if came > most {
                    return Err(crate::TOO_MANY.to_owned());
                }
                bytes.extend_from_slice(&piece[..octets]);
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok((bytes, false)),
            Err(error) => return Err(format!("it broke off after {} octets: {error}", bytes.len())),
        }
    }
}
