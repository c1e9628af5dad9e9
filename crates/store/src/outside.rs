//! Trunks, routes and hunt groups in the database: few rows, written one by one.

use crate::group::{delete, removed};
use crate::seal::Sealer;
use exchange::{Change, Group, Host, PeopleChange, Route, Strategy, Trunk, TrunkLogin};
use sip::Transport;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) type Rows<'a, T> = BTreeMap<&'a str, Option<&'a T>>;

pub(crate) async fn write_trunks(
    connection: &mut SqliteConnection,
    sealer: &Sealer,
    trunks: &Rows<'_, Trunk>,
) -> Result<(), sqlx::Error> {
    delete(connection, "DELETE FROM trunks WHERE name IN ", removed(trunks)).await?;
    for (name, trunk) in trunks {
        let Some(trunk) = trunk else { continue };
        let login = trunk.login.as_ref();
        let password = login.map(|login| sealer.seal(name, &login.password)).transpose()?;
        sqlx::query(
            "INSERT OR REPLACE INTO trunks (name, address, port, transport, login, password, realm, registers, \
             channels, sources, strip, prepend) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(*name)
        .bind(bare(&trunk.host))
        .bind(trunk.port)
        .bind(trunk.transport.name())
        .bind(login.map(|login| &*login.user))
        .bind(password)
        .bind(login.and_then(|login| login.realm.as_deref()))
        .bind(trunk.registers)
        .bind(trunk.channels)
        .bind(words(trunk.sources.iter().map(ToString::to_string)))
        .bind(trunk.strip)
        .bind(&*trunk.prepend)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub(crate) async fn write_routes(
    connection: &mut SqliteConnection,
    routes: &Rows<'_, Route>,
) -> Result<(), sqlx::Error> {
    delete(connection, "DELETE FROM routes WHERE name IN ", removed(routes)).await?;
    for (name, route) in routes {
        let Some(route) = route else { continue };
        sqlx::query(
            "INSERT OR REPLACE INTO routes (name, prefix, strip, prepend, trunks, caller) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(*name)
        .bind(&*route.prefix)
        .bind(route.strip)
        .bind(&*route.prepend)
        .bind(words(route.trunks.iter().map(ToString::to_string)))
        .bind(route.caller.as_deref())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub(crate) async fn write_groups(
    connection: &mut SqliteConnection,
    groups: &Rows<'_, Group>,
) -> Result<(), sqlx::Error> {
    delete(connection, "DELETE FROM hunt_groups WHERE name IN ", groups.keys().copied().collect()).await?;
    for (name, group) in groups {
        let Some(group) = group else { continue };
        sqlx::query(
            "INSERT INTO hunt_groups (name, display, number, strategy, members, ring_ms, overflow) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(*name)
        .bind(&*group.display)
        .bind(&*group.number)
        .bind(group.strategy.name())
        .bind(words(group.members.iter().map(ToString::to_string)))
        .bind(i64::try_from(group.ring.as_millis()).unwrap_or(i64::MAX))
        .bind(group.overflow.as_deref())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// All of them, in an order that can be applied.
pub(crate) async fn read(
    connection: &mut SqliteConnection,
    sealer: &Sealer,
) -> Result<Vec<Change>, sqlx::Error> {
    let mut changes = Vec::new();
    for row in sqlx::query("SELECT * FROM trunks ORDER BY name").fetch_all(&mut *connection).await? {
        let name: String = row.try_get("name")?;
        let trunk = Box::new(trunk(&row, sealer, &name)?);
        changes.push(PeopleChange::PutTrunk { name: name.into(), trunk });
    }
    for row in sqlx::query("SELECT * FROM routes ORDER BY name").fetch_all(&mut *connection).await? {
        let name: String = row.try_get("name")?;
        changes.push(PeopleChange::PutRoute { name: name.into(), route: Box::new(route(&row)?) });
    }
    for row in sqlx::query("SELECT * FROM hunt_groups ORDER BY name").fetch_all(&mut *connection).await? {
        let name: String = row.try_get("name")?;
        changes.push(PeopleChange::PutGroup { name: name.into(), group: Box::new(group(&row)?) });
    }
    Ok(changes.into_iter().map(Change::People).collect())
}

fn trunk(row: &SqliteRow, sealer: &Sealer, name: &str) -> Result<Trunk, sqlx::Error> {
    let unknown = |column: &str| sqlx::Error::Decode(format!("trunk \"{name}\": {column}").into());
    let host = Host::parse(row.try_get("address")?).ok_or_else(|| unknown("address"))?;
    let transport = transport(row.try_get("transport")?).ok_or_else(|| unknown("transport"))?;
    let sealed: Option<Vec<u8>> = row.try_get("password")?;
    let login = match (row.try_get::<Option<String>, _>("login")?, sealed) {
        (Some(user), Some(sealed)) => Some(TrunkLogin {
            user: user.into(),
            password: sealer.open_text(name, &sealed)?.into(),
            realm: row.try_get::<Option<String>, _>("realm")?.map(Into::into),
        }),
        _ => None,
    };
    let sources = row.try_get::<&str, _>("sources")?.split_whitespace().filter_map(|text| text.parse().ok());
    Ok(Trunk {
        host,
        port: row.try_get("port")?,
        transport,
        login,
        registers: row.try_get("registers")?,
        channels: row.try_get("channels")?,
        sources: sources.collect(),
        strip: row.try_get("strip")?,
        prepend: row.try_get::<String, _>("prepend")?.into(),
    })
}

fn route(row: &SqliteRow) -> Result<Route, sqlx::Error> {
    Ok(Route {
        prefix: row.try_get::<String, _>("prefix")?.into(),
        strip: row.try_get("strip")?,
        prepend: row.try_get::<String, _>("prepend")?.into(),
        trunks: list(row, "trunks")?,
        caller: row.try_get::<Option<String>, _>("caller")?.map(Into::into),
    })
}

fn group(row: &SqliteRow) -> Result<Group, sqlx::Error> {
    let ring: i64 = row.try_get("ring_ms")?;
    Ok(Group {
        display: row.try_get::<String, _>("display")?.into(),
        number: row.try_get::<String, _>("number")?.into(),
        strategy: Strategy::of_name(row.try_get("strategy")?).unwrap_or(Strategy::All),
        members: list(row, "members")?,
        ring: Duration::from_millis(u64::try_from(ring).unwrap_or_default()),
        overflow: row.try_get::<Option<String>, _>("overflow")?.map(Into::into),
    })
}

/// Names have no spaces, so a space stands between them.
pub(crate) fn words(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(" ")
}

fn list(row: &SqliteRow, column: &str) -> Result<Vec<Box<str>>, sqlx::Error> {
    Ok(row.try_get::<&str, _>(column)?.split_whitespace().map(Into::into).collect())
}

fn bare(host: &Host) -> String {
    match host {
        Host::Address(address) => address.to_string(),
        Host::Name(name) => name.to_string(),
    }
}

pub(crate) fn transport(name: &str) -> Option<Transport> {
    Transport::ALL.into_iter().find(|known| known.name() == name)
}
