//! All rows of an office from one database into another, whichever the engines: how a server's office becomes a backup,
//! and a backup a server's office.

use crate::migrate::{FORM, form, known};
use crate::sql::{Clash, Connection, Query, Value, insert, query};

/// Rows that are written at once.
const ROWS: usize = 500;
/// Who may write belongs to a place, and not to the office.
const OF_THE_PLACE: [&str; 4] = ["shards", "writers", "feed", "homes"];

/// What a table of ours has.
struct Table {
    name: String,
    columns: Vec<String>,
    types: Vec<Type>,
}

#[derive(Clone, Copy)]
enum Type {
    Integer,
    Text,
    Octets,
}

/// The tables, as a file of the newest form has them.
async fn tables(file: &mut Connection) -> Result<Vec<Table>, sqlx::Error> {
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let mut tables = Vec::new();
    for row in query(names).fetch_all(file).await? {
        let name: String = row.get("name")?;
        if OF_THE_PLACE.contains(&name.as_str()) {
            continue;
        }
        let mut table = Table { name, columns: Vec::new(), types: Vec::new() };
        let columns =
            query("SELECT name, type FROM pragma_table_info(?)").bind(&table.name).fetch_all(file).await?;
        for row in &columns {
            let column: &str = row.get("name")?;
            table.columns.push(format!("\"{column}\""));
            table.types.push(match row.get("type")? {
                "INTEGER" => Type::Integer,
                "BLOB" => Type::Octets,
                _ => Type::Text,
            });
        }
        tables.push(table);
    }
    Ok(tables)
}

/// The office of a server, as it is at one moment, into a file that has no rows yet.
pub(crate) async fn to_file(server: &mut Connection, file: &mut Connection) -> Result<(), String> {
    let there = known(form(server).await.map_err(|error| error.to_string())?)?;
    match there {
        0 => return Err("there is no office there to keep a copy of".to_owned()),
        FORM => {}
        _ => return Err("the office has the form of an older Ringdown; start this one on it once".to_owned()),
    }
    let copy = async {
        server.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        file.begin().await?;
        for table in tables(file).await? {
            copy_table(&table, server, file).await?;
        }
        file.commit().await?;
        server.commit().await
    };
    copy.await.map_err(|error: sqlx::Error| error.to_string())
}

/// The office of a file of the newest form into a server that has none. The transaction is left open: what else belongs
/// to a restore can still fail.
pub(crate) async fn to_server(file: &mut Connection, server: &mut Connection) -> Result<(), sqlx::Error> {
    server.begin().await?;
    for table in tables(file).await? {
        let found =
            Query::build(&format!("SELECT 1 FROM {} LIMIT 1", table.name)).fetch_optional(server).await?;
        if found.is_some() {
            let what =
                format!("is not empty (it has rows in {}); restore into a database of its own", table.name);
            return Err(sqlx::Error::Configuration(what.into()));
        }
        copy_table(&table, file, server).await?;
    }
    let counted = "SELECT table_name::text AS name, column_name::text AS counted FROM information_schema.columns \
                   WHERE table_schema = current_schema() AND is_identity = 'YES'";
    for row in query(counted).fetch_all(server).await? {
        let (name, column): (&str, &str) = (row.get("name")?, row.get("counted")?);
        let next = format!(
            "SELECT setval(pg_get_serial_sequence('{name}', '{column}'), coalesce(max({column}), 0) + 1, false) FROM {name}"
        );
        server.run(&next).await?;
    }
    Ok(())
}

async fn copy_table(table: &Table, from: &mut Connection, to: &mut Connection) -> Result<(), sqlx::Error> {
    let columns: Vec<&str> = table.columns.iter().map(String::as_str).collect();
    let all = Query::build(&format!("SELECT {} FROM {}", columns.join(", "), table.name));
    let mut rows: Vec<Vec<Value<'static>>> = Vec::new();
    let into = (table.name.as_str(), columns.as_slice());
    all.each(from, async |row| {
        let mut values = Vec::with_capacity(columns.len());
        for (column, kind) in columns.iter().zip(&table.types) {
            let column = column.trim_matches('"');
            values.push(match kind {
                Type::Integer => Value::from(row.get::<Option<i64>>(column)?),
                Type::Text => Value::from(row.get::<Option<String>>(column)?),
                Type::Octets => Value::from(row.get::<Option<Vec<u8>>>(column)?),
            });
        }
        rows.push(values);
        if rows.len() >= ROWS {
            write(to, into, &mut rows).await?;
        }
        Ok(())
    })
    .await?;
    write(to, into, &mut rows).await
}

async fn write(
    to: &mut Connection,
    into: (&str, &[&str]),
    rows: &mut Vec<Vec<Value<'static>>>,
) -> Result<(), sqlx::Error> {
    insert(to, into, Clash::Refuse, rows.drain(..), |row, values| {
        for value in values {
            row.bind(value);
        }
    })
    .await
}
