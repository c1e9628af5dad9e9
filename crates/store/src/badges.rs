//! Badges, readers and taps in the database. Badges and readers are few and written one by one; counters and taps come by
//! the thousand.

use crate::error::StoreError;
use crate::group::{delete, removed};
use crate::open::options;
use crate::outside::Rows;
use crate::records::Records;
use crate::seal::Sealer;
use clock::Wall;
use exchange::{Badge, BadgeKeys, BadgeKind, Change, Issue, Mark, PeopleChange, Reader, Tap, TokenHash, Uid};
use sqlx::sqlite::SqliteRow;
use sqlx::{ConnectOptions as _, FromRow, QueryBuilder, Row as _, Sqlite, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds that a tap is kept.
const KEPT: i64 = 30 * 24 * 3_600 * 1_000;
/// Rows of one statement.
const ROWS: usize = 1_000;
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
        connection: &mut SqliteConnection,
        sealer: &Sealer,
    ) -> Result<(), sqlx::Error> {
        if let Some(keys) = self.keys {
            sqlx::query("INSERT OR REPLACE INTO badge_keys (id, sealed) VALUES (1, ?)")
                .bind(sealer.seal(KEYS, &keys.reveal())?)
                .execute(&mut *connection)
                .await?;
        }
        self.write_badges(connection).await?;
        self.write_readers(connection).await?;
        self.write_counters(connection).await?;
        self.write_taps(connection).await
    }

    async fn write_badges(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let gone = removed(&self.badges);
        let counters = "DELETE FROM tap_counters WHERE issue IN (SELECT issue FROM badges WHERE issue IS NOT NULL AND \
                        name IN ";
        for name in &gone {
            let mut query = QueryBuilder::<Sqlite>::new(counters);
            query.push("(").push_bind(*name).push("))");
            query.build().execute(&mut *connection).await?;
        }
        delete(connection, "DELETE FROM badges WHERE name IN ", gone).await?;
        for (name, badge) in &self.badges {
            let Some(badge) = badge else { continue };
            let (mark, issue) = match &badge.mark {
                Mark::Ndef(hash) => (hash.to_string(), None),
                Mark::Uid(uid) => (uid.to_string(), None),
                Mark::Secure(uid, issue) => (uid.to_string(), Some(issue.to_string())),
            };
            sqlx::query(
                "INSERT OR REPLACE INTO badges (name, account, label, kind, mark, issue, made, revoked) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(*name)
            .bind(&*badge.account)
            .bind(&*badge.label)
            .bind(badge.mark.kind().name())
            .bind(mark)
            .bind(issue)
            .bind(badge.made.0)
            .bind(badge.revoked.map(|at| at.0))
            .execute(&mut *connection)
            .await?;
        }
        Ok(())
    }

    async fn write_readers(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        delete(connection, "DELETE FROM readers WHERE name IN ", removed(&self.readers)).await?;
        for (name, reader) in &self.readers {
            let Some(reader) = reader else { continue };
            sqlx::query("INSERT OR REPLACE INTO readers (name, device, key) VALUES (?, ?, ?)")
                .bind(*name)
                .bind(&*reader.device)
                .bind(reader.key.to_string())
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }

    async fn write_counters(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let rows: Vec<_> = self.counters.iter().collect();
        for rows in rows.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT OR REPLACE INTO tap_counters (issue, account, heard, bound) ",
            );
            query.push_values(rows, |mut row, (issue, (account, heard, bound))| {
                row.push_bind(issue.to_string()).push_bind(*account).push_bind(*heard).push_bind(*bound);
            });
            query.build().execute(&mut *connection).await?;
        }
        Ok(())
    }

    async fn write_taps(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let forgotten = self.forgotten.iter().copied().collect();
        delete(connection, "DELETE FROM taps WHERE account IN ", forgotten).await?;
        for rows in self.taps.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT INTO taps (time, account, badge, kind, reader, device, rule, words) ",
            );
            query.push_values(rows, |mut row, tap| {
                row.push_bind(tap.time.0).push_bind(&*tap.account).push_bind(&*tap.badge);
                row.push_bind(tap.kind.map_or("", BadgeKind::name)).push_bind(&*tap.reader);
                row.push_bind(&*tap.device).push_bind(tap.verdict.name()).push_bind(&*tap.words);
            });
            query.build().execute(&mut *connection).await?;
        }
        if let Some(newest) = self.taps.iter().map(|tap| tap.time.0).max() {
            sqlx::query("DELETE FROM taps WHERE time < ?").bind(newest - KEPT).execute(connection).await?;
        }
        Ok(())
    }
}

/// All of them but the taps, in an order that can be applied.
pub(crate) async fn read(
    connection: &mut SqliteConnection,
    sealer: &Sealer,
) -> Result<Vec<Change>, sqlx::Error> {
    let mut changes = Vec::new();
    let sealed: Option<(Vec<u8>,)> =
        sqlx::query_as("SELECT sealed FROM badge_keys").fetch_optional(&mut *connection).await?;
    if let Some((sealed,)) = sealed {
        let text = sealer.open_text(KEYS, &sealed)?;
        let keys = BadgeKeys::parse(&text).ok_or_else(|| sqlx::Error::Decode("badge keys".into()))?;
        changes.push(Change::People(PeopleChange::PutBadgeKeys(Box::new(keys))));
    }
    for row in sqlx::query("SELECT * FROM badges ORDER BY name").fetch_all(&mut *connection).await? {
        let (name, badge) = badge(&row)?;
        changes.push(Change::People(PeopleChange::PutBadge { name, badge: Box::new(badge) }));
    }
    let readers: Vec<(String, String, String)> =
        sqlx::query_as("SELECT name, device, key FROM readers ORDER BY name")
            .fetch_all(&mut *connection)
            .await?;
    for (name, device, key) in readers {
        let key = TokenHash::parse(&key).ok_or_else(|| unknown("reader", &name, "key"))?;
        let reader = Reader { device: device.into(), key };
        changes.push(Change::People(PeopleChange::PutReader { name: name.into(), reader }));
    }
    let counters: Vec<(String, String, u32, u32)> =
        sqlx::query_as("SELECT issue, account, heard, bound FROM tap_counters ORDER BY issue")
            .fetch_all(connection)
            .await?;
    for (issue, account, heard, bound) in counters {
        let issue = Issue::parse(&issue).ok_or_else(|| unknown("tap counter", &issue, "issue"))?;
        changes.push(Change::TapCounter { account: account.into(), issue, heard, bound });
    }
    Ok(changes)
}

fn badge(row: &SqliteRow) -> Result<(Box<str>, Badge), sqlx::Error> {
    let name: String = row.try_get("name")?;
    let wrong = || unknown("badge", &name, "mark");
    let mark: &str = row.try_get("mark")?;
    let uid = || Uid::parse(mark).ok_or_else(wrong);
    let issue: Option<&str> = row.try_get("issue")?;
    let mark = match (BadgeKind::of_name(row.try_get("kind")?), issue.and_then(Issue::parse)) {
        (Some(BadgeKind::Ndef), _) => Mark::Ndef(TokenHash::parse(mark).ok_or_else(wrong)?),
        (Some(BadgeKind::Uid), _) => Mark::Uid(uid()?),
        (Some(BadgeKind::Secure), Some(issue)) => Mark::Secure(uid()?, issue),
        _ => return Err(unknown("badge", &name, "kind")),
    };
    let badge = Badge {
        account: row.try_get::<String, _>("account")?.into(),
        label: row.try_get::<String, _>("label")?.into(),
        mark,
        made: Wall(row.try_get("made")?),
        revoked: row.try_get::<Option<i64>, _>("revoked")?.map(Wall),
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

impl FromRow<'_, SqliteRow> for KeptTap {
    fn from_row(row: &SqliteRow) -> Result<KeptTap, sqlx::Error> {
        Ok(KeptTap {
            id: row.try_get("id")?,
            time: row.try_get("time")?,
            account: row.try_get("account")?,
            badge: row.try_get("badge")?,
            kind: row.try_get("kind")?,
            reader: row.try_get("reader")?,
            device: row.try_get("device")?,
            rule: row.try_get("rule")?,
            words: row.try_get("words")?,
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
        let read = async {
            let mut connection = options(self.path()).read_only(true).connect().await?;
            let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM taps WHERE id < ");
            query.push_bind(before.unwrap_or(i64::MAX));
            if let Some(account) = account {
                query.push(" AND account = ").push_bind(account);
            }
            query.push(" ORDER BY id DESC LIMIT ").push_bind(most);
            query.build_query_as().fetch_all(&mut connection).await
        };
        read.await.map_err(|error: sqlx::Error| StoreError::new(self.path(), error))
    }
}
