//! Who may write to the shards of a database that several could share (R19, R25). SQLite has one owner, and no leases.
//!
//! ```text
//! free, or late by a margin --take: epoch + 1--> ours --renew--> ours
//!        ^                                        | |
//!        +---------------give back----------------+ +--another takes it: our commits are fenced
//! ```
//!
//! How long an owner has its shards stands once, in its row of `writers`: a renewal is one row, however many they are.
//!
//! Each of our transactions first raises our mark in that row. Who takes our shards waits for it, so that none of
//! our transactions can be under way while the epoch rises; and after a connection was lost the mark tells whether the
//! last one is there. Locks are taken in one order by all: marks, then shards, then the feed and homes (homes.rs).

use crate::homes;
use crate::members::Seat;
use crate::seal;
use crate::sql::{Clash, Connection, Query, insert, query};
use clock::Wall;
use exchange::{Epoch, SHARDS};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// How long a lease lasts that nobody renews.
const TERM: i64 = 15_000;
/// How often it is renewed.
pub(crate) const RENEW: Duration = Duration::from_secs(4);
/// How long after its end nobody else takes it: clocks go at different speeds, and renewals may be on their way.
const MARGIN: i64 = 3_000;
/// The file with the name by which an exchange is told from all others.
const IDENTITY: &str = "exchange.id";
/// Milliseconds since 1970 by the clock of the server, which all owners share.
pub(crate) const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// Whether what must happen once is ours, as a lease of ours alone says each time that it is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It is, for so long.
    For(Duration),
    /// Another has taken it over.
    Lost,
}

/// How long it can be ours at least from when a renewal was asked for, by a clock of our own.
pub(crate) const HELD: Duration = Duration::from_millis(TERM.unsigned_abs() - 1_000);

/// The right to write to all shards.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) owner: String,
    pub(crate) epoch: Epoch,
    /// Our last transaction.
    pub(crate) mark: i64,
    /// When the owner before us was seen last, by the server's clock.
    pub(crate) seen: Option<Wall>,
    /// Our place among others who share the database; none when the office is ours alone.
    pub(crate) shared: Option<Seat>,
}

/// Takes all shards, or says who has them.
pub(crate) async fn take(connection: &mut Connection, owner: &str) -> Result<Lease, sqlx::Error> {
    connection.begin().await?;
    let lease = take_inside(connection, owner).await?;
    connection.commit().await?;
    Ok(lease)
}

async fn take_inside(connection: &mut Connection, owner: &str) -> Result<Lease, sqlx::Error> {
    each_shard(connection).await?;
    let writers = ("writers", &["owner", "mark", "until"][..]);
    insert(connection, writers, Clash::Keep, [owner], |row, owner| {
        row.bind(owner).bind(0_i64).bind(0_i64);
    })
    .await?;
    // Whoever's transaction runs now ends before the epoch rises.
    query("SELECT owner FROM writers ORDER BY owner FOR UPDATE").fetch_all(connection).await?;
    query("SELECT shard FROM shards ORDER BY shard FOR UPDATE").fetch_all(connection).await?;
    if let Some(held) = holder(connection, owner).await? {
        return Err(sqlx::Error::Configuration(held.into()));
    }
    let mut last = Query::build("SELECT max(until) AS until, ");
    last.push(NOW).push(" AS now FROM writers");
    let last = last.fetch_one(connection).await?;
    let (until, now): (i64, i64) = (last.get("until")?, last.get("now")?);
    let epoch = next_epoch(connection, owner).await?;
    // Those who shared it are gone, and with them who was at their doors.
    query("DELETE FROM bindings WHERE owner <> ''").execute(connection).await?;
    let ours = query("UPDATE writers SET until = ?, number = 0 WHERE owner = ? RETURNING mark");
    let ours = ours.bind(now + TERM).bind(owner).fetch_one(connection).await?;
    Ok(Lease {
        owner: owner.to_owned(),
        epoch,
        mark: ours.get("mark")?,
        seen: (until > 0).then_some(Wall((until - TERM).min(now))),
        shared: None,
    })
}

/// There is a row for each shard.
pub(crate) async fn each_shard(connection: &mut Connection) -> Result<(), sqlx::Error> {
    insert(connection, ("shards", &["shard", "epoch"]), Clash::Keep, 0..SHARDS, |row, shard| {
        row.bind(i64::from(shard)).bind(0_i64);
    })
    .await
}

/// All shards are this one's, in a new term; the rows of who writes are locked.
pub(crate) async fn next_epoch(connection: &mut Connection, owner: &str) -> Result<Epoch, sqlx::Error> {
    let take =
        query("UPDATE shards SET owner = ?, epoch = (SELECT max(epoch) FROM shards) + 1 RETURNING epoch");
    let epoch: i64 = take.bind(owner).fetch_one(connection).await?.get("epoch")?;
    Ok(Epoch(u64::try_from(epoch).unwrap_or_default()))
}

/// Who else has shards now, and until when, in words.
pub(crate) async fn holder(connection: &mut Connection, owner: &str) -> Result<Option<String>, sqlx::Error> {
    let mut held = Query::build("SELECT owner, until - ");
    held.push(NOW).push(" AS rest, to_char(to_timestamp(until / 1000), 'HH24:MI:SS') AS ends FROM writers");
    held.push(" WHERE EXISTS (SELECT 1 FROM shards WHERE shards.owner = writers.owner) AND owner <> ")
        .push_bind(owner);
    held.push(" AND until + ").push_bind(MARGIN).push(" > ").push(NOW).push(" ORDER BY until DESC LIMIT 1");
    let Some(row) = held.fetch_optional(connection).await? else { return Ok(None) };
    let (holder, ends, rest): (&str, &str, i64) = (row.get("owner")?, row.get("ends")?, row.get("rest")?);
    Ok(Some(format!(
        "another exchange, {holder}, has this office until {ends} UTC, for {} s more unless it renews that; stop it, or \
         give this one a database of its own",
        rest.max(0) / 1_000
    )))
}

impl Lease {
    /// Ours for another term. Returns who has it instead, if somebody does.
    pub(crate) async fn renew(&self, connection: &mut Connection) -> Result<Option<String>, sqlx::Error> {
        let mut renewed = Query::build("UPDATE writers SET until = ");
        renewed.push(NOW).push(" + ").push_bind(TERM).push(" WHERE owner = ").push_bind(&self.owner);
        renewed.push(" AND EXISTS (SELECT 1 FROM shards WHERE shards.owner = writers.owner AND epoch = ");
        renewed.push_bind(self.epoch()).push(")");
        let renewed = renewed.execute(connection).await?;
        if renewed > 0 {
            return Ok(None);
        }
        let other =
            query("SELECT owner FROM shards ORDER BY epoch DESC LIMIT 1").fetch_optional(connection).await?;
        other.map(|row| row.get("owner")).transpose()
    }

    /// Refuses to go on in a transaction when another has taken our shards.
    pub(crate) async fn is_ours(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        let ours = query("SELECT shard FROM shards WHERE owner = ? AND epoch = ? LIMIT 1");
        match ours.bind(&self.owner).bind(self.epoch()).fetch_optional(connection).await? {
            Some(_) => Ok(()),
            None => Err(sqlx::Error::Configuration("another has taken this over".into())),
        }
    }

    /// Free for whoever comes next.
    pub(crate) async fn give_back(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        connection.begin().await?;
        query("UPDATE writers SET until = 0 WHERE owner = ?").bind(&self.owner).execute(connection).await?;
        let free = query("UPDATE shards SET owner = '' WHERE owner = ?");
        free.bind(&self.owner).execute(connection).await?;
        homes::give_all(connection, &self.owner).await?;
        connection.commit().await
    }

    /// The first statement of each transaction of ours.
    pub(crate) async fn raise_mark(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        let raise = query("UPDATE writers SET mark = mark + 1 WHERE owner = ? AND mark = ? AND number = ?");
        let number = self.shared.as_ref().map_or(0, |seat| i64::from(seat.number.get()));
        let raised = raise.bind(&self.owner).bind(self.mark).bind(number).execute(connection).await?;
        if raised == 1 { Ok(()) } else { Err(stranger()) }
    }

    /// Whether the transaction after the last that we know of is there: asked with a new connection, and answered when
    /// nothing of the old one runs any more.
    pub(crate) async fn has_next(&self, connection: &mut Connection) -> Result<bool, sqlx::Error> {
        let mark = query("SELECT mark FROM writers WHERE owner = ? FOR UPDATE");
        let found = mark.bind(&self.owner).fetch_optional(connection).await?;
        match found.map(|row| row.get::<i64>("mark")).transpose()? {
            Some(mark) if mark == self.mark => Ok(false),
            Some(mark) if mark == self.mark + 1 => Ok(true),
            _ => Err(stranger()),
        }
    }

    fn epoch(&self) -> i64 {
        i64::try_from(self.epoch.0).unwrap_or(i64::MAX)
    }
}

/// What is written into it would be gone when the right one comes back.
fn stranger() -> sqlx::Error {
    let what = "the database is not as we left it: another one, or an earlier state of it; put it back, or start again";
    sqlx::Error::Configuration(what.into())
}

/// Names the exchange of a data folder: its machine, the folder, and a word drawn once.
pub(crate) fn owner(folder: &Path) -> std::io::Result<String> {
    let file = folder.join(IDENTITY);
    if !file.exists() {
        fs::write(&file, seal::random_word()?)?;
    }
    owner_if_known(folder)
}

/// As [`owner`], of an exchange that has started before.
pub(crate) fn owner_if_known(folder: &Path) -> std::io::Result<String> {
    let word = fs::read_to_string(folder.join(IDENTITY))?;
    let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Ok(format!("{}:{} ({})", machine.trim(), folder.canonicalize()?.display(), word.trim()))
}
