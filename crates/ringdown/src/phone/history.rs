//! The file of the calls that were: appended as they happen, read at the start, made brief when it has grown.

use ::phone::{Entry, Event, History};
use net::Clock;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// What it is called, in the folder of a phone.
const NAME: &str = "history.jsonl";
/// When it is made brief.
const LONG: u64 = 512 * 1024;
/// Calls that are told to who names no number.
const SOME: usize = 20;

/// What is told of the calls that were.
#[derive(Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub(crate) enum Recalled {
    /// One more is over.
    Logged {
        /// How many missed ones nobody has seen.
        missed: usize,
        #[serde(flatten)]
        entry: Entry,
    },
    /// The newest of them.
    History { missed: usize, calls: Vec<Entry> },
}

/// The calls that were, and their file.
pub(crate) struct Log {
    history: History,
    file: Option<(File, PathBuf)>,
    length: u64,
    clock: Clock,
}

impl Log {
    /// Reads what there was. Without a file a phone remembers as long as it runs.
    pub(crate) fn open(folder: &Path, clock: Clock) -> Log {
        match read(folder) {
            Ok((history, file, path, length)) => Log { history, file: Some((file, path)), length, clock },
            Err(error) => {
                tracing::warn!(%error, folder = %folder.display(), "calls are not written down");
                Log { history: History::default(), file: None, length: 0, clock }
            }
        }
    }

    /// Something happened to an account.
    pub(crate) fn hear(&mut self, account: &str, event: &Event) -> Option<Recalled> {
        let line = self.history.hear(self.clock.now(), account, event)?;
        self.append(&line);
        let Event::Ended { .. } = event else { return None };
        let entry = self.history.entries().next()?;
        Some(Recalled::Logged { missed: self.history.missed(), entry })
    }

    /// The newest calls; whoever sees them has seen what was missed.
    pub(crate) fn look(&mut self, limit: Option<usize>, seen: bool) -> Recalled {
        if seen && let Some(line) = self.history.see() {
            self.append(&line);
        }
        let calls = self.history.entries().take(limit.unwrap_or(SOME)).collect();
        Recalled::History { missed: self.history.missed(), calls }
    }

    fn append(&mut self, line: &[u8]) {
        let Some((file, path)) = &mut self.file else { return };
        let written = file.write_all(line);
        self.length += line.len() as u64;
        let written = match written {
            Ok(()) if self.length > LONG => brief(&self.history, path).map(|(fresh, length)| {
                (*file, self.length) = (fresh, length);
            }),
            other => other,
        };
        if let Err(error) = written {
            tracing::warn!(%error, "calls are not written down any more");
            self.file = None;
        }
    }
}

fn read(folder: &Path) -> io::Result<(History, File, PathBuf, u64)> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(NAME);
    let mut file = open(&path)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let history = History::read(&text);
    // What a death tore does not spoil the line that comes next.
    let (file, length) = brief(&history, &path)?;
    Ok((history, file, path, length))
}

fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    file.try_lock()
        .map_err(|_| io::Error::new(io::ErrorKind::WouldBlock, "another phone has this folder"))?;
    Ok(file)
}

/// Writes it anew, whole or not at all.
fn brief(history: &History, path: &Path) -> io::Result<(File, u64)> {
    let beside = path.with_extension("part");
    let text = history.written();
    std::fs::write(&beside, &text)?;
    std::fs::rename(&beside, path)?;
    Ok((open(path)?, text.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::phone::{CallId, Cause};

    #[test]
    fn s3_11_calls_outlive_the_phone_and_one_phone_has_them() {
        let folder = std::env::temp_dir().join(format!("ringdown-history-{}", std::process::id()));
        let mut log = Log::open(&folder, Clock::start());
        for call in 1..=3 {
            let call = CallId(call);
            log.hear("office", &Event::Incoming { call, number: "2001".into(), name: String::new() });
            log.hear("office", &Event::Ended { call, cause: Cause::CallerGaveUp.into() });
        }
        assert!(Log::open(&folder, Clock::start()).file.is_none(), "somebody has it");
        // As a kill leaves it.
        let (mut file, path) = log.file.take().unwrap();
        file.write_all(b"{\"what\":\"be").unwrap();
        drop(file);
        let mut log = Log::open(&folder, Clock::start());
        let Recalled::History { missed, calls } = log.look(Some(2), false) else { panic!() };
        assert_eq!((missed, calls.len()), (3, 2));
        log.look(None, true);
        log.length = LONG;
        log.hear("office", &Event::Calling { call: CallId(9), number: "2002".into() });
        drop(log);
        let mut log = Log::open(&folder, Clock::start());
        let Recalled::History { missed, calls } = log.look(None, false) else { panic!() };
        assert_eq!((missed, calls.len()), (0, 4), "a call that is up stays when the file is made brief");
        assert!(path.exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
