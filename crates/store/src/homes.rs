//! Which of several exchanges over one database is the home of what one alone does, though not the keeper: registering at a
//! trunk (R25). The keeper spreads homes over those who live.
//!
//! ```text
//! nobody's, or a dead one's --the keeper gives it: epoch + 1--> ours
//! ours --the keeper names the next, or we stop--> our core is told --a second later we give it--> the next one's: epoch + 1
//! ```
//!
//! Locks are taken in one order by all: marks, shards, the feed, homes by their names.

use crate::feed::{self, Kind};
use crate::lease::NOW;
use crate::members::TEND;
use crate::sql::{Clash, Connection, Query, Row, delete, insert, query};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Home {
    subject: String,
    /// Nobody, if it is empty.
    owner: String,
    epoch: i64,
    /// Who is to have it; nobody else than the owner, if it is empty.
    next: String,
}

/// One of ours.
#[derive(Clone, Debug)]
pub(crate) struct OwnHome {
    subject: String,
    /// Whether another is to have it.
    leaves: bool,
}

/// Who can be home, and who is alive though perhaps not that.
pub(crate) struct Living {
    pub(crate) takers: Vec<String>,
    pub(crate) alive: BTreeSet<String>,
}

/// What our core was told of our homes.
#[derive(Debug, Default)]
pub(crate) struct OwnHomes {
    told: BTreeSet<String>,
    /// Of which it was told that they are ours no more, and when.
    left: BTreeMap<String, Instant>,
}

impl OwnHomes {
    /// Those that can be given to others, for our core has done nothing for them for a while.
    pub(crate) fn to_give(&self) -> BTreeSet<String> {
        let long_ago = |since: &Instant| since.elapsed() >= TEND;
        self.left.iter().filter(|(_, since)| long_ago(since)).map(|(subject, _)| subject.clone()).collect()
    }

    /// What is ours now, and is to be told: while anything is, each time anew.
    pub(crate) fn are(&mut self, homes: &[OwnHome]) -> Option<BTreeSet<String>> {
        let stays = homes.iter().filter(|home| !home.leaves).map(|home| home.subject.clone()).collect();
        let before = std::mem::replace(&mut self.told, stays);
        (before != self.told || !self.told.is_empty()).then(|| self.told.clone())
    }

    /// Our core has been told.
    pub(crate) fn were_told(&mut self, homes: &[OwnHome]) {
        let leaves: BTreeSet<&str> =
            homes.iter().filter(|home| home.leaves).map(|home| home.subject.as_str()).collect();
        self.left.retain(|subject, _| leaves.contains(subject.as_str()));
        for subject in leaves {
            self.left.entry(subject.to_owned()).or_insert_with(Instant::now);
        }
    }
}

/// Ours, of which all leave when we stop.
pub(crate) async fn ours(
    connection: &mut Connection,
    owner: &str,
    stops: bool,
) -> Result<Vec<OwnHome>, sqlx::Error> {
    let rows = query("SELECT subject, next FROM homes WHERE owner = ? ORDER BY subject").bind(owner);
    let own = |row: &Row| {
        Ok(OwnHome { subject: row.get("subject")?, leaves: stops || !row.get::<&str>("next")?.is_empty() })
    };
    rows.fetch_all(connection).await?.iter().map(own).collect()
}

/// Gives these of ours to the next ones; to nobody, for the keeper to find, where none is named and we stop.
pub(crate) async fn hand_over(
    connection: &mut Connection,
    owner: &str,
    (subjects, stops): (&BTreeSet<String>, bool),
) -> Result<(), sqlx::Error> {
    if subjects.is_empty() {
        return Ok(());
    }
    feed::tell_of(connection, owner, vec![(Kind::Members, String::new())]).await?;
    for subject in subjects {
        let mut give = Query::build("UPDATE homes SET owner = next, epoch = epoch + 1, next = ''");
        give.push(" WHERE subject = ").push_bind(subject.as_str());
        give.push(" AND owner = ").push_bind(owner);
        give.push(if stops { "" } else { " AND next <> ''" });
        give.execute(connection).await?;
    }
    Ok(())
}

/// We have none, and are given none: before we live, and after.
pub(crate) async fn give_all(connection: &mut Connection, owner: &str) -> Result<(), sqlx::Error> {
    query("UPDATE writers SET takes = 0 WHERE owner = ?").bind(owner).execute(connection).await?;
    query("SELECT subject FROM homes ORDER BY subject FOR UPDATE").fetch_all(connection).await?;
    let give = query("UPDATE homes SET owner = next, epoch = epoch + 1, next = '' WHERE owner = ?");
    give.bind(owner).execute(connection).await.map(drop)
}

/// The keeper gives every trunk that registers a home; whether anything is different now.
pub(crate) async fn spread_over(
    connection: &mut Connection,
    keeper: &str,
    living: &Living,
) -> Result<bool, sqlx::Error> {
    if living.takers.is_empty() || plan(connection, living).await?.is_empty() {
        return Ok(false);
    }
    feed::tell_of(connection, keeper, vec![(Kind::Members, String::new())]).await?;
    query("SELECT subject FROM homes ORDER BY subject FOR UPDATE").fetch_all(connection).await?;
    let plan = plan(connection, living).await?;
    if one_came_back(connection, &plan.taken_from).await? {
        return Ok(false);
    }
    let gone = plan.gone.iter().map(String::as_str).collect();
    delete(connection, "DELETE FROM homes WHERE subject IN ", gone).await?;
    let columns = ["subject", "owner", "epoch", "next"];
    insert(connection, ("homes", &columns), Clash::Replace(1), &plan.rows, |row, home| {
        row.bind(home.subject.as_str()).bind(home.owner.as_str()).bind(home.epoch).bind(home.next.as_str());
    })
    .await?;
    Ok(true)
}

/// Whether one of the dead has said that it lives, before nobody could say so any more: it believes then that its homes are its own.
async fn one_came_back(connection: &mut Connection, dead: &BTreeSet<String>) -> Result<bool, sqlx::Error> {
    if dead.is_empty() {
        return Ok(false);
    }
    let mut lock = Query::build("SELECT owner FROM writers WHERE owner IN ");
    lock.push_list(dead.iter().map(String::as_str));
    lock.push(" ORDER BY owner FOR UPDATE");
    lock.fetch_all(connection).await?;
    let mut back = Query::build("SELECT owner FROM writers WHERE owner IN ");
    back.push_list(dead.iter().map(String::as_str));
    back.push(" AND until > ").push(NOW);
    Ok(!back.fetch_all(connection).await?.is_empty())
}

/// What is to be written.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    rows: Vec<Home>,
    gone: Vec<String>,
    /// The dead whose homes others get.
    taken_from: BTreeSet<String>,
}

impl Plan {
    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.gone.is_empty()
    }

    /// Homes for these trunks, after those that there are.
    fn of(trunks: &[String], homes: &[Home], living: &Living) -> Plan {
        let known: BTreeMap<&str, &Home> = homes.iter().map(|home| (home.subject.as_str(), home)).collect();
        let takers: Vec<&str> = living.takers.iter().map(String::as_str).collect();
        let owner_of = |subject: &str| match known.get(subject) {
            Some(home) if takers.contains(&home.next.as_str()) => home.next.as_str(),
            Some(home) => home.owner.as_str(),
            None => "",
        };
        let now = trunks.iter().map(|subject| (subject.as_str(), owner_of(subject))).collect();
        let mut plan = Plan::default();
        for (subject, to) in spread(&now, &takers) {
            let old = known.get(subject).copied();
            let new = match old {
                Some(old) if old.owner == to => Home { next: String::new(), ..old.clone() },
                Some(old) if living.alive.contains(&old.owner) => Home { next: to.to_owned(), ..old.clone() },
                _ => Home {
                    subject: subject.to_owned(),
                    owner: to.to_owned(),
                    epoch: old.map_or(1, |old| old.epoch + 1),
                    next: String::new(),
                },
            };
            if let Some(old) = old.filter(|old| old.owner != new.owner && !old.owner.is_empty()) {
                plan.taken_from.insert(old.owner.clone());
            }
            if old != Some(&new) {
                plan.rows.push(new);
            }
        }
        let is_gone = |home: &&Home| !now.contains_key(home.subject.as_str());
        plan.gone = homes.iter().filter(is_gone).map(|home| home.subject.clone()).collect();
        plan
    }
}

async fn plan(connection: &mut Connection, living: &Living) -> Result<Plan, sqlx::Error> {
    let trunks = query("SELECT name FROM trunks WHERE registers <> 0 ORDER BY name");
    let trunks = trunks.fetch_all(connection).await?;
    let trunks: Vec<String> = trunks.iter().map(|row| row.get("name")).collect::<Result<_, _>>()?;
    let home = |row: &Row| {
        Ok(Home {
            subject: row.get("subject")?,
            owner: row.get("owner")?,
            epoch: row.get("epoch")?,
            next: row.get("next")?,
        })
    };
    let homes = query("SELECT * FROM homes ORDER BY subject").fetch_all(connection).await?;
    let homes: Vec<Home> = homes.iter().map(home).collect::<Result<_, sqlx::Error>>()?;
    Ok(Plan::of(&trunks, &homes, living))
}

/// Whose each is to be, of those who can be: nobody has two more than another, and as few move as that takes.
fn spread<'n>(now: &BTreeMap<&'n str, &'n str>, takers: &[&'n str]) -> BTreeMap<&'n str, &'n str> {
    let mut homes: Vec<(&str, Vec<&str>)> = takers.iter().map(|taker| (*taker, Vec::new())).collect();
    let mut free = Vec::new();
    for (subject, owner) in now {
        match homes.iter_mut().find(|(taker, _)| taker == owner) {
            Some((_, own)) => own.push(*subject),
            None => free.push(*subject),
        }
    }
    while !homes.is_empty() {
        let mut order: Vec<usize> = (0..homes.len()).collect();
        order.sort_by_key(|place| homes[*place].1.len());
        let (fewest, most) = (order[0], order[order.len() - 1]);
        let moves = homes[most].1.len() > homes[fewest].1.len() + 1;
        let subject = free.pop().or_else(|| if moves { homes[most].1.pop() } else { None });
        match subject {
            Some(subject) => homes[fewest].1.push(subject),
            None => break,
        }
    }
    let owned =
        homes.into_iter().flat_map(|(taker, own)| own.into_iter().map(move |subject| (subject, taker)));
    owned.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn living(takers: &[&str], alive: &[&str]) -> Living {
        let text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Living { takers: text(takers), alive: text(alive).into_iter().collect() }
    }

    fn trunks(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("trunk-{number:02}")).collect()
    }

    /// What the table holds after the keeper has tended.
    fn tend(trunks: &[String], homes: &mut Vec<Home>, living: &Living) -> Plan {
        let plan = Plan::of(trunks, homes, living);
        homes.retain(|home| !plan.gone.contains(&home.subject));
        for new in &plan.rows {
            homes.retain(|home| home.subject != new.subject);
            homes.push(new.clone());
        }
        homes.sort_by(|one, other| one.subject.cmp(&other.subject));
        assert!(Plan::of(trunks, homes, living).is_empty(), "it has come to rest");
        plan
    }

    fn counts(homes: &[Home]) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for home in homes {
            let owner = if home.next.is_empty() { &home.owner } else { &home.next };
            *counts.entry(owner.as_str()).or_insert(0) += 1;
        }
        counts
    }

    #[test]
    fn r25_homes_are_balanced_and_only_what_must_move_does() {
        let names = ["a", "b", "c", "d", "e"];
        for count in 0..24 {
            let (trunks, mut homes) = (trunks(count), Vec::new());
            for members in 1..=names.len() {
                let takers = &names[..members];
                let plan = tend(&trunks, &mut homes, &living(takers, takers));
                let has = counts(&homes);
                let of = |name: &&str| has.get(name).copied().unwrap_or_default();
                let (most, fewest) = (takers.iter().map(of).max(), takers.iter().map(of).min());
                assert!(most.unwrap_or_default() - fewest.unwrap_or_default() <= 1, "{has:?}");
                // Who joins gets its share, and nothing else moves.
                let share = if members == 1 { count } else { count / members };
                assert_eq!(plan.rows.len(), share, "{count} over {members}");
                // Each is given as it is asked for.
                for home in &mut homes {
                    if !home.next.is_empty() {
                        home.owner = std::mem::take(&mut home.next);
                        home.epoch += 1;
                    }
                }
            }
        }
    }

    #[test]
    fn r25_what_a_dead_one_had_is_given_at_once_and_nothing_else_moves() {
        let (trunks, mut homes) = (trunks(9), Vec::new());
        tend(&trunks, &mut homes, &living(&["a", "b", "c"], &["a", "b", "c"]));
        let before = homes.clone();
        let plan = tend(&trunks, &mut homes, &living(&["a", "c"], &["a", "c"]));
        assert_eq!(plan.taken_from, ["b".to_owned()].into());
        for (old, new) in before.iter().zip(&homes) {
            assert_eq!(new.epoch, old.epoch + i64::from(old.owner == "b"), "{new:?}");
            assert!(new.next.is_empty() && (new.owner == old.owner || old.owner == "b"), "{new:?}");
        }
        assert!(counts(&homes).values().all(|count| (4..=5).contains(count)), "{homes:?}");
    }

    #[test]
    fn r25_a_living_one_is_asked_and_may_be_asked_no_more() {
        let (trunks, mut homes) = (trunks(4), Vec::new());
        tend(&trunks, &mut homes, &living(&["a", "b"], &["a", "b"]));
        // It stops, and has them still.
        let stops = living(&["b"], &["a", "b"]);
        let plan = tend(&trunks, &mut homes, &stops);
        assert!(plan.taken_from.is_empty());
        assert_eq!(homes.iter().filter(|home| home.owner == "a" && home.next == "b").count(), 2);
        // The next one dies before it had them.
        tend(&trunks, &mut homes, &living(&["a"], &["a"]));
        assert!(homes.iter().all(|home| home.owner == "a" && home.next.is_empty()), "{homes:?}");
        // A trunk that registers no more has no home.
        let plan = tend(&trunks[..3], &mut homes, &living(&["a"], &["a"]));
        assert_eq!((plan.gone, homes.len()), (vec!["trunk-03".to_owned()], 3));
    }

    #[test]
    fn r25_a_home_is_given_only_when_the_core_has_known_for_a_while() {
        let own = |leaves| [OwnHome { subject: "city".into(), leaves }];
        let mut homes = OwnHomes::default();
        assert_eq!(homes.are(&own(false)), Some(["city".to_owned()].into()));
        assert_eq!(homes.are(&own(false)), Some(["city".to_owned()].into()), "said again, for it lasts");
        assert_eq!(homes.are(&own(true)), Some(BTreeSet::new()));
        homes.were_told(&own(true));
        assert_eq!(homes.are(&own(true)), None, "nothing is new");
        assert!(homes.to_give().is_empty(), "it was told this moment");
        let long_ago = Instant::now().checked_sub(TEND).expect("the machine runs for longer");
        homes.left.insert("city".into(), long_ago);
        homes.were_told(&own(true));
        assert_eq!(homes.to_give(), ["city".to_owned()].into());
        homes.were_told(&own(false));
        assert!(homes.to_give().is_empty(), "it stays");
    }
}
