//! The control connection of FTP: a line out, an answer in.

use super::reply::{Incoming, Reply};
use crate::limits;
use crate::patience::soon;
use net::{ByteStream, ClientConfig};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::time::timeout;

/// Octets both ways.
pub(super) type Pipe = Box<dyn ByteStream>;

/// A conversation.
pub(super) struct Control {
    pipe: BufReader<Pipe>,
}

impl Control {
    pub(super) fn new(pipe: Pipe) -> Control {
        Control { pipe: BufReader::new(pipe) }
    }

    /// Says a line. Nothing in a link ends one (`link::decoded`).
    pub(super) async fn say(&mut self, verb: &str, argument: &str) -> Result<Reply, String> {
        let space = if argument.is_empty() { "" } else { " " };
        let line = format!("{verb}{space}{argument}\r\n");
        soon(async {
            self.pipe.get_mut().write_all(line.as_bytes()).await?;
            self.pipe.get_mut().flush().await
        })
        .await?;
        self.hear().await
    }

    /// The next answer.
    pub(super) async fn hear(&mut self) -> Result<Reply, String> {
        let mut incoming = Incoming::default();
        loop {
            let mut line = Vec::new();
            let most = limits::REPLY as u64 + 1;
            soon((&mut self.pipe).take(most).read_until(b'\n', &mut line)).await?;
            if let Some(reply) = incoming.line(&line)? {
                return Ok(reply);
            }
        }
    }

    /// Says a line; only an answer of this kind is a good one.
    pub(super) async fn must(&mut self, verb: &str, argument: &str, good: &[u16]) -> Result<Reply, String> {
        let reply = self.say(verb, argument).await?;
        expect(verb, reply, good)
    }

    /// Goes on in secret.
    pub(super) async fn secure(self, host: &str, tls: Arc<ClientConfig>) -> Result<Control, String> {
        // What came in clear behind the answer would be taken for what the server says in secret.
        if !self.pipe.buffer().is_empty() {
            return Err("somebody else speaks on this connection".to_owned());
        }
        Ok(Control::new(secure(host, self.pipe.into_inner(), tls).await?))
    }
}

/// A good answer, or what was said instead.
pub(super) fn expect(verb: &str, reply: Reply, good: &[u16]) -> Result<Reply, String> {
    match good.contains(&reply.code) {
        true => Ok(reply),
        false => Err(refused(verb, &reply)),
    }
}

pub(super) fn refused(verb: &str, reply: &Reply) -> String {
    format!("it answers {} {} to {verb}", reply.code, reply.text)
}

/// TLS over a connection.
pub(super) async fn secure(host: &str, pipe: Pipe, tls: Arc<ClientConfig>) -> Result<Pipe, String> {
    let secured = timeout(limits::ANSWER, net::secure(host, pipe, tls)).await;
    Ok(Box::new(secured.map_err(|_| "no TLS: nobody answers".to_owned())??))
}
