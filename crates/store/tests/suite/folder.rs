//! A data folder that goes away with its test, with a database of its own on the engine of this binary.

use crate::engine;
use exchange::{Change, Commit, Epoch, Owned, Shard, StoreAnswer};
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use store::{Opened, Place, Store};

/// A folder that goes away with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("ringdown-store-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        let folder = Folder(path);
        engine::prepare(&folder);
        folder
    }

    pub(crate) fn place(&self) -> Place {
        engine::place(self)
    }

    /// Whether these letters lie in clear in the database.
    pub(crate) fn holds(&self, letters: &str) -> bool {
        let bytes = engine::dump(self);
        let in_octets: String = letters.bytes().map(|letter| format!("{letter:02x}")).collect();
        [letters, &in_octets].iter().any(|text| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) type Answers = Receiver<(u64, StoreAnswer)>;

thread_local! {
    /// The epoch in which the store of this test writes.
    static EPOCH: Cell<u64> = const { Cell::new(1) };
}

pub(crate) fn start(folder: &Folder) -> (Vec<Change>, Store, Answers) {
    start_at(&folder.place())
}

pub(crate) fn start_at(place: &Place) -> (Vec<Change>, Store, Answers) {
    let opened = Opened::open(place).unwrap();
    EPOCH.set(opened.epoch().0);
    let changes = opened.snapshot.changes.clone();
    let (sender, answers) = sync_channel(100_000);
    let store = opened.start(move |sequence, answer| sender.send((sequence, answer)).unwrap()).unwrap();
    (changes, store, answers)
}

/// Changes by the owner since the last start; 2 is whoever comes after.
pub(crate) fn commit(sequence: u64, owner: u64, changes: Vec<Change>) -> Commit {
    let epoch = Epoch(EPOCH.get() + owner - 1);
    let owned = changes.into_iter().map(|change| Owned { shard: Shard(7), epoch, change });
    Commit { sequence, urgent: true, position: 0, changes: owned.collect() }
}
