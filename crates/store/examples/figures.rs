//! What a commit costs (R21), for docs/performance.md: `cargo run -p store --example figures -- FOLDER [URL]`. The folder exists
//! and is empty, and so is the database that the URL names.

use exchange::{Change, Commit, Owned, PeopleChange, Shard, StoreAnswer};
use std::collections::VecDeque;
use std::error::Error;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};
use store::{Opened, Place};

/// Commits one after the other, and with so many on their way.
const ROUNDS: [(&str, u64, usize); 2] = [("one by one", 2_000, 1), ("many at once", 40_000, 256)];
const WAIT: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let place = match arguments.as_slice() {
        [folder] => Place::folder(Path::new(folder)),
        [folder, url] => Place::server(Path::new(folder), url, None)?,
        _ => return Err("figures FOLDER [URL]".into()),
    };
    let opened = Opened::open(&place)?;
    let epoch = opened.epoch();
    let (sender, answers) = sync_channel(ROUNDS[1].2);
    let store = opened.start(move |_, answer| drop(sender.send(answer)))?;
    let answered = || match answers.recv_timeout(WAIT)? {
        StoreAnswer::Committed => Ok(()),
        other => Err(Box::<dyn Error>::from(format!("{other:?}"))),
    };
    for (name, count, most) in ROUNDS {
        let (mut waiting, mut took) = (VecDeque::new(), Vec::new());
        let began = Instant::now();
        for sequence in 1..=count {
            let name = format!("a{}", sequence % 5_000).into();
            let change = PeopleChange::PutAccount { name, display: "A".into(), settings: Box::default() };
            let owned = Owned { shard: Shard(7), epoch, change: Change::People(change) };
            let commit = Commit { sequence, urgent: true, position: 0, changes: [owned].into() };
            waiting.push_back(Instant::now());
            store.commit(commit).map_err(|answer| format!("{answer:?}"))?;
            if waiting.len() == most {
                answered()?;
                took.extend(waiting.pop_front().map(|handed: Instant| handed.elapsed()));
            }
        }
        for handed in waiting {
            answered()?;
            took.push(handed.elapsed());
        }
        let rate = count as f64 / began.elapsed().as_secs_f64();
        took.sort_unstable();
        let (median, late) = (took[took.len() / 2], took[took.len() * 99 / 100]);
        println!("{place}: {name}: {rate:.0}/s, median {median:.1?}, p99 {late:.1?}");
    }
    store.close();
    Ok(())
}
