//! The control socket of a phone: commands in and events out, one JSON object a line.

use super::hub::{Ear, Heard};
use crate::Failure;
use ::phone::Event;
use ::phone::work::Said;
use serde::Serialize;
use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Programs that listen at once.
const LISTENERS: usize = 16;
/// Events that one who comes later still gets; not what was heard, which is old by then.
const BACKLOG: usize = 1_000;
/// A listener that takes no line for so long is let go.
const PATIENCE: Duration = Duration::from_millis(200);
/// The longest command.
const LINE: u64 = 16 * 1024;

/// The socket of one phone; its file goes away with it.
pub(crate) struct Control {
    listener: UnixListener,
    path: PathBuf,
    audience: Arc<Mutex<Audience>>,
}

#[derive(Default)]
struct Audience {
    listeners: Vec<UnixStream>,
    backlog: VecDeque<String>,
}

impl Control {
    /// Makes the socket; only its owner can use it.
    pub(crate) fn bind(path: &Path) -> Result<Control, Failure> {
        let fail = |error: std::io::Error| format!("{}: {error}", path.display());
        if UnixStream::connect(path).is_err() && is_socket(path) {
            // Nobody is behind it any more.
            std::fs::remove_file(path).map_err(fail)?;
        }
        let listener = UnixListener::bind(path).map_err(fail)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(fail)?;
        Ok(Control { listener, path: path.into(), audience: Arc::default() })
    }

    /// Takes visitors on a thread of its own.
    pub(crate) fn serve(&self, ear: Ear) -> Result<(), Failure> {
        let (listener, audience) = (self.listener.try_clone()?, Arc::clone(&self.audience));
        let accept = move || {
            for visitor in listener.incoming().flatten() {
                let (ear, audience) = (ear.clone(), Arc::clone(&audience));
                if admit(&visitor, &audience) {
                    let name = std::thread::Builder::new().name("control".into());
                    let _ = name.spawn(move || listen(visitor, &ear, &audience));
                }
            }
        };
        std::thread::Builder::new().name("control".into()).spawn(accept)?;
        Ok(())
    }

    /// Tells everybody who listens, and, if it is worth it, those who come later.
    pub(crate) fn tell(&self, event: &impl Serialize, keep: bool) {
        let Ok(line) = serde_json::to_string(event).map(|text| text + "\n") else { return };
        let mut audience = lock(&self.audience);
        audience.listeners.retain_mut(|listener| listener.write_all(line.as_bytes()).is_ok());
        if keep {
            if audience.backlog.len() == BACKLOG {
                audience.backlog.pop_front();
            }
            audience.backlog.push_back(line);
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// One who comes hears what happened before.
fn admit(visitor: &UnixStream, audience: &Mutex<Audience>) -> bool {
    let mut audience = lock(audience);
    let Ok(mut out) = visitor.try_clone() else { return false };
    if audience.listeners.len() >= LISTENERS || out.set_write_timeout(Some(PATIENCE)).is_err() {
        return false;
    }
    if audience.backlog.iter().any(|line| out.write_all(line.as_bytes()).is_err()) {
        return false;
    }
    audience.listeners.push(out);
    true
}

fn listen(visitor: UnixStream, ear: &Ear, audience: &Mutex<Audience>) {
    let mut lines = BufReader::new(&visitor);
    loop {
        let mut line = String::new();
        match lines.by_ref().take(LINE).read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line.trim().is_empty() => {}
            Ok(_) => match Said::read(&line) {
                Ok(said) => {
                    if ear.send(Heard::Said(said)).is_err() {
                        return;
                    }
                }
                Err(why) => {
                    let why = Event::Refused { why };
                    let text = serde_json::to_string(&why).unwrap_or_default() + "\n";
                    // Under the lock, so that two lines never mix.
                    let _audience = lock(audience);
                    if (&visitor).write_all(text.as_bytes()).is_err() {
                        return;
                    }
                }
            },
        }
    }
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    path.symlink_metadata().is_ok_and(|data| data.file_type().is_socket())
}

fn lock(audience: &Mutex<Audience>) -> std::sync::MutexGuard<'_, Audience> {
    audience.lock().unwrap_or_else(PoisonError::into_inner)
}
