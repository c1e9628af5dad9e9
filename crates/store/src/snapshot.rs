//! Reads everything that the exchange keeps in memory.

use crate::agents;
use crate::badges;
use crate::lease::Lease;
use crate::lists;
use crate::outside;
use crate::queues::{self, span};
use crate::seal::Sealer;
use crate::seats;
use crate::sql::{Connection, Row, query};
use crate::tasks;
use clock::Wall;
use exchange::{
    AutoAnswer, Change, Device, Forwarding, Language, PeopleChange, Rights, Role, Secret,
    Settings as ExchangeSettings, Snapshot, StoredBinding,
};
use sip::Flow;
use std::collections::BTreeMap;

type Settings = BTreeMap<String, String>;

pub(crate) async fn read(
    connection: &mut Connection,
    sealer: &Sealer,
    lease: Option<&Lease>,
) -> Result<(Snapshot, Settings), sqlx::Error> {
    let mut settings = Settings::new();
    for row in query("SELECT name, value FROM settings").fetch_all(connection).await? {
        settings.insert(row.get("name")?, row.get("value")?);
    }
    let mut changes = Vec::new();
    for row in query("SELECT * FROM accounts ORDER BY name").fetch_all(connection).await? {
        changes.push(Change::People(account(&row)?));
    }
    for row in query("SELECT number, account FROM numbers ORDER BY position").fetch_all(connection).await? {
        changes.push(Change::People(number(&row)?));
    }
    for row in query("SELECT * FROM devices ORDER BY position").fetch_all(connection).await? {
        changes.push(Change::People(device(&row)?));
    }
    changes.extend(outside::read(connection, sealer).await?);
    changes.extend(badges::read(connection, sealer).await?);
    changes.extend(bindings(connection, lease).await?);
    changes.extend(seats::read(connection).await?);
    changes.extend(queues::read(connection).await?);
    if lease.is_none_or(Lease::keeps) {
        changes.extend(once(connection).await?);
    }
    Ok((Snapshot { changes, sequence: 0 }, settings))
}

/// What must happen once, and has one keeper.
pub(crate) async fn once(connection: &mut Connection) -> Result<Vec<Change>, sqlx::Error> {
    let mut changes = agents::read(connection).await?;
    changes.extend(tasks::read(connection).await?);
    changes.extend(lists::read(connection).await?);
    Ok(changes)
}

pub(crate) fn number(row: &Row) -> Result<PeopleChange, sqlx::Error> {
    let (number, account): (String, String) = (row.get("number")?, row.get("account")?);
    Ok(PeopleChange::PutNumber { number: number.into(), account: account.into() })
}

pub(crate) fn account(row: &Row) -> Result<PeopleChange, sqlx::Error> {
    let text = |column: &str| row.get::<Option<String>>(column).map(|text| text.map(Into::into));
    let settings = ExchangeSettings {
        language: Language::of_tag(row.get("language")?).unwrap_or_default(),
        zone: text("zone")?,
        mobile: text("mobile")?,
        pin: text("pin")?,
        do_not_disturb: row.get("do_not_disturb")?,
        background: row.get("background")?,
        forwarding: Forwarding {
            always: text("forward_always")?,
            busy: text("forward_busy")?,
            no_answer: text("forward_no_answer")?,
            offline: text("forward_offline")?,
        },
        // A right that this version does not know is not given.
        rights: Rights::parse(row.get("rights")?).unwrap_or_default(),
        calls_a_day: row.get("calls_a_day")?,
        // So is a role.
        role: Role::of_name(row.get("role")?).unwrap_or_default(),
        platform: text("platform")?,
        wrap_up: row.get::<Option<i64>>("wrap_up_ms")?.map(span),
        password: text("password")?,
    };
    Ok(PeopleChange::PutAccount {
        name: row.get::<String>("name")?.into(),
        display: row.get::<String>("display")?.into(),
        settings: Box::new(settings),
    })
}

pub(crate) fn device(row: &Row) -> Result<PeopleChange, sqlx::Error> {
    let text = |column: &str| row.get::<String>(column).map(Into::into);
    let device = Device {
        account: text("account")?,
        secret: Secret { md5: text("md5")?, sha256: text("sha256")? },
        location: text("location")?,
        call_back: row.get::<Option<String>>("call_back")?.map(Into::into),
        auto_answer: row.get::<Option<&str>>("auto_answer")?.and_then(AutoAnswer::of_name),
    };
    Ok(PeopleChange::PutDevice { name: text("name")?, device })
}

/// Ours first: what is at others' doors comes to it.
async fn bindings(connection: &mut Connection, lease: Option<&Lease>) -> Result<Vec<Change>, sqlx::Error> {
    let rows = query("SELECT * FROM bindings ORDER BY device, owner, place").fetch_all(connection).await?;
    let shared = lease.and_then(Lease::shared);
    let mut ours: BTreeMap<Box<str>, Vec<StoredBinding>> = BTreeMap::new();
    let mut elsewhere = ours.clone();
    for row in rows {
        let is_ours = shared.is_none_or(|owner| row.get::<&str>("owner").is_ok_and(|known| known == owner));
        let by_device = if is_ours { &mut ours } else { &mut elsewhere };
        if let Some(binding) = binding(&row)? {
            by_device.entry(row.get::<String>("device")?.into()).or_default().push(binding);
        }
    }
    let ours = ours.into_iter().map(|(device, bindings)| Change::Bindings { device, bindings });
    let elsewhere =
        elsewhere.into_iter().map(|(device, bindings)| Change::BindingsElsewhere { device, bindings });
    Ok(ours.chain(elsewhere).collect())
}

/// One row; `None` when its flow is of a kind that we do not know, as after a downgrade.
pub(crate) fn binding(row: &Row) -> Result<Option<StoredBinding>, sqlx::Error> {
    let Some(flow) = flow(row)? else { return Ok(None) };
    Ok(Some(StoredBinding {
        contact: row.get::<String>("contact")?.into(),
        instance: row.get::<Option<String>>("instance")?.map(Into::into),
        reg_id: row.get("reg_id")?,
        q: row.get("q")?,
        path: row.get::<&str>("path")?.lines().map(Into::into).collect(),
        flow,
        behind_nat: row.get("behind_nat")?,
        expires: Wall(row.get("expires")?),
        call_id: row.get::<String>("call_id")?.into(),
        sequence: row.get("sequence")?,
    }))
}

fn flow(row: &Row) -> Result<Option<Flow>, sqlx::Error> {
    let name: &str = row.get("transport")?;
    let transport = outside::transport(name);
    let (local, remote) = (row.get::<&str>("local")?.parse(), row.get::<&str>("remote")?.parse());
    Ok(match (transport, local, remote) {
        (Some(transport), Ok(local), Ok(remote)) => Some(Flow { transport, local, remote, connection: 0 }),
        _ => None,
    })
}
