//! The command line's side of the control socket; blocking, because one command asks one thing at a time.

use super::protocol::{Request, Response};
use super::{LINE, SOCKET};
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why there is no answer.
#[derive(Debug)]
pub enum ControlError {
    /// Nobody serves this data folder.
    NotRunning(PathBuf),
    /// We may not talk to it.
    NotAllowed(PathBuf),
    /// The conversation broke.
    Broken(io::Error),
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ControlError::NotRunning(folder) => write!(
                f,
                "no exchange runs on the data folder {}; start one with `ringdown serve --data {}`, or name another \
                 folder with --data",
                folder.display(),
                folder.display()
            ),
            ControlError::NotAllowed(folder) => {
                write!(
                    f,
                    "the exchange on {} belongs to another user; run this as that user",
                    folder.display()
                )
            }
            ControlError::Broken(error) => write!(f, "the exchange does not answer: {error}"),
        }
    }
}

impl std::error::Error for ControlError {}

/// A connection to a running exchange.
pub struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    /// Connects to the exchange that serves a data folder.
    ///
    /// # Errors
    /// [`ControlError`], in words for people.
    pub fn connect(folder: &Path) -> Result<Client, ControlError> {
        let stream = UnixStream::connect(folder.join(SOCKET)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                ControlError::NotRunning(folder.into())
            }
            io::ErrorKind::PermissionDenied => ControlError::NotAllowed(folder.into()),
            _ => ControlError::Broken(error),
        })?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(ControlError::Broken)?;
        Ok(Client { stream: BufReader::new(stream) })
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`ControlError::Broken`] when the exchange ends meanwhile.
    pub fn ask(&mut self, request: &Request) -> Result<Response, ControlError> {
        let mut text = serde_json::to_vec(request).map_err(|error| ControlError::Broken(error.into()))?;
        text.push(b'\n');
        self.stream.get_mut().write_all(&text).map_err(ControlError::Broken)?;
        let mut line = String::new();
        let bound = 6 * LINE as u64;
        (&mut self.stream).take(bound).read_line(&mut line).map_err(ControlError::Broken)?;
        if line.is_empty() {
            return Err(ControlError::Broken(io::ErrorKind::UnexpectedEof.into()));
        }
        serde_json::from_str(&line).map_err(|error| ControlError::Broken(error.into()))
    }
}
