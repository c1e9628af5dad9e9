//! Reads everything that the exchange keeps in memory.

use crate::agents;
use crate::badges;
use crate::lists;
use crate::outside;
use crate::queues::{self, span};
use crate::seal::Sealer;
use crate::seats;
use crate::tasks;
use clock::Wall;
use exchange::{
    AutoAnswer, Change, Device, Forwarding, Language, PeopleChange, Rights, Role, Secret,
    Settings as ExchangeSettings, Snapshot, StoredBinding,
};
use sip::Flow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use std::collections::BTreeMap;

type Settings = BTreeMap<String, String>;

pub(crate) async fn read(
    connection: &mut SqliteConnection,
    sealer: &Sealer,
) -> Result<(Snapshot, Settings), sqlx::Error> {
    let settings: Vec<(String, String)> =
        sqlx::query_as("SELECT name, value FROM settings").fetch_all(&mut *connection).await?;
    let mut changes = Vec::new();
    for row in sqlx::query("SELECT * FROM accounts ORDER BY name").fetch_all(&mut *connection).await? {
        changes.push(Change::People(account(&row)?));
    }
    let numbers: Vec<(String, String)> =
        sqlx::query_as("SELECT number, account FROM numbers ORDER BY position")
            .fetch_all(&mut *connection)
            .await?;
    changes.extend(numbers.into_iter().map(|(number, account)| {
        Change::People(PeopleChange::PutNumber { number: number.into(), account: account.into() })
    }));
    for row in sqlx::query("SELECT * FROM devices ORDER BY position").fetch_all(&mut *connection).await? {
        changes.push(Change::People(device(&row)?));
    }
    changes.extend(outside::read(connection, sealer).await?);
    changes.extend(badges::read(connection, sealer).await?);
    changes.extend(bindings(&mut *connection).await?);
    changes.extend(seats::read(&mut *connection).await?);
    changes.extend(queues::read(&mut *connection).await?);
    changes.extend(agents::read(&mut *connection).await?);
    changes.extend(tasks::read(&mut *connection).await?);
    changes.extend(lists::read(connection).await?);
    Ok((Snapshot { changes, sequence: 0 }, settings.into_iter().collect()))
}

fn account(row: &SqliteRow) -> Result<PeopleChange, sqlx::Error> {
    let text = |column: &str| row.try_get::<Option<String>, _>(column).map(|text| text.map(Into::into));
    let settings = ExchangeSettings {
        language: Language::of_tag(row.try_get("language")?).unwrap_or_default(),
        zone: text("zone")?,
        mobile: text("mobile")?,
        pin: text("pin")?,
        do_not_disturb: row.try_get("do_not_disturb")?,
        background: row.try_get("background")?,
        forwarding: Forwarding {
            always: text("forward_always")?,
            busy: text("forward_busy")?,
            no_answer: text("forward_no_answer")?,
            offline: text("forward_offline")?,
        },
        // A right that this version does not know is not given.
        rights: Rights::parse(row.try_get("rights")?).unwrap_or_default(),
        calls_a_day: row.try_get("calls_a_day")?,
        // So is a role.
        role: Role::of_name(row.try_get("role")?).unwrap_or_default(),
        platform: text("platform")?,
        wrap_up: row.try_get::<Option<i64>, _>("wrap_up_ms")?.map(span),
        password: text("password")?,
    };
    Ok(PeopleChange::PutAccount {
        name: row.try_get::<String, _>("name")?.into(),
        display: row.try_get::<String, _>("display")?.into(),
        settings: Box::new(settings),
    })
}

fn device(row: &SqliteRow) -> Result<PeopleChange, sqlx::Error> {
    let text = |column: &str| row.try_get::<String, _>(column).map(Into::into);
    let device = Device {
        account: text("account")?,
        secret: Secret { md5: text("md5")?, sha256: text("sha256")? },
        location: text("location")?,
        call_back: row.try_get::<Option<String>, _>("call_back")?.map(Into::into),
        auto_answer: row.try_get::<Option<&str>, _>("auto_answer")?.and_then(AutoAnswer::of_name),
    };
    Ok(PeopleChange::PutDevice { name: text("name")?, device })
}

async fn bindings(connection: &mut SqliteConnection) -> Result<Vec<Change>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM bindings ORDER BY device, place").fetch_all(connection).await?;
    let mut by_device: BTreeMap<String, Vec<StoredBinding>> = BTreeMap::new();
    for row in rows {
        if let Some(binding) = binding(&row)? {
            by_device.entry(row.try_get("device")?).or_default().push(binding);
        }
    }
    Ok(by_device
        .into_iter()
        .map(|(device, bindings)| Change::Bindings { device: device.into(), bindings })
        .collect())
}

/// One row; `None` when its flow is of a kind that we do not know, as after a downgrade.
fn binding(row: &SqliteRow) -> Result<Option<StoredBinding>, sqlx::Error> {
    let Some(flow) = flow(row)? else { return Ok(None) };
    Ok(Some(StoredBinding {
        contact: row.try_get::<String, _>("contact")?.into(),
        instance: row.try_get::<Option<String>, _>("instance")?.map(Into::into),
        reg_id: row.try_get("reg_id")?,
        q: row.try_get("q")?,
        path: row.try_get::<&str, _>("path")?.lines().map(Into::into).collect(),
        flow,
        behind_nat: row.try_get("behind_nat")?,
        expires: Wall(row.try_get("expires")?),
        call_id: row.try_get::<String, _>("call_id")?.into(),
        sequence: row.try_get("sequence")?,
    }))
}

fn flow(row: &SqliteRow) -> Result<Option<Flow>, sqlx::Error> {
    let name: &str = row.try_get("transport")?;
    let transport = outside::transport(name);
    let (local, remote) =
        (row.try_get::<&str, _>("local")?.parse(), row.try_get::<&str, _>("remote")?.parse());
    Ok(match (transport, local, remote) {
        (Some(transport), Ok(local), Ok(remote)) => Some(Flow { transport, local, remote, connection: 0 }),
        _ => None,
    })
}
