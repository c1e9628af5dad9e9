//! Which of several exchanges over one database is the home of a trunk's registration (R25).

use super::cluster;
use super::engine::database;
use super::suite::folder::Folder;
use super::wire::{Cut, Wire};
use super::{Among, join, join_by};
use exchange::{Change, Host, PeopleChange, StoreAnswer, Trunk};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use store::News;

fn trunk(name: &str) -> Change {
    let mut trunk = Trunk::at(Host::Name("sip.provider.example".into()), None);
    trunk.registers = true;
    Change::People(PeopleChange::PutTrunk { name: name.into(), trunk: Box::new(trunk) })
}

const NAMES: [&str; 4] = ["east", "north", "south", "west"];

impl Among {
    fn adds_trunks(&self) {
        for (sequence, name) in (1..).zip(NAMES) {
            assert_eq!(self.commit(sequence, u64::MAX, trunk(name)), StoreAnswer::Committed);
        }
    }

    /// Waits until it is the home of so many.
    fn is_home_of(&self, count: usize) -> BTreeSet<String> {
        self.hears(|news| match news {
            News::Homes(homes, lasts) if homes.len() == count => {
                assert!(lasts <= Duration::from_secs(3), "{lasts:?}");
                Some(homes)
            }
            _ => None,
        })
    }
}

fn all() -> BTreeSet<String> {
    NAMES.iter().map(|name| (*name).to_owned()).collect()
}

fn table(folder: &Folder, what: &str) -> String {
    cluster::shared().sql(&database(folder), &format!("SELECT {what} FROM homes"))
}

#[test]
fn r25_homes_are_spread_over_those_who_join_and_given_back_by_those_who_leave() {
    let folder = Folder::new("homes");
    let north = join(&folder, "homes-north");
    north.adds_trunks();
    assert_eq!(north.is_home_of(4), all());
    let south = join(&folder, "homes-south");
    let (stay, left) = (north.is_home_of(2), Instant::now());
    let moved = south.is_home_of(2);
    assert!(left.elapsed() > Duration::from_millis(800), "its core had time to stop: {:?}", left.elapsed());
    assert!(left.elapsed() < Duration::from_secs(4), "{:?}", left.elapsed());
    assert_eq!(&stay | &moved, all());
    assert_eq!(table(&folder, "string_agg(epoch::text, '' ORDER BY epoch)"), "1122", "nothing else moved");
    // Who stops has time for that.
    south.store.leave();
    assert!(south.is_home_of(0).is_empty());
    assert_eq!(north.is_home_of(4), all());
    assert_eq!(table(&folder, "max(epoch)"), "3");
    // The last one keeps what it has, whatever it means to do; at its end all is nobody's.
    let began = Instant::now();
    south.store.close();
    north.store.leave();
    while began.elapsed() < Duration::from_secs(3) {
        assert_eq!(north.is_home_of(4), all());
    }
    north.store.close();
    assert_eq!(table(&folder, "count(*) FILTER (WHERE owner = '')"), "4");
}

#[test]
fn r25_one_that_ends_gives_its_homes_back_at_once() {
    let folder = Folder::new("homes-end");
    let (north, south) = (join(&folder, "homes-end-north"), join(&folder, "homes-end-south"));
    north.adds_trunks();
    let (one, two) = (north.is_home_of(2), south.is_home_of(2));
    assert_eq!(&one | &two, all());
    // The keeper, too.
    let began = Instant::now();
    north.store.close();
    assert_eq!(south.is_home_of(4), all());
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    // A trunk that is gone has no home.
    let gone = Change::People(PeopleChange::RemoveTrunk { name: "west".into() });
    assert_eq!(south.commit(1, u64::MAX, gone), StoreAnswer::Committed);
    assert!(!south.is_home_of(3).contains("west"));
}

#[test]
fn r25_what_a_dead_one_had_is_given_when_it_can_believe_in_it_no_more_and_it_may_come_back() {
    let folder = Folder::new("homes-death");
    let wire = Wire::to(cluster::shared().folder(), "homes-death");
    let north = join_by(&wire.url(&database(&folder)), &folder, "homes-death-north");
    let south = join(&folder, "homes-death-south");
    north.adds_trunks();
    let before = (north.is_home_of(2), south.is_home_of(2));
    // Long enough for south to be one who may say who is dead.
    std::thread::sleep(Duration::from_secs(5));
    while let Ok(news) = north.news.try_recv() {
        assert!(!matches!(news, News::Homes(homes, _) if homes != before.0), "nothing moves by itself");
    }
    wire.set(Cut::Before);
    let cut = Instant::now();
    assert_eq!(south.is_home_of(4), all());
    let took = cut.elapsed();
    assert!(took > Duration::from_secs(3), "it may believe for 3 s that they are its own: {took:?}");
    assert!(took < Duration::from_secs(9), "{took:?}");
    let told = north.news.try_iter().filter(|news| matches!(news, News::Homes(..))).count();
    assert!(told <= 1, "nobody has told it that it goes on: {told}");
    wire.set(Cut::Whole);
    let again = north.is_home_of(2);
    assert_eq!(&again | &south.is_home_of(2), all());
}
