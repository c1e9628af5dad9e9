//! Several exchanges over one database (R24, R25, R28): who is there, who keeps what must happen once, and who is dead.
//!
//! ```text
//! joins: a row in `writers` with a number --tends it each second--> lives --says nothing for 5 s--> dead: buried by the keeper
//! nobody keeps, or the keeper is dead --> the living one with the lowest number takes all shards: epoch + 1
//! ```
//!
//! What one alone does that need not be the keeper has a home (homes.rs).
//!
//! Who was away from the database itself declares nobody dead for as long as a lease lasts: after an outage all are late.

use crate::documents::Document;
use crate::feed::{self, Kind};
use crate::homes::{self, Living, OwnHome};
use crate::journal;
use crate::lease::{Lease, NOW, each_shard, next_epoch};
use crate::outside::transport;
use crate::sql::{Clash, Connection, Query, Row, insert_one, query};
use clock::Wall;
use exchange::{Change, Epoch};
use sip::Transport;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::num::NonZeroU8;
use std::time::Duration;

/// How long an exchange counts as alive that says nothing.
pub(crate) const TERM: Duration = Duration::from_secs(4);
/// How long one counts as alive that is about to start: until its writer runs, nothing says that it lives.
const STARTING: Duration = Duration::from_secs(30);
/// How often it says that it lives.
pub(crate) const TEND: Duration = Duration::from_secs(1);
/// How long after its end another takes over what it had: renewals may be on their way.
const MARGIN: Duration = Duration::from_secs(1);
/// A lease that is over for longer was given back: whoever had it said goodbye.
const FAREWELL: i64 = 365 * 86_400_000;
/// How often the feed is read when nobody says that something is there: a hint that was lost costs so much and no more.
pub(crate) const LOOK: Duration = Duration::from_millis(500);
/// How long at least from one look to the next, whatever is hinted: many who register at once are read together.
pub(crate) const BREATH: Duration = Duration::from_millis(40);
/// How often what was told long ago is forgotten.
pub(crate) const FORGET: Duration = Duration::from_secs(60);
/// How long what must happen once may go on after its lease was asked for (R25).
pub(crate) const KEEPS: Duration = TERM.saturating_sub(MARGIN);

/// What an exchange tells the others of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joining {
    /// What people know it by.
    pub name: String,
    /// Where the others reach it.
    pub address: String,
    /// SHA-256 of the certificate that it shows there, in hexadecimal digits.
    pub fingerprint: String,
    /// Where phones reach it.
    pub doors: Vec<(Transport, SocketAddr)>,
}

/// Another exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its number.
    pub number: NonZeroU8,
    /// What it tells of itself.
    pub told: Joining,
    /// Whether it keeps what must happen once.
    pub keeps: bool,
    /// Whether it has said so lately.
    pub lives: bool,
}

/// What is new of the others.
#[derive(Clone, Debug)]
pub enum News {
    /// Who they are; told when that changes.
    Peers(Vec<Peer>),
    /// Something of ours is there for them to read: whoever is told so looks at once.
    Told,
    /// What they changed, and how far that is.
    Fed(u64, Vec<Change>),
    /// What they kept of the ways in, or ended.
    Documents(Vec<Document>),
    /// What must happen once is ours for so long; if it was not before, with all there is of it.
    Keep(Epoch, Duration, Option<Vec<Change>>),
    /// It is another's.
    Lose,
    /// These trunks we alone register at, for so long.
    Homes(BTreeSet<String>, Duration),
    /// We were taken for dead; what the database had of us is gone.
    Forgotten,
    /// We were away for longer than what others changed is told: only a new start knows it all.
    Missed,
}

/// Our place among them.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) number: NonZeroU8,
    pub(crate) keeps: bool,
    told: Joining,
    /// How far we have read the feed.
    pub(crate) position: u64,
    /// Others have taken us for dead, and our calls have records that say so.
    pub(crate) was_buried: bool,
}

/// How we tend.
pub(crate) struct Tending {
    /// We have been here for as long as any lease lasts.
    pub(crate) steady: bool,
    /// What was told long ago is to be forgotten.
    pub(crate) forgets: bool,
    /// We stop, and are the home of nothing any more.
    pub(crate) stops: bool,
    /// Homes of ours for which our core does nothing any more.
    pub(crate) given: BTreeSet<String>,
}

/// What tending found.
pub(crate) struct Tended {
    pub(crate) peers: Vec<Peer>,
    pub(crate) forgotten: bool,
    pub(crate) homes: Vec<OwnHome>,
    /// Others have homes now, or are asked for some.
    pub(crate) homes_move: bool,
    /// Our term if we keep; with all there is of it if we did not before.
    pub(crate) keeps: Option<(Epoch, Option<Vec<Change>>)>,
}

fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// One row of `writers`.
struct Writer {
    owner: String,
    number: Option<NonZeroU8>,
    told: Joining,
    keeps: bool,
    /// Whether it can be given homes.
    takes: bool,
    /// How long its lease is over; negative while it is not.
    late: i64,
}

impl Writer {
    fn is_dead(&self) -> bool {
        self.late > milliseconds(MARGIN)
    }
}

async fn writers(connection: &mut Connection) -> Result<Vec<Writer>, sqlx::Error> {
    let mut all = Query::build("SELECT owner, number, name, address, fingerprint, doors, takes, ");
    all.push(NOW).push(" - until AS late, (SELECT count(*) FROM shards WHERE shards.owner = writers.owner) ");
    all.push("AS keeps FROM writers ORDER BY number, owner");
    let writer = |row: &Row| {
        Ok(Writer {
            owner: row.get("owner")?,
            number: u8::try_from(row.get::<i64>("number")?).ok().and_then(NonZeroU8::new),
            told: Joining {
                name: row.get("name")?,
                address: row.get("address")?,
                fingerprint: row.get("fingerprint")?,
                doors: doors_of(row.get("doors")?),
            },
            keeps: row.get::<i64>("keeps")? != 0,
            takes: row.get::<i64>("takes")? != 0,
            late: row.get("late")?,
        })
    };
    all.fetch_all(connection).await?.iter().map(writer).collect()
}

fn doors_of(text: &str) -> Vec<(Transport, SocketAddr)> {
    let door = |line: &str| {
        let (name, at) = line.split_once(' ')?;
        Some((transport(name)?, at.parse().ok()?))
    };
    text.lines().filter_map(door).collect()
}

fn doors_in_words(doors: &[(Transport, SocketAddr)]) -> String {
    let mut text = String::new();
    for (transport, at) in doors {
        let _ = writeln!(text, "{} {at}", transport.name());
    }
    text
}

/// Becomes one of those who share the database, or says why not.
pub(crate) async fn join(
    connection: &mut Connection,
    owner: &str,
    told: &Joining,
) -> Result<Lease, sqlx::Error> {
    connection.begin().await?;
    each_shard(connection).await?;
    put_row(connection, owner, 0, STARTING, (0, told)).await?;
    query("SELECT owner FROM writers ORDER BY owner FOR UPDATE").fetch_all(connection).await?;
    query("SELECT shard FROM shards ORDER BY shard FOR UPDATE").fetch_all(connection).await?;
    let all = writers(connection).await?;
    let others = || all.iter().filter(|writer| writer.owner != owner);
    if let Some(alone) = others().find(|other| other.number.is_none() && other.keeps && !other.is_dead()) {
        let why = format!(
            "another exchange, {}, has this office for itself; give it a [cluster] as well, or stop it",
            alone.owner
        );
        return Err(sqlx::Error::Configuration(why.into()));
    }
    let own = all.iter().find(|writer| writer.owner == owner).and_then(|writer| writer.number);
    let taken = |number: &NonZeroU8| others().any(|other| other.number == Some(*number));
    let free = || (1..=u8::MAX).filter_map(NonZeroU8::new).find(|number| !taken(number));
    let Some(number) = own.or_else(free) else {
        return Err(sqlx::Error::Configuration("255 exchanges share this office already".into()));
    };
    let keeps = !others().any(|other| other.keeps && !other.is_dead());
    let epoch = if keeps { next_epoch(connection, owner).await? } else { Epoch(0) };
    if keeps && others().all(|other| other.number.is_none()) {
        // What was registered while one exchange had the office for itself.
        let ours = query("UPDATE bindings SET owner = ? WHERE owner = ''");
        ours.bind(owner).execute(connection).await?;
    }
    // A run before this one may have ended without a word.
    homes::give_all(connection, owner).await?;
    let mark = put_row(connection, owner, 0, STARTING, (number.get(), told)).await?;
    connection.commit().await?;
    let shared = Some(Seat { number, keeps, told: told.clone(), position: 0, was_buried: false });
    Ok(Lease { owner: owner.to_owned(), epoch, mark, seen: None, shared })
}

/// Our row, by which we live for so long from now; returns its mark.
async fn put_row(
    connection: &mut Connection,
    owner: &str,
    mark: i64,
    lives: Duration,
    (number, told): (u8, &Joining),
) -> Result<i64, sqlx::Error> {
    insert_one(connection, ("writers", &["owner", "mark", "until"]), Clash::Keep, |row| {
        row.bind(owner).bind(mark).bind(0_i64);
    })
    .await?;
    let mut put = Query::build("UPDATE writers SET until = ");
    put.push(NOW).push(" + ").push_bind(milliseconds(lives));
    if number > 0 {
        put.push(", number = ").push_bind(i64::from(number));
    }
    put.push(", name = ").push_bind(told.name.as_str());
    put.push(", address = ").push_bind(told.address.as_str());
    put.push(", fingerprint = ").push_bind(told.fingerprint.as_str());
    put.push(", doors = ").push_bind(doors_in_words(&told.doors));
    put.push(" WHERE owner = ").push_bind(owner).push(" RETURNING mark");
    put.fetch_one(connection).await?.get("mark")
}

impl Lease {
    /// Whether what must happen once is ours.
    pub(crate) fn keeps(&self) -> bool {
        self.shared.as_ref().is_none_or(|seat| seat.keeps)
    }

    /// By what name our rows are known, if others share the database.
    pub(crate) fn shared(&self) -> Option<&str> {
        self.shared.as_ref().map(|_| self.owner.as_str())
    }

    /// Tells the others more of us.
    pub(crate) async fn tell_others(
        &mut self,
        connection: &mut Connection,
        told: &Joining,
    ) -> Result<(), sqlx::Error> {
        let Some(seat) = &mut self.shared else { return Ok(()) };
        seat.told = told.clone();
        put_row(connection, &self.owner, self.mark, STARTING, (seat.number.get(), told)).await?;
        feed::tell_of(connection, &self.owner, vec![(Kind::Members, String::new())]).await
    }

    /// Says that we live, looks who else does, and takes over what the dead had. In a transaction of its own, without a mark:
    /// nothing of ours waits for it.
    pub(crate) async fn tend(
        &self,
        connection: &mut Connection,
        how: &Tending,
    ) -> Result<Option<Tended>, sqlx::Error> {
        let Some(seat) = &self.shared else { return Ok(None) };
        connection.begin().await?;
        let forgotten = !self.renew_place(connection, seat, how.stops).await?;
        if forgotten {
            self.come_back(connection, seat).await?;
        }
        let mut all = writers(connection).await?;
        let dead = |writer: &Writer| {
            writer.owner != self.owner && writer.is_dead() && (how.steady || writer.late > FAREWELL)
        };
        let mut keeps = all.iter().any(|writer| writer.owner == self.owner && writer.keeps);
        let mut changes = None;
        let kept = all.iter().any(|writer| writer.keeps && !dead(writer));
        let first = all.iter().find(|writer| writer.number.is_some() && !dead(writer));
        if !kept && first.is_some_and(|writer| writer.owner == self.owner) {
            query("SELECT owner FROM writers ORDER BY owner FOR UPDATE").fetch_all(connection).await?;
            all = writers(connection).await?;
            // It may have come back before we had the lock.
            if !all.iter().any(|writer| writer.keeps && !dead(writer)) {
                next_epoch(connection, &self.owner).await?;
                keeps = true;
            }
        }
        if keeps {
            for gone in all.iter().filter(|writer| writer.number.is_some() && dead(writer)) {
                self.bury(connection, gone).await?;
            }
            if how.forgets {
                feed::forget(connection).await?;
            }
        }
        let alive: Vec<&Writer> = all.iter().filter(|writer| !dead(writer)).collect();
        let (own_homes, homes_move) = self.look_after_homes(connection, how, (keeps, &alive)).await?;
        let epoch = query("SELECT max(epoch) AS epoch FROM shards").fetch_one(connection).await?;
        let epoch = Epoch(u64::try_from(epoch.get::<i64>("epoch")?).unwrap_or_default());
        if keeps && (!seat.keeps || epoch != self.epoch) {
            changes = Some(crate::snapshot::once(connection).await?);
        }
        connection.commit().await?;
        let peers = all.into_iter().filter(|writer| writer.owner != self.owner).filter_map(|writer| {
            let lives = !writer.is_dead();
            Some(Peer { number: writer.number?, keeps: writer.keeps && lives, lives, told: writer.told })
        });
        let keeps = keeps.then_some((epoch, changes));
        Ok(Some(Tended { peers: peers.collect(), forgotten, homes: own_homes, homes_move, keeps }))
    }

    /// Says that we live; whether anybody knew that.
    async fn renew_place(
        &self,
        connection: &mut Connection,
        seat: &Seat,
        stops: bool,
    ) -> Result<bool, sqlx::Error> {
        let mut renew = Query::build("UPDATE writers SET until = ");
        renew.push(NOW).push(" + ").push_bind(milliseconds(TERM));
        renew.push(", takes = ").push_bind(i64::from(!stops));
        renew.push(" WHERE owner = ").push_bind(&self.owner);
        renew.push(" AND number = ").push_bind(i64::from(seat.number.get()));
        Ok(renew.execute(connection).await? > 0)
    }

    /// Hands over homes that are others' next, gives new ones as the keeper, and tells which are ours now and whether any is another's
    /// than before.
    async fn look_after_homes(
        &self,
        connection: &mut Connection,
        how: &Tending,
        (keeps, alive): (bool, &[&Writer]),
    ) -> Result<(Vec<OwnHome>, bool), sqlx::Error> {
        let takers = alive.iter().filter(|writer| writer.number.is_some() && writer.takes);
        let living = Living {
            takers: takers.map(|writer| writer.owner.clone()).collect(),
            alive: alive.iter().map(|writer| writer.owner.clone()).collect(),
        };
        // Who stops keeps what nobody else would have.
        let stops = how.stops && !living.takers.is_empty();
        homes::hand_over(connection, &self.owner, (&how.given, stops)).await?;
        let gives = keeps && homes::spread_over(connection, &self.owner, &living).await?;
        let own = homes::ours(connection, &self.owner, stops).await?;
        Ok((own, gives || !how.given.is_empty()))
    }

    /// Our row has no number any more: others have taken us for dead.
    async fn come_back(&self, connection: &mut Connection, seat: &Seat) -> Result<(), sqlx::Error> {
        let all = writers(connection).await?;
        if all.iter().any(|other| other.number.is_none() && other.keeps && !other.is_dead()) {
            let what = "another exchange has this office for itself now; stop one of the two";
            return Err(sqlx::Error::Configuration(what.into()));
        }
        if all.iter().any(|other| other.number == Some(seat.number)) {
            let what = "we were taken for dead, and another exchange has our number; start this one again";
            return Err(sqlx::Error::Configuration(what.into()));
        }
        put_row(connection, &self.owner, self.mark, TERM, (seat.number.get(), &seat.told)).await.map(drop)
    }

    /// Whoever is dead has no calls, no phones at its doors, and no place among us any more. Its row stays, for it may come back
    /// and ask whether its last transaction is there.
    async fn bury(&self, connection: &mut Connection, gone: &Writer) -> Result<(), sqlx::Error> {
        // Nothing of its own is under way when its row can be locked.
        query("SELECT mark FROM writers WHERE owner = ? FOR UPDATE")
            .bind(&gone.owner)
            .fetch_all(connection)
            .await?;
        let mut now = Query::build("SELECT ");
        now.push(NOW).push(" AS now");
        let now: i64 = now.fetch_one(connection).await?.get("now")?;
        let closed =
            journal::close(connection, Wall(now - gone.late - milliseconds(TERM)), Some(&gone.owner)).await?;
        let devices = query("SELECT DISTINCT device FROM bindings WHERE owner = ?").bind(&gone.owner);
        let devices: Vec<(Kind, String)> = devices
            .fetch_all(connection)
            .await?
            .iter()
            .map(|row| Ok((Kind::Bindings, row.get("device")?)))
            .collect::<Result<_, sqlx::Error>>()?;
        query("DELETE FROM bindings WHERE owner = ?").bind(&gone.owner).execute(connection).await?;
        tracing::warn!(
            exchange = gone.told.name,
            calls = closed,
            phones = devices.len(),
            "an exchange is dead"
        );
        // Told as nobody's, so that we hear it as well.
        feed::tell_of(connection, "", devices).await?;
        query("UPDATE writers SET number = 0 WHERE owner = ?")
            .bind(&gone.owner)
            .execute(connection)
            .await
            .map(drop)
    }
}
