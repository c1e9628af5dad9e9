//! Who sits where: one row a phone at which somebody sits.

use crate::group::{delete, removed};
use clock::Wall;
use exchange::{Change, Seat};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};
use std::collections::BTreeMap;

/// Rows of one statement.
const ROWS: usize = 1_000;

pub(crate) type Seats<'a> = BTreeMap<&'a str, Option<&'a Seat>>;

pub(crate) async fn write(connection: &mut SqliteConnection, seats: &Seats<'_>) -> Result<(), sqlx::Error> {
    delete(connection, "DELETE FROM seats WHERE device IN ", removed(seats)).await?;
    let rows: Vec<(&str, &Seat)> =
        seats.iter().filter_map(|(device, put)| Some((*device, (*put)?))).collect();
    for rows in rows.chunks(ROWS) {
        let mut query =
            QueryBuilder::<Sqlite>::new("INSERT OR REPLACE INTO seats (device, account, since, until) ");
        query.push_values(rows, |mut row, (device, seat)| {
            row.push_bind(*device).push_bind(&*seat.account);
            row.push_bind(seat.since.0).push_bind(seat.until.map(|until| until.0));
        });
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

pub(crate) async fn read(connection: &mut SqliteConnection) -> Result<Vec<Change>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM seats ORDER BY device").fetch_all(connection).await?;
    let seat = |row: &sqlx::sqlite::SqliteRow| {
        let seat = Seat {
            account: row.try_get::<String, _>("account")?.into(),
            since: Wall(row.try_get("since")?),
            until: row.try_get::<Option<i64>, _>("until")?.map(Wall),
        };
        Ok(Change::Seat { device: row.try_get::<String, _>("device")?.into(), seat: Some(seat) })
    };
    rows.iter().map(seat).collect()
}
