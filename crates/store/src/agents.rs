//! Who is signed in to work: one row an agent.

use crate::group::{delete, removed};
use crate::outside::words;
use crate::queues::{lines, milliseconds, span};
use clock::Wall;
use exchange::{By, Change, KeptPause, KeptSignIn, KeptWrapUp, SignIn};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};
use std::collections::BTreeMap;

/// Rows of one statement; SQLite takes 32,766 variables.
const ROWS: usize = 1_000;

pub(crate) type Agents<'a> = BTreeMap<&'a str, Option<&'a KeptSignIn>>;

pub(crate) async fn write(connection: &mut SqliteConnection, agents: &Agents<'_>) -> Result<(), sqlx::Error> {
    delete(connection, "DELETE FROM agents WHERE account IN ", removed(agents)).await?;
    let rows: Vec<(&str, &KeptSignIn)> =
        agents.iter().filter_map(|(account, put)| Some((*account, (*put)?))).collect();
    for rows in rows.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT OR REPLACE INTO agents (account, device, queues, interval_ms, since, pause_reason, \
             pause_rule, pause_since, pause_planned, wrap_up_ms, wrap_up_by, wrap_up_queue, wrap_up_ends, \
             extensions) ",
        );
        query.push_values(rows, |mut row, (account, kept)| {
            let (sign_in, pause, wrap_up) = (&kept.sign_in, kept.pause.as_ref(), kept.wrap_up.as_ref());
            row.push_bind(*account).push_bind(sign_in.device.as_deref());
            row.push_bind(words(sign_in.queues.iter().map(ToString::to_string)));
            row.push_bind(sign_in.interval.map(milliseconds)).push_bind(sign_in.since.0);
            row.push_bind(pause.map(|pause| &*pause.reason)).push_bind(pause.map(|pause| &*pause.rule));
            row.push_bind(pause.map(|pause| pause.since.0));
            row.push_bind(pause.and_then(|pause| pause.planned).map(|at| at.0));
            row.push_bind(wrap_up.map(|wrap_up| milliseconds(wrap_up.interval)));
            let (by, queue) = wrap_up.map(|wrap_up| by_name(&wrap_up.by)).unzip();
            row.push_bind(by).push_bind(queue.flatten());
            row.push_bind(wrap_up.map(|wrap_up| wrap_up.ends.0));
            row.push_bind(wrap_up.map_or(0, |wrap_up| wrap_up.extensions));
        });
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

fn by_name(by: &By) -> (&'static str, Option<&str>) {
    match by {
        By::Queue(name) => ("queue", Some(name)),
        By::Agent => ("agent", None),
        By::Profile => ("profile", None),
        By::Kind => ("kind", None),
    }
}

fn by_of(name: &str, queue: Option<String>) -> By {
    match (name, queue) {
        ("queue", Some(queue)) => By::Queue(queue.into()),
        ("agent", _) => By::Agent,
        ("profile", _) => By::Profile,
        _ => By::Kind,
    }
}

pub(crate) async fn read(connection: &mut SqliteConnection) -> Result<Vec<Change>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM agents ORDER BY account").fetch_all(connection).await?;
    rows.iter().map(agent).collect()
}

fn agent(row: &SqliteRow) -> Result<Change, sqlx::Error> {
    let text = |column: &str| row.try_get::<Option<String>, _>(column).map(|text| text.map(Box::<str>::from));
    let at = |column: &str| row.try_get::<Option<i64>, _>(column).map(|at| at.map(Wall));
    let sign_in = SignIn {
        device: text("device")?,
        queues: lines(row.try_get("queues")?, ' '),
        interval: row.try_get::<Option<i64>, _>("interval_ms")?.map(span),
        since: Wall(row.try_get("since")?),
    };
    let pause = match (text("pause_reason")?, text("pause_rule")?, at("pause_since")?) {
        (Some(reason), Some(rule), Some(since)) => {
            Some(KeptPause { reason, rule, since, planned: at("pause_planned")? })
        }
        _ => None,
    };
    let wrap_up = match (row.try_get::<Option<i64>, _>("wrap_up_ms")?, at("wrap_up_ends")?) {
        (Some(interval), Some(ends)) => Some(KeptWrapUp {
            interval: span(interval),
            by: by_of(
                &row.try_get::<Option<String>, _>("wrap_up_by")?.unwrap_or_default(),
                row.try_get("wrap_up_queue")?,
            ),
            ends,
            extensions: row.try_get("extensions")?,
        }),
        _ => None,
    };
    let account = row.try_get::<String, _>("account")?.into();
    Ok(Change::Agent { account, kept: Some(Box::new(KeptSignIn { sign_in, pause, wrap_up })) })
}
