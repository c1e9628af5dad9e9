//! Trunks, routes and hunt groups in the database: few rows, written one by one.

use crate::group::removed;
use crate::seal::Sealer;
use crate::sql::{Clash, Connection, Row, delete, insert_one, query};
use exchange::{Change, Group, Host, PeopleChange, Route, Strategy, Trunk, TrunkLogin};
use sip::Transport;
use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) type Rows<'a, T> = BTreeMap<&'a str, Option<&'a T>>;

pub(crate) async fn write_trunks(
    connection: &mut Connection,
    sealer: &Sealer,
    trunks: &Rows<'_, Trunk>,
) -> Result<(), sqlx::Error> {
    delete(connection, "DELETE FROM trunks WHERE name IN ", removed(trunks)).await?;
    for (name, trunk) in trunks {
        let Some(trunk) = trunk else { continue };
        let login = trunk.login.as_ref();
        let password = login.map(|login| sealer.seal(name, &login.password)).transpose()?;
        let columns = [
            "name",
            "address",
            "port",
            "transport",
            "login",
            "password",
            "realm",
            "registers",
            "channels",
            "sources",
            "strip",
            "prepend",
        ];
        insert_one(connection, ("trunks", &columns), Clash::Replace(1), |row| {
            row.bind(*name).bind(bare(&trunk.host)).bind(trunk.port).bind(trunk.transport.name());
            row.bind(login.map(|login| &*login.user)).bind(password);
            row.bind(login.and_then(|login| login.realm.as_deref()));
            row.bind(trunk.registers).bind(trunk.channels);
            row.bind(words(trunk.sources.iter().map(ToString::to_string)));
            row.bind(trunk.strip).bind(&*trunk.prepend);
        })
        .await?;
    }
    Ok(())
}

pub(crate) async fn write_routes(
    connection: &mut Connection,
    routes: &Rows<'_, Route>,
) -> Result<(), sqlx::Error> {
    delete(connection, "DELETE FROM routes WHERE name IN ", removed(routes)).await?;
    for (name, route) in routes {
        let Some(route) = route else { continue };
        let columns = ["name", "prefix", "strip", "prepend", "trunks", "caller"];
        insert_one(connection, ("routes", &columns), Clash::Replace(1), |row| {
            row.bind(*name).bind(&*route.prefix).bind(route.strip).bind(&*route.prepend);
            row.bind(words(route.trunks.iter().map(ToString::to_string))).bind(route.caller.as_deref());
        })
        .await?;
    }
    Ok(())
}

pub(crate) async fn write_groups(
    connection: &mut Connection,
    groups: &Rows<'_, Group>,
) -> Result<(), sqlx::Error> {
    delete(connection, "DELETE FROM hunt_groups WHERE name IN ", groups.keys().copied().collect()).await?;
    for (name, group) in groups {
        let Some(group) = group else { continue };
        let columns = ["name", "display", "number", "strategy", "members", "ring_ms", "overflow"];
        insert_one(connection, ("hunt_groups", &columns), Clash::Refuse, |row| {
            row.bind(*name).bind(&*group.display).bind(&*group.number).bind(group.strategy.name());
            row.bind(words(group.members.iter().map(ToString::to_string)));
            row.bind(i64::try_from(group.ring.as_millis()).unwrap_or(i64::MAX))
                .bind(group.overflow.as_deref());
        })
        .await?;
    }
    Ok(())
}

/// All of them, in an order that can be applied.
pub(crate) async fn read(connection: &mut Connection, sealer: &Sealer) -> Result<Vec<Change>, sqlx::Error> {
    let mut changes = Vec::new();
    for row in query("SELECT * FROM trunks ORDER BY name").fetch_all(connection).await? {
        let name: String = row.get("name")?;
        let trunk = Box::new(trunk(&row, sealer, &name)?);
        changes.push(PeopleChange::PutTrunk { name: name.into(), trunk });
    }
    for row in query("SELECT * FROM routes ORDER BY name").fetch_all(connection).await? {
        let name: String = row.get("name")?;
        changes.push(PeopleChange::PutRoute { name: name.into(), route: Box::new(route(&row)?) });
    }
    for row in query("SELECT * FROM hunt_groups ORDER BY name").fetch_all(connection).await? {
        let name: String = row.get("name")?;
        changes.push(PeopleChange::PutGroup { name: name.into(), group: Box::new(group(&row)?) });
    }
    Ok(changes.into_iter().map(Change::People).collect())
}

fn trunk(row: &Row, sealer: &Sealer, name: &str) -> Result<Trunk, sqlx::Error> {
    let unknown = |column: &str| sqlx::Error::Decode(format!("trunk \"{name}\": {column}").into());
    let host = Host::parse(row.get("address")?).ok_or_else(|| unknown("address"))?;
    let transport = transport(row.get("transport")?).ok_or_else(|| unknown("transport"))?;
    let sealed: Option<Vec<u8>> = row.get("password")?;
    let login = match (row.get::<Option<String>>("login")?, sealed) {
        (Some(user), Some(sealed)) => Some(TrunkLogin {
            user: user.into(),
            password: sealer.open_text(name, &sealed)?.into(),
            realm: row.get::<Option<String>>("realm")?.map(Into::into),
        }),
        _ => None,
    };
    let sources = row.get::<&str>("sources")?.split_whitespace().filter_map(|text| text.parse().ok());
    Ok(Trunk {
        host,
        port: row.get("port")?,
        transport,
        login,
        registers: row.get("registers")?,
        channels: row.get("channels")?,
        sources: sources.collect(),
        strip: row.get("strip")?,
        prepend: row.get::<String>("prepend")?.into(),
    })
}

fn route(row: &Row) -> Result<Route, sqlx::Error> {
    Ok(Route {
        prefix: row.get::<String>("prefix")?.into(),
        strip: row.get("strip")?,
        prepend: row.get::<String>("prepend")?.into(),
        trunks: list(row, "trunks")?,
        caller: row.get::<Option<String>>("caller")?.map(Into::into),
    })
}

fn group(row: &Row) -> Result<Group, sqlx::Error> {
    let ring: i64 = row.get("ring_ms")?;
    Ok(Group {
        display: row.get::<String>("display")?.into(),
        number: row.get::<String>("number")?.into(),
        strategy: Strategy::of_name(row.get("strategy")?).unwrap_or(Strategy::All),
        members: list(row, "members")?,
        ring: Duration::from_millis(u64::try_from(ring).unwrap_or_default()),
        overflow: row.get::<Option<String>>("overflow")?.map(Into::into),
    })
}

/// Names have no spaces, so a space stands between them.
pub(crate) fn words(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(" ")
}

fn list(row: &Row, column: &str) -> Result<Vec<Box<str>>, sqlx::Error> {
    Ok(row.get::<&str>(column)?.split_whitespace().map(Into::into).collect())
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
