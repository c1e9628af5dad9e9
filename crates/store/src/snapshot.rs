//! Reads everything that the exchange keeps in memory.

use clock::Wall;
use exchange::{Change, Device, PeopleChange, Secret, Snapshot, StoredBinding, Trunk};
use sip::{Flow, Transport};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use std::collections::BTreeMap;

type Settings = BTreeMap<String, String>;

pub(crate) async fn read(connection: &mut SqliteConnection) -> Result<(Snapshot, Settings), sqlx::Error> {
    let settings: Vec<(String, String)> =
        sqlx::query_as("SELECT name, value FROM settings").fetch_all(&mut *connection).await?;
    let mut changes = Vec::new();
    let accounts: Vec<(String, String)> = sqlx::query_as("SELECT name, display FROM accounts ORDER BY name")
        .fetch_all(&mut *connection)
        .await?;
    changes.extend(accounts.into_iter().map(|(name, display)| {
        Change::People(PeopleChange::PutAccount { name: name.into(), display: display.into() })
    }));
    let numbers: Vec<(String, String)> =
        sqlx::query_as("SELECT number, account FROM numbers ORDER BY position")
            .fetch_all(&mut *connection)
            .await?;
    changes.extend(numbers.into_iter().map(|(number, account)| {
        Change::People(PeopleChange::PutNumber { number: number.into(), account: account.into() })
    }));
    let devices: Vec<(String, String, String, String)> =
        sqlx::query_as("SELECT name, account, md5, sha256 FROM devices ORDER BY position")
            .fetch_all(&mut *connection)
            .await?;
    changes.extend(devices.into_iter().map(|(name, account, md5, sha256)| {
        let secret = Secret { md5: md5.into(), sha256: sha256.into() };
        let device = Device { account: account.into(), secret };
        Change::People(PeopleChange::PutDevice { name: name.into(), device })
    }));
    changes.extend(trunks(connection).await?);
    changes.extend(bindings(connection).await?);
    Ok((Snapshot { changes, sequence: 0 }, settings.into_iter().collect()))
}

async fn trunks(connection: &mut SqliteConnection) -> Result<Vec<Change>, sqlx::Error> {
    let rows: Vec<(String, String, Option<u16>)> =
        sqlx::query_as("SELECT name, address, port FROM trunks ORDER BY name").fetch_all(connection).await?;
    let read = rows.into_iter().filter_map(|(name, address, port)| {
        let trunk = Trunk { address: address.parse().ok()?, port };
        Some(Change::People(PeopleChange::PutTrunk { name: name.into(), trunk }))
    });
    Ok(read.collect())
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
    let transport = [Transport::Udp, Transport::Tcp, Transport::Tls]
        .into_iter()
        .find(|transport| transport.uri_name() == name);
    let (local, remote) =
        (row.try_get::<&str, _>("local")?.parse(), row.try_get::<&str, _>("remote")?.parse());
    Ok(match (transport, local, remote) {
        (Some(transport), Ok(local), Ok(remote)) => Some(Flow { transport, local, remote, connection: 0 }),
        _ => None,
    })
}
