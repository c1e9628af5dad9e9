//! Files that wait to be uploaded, on the disk until they have arrived.

use super::journal::write_whole;
use clock::Mono;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// Files that wait to be uploaded; the newest of each name.
pub(super) struct Outbox {
    folder: PathBuf,
    /// Links and the names of their files.
    waiting: BTreeMap<String, String>,
    sending: Option<String>,
    /// What is being sent is old already.
    again: BTreeSet<String>,
    not_before: Option<Mono>,
}

impl Outbox {
    pub(super) fn open(folder: PathBuf) -> io::Result<Outbox> {
        std::fs::create_dir_all(&folder)?;
        let mut waiting = BTreeMap::new();
        for file in std::fs::read_dir(&folder)?.flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            if let Some(plain) = name.strip_suffix(".link")
                && folder.join(plain).exists()
            {
                waiting.insert(std::fs::read_to_string(file.path())?, plain.to_owned());
            }
        }
        Ok(Outbox { folder, waiting, sending: None, again: BTreeSet::new(), not_before: None })
    }

    pub(super) fn keep(&mut self, link: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
        write_whole(&self.folder.join(name), bytes)?;
        // A link may have a password in it.
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options.open(self.link_file(name))?.write_all(link.as_bytes())?;
        if self.sending.as_deref() == Some(link) {
            self.again.insert(link.to_owned());
        }
        self.waiting.insert(link.to_owned(), name.to_owned());
        Ok(())
    }

    fn link_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.link"))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn next_deadline(&self) -> Option<Mono> {
        let idle = self.sending.is_none() && !self.waiting.is_empty();
        self.not_before.filter(|_| idle)
    }

    pub(super) fn next(&mut self, now: Mono) -> Option<(String, PathBuf)> {
        if self.sending.is_some() || self.not_before.is_some_and(|at| at > now) {
            return None;
        }
        self.not_before = None;
        let (link, name) = self.waiting.first_key_value()?;
        self.sending = Some(link.clone());
        Some((link.clone(), self.folder.join(name)))
    }

    pub(super) fn sent(&mut self, link: &str) {
        self.sending = None;
        if self.again.remove(link) {
            return;
        }
        if let Some(name) = self.waiting.remove(link) {
            for path in [self.link_file(&name), self.folder.join(&name)] {
                let _ = std::fs::remove_file(path);
            }
        }
    }

    pub(super) fn not_sent(&mut self, link: &str, not_before: Mono) {
        self.sending = None;
        self.again.remove(link);
        self.not_before = Some(not_before);
    }
}
