//! Badges, readers and taps in the database. Badges and readers are few and written one by one; counters and taps come by
//! the thousand.

use crate::error::StoreError;
use crate::feed::Kind;
use crate::group::removed;
use crate::outside::Rows;
use crate::records::Records;
use crate::seal::Sealer;
use crate::sql::{Clash, Connection, Query, Row, delete, insert, insert_one, query};
use clock::Wall;
use exchange::{Badge, BadgeKeys, BadgeKind, Change, Issue, Mark, PeopleChange, Reader, Tap, TokenHash, Uid};
use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds that a tap is kept.
const KEPT: i64 = 30 * 24 * 3_600 * 1_000;
/// What the keys are sealed for.
const KEYS: &str = "badge keys";

/// What one transaction changes of them.
#[derive(Default)]
pub(crate) struct BadgeRows<'a> {
    badges: Rows<'a, Badge>,
    readers: Rows<'a, Reader>,
    keys: Option<&'a BadgeKeys>,
    /// The last of each: account, heard and bound.
    counters: BTreeMap<Issue, (&'a str, u32, u32)>,
    taps: Vec<&'a Tap>,
    /// Accounts whose taps before these are forgotten.
    forgotten: BTreeSet<&'a str>,
}

impl<'a> BadgeRows<'a> {
    pub(crate) fn add_people(&mut self, change: &'a PeopleChange) {
        match change {
            PeopleChange::PutBadge { name, badge } => {
                self.badges.insert(name, Some(badge));
            }
            PeopleChange::RemoveBadge { name } => {
                self.badges.insert(name, None);
            }
            PeopleChange::PutReader { name, reader } => {
                self.readers.insert(name, Some(reader));
            }
            PeopleChange::RemoveReader { name } => {
                self.readers.insert(name, None);
            }
            PeopleChange::PutBadgeKeys(keys) => self.keys = Some(keys),
            _ => {}
        }
    }

    /// The rows of it that other exchanges over the same database have in memory.
    pub(crate) fn touched(&self) -> impl Iterator<Item = (Kind, String)> {
        let badges = self.badges.keys().map(|name| (Kind::Badge, (*name).to_owned()));
        let readers = self.readers.keys().map(|name| (Kind::Reader, (*name).to_owned()));
        let keys = self.keys.iter().map(|_| (Kind::BadgeKeys, String::new()));
        let counters = self.counters.keys().map(|issue| (Kind::TapCounter, issue.to_string()));
        badges.chain(readers).chain(keys).chain(counters)
    }

    pub(crate) fn add_counter(&mut self, account: &'a str, issue: Issue, heard: u32, bound: u32) {
        self.counters.insert(issue, (account, heard, bound));
    }

    pub(crate) fn add_tap(&mut self, tap: &'a Tap) {
        self.taps.push(tap);
    }

    pub(crate) fn forget_taps(&mut self, account: &'a str) {
        self.taps.retain(|tap| *tap.account != *account);
        self.forgotten.insert(account);
    }

    pub(crate) async fn write(
        &self,
        connection: &mut Connection,
        sealer: &Sealer,
    ) -> Result<(), sqlx::Error> {
        if let Some(keys) = self.keys {
            let sealed = sealer.seal(KEYS, &keys.reveal())?;
            insert_one(connection, ("badge_keys", &["id", "sealed"]), Clash::Replace(1), |row| {
                row.bind(1_i64).bind(sealed);
            })
            .await?;
        }
        self.write_badges(connection).await?;
        self.write_readers(connection).await?;
        self.write_counters(connection).await?;
        self.write_taps(connection).await
    }

    async fn write_badges(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        let gone = removed(&self.badges);
        let counters = "DELETE FROM tap_counters WHERE issue IN \
                        (SELECT issue FROM badges WHERE issue IS NOT NULL AND name = ?)";
        for name in &gone {
            query(counters).bind(*name).execute(connection).await?;
        }
        delete(connection, "DELETE FROM badges WHERE name IN ", gone).await?;
        for (name, badge) in &self.badges {
            let Some(badge) = badge else { continue };
            let (mark, issue) = match &badge.mark {
                Mark::Ndef(hash) => (hash.to_string(), None),
                Mark::Uid(uid) => (uid.to_string(), None),
                Mark::Secure(uid, issue) => (uid.to_string(), Some(issue.to_string())),
            };
            let columns = ["name", "account", "label", "kind", "mark", "issue", "made", "revoked"];
            insert_one(connection, ("badges", &columns), Clash::Replace(1), |row| {
                row.bind(*name).bind(&*badge.account).bind(&*badge.label);
                row.bind(badge.mark.kind().name()).bind(mark).bind(issue);
                row.bind(badge.made.0).bind(badge.revoked.map(|at| at.0));
            })
            .await?;
        }
        Ok(())
    }

    async fn write_readers(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        delete(connection, "DELETE FROM readers WHERE name IN ", removed(&self.readers)).await?;
        for (name, reader) in &self.readers {
            let Some(reader) = reader else { continue };
            insert_one(connection, ("readers", &["name", "device", "key"]), Clash::Replace(1), |row| {
                row.bind(*name).bind(&*reader.device).bind(reader.key.to_string());
            })
            .await?;
        }
        Ok(())
    }

    async fn write_counters(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        let rows: Vec<_> = self.counters.iter().collect();
        let into = ("tap_counters", &["issue", "account", "heard", "bound"][..]);
        insert(connection, into, Clash::Replace(1), &rows, |row, (issue, (account, heard, bound))| {
            row.bind(issue.to_string()).bind(*account).bind(*heard).bind(*bound);
        })
        .await?;
        Ok(())
    }

    async fn write_taps(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        let forgotten = self.forgotten.iter().copied().collect();
        delete(connection, "DELETE FROM taps WHERE account IN ", forgotten).await?;
        let into = ("taps", &["time", "account", "badge", "kind", "reader", "device", "rule", "words"][..]);
        insert(connection, into, Clash::Refuse, &self.taps, |row, tap| {
            row.bind(tap.time.0).bind(&*tap.account).bind(&*tap.badge);
            row.bind(tap.kind.map_or("", BadgeKind::name)).bind(&*tap.reader);
            row.bind(&*tap.device).bind(tap.verdict.name()).bind(&*tap.words);
        })
        .await?;
        if let Some(newest) = self.taps.iter().map(|tap| tap.time.0).max() {
            query("DELETE FROM taps WHERE time < ?").bind(newest - KEPT).execute(connection).await?;
        }
        Ok(())
    }
}

/// All of them but the taps, in an order that can be applied.
pub(crate) async fn read(connection: &mut Connection, sealer: &Sealer) -> Result<Vec<Change>, sqlx::Error> {
    let mut changes = Vec::new();
    if let Some(row) = query("SELECT sealed FROM badge_keys").fetch_optional(connection).await? {
        let text = sealer.open_text(KEYS, row.get("sealed")?)?;
        let keys = BadgeKeys::parse(&text).ok_or_else(|| sqlx::Error::Decode("badge keys".into()))?;
        changes.push(Change::People(PeopleChange::PutBadgeKeys(Box::new(keys))));
    }
    for row in query("SELECT * FROM badges ORDER BY name").fetch_all(connection).await? {
        let (name, badge) = badge(&row)?;
        changes.push(Change::People(PeopleChange::PutBadge { name, badge: Box::new(badge) }));
    }
    for row in query("SELECT name, device, key FROM readers ORDER BY name").fetch_all(connection).await? {
        let (name, device, key): (String, String, String) =
            (row.get("name")?, row.get("device")?, row.get("key")?);
        let key = TokenHash::parse(&key).ok_or_else(|| unknown("reader", &name, "key"))?;
        let reader = Reader { device: device.into(), key };
        changes.push(Change::People(PeopleChange::PutReader { name: name.into(), reader }));
    }
    for row in query("SELECT * FROM tap_counters ORDER BY issue").fetch_all(connection).await? {
        let (issue, account): (&str, String) = (row.get("issue")?, row.get("account")?);
        let issue = Issue::parse(issue).ok_or_else(|| unknown("tap counter", issue, "issue"))?;
        let (heard, bound) = (row.get("heard")?, row.get("bound")?);
        changes.push(Change::TapCounter { account: account.into(), issue, heard, bound });
    }
    Ok(changes)
}

fn badge(row: &Row) -> Result<(Box<str>, Badge), sqlx::Error> {
    let name: String = row.get("name")?;
    let wrong = || unknown("badge", &name, "mark");
    let mark: &str = row.get("mark")?;
    let uid = || Uid::parse(mark).ok_or_else(wrong);
    let issue: Option<&str> = row.get("issue")?;
    let mark = match (BadgeKind::of_name(row.get("kind")?), issue.and_then(Issue::parse)) {
        (Some(BadgeKind::Ndef), _) => Mark::Ndef(TokenHash::parse(mark).ok_or_else(wrong)?),
        (Some(BadgeKind::Uid), _) => Mark::Uid(uid()?),
        (Some(BadgeKind::Secure), Some(issue)) => Mark::Secure(uid()?, issue),
        _ => return Err(unknown("badge", &name, "kind")),
    };
    let badge = Badge {
        account: row.get::<String>("account")?.into(),
        label: row.get::<String>("label")?.into(),
        mark,
        made: Wall(row.get("made")?),
        revoked: row.get::<Option<i64>>("revoked")?.map(Wall),
    };
    Ok((name.into(), badge))
}

fn unknown(what: &str, name: &str, column: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{what} \"{name}\": {column}").into())
}

/// A tap as it is kept; the time in milliseconds since 1970 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTap {
    /// In the order in which they were judged.
    pub id: i64,
    /// When.
    pub time: i64,
    /// Whose badge it was; empty if none is known.
    pub account: String,
    /// The badge; empty if none is known.
    pub badge: String,
    /// Its kind; empty if none is known.
    pub kind: String,
    /// Where.
    pub reader: String,
    /// The phone there.
    pub device: String,
    /// The rule that decided.
    pub rule: String,
    /// The decision in words.
    pub words: String,
}

impl KeptTap {
    fn of(row: &Row) -> Result<KeptTap, sqlx::Error> {
        Ok(KeptTap {
            id: row.get("id")?,
            time: row.get("time")?,
            account: row.get("account")?,
            badge: row.get("badge")?,
            kind: row.get("kind")?,
            reader: row.get("reader")?,
            device: row.get("device")?,
            rule: row.get("rule")?,
            words: row.get("words")?,
        })
    }
}

impl Records {
    /// At most `most` taps with a lower number than `before`, the newest first; of one account, or all.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn taps(
        &self,
        account: Option<&str>,
        before: Option<i64>,
        most: u32,
    ) -> Result<Vec<KeptTap>, StoreError> {
        let mut query = Query::build("SELECT * FROM taps WHERE id < ");
        query.push_bind(before.unwrap_or(i64::MAX));
        if let Some(account) = account {
            query.push(" AND account = ").push_bind(account);
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(most);
        self.0.read(query, KeptTap::of).await
    }
}
