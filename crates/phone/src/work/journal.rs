//! The journal's file: whole lines, on the disk before anything they promise is done.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// An open journal; nobody else has it open.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    sound: u64,
}

impl Journal {
    /// Opens it, or makes it; with what is in it.
    pub(super) fn open(path: &Path) -> io::Result<(Journal, Vec<u8>)> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        // Two phones that work one list would call everybody twice.
        file.try_lock()
            .map_err(|_| io::Error::new(io::ErrorKind::WouldBlock, "another phone works this list"))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let sound = text.len() as u64;
        Ok((Journal { file, path: path.into(), sound }, text))
    }

    /// Cuts away what a crash left half written.
    pub(super) fn keep(&mut self, sound: usize) -> io::Result<()> {
        self.sound = sound as u64;
        self.file.set_len(self.sound)?;
        self.file.seek(SeekFrom::Start(self.sound)).map(drop)
    }

    /// Appends a line and waits for the disk; after a failure the file is as it was.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.sound))?;
        let written = self.file.write_all(line).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => self.sound += line.len() as u64,
            Err(_) => self.file.set_len(self.sound)?,
        }
        written
    }

    /// Nothing more is to be done by it: it is kept under a name that nobody goes on with.
    pub(super) fn close(self) -> io::Result<()> {
        std::fs::rename(&self.path, self.path.with_extension("closed"))
    }
}

/// Writes a file whole or not at all.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("part");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_cut_away_and_one_phone_has_it() {
        let folder = std::env::temp_dir().join(format!("ringdown-journal-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.journal");
        std::fs::write(&path, b"one\ntw").unwrap();
        let (mut journal, text) = Journal::open(&path).unwrap();
        assert_eq!(text, b"one\ntw");
        assert!(Journal::open(&path).is_err(), "somebody has it");
        journal.keep(4).unwrap();
        journal.append(b"two\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
        journal.close().unwrap();
        assert!(!path.exists() && folder.join("a.closed").exists());
        write_whole(&folder.join("b"), b"x").unwrap();
        assert_eq!(std::fs::read(folder.join("b")).unwrap(), b"x");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
