//! Who is signed in to work: one row an agent.

use crate::group::removed;
use crate::outside::words;
use crate::queues::{lines, milliseconds, span};
use crate::sql::{Clash, Connection, Row, delete, insert, query};
use clock::Wall;
use exchange::{By, Change, KeptPause, KeptSignIn, KeptWrapUp, SignIn};
use std::collections::BTreeMap;

pub(crate) type Agents<'a> = BTreeMap<&'a str, Option<&'a KeptSignIn>>;

pub(crate) async fn write(connection: &mut Connection, agents: &Agents<'_>) -> Result<(), sqlx::Error> {
    delete(connection, "DELETE FROM agents WHERE account IN ", removed(agents)).await?;
    let rows: Vec<(&str, &KeptSignIn)> =
        agents.iter().filter_map(|(account, put)| Some((*account, (*put)?))).collect();
    let into = (
        "agents",
        &[
            "account",
            "device",
            "queues",
            "interval_ms",
            "since",
            "pause_reason",
            "pause_rule",
            "pause_since",
            "pause_planned",
            "wrap_up_ms",
            "wrap_up_by",
            "wrap_up_queue",
            "wrap_up_ends",
            "extensions",
        ][..],
    );
    insert(connection, into, Clash::Replace(1), &rows, |row, (account, kept)| {
        let (sign_in, pause, wrap_up) = (&kept.sign_in, kept.pause.as_ref(), kept.wrap_up.as_ref());
        row.bind(*account).bind(sign_in.device.as_deref());
        row.bind(words(sign_in.queues.iter().map(ToString::to_string)));
        row.bind(sign_in.interval.map(milliseconds)).bind(sign_in.since.0);
        row.bind(pause.map(|pause| &*pause.reason)).bind(pause.map(|pause| &*pause.rule));
        row.bind(pause.map(|pause| pause.since.0));
        row.bind(pause.and_then(|pause| pause.planned).map(|at| at.0));
        row.bind(wrap_up.map(|wrap_up| milliseconds(wrap_up.interval)));
        let (by, queue) = wrap_up.map(|wrap_up| by_name(&wrap_up.by)).unzip();
        row.bind(by).bind(queue.flatten());
        row.bind(wrap_up.map(|wrap_up| wrap_up.ends.0));
        row.bind(wrap_up.map_or(0, |wrap_up| wrap_up.extensions));
    })
    .await?;
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

pub(crate) async fn read(connection: &mut Connection) -> Result<Vec<Change>, sqlx::Error> {
    let rows = query("SELECT * FROM agents ORDER BY account").fetch_all(connection).await?;
    rows.iter().map(agent).collect()
}

fn agent(row: &Row) -> Result<Change, sqlx::Error> {
    let text = |column: &str| row.get::<Option<String>>(column).map(|text| text.map(Box::<str>::from));
    let at = |column: &str| row.get::<Option<i64>>(column).map(|at| at.map(Wall));
    let sign_in = SignIn {
        device: text("device")?,
        queues: lines(row.get("queues")?, ' '),
        interval: row.get::<Option<i64>>("interval_ms")?.map(span),
        since: Wall(row.get("since")?),
    };
    let pause = match (text("pause_reason")?, text("pause_rule")?, at("pause_since")?) {
        (Some(reason), Some(rule), Some(since)) => {
            Some(KeptPause { reason, rule, since, planned: at("pause_planned")? })
        }
        _ => None,
    };
    let wrap_up = match (row.get::<Option<i64>>("wrap_up_ms")?, at("wrap_up_ends")?) {
        (Some(interval), Some(ends)) => Some(KeptWrapUp {
            interval: span(interval),
            by: by_of(
                &row.get::<Option<String>>("wrap_up_by")?.unwrap_or_default(),
                row.get("wrap_up_queue")?,
            ),
            ends,
            extensions: row.get("extensions")?,
        }),
        _ => None,
    };
    let account = row.get::<String>("account")?.into();
    Ok(Change::Agent { account, kept: Some(Box::new(KeptSignIn { sign_in, pause, wrap_up })) })
}
