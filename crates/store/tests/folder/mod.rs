//! A data folder that goes away with its test, and the store in it.

use exchange::{Change, Commit, Epoch, Owned, Shard, StoreAnswer};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use store::{Opened, Store};

/// A folder that goes away with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("ringdown-store-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) type Answers = Receiver<(u64, StoreAnswer)>;

pub(crate) fn start(folder: &Folder) -> (Vec<Change>, Store, Answers) {
    let opened = Opened::open(&folder.0).unwrap();
    let changes = opened.snapshot.changes.clone();
    let (sender, answers) = sync_channel(100_000);
    let store = opened.start(move |sequence, answer| sender.send((sequence, answer)).unwrap()).unwrap();
    (changes, store, answers)
}

pub(crate) fn commit(sequence: u64, epoch: u64, changes: Vec<Change>) -> Commit {
    let owned = changes.into_iter().map(|change| Owned { shard: Shard(7), epoch: Epoch(epoch), change });
    Commit { sequence, urgent: true, changes: owned.collect() }
}
