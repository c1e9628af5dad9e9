//! What a commit costs (R21), for docs/performance.md: `cargo test -p store -- --ignored --nocapture figures`.

use super::folder::{Folder, commit, start};
use super::keeping::account;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Commits one after the other, and with so many on their way.
const ONE_BY_ONE: u64 = 2_000;
const MANY: u64 = 40_000;
const ON_THEIR_WAY: usize = 256;

#[test]
#[ignore = "measures"]
fn figures() {
    let folder = Folder::new("figures");
    let (_, store, answers) = start(&folder);
    let mut sequence = 0;
    let mut hand = || {
        sequence += 1;
        store.commit(commit(sequence, 1, vec![account(&format!("a{}", sequence % 5_000))])).unwrap();
        Instant::now()
    };
    for (name, count, most) in [("one by one", ONE_BY_ONE, 1), ("many at once", MANY, ON_THEIR_WAY)] {
        let (mut waiting, mut took) = (VecDeque::new(), Vec::new());
        let began = Instant::now();
        for _ in 0..count {
            waiting.push_back(hand());
            if waiting.len() == most {
                answers.recv_timeout(Duration::from_secs(60)).unwrap();
                took.push(waiting.pop_front().unwrap().elapsed());
            }
        }
        for handed in waiting {
            answers.recv_timeout(Duration::from_secs(60)).unwrap();
            took.push(handed.elapsed());
        }
        let rate = count as f64 / began.elapsed().as_secs_f64();
        took.sort_unstable();
        let (median, late) = (took[took.len() / 2], took[took.len() * 99 / 100]);
        println!("{}: {name}: {rate:.0}/s, median {median:.1?}, p99 {late:.1?}", folder.place());
    }
}
