//! Who sits where: one row a phone at which somebody sits.

use crate::group::removed;
use crate::sql::{Clash, Connection, Row, delete, insert, query};
use clock::Wall;
use exchange::{Change, Seat};
use std::collections::BTreeMap;

pub(crate) type Seats<'a> = BTreeMap<&'a str, Option<&'a Seat>>;

pub(crate) async fn write(connection: &mut Connection, seats: &Seats<'_>) -> Result<(), sqlx::Error> {
    delete(connection, "DELETE FROM seats WHERE device IN ", removed(seats)).await?;
    let rows: Vec<(&str, &Seat)> =
        seats.iter().filter_map(|(device, put)| Some((*device, (*put)?))).collect();
    let into = ("seats", &["device", "account", "since", "until"][..]);
    insert(connection, into, Clash::Replace(1), &rows, |row, (device, seat)| {
        row.bind(*device).bind(&*seat.account);
        row.bind(seat.since.0).bind(seat.until.map(|until| until.0));
    })
    .await?;
    Ok(())
}

pub(crate) async fn read(connection: &mut Connection) -> Result<Vec<Change>, sqlx::Error> {
    let rows = query("SELECT * FROM seats ORDER BY device").fetch_all(connection).await?;
    let seat = |row: &Row| {
        let seat = Seat {
            account: row.get::<String>("account")?.into(),
            since: Wall(row.get("since")?),
            until: row.get::<Option<i64>>("until")?.map(Wall),
        };
        Ok(Change::Seat { device: row.get::<String>("device")?.into(), seat: Some(seat) })
    };
    rows.iter().map(seat).collect()
}
