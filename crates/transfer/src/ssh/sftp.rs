//! Files by SFTP: read only where they stay as they are, written beside their place and renamed.

use super::packet::{self, END, HELLO, MOST, NO_FILE, PIECE, READ, Reply, Request, State, WRITE};
use super::{Channel, SshRules, Wanted};
use crate::limits;
use crate::patience::soon;
use crate::range::fits;
use crate::{CHANGED, Fetched, Place};
use net::Reach;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Requests on their way at once.
const AT_ONCE: u32 = 16;

/// Somebody is logged in.
pub(crate) struct Sftp {
    channel: Channel,
    next: u32,
    /// A rename takes the place of another file.
    replaces: bool,
}

/// What was answered instead of what was asked for.
enum No {
    /// By the server.
    Status(u32, String),
    /// Nothing that can be understood.
    Broken(String),
}

impl From<String> for No {
    fn from(why: String) -> No {
        No::Broken(why)
    }
}

impl Sftp {
    pub(crate) async fn open(reach: &Reach, rules: &SshRules, place: &Place) -> Result<Sftp, String> {
        let channel = Channel::open(reach, rules, place, &Wanted::Subsystem("sftp")).await?;
        let mut sftp = Sftp { channel, next: 0, replaces: false };
        match sftp.greet().await {
            Ok(replaces) => {
                sftp.replaces = replaces;
                Ok(sftp)
            }
            Err(why) => Err(sftp.channel.explain(why).await),
        }
    }

    async fn greet(&mut self) -> Result<bool, String> {
        self.send(&HELLO).await?;
        let packet = self.receive().await?;
        packet::hello(&packet).ok_or_else(|| "what answers does not speak SFTP".to_owned())
    }

    pub(crate) async fn fetch(mut self, path: &str) -> Result<Fetched, String> {
        match self.read(path).await {
            Ok(bytes) => Ok(Fetched::Bytes { bytes, tag: None }),
            Err(No::Status(NO_FILE, _)) => Ok(Fetched::Missing),
            Err(No::Status(code, text)) => Err(format!("it answers {text} ({code})")),
            Err(No::Broken(why)) => Err(self.channel.explain(why).await),
        }
    }

    pub(crate) async fn names(mut self, folder: &str) -> Result<Vec<String>, String> {
        match self.folder(folder).await {
            Ok(names) => Ok(names),
            Err(No::Status(NO_FILE, _)) => Ok(Vec::new()),
            Err(No::Status(code, text)) => Err(format!("it answers {text} ({code})")),
            Err(No::Broken(why)) => Err(self.channel.explain(why).await),
        }
    }

    pub(crate) async fn put(mut self, place: &Place, bytes: &[u8]) -> Result<(), String> {
        let beside = place.beside();
        let written = match self.write(&beside, bytes).await {
            Ok(()) => self.rename_to(&beside, &place.path).await,
            Err(no) => Err(no),
        };
        self.told(written).await
    }

    /// Gives a file another name.
    pub(crate) async fn rename(mut self, from: &str, to: &str) -> Result<(), String> {
        let renamed = self.rename_to(from, to).await;
        self.told(renamed).await
    }

    async fn told(self, done: Result<(), No>) -> Result<(), String> {
        match done {
            Ok(()) => Ok(()),
            Err(No::Status(code, text)) => Err(format!("it answers {text} ({code})")),
            Err(No::Broken(why)) => Err(self.channel.explain(why).await),
        }
    }

    async fn read(&mut self, path: &str) -> Result<Vec<u8>, No> {
        let handle = self.open_file(path, READ).await?;
        let before = self.state(&handle).await?;
        fits(before.size.unwrap_or(0))?;
        let mut bytes = Vec::new();
        while self.read_some(&handle, &mut bytes).await? {
            fits(bytes.len() as u64)?;
        }
        if self.state(&handle).await? != before {
            return Err(No::Broken(CHANGED.to_owned()));
        }
        if before.size.is_some_and(|size| size != bytes.len() as u64) {
            return Err(No::Broken(format!("it broke off after {} octets", bytes.len())));
        }
        Ok(bytes)
    }

    async fn folder(&mut self, path: &str) -> Result<Vec<String>, No> {
        let handle = match self.one(&Request::OpenFolder { path }).await? {
            Reply::Handle(handle) => handle,
            other => return Err(unexpected(other)),
        };
        let mut names = Vec::new();
        loop {
            match self.one(&Request::ReadFolder { handle: &handle }).await? {
                Reply::Names(more) if more.is_empty() || names.len() + more.len() > limits::NAMES => {
                    return Err(No::Broken(crate::TOO_MANY.to_owned()));
                }
                Reply::Names(more) => names.extend(more),
                Reply::Status { code: END, .. } => return Ok(names),
                other => return Err(unexpected(other)),
            }
        }
    }

    /// Asks for several pieces at once; whether there is more.
    async fn read_some(&mut self, handle: &[u8], bytes: &mut Vec<u8>) -> Result<bool, No> {
        let first = self.next;
        let begin = bytes.len() as u64;
        for index in 0..AT_ONCE {
            let offset = begin + u64::from(index) * u64::from(PIECE);
            self.ask(&Request::Read { handle, offset }).await?;
        }
        let pieces = self.answers(first, AT_ONCE).await?;
        for piece in pieces {
            match piece {
                // Less than was asked for: those behind it do not join on.
                Reply::Data(data) if data.len() < PIECE as usize && !data.is_empty() => {
                    bytes.extend(data);
                    return Ok(true);
                }
                Reply::Data(data) if data.len() == PIECE as usize => bytes.extend(data),
                Reply::Status { code: END, .. } => return Ok(false),
                other => return Err(unexpected(other)),
            }
        }
        Ok(true)
    }

    async fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), No> {
        let handle = self.open_file(path, WRITE).await?;
        let mut offset = 0;
        for pieces in bytes.chunks(PIECE as usize * AT_ONCE as usize) {
            let first = self.next;
            for data in pieces.chunks(PIECE as usize) {
                self.ask(&Request::Write { handle: &handle, offset, data }).await?;
                offset += data.len() as u64;
            }
            for answer in self.answers(first, self.next.wrapping_sub(first)).await? {
                good(answer)?;
            }
        }
        let size = self.state(&handle).await?.size;
        good(self.one(&Request::Close { handle: &handle }).await?)?;
        match size {
            Some(size) if size != bytes.len() as u64 => {
                Err(No::Broken(format!("{} octets were sent, and {size} are there", bytes.len())))
            }
            _ => Ok(()),
        }
    }

    async fn rename_to(&mut self, from: &str, to: &str) -> Result<(), No> {
        if self.replaces {
            return good(self.one(&Request::PosixRename { from, to }).await?);
        }
        // The draft's own rename wants a name that is free; whether it was is told by the rename.
        let _ = self.one(&Request::Remove { path: to }).await?;
        good(self.one(&Request::Rename { from, to }).await?)
    }

    async fn open_file(&mut self, path: &str, flags: u32) -> Result<Vec<u8>, No> {
        match self.one(&Request::Open { path, flags }).await? {
            Reply::Handle(handle) => Ok(handle),
            other => Err(unexpected(other)),
        }
    }

    async fn state(&mut self, handle: &[u8]) -> Result<State, No> {
        match self.one(&Request::State { handle }).await? {
            Reply::State(state) => Ok(state),
            other => Err(unexpected(other)),
        }
    }

    async fn one(&mut self, request: &Request<'_>) -> Result<Reply, No> {
        let first = self.next;
        self.ask(request).await?;
        let mut answers = self.answers(first, 1).await?;
        answers.pop().ok_or_else(|| No::Broken("it says nothing".to_owned()))
    }

    async fn ask(&mut self, request: &Request<'_>) -> Result<(), No> {
        let packet = request.write(self.next);
        self.next = self.next.wrapping_add(1);
        Ok(self.send(&packet).await?)
    }

    /// The answers to the last requests, in their order.
    async fn answers(&mut self, first: u32, count: u32) -> Result<Vec<Reply>, No> {
        let mut answers: Vec<Option<Reply>> = (0..count).map(|_| None).collect();
        for _ in 0..count {
            let packet = self.receive().await?;
            let (id, reply) = packet::reply(&packet).ok_or_else(|| "what it says is no SFTP".to_owned())?;
            let place = answers.get_mut(id.wrapping_sub(first) as usize).filter(|place| place.is_none());
            *place.ok_or_else(|| "it answers what was not asked".to_owned())? = Some(reply);
        }
        Ok(answers.into_iter().flatten().collect())
    }

    async fn send(&mut self, packet: &[u8]) -> Result<(), String> {
        soon(self.channel.pipe.write_all(packet)).await
    }

    async fn receive(&mut self) -> Result<Vec<u8>, String> {
        let length = soon(self.channel.pipe.read_u32()).await? as usize;
        if length > MOST {
            return Err("what it says is no SFTP".to_owned());
        }
        let mut packet = vec![0; length];
        soon(self.channel.pipe.read_exact(&mut packet)).await?;
        Ok(packet)
    }
}

fn good(reply: Reply) -> Result<(), No> {
    match reply {
        Reply::Status { code: 0, .. } => Ok(()),
        other => Err(unexpected(other)),
    }
}

fn unexpected(reply: Reply) -> No {
    match reply {
        Reply::Status { code, text } => No::Status(code, text),
        _ => No::Broken("it answers something else than what was asked".to_owned()),
    }
}
