//! What exchanges over one database tell each other of their changes (R20, R24): which rows changed, in the order of the
//! commits. What they hold is read when it is told, so a row that changed twice is read once, and nothing is told that is old.

use crate::documents::{self, Document};
use crate::group::Group;
use crate::lease::NOW;
use crate::seal::Sealer;
use crate::sql::{Clash, Connection, Query, Row, Value, insert, query};
use crate::{badges, outside, queues, seats, snapshot};
use exchange::{Change, PeopleChange, StoredBinding};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Changes are in the feed in the order in which they are committed: who adds to it waits for this lock. "feed" in ASCII.
const LOCK: &str = "1717921124";
/// Rows that are read at once.
const ROWS: i64 = 1_000;
/// How long what was told can be read; who was away for longer reads all anew.
const KEPT: Duration = Duration::from_secs(3_600);

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Account,
    Number,
    Device,
    Trunk,
    Route,
    Group,
    Queue,
    Badge,
    Reader,
    BadgeKeys,
    Bindings,
    Seat,
    TapCounter,
    /// Of the ways in: sessions, tokens, webhooks.
    Document,
    /// Who shares the database, or where phones reach them.
    Members,
}

impl Kind {
    const ALL: [(Kind, &'static str); 15] = [
        (Kind::Account, "account"),
        (Kind::Number, "number"),
        (Kind::Device, "device"),
        (Kind::Trunk, "trunk"),
        (Kind::Route, "route"),
        (Kind::Group, "group"),
        (Kind::Queue, "queue"),
        (Kind::Badge, "badge"),
        (Kind::Reader, "reader"),
        (Kind::BadgeKeys, "badge keys"),
        (Kind::Bindings, "bindings"),
        (Kind::Seat, "seat"),
        (Kind::TapCounter, "tap counter"),
        (Kind::Document, "document"),
        (Kind::Members, "members"),
    ];
    /// Those of which one change may contradict another that was not known.
    const PEOPLE: usize = 10;

    fn name(self) -> &'static str {
        Kind::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    fn of_name(name: &str) -> Option<Kind> {
        Kind::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// Nobody else adds to the feed until this transaction ends.
pub(crate) async fn lock(connection: &mut Connection) -> Result<(), sqlx::Error> {
    connection.run(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await
}

/// Tells others what a group changed, if that is anything to them; whether it was.
pub(crate) async fn tell(
    connection: &mut Connection,
    owner: &str,
    group: &Group<'_>,
) -> Result<bool, sqlx::Error> {
    let rows = group.touched();
    if rows.is_empty() {
        return Ok(false);
    }
    tell_of(connection, owner, rows).await.map(|()| true)
}

/// Tells others of these rows.
pub(crate) async fn tell_of(
    connection: &mut Connection,
    owner: &str,
    rows: Vec<(Kind, String)>,
) -> Result<(), sqlx::Error> {
    lock(connection).await?;
    let mut now = Query::build("SELECT ");
    now.push(NOW).push(" AS now");
    let at: i64 = now.fetch_one(connection).await?.get("now")?;
    let into = ("feed", &["owner", "kind", "name", "at"][..]);
    insert(connection, into, Clash::Refuse, &rows, |row, (kind, name)| {
        row.bind(owner).bind(kind.name()).bind(name.as_str()).bind(at);
    })
    .await?;
    Ok(())
}

/// Where the feed ends now.
pub(crate) async fn end(connection: &mut Connection) -> Result<u64, sqlx::Error> {
    let row = query("SELECT coalesce(max(position), 0) AS position FROM feed").fetch_one(connection).await?;
    Ok(u64::try_from(row.get::<i64>("position")?).unwrap_or_default())
}

/// How far others have changed people, numbers or phones, at the latest.
pub(crate) async fn last_of_people(connection: &mut Connection, owner: &str) -> Result<u64, sqlx::Error> {
    let mut last = Query::build("SELECT coalesce(max(position), 0) AS position FROM feed WHERE owner <> ");
    last.push_bind(owner).push(" AND kind IN ");
    last.push_list(Kind::ALL.iter().take(Kind::PEOPLE).map(|(_, name)| *name));
    let row = last.fetch_one(connection).await?;
    Ok(u64::try_from(row.get::<i64>("position")?).unwrap_or_default())
}

/// Forgets what was told long ago, but not the last: by that, who has read all knows that nothing was missed.
pub(crate) async fn forget(connection: &mut Connection) -> Result<(), sqlx::Error> {
    let mut old =
        Query::build("DELETE FROM feed WHERE position < (SELECT max(position) FROM feed) AND at < ");
    old.push(NOW).push(" - ").push_bind(i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX));
    old.execute(connection).await.map(drop)
}

/// Whether something after this was told and is forgotten.
async fn missed(connection: &mut Connection, after: i64) -> Result<bool, sqlx::Error> {
    let there = query("SELECT 1 AS there FROM feed WHERE position <= ? LIMIT 1").bind(after);
    Ok(after > 0 && there.fetch_optional(connection).await?.is_none())
}

/// What others changed.
pub(crate) struct Fed {
    /// How far that is; the same as before when nothing is new.
    pub(crate) position: u64,
    pub(crate) changes: Vec<Change>,
    pub(crate) documents: Vec<Document>,
    /// Whether they tell something of themselves.
    pub(crate) members: bool,
    /// Whether what was changed before that is not told any more.
    pub(crate) missed: bool,
}

/// What others changed since then.
pub(crate) async fn read(
    connection: &mut Connection,
    sealer: &Sealer,
    owner: &str,
    after: u64,
) -> Result<Fed, sqlx::Error> {
    let rows =
        query("SELECT position, owner, kind, name FROM feed WHERE position > ? ORDER BY position LIMIT ?");
    let after_row = i64::try_from(after).unwrap_or(i64::MAX);
    let rows = rows.bind(after_row).bind(ROWS).fetch_all(connection).await?;
    let Some(last) = rows.last() else {
        let (changes, documents) = (Vec::new(), Vec::new());
        return Ok(Fed { position: after, changes, documents, members: false, missed: false });
    };
    let position = u64::try_from(last.get::<i64>("position")?).unwrap_or(after);
    let mut touched: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
    for row in &rows {
        if row.get::<&str>("owner")? != owner
            && let Some(kind) = Kind::of_name(row.get("kind")?)
        {
            touched.entry(kind).or_default().insert(row.get("name")?);
        }
    }
    let documents = match touched.remove(&Kind::Document) {
        Some(names) => documents::now(connection, sealer, &names).await?,
        None => Vec::new(),
    };
    let mut changes = Vec::new();
    for (kind, names) in &touched {
        changes.extend(now(connection, sealer, owner, *kind, names).await?);
    }
    // What goes, goes after all that came, and an account after all that was its own.
    let rank = |change: &Change| match change {
        Change::People(PeopleChange::RemoveAccount { .. }) => 2,
        Change::People(change) if change.removes() => 1,
        _ => 0,
    };
    changes.sort_by_key(rank);
    // The first may follow at a distance: a transaction that was given up leaves a gap.
    let first: i64 = rows.first().map_or(Ok(0), |row| row.get("position"))?;
    let missed = first > after_row + 1 && missed(connection, after_row).await?;
    Ok(Fed { position, changes, documents, members: touched.contains_key(&Kind::Members), missed })
}

/// These rows as they are now; what is not there was removed.
async fn now(
    connection: &mut Connection,
    sealer: &Sealer,
    owner: &str,
    kind: Kind,
    names: &BTreeSet<String>,
) -> Result<Vec<Change>, sqlx::Error> {
    match kind {
        Kind::Account => {
            let there = rows(connection, ("accounts", "name", "name"), names, snapshot::account).await?;
            Ok(with_removed(there, names, |name| PeopleChange::RemoveAccount { name }))
        }
        Kind::Number => {
            let there = rows(connection, ("numbers", "number", "position"), names, snapshot::number).await?;
            Ok(with_removed(there, names, |number| PeopleChange::RemoveNumber { number }))
        }
        Kind::Device => {
            let there = rows(connection, ("devices", "name", "position"), names, snapshot::device).await?;
            Ok(with_removed(there, names, |name| PeopleChange::RemoveDevice { name }))
        }
        Kind::Trunk | Kind::Route | Kind::Group => {
            let there = outside::read(connection, sealer).await?;
            Ok(with_removed(people(there, kind), names, |name| match kind {
                Kind::Trunk => PeopleChange::RemoveTrunk { name },
                Kind::Route => PeopleChange::RemoveRoute { name },
                _ => PeopleChange::RemoveGroup { name },
            }))
        }
        Kind::Queue => {
            let there = queues::read(connection).await?;
            Ok(with_removed(people(there, kind), names, |name| PeopleChange::RemoveQueue { name }))
        }
        Kind::Badge | Kind::Reader => {
            let there = badges::read(connection, sealer).await?;
            Ok(with_removed(people(there, kind), names, |name| match kind {
                Kind::Badge => PeopleChange::RemoveBadge { name },
                _ => PeopleChange::RemoveReader { name },
            }))
        }
        Kind::BadgeKeys => {
            let there = badges::read(connection, sealer).await?;
            Ok(people(there, kind).into_iter().map(Change::People).collect())
        }
        Kind::TapCounter => {
            let there = badges::read(connection, sealer).await?;
            let wanted = |change: &Change| match change {
                Change::TapCounter { issue, .. } => names.contains(&issue.to_string()),
                _ => false,
            };
            Ok(there.into_iter().filter(wanted).collect())
        }
        Kind::Seat => {
            let mut gone = names.clone();
            let mut there = seats::read(connection).await?;
            there.retain(|change| matches!(change, Change::Seat { device, .. } if gone.remove(&**device)));
            let left = gone.into_iter().map(|device| Change::Seat { device: device.into(), seat: None });
            there.extend(left);
            Ok(there)
        }
        Kind::Bindings => bindings_elsewhere(connection, owner, names).await,
        Kind::Members | Kind::Document => Ok(Vec::new()),
    }
}

/// The rows of a table by their key, in an order.
async fn rows(
    connection: &mut Connection,
    (table, key, order): (&str, &str, &str),
    names: &BTreeSet<String>,
    of: impl Fn(&Row) -> Result<PeopleChange, sqlx::Error>,
) -> Result<Vec<PeopleChange>, sqlx::Error> {
    let what = format!("SELECT * FROM {table} WHERE {key} IN ");
    let found = select(&what, names, &format!(" ORDER BY {order}")).fetch_all(connection).await?;
    found.iter().map(of).collect()
}

async fn bindings_elsewhere(
    connection: &mut Connection,
    owner: &str,
    names: &BTreeSet<String>,
) -> Result<Vec<Change>, sqlx::Error> {
    let mut by_device: BTreeMap<&str, Vec<StoredBinding>> =
        names.iter().map(|device| (device.as_str(), Vec::new())).collect();
    let mut rows = select("SELECT * FROM bindings WHERE device IN ", names, " AND owner <> ");
    rows.push_bind(owner).push(" ORDER BY device, owner, place");
    for row in rows.fetch_all(connection).await? {
        if let (Some(list), Some(binding)) =
            (by_device.get_mut(row.get::<&str>("device")?), snapshot::binding(&row)?)
        {
            list.push(binding);
        }
    }
    let changes = by_device.into_iter();
    Ok(changes
        .map(|(device, bindings)| Change::BindingsElsewhere { device: device.into(), bindings })
        .collect())
}

fn select<'n>(what: &str, names: &'n BTreeSet<String>, more: &str) -> Query<'n> {
    let mut select = Query::build(what);
    select.push_list(names.iter().map(|name| Value::from(name.as_str())));
    select.push(more);
    select
}

/// Those of one kind, of what a reader of several kinds found.
fn people(changes: Vec<Change>, kind: Kind) -> Vec<PeopleChange> {
    let is_it = |change: &PeopleChange| {
        matches!(
            (kind, change),
            (Kind::Trunk, PeopleChange::PutTrunk { .. })
                | (Kind::Route, PeopleChange::PutRoute { .. })
                | (Kind::Group, PeopleChange::PutGroup { .. })
                | (Kind::Queue, PeopleChange::PutQueue { .. })
                | (Kind::Badge, PeopleChange::PutBadge { .. })
                | (Kind::Reader, PeopleChange::PutReader { .. })
                | (Kind::BadgeKeys, PeopleChange::PutBadgeKeys(_))
        )
    };
    let people = changes.into_iter().filter_map(|change| match change {
        Change::People(change) => Some(change),
        _ => None,
    });
    people.filter(is_it).collect()
}

/// What is there of these names, and the removal of what is not.
fn with_removed(
    there: Vec<PeopleChange>,
    names: &BTreeSet<String>,
    remove: impl Fn(Box<str>) -> PeopleChange,
) -> Vec<Change> {
    let mut gone = names.clone();
    let mut changes: Vec<Change> =
        there.into_iter().filter(|change| gone.remove(change.name())).map(Change::People).collect();
    changes.extend(gone.into_iter().map(|name| Change::People(remove(name.into()))));
    changes
}
