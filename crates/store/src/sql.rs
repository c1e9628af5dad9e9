//! SQL for both engines: one connection, one row, one text for each statement.
//!
//! A statement is written once, in what both understand: `?` or `?1` for values, `ON CONFLICT` for rows that are there
//! already, and three types. Numbers and flags are 64 bits, texts UTF-8, octets octets, on either side.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{
    Arguments as _, AssertSqlSafe, Connection as _, Executor as _, PgConnection, Postgres, Row as _, Sqlite,
    SqliteConnection,
};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::future::poll_fn;

/// Rows of one statement at most.
pub(crate) const ROWS: usize = 1_000;
/// Values of one statement at most: SQLite takes 32,766.
const VALUES: usize = 32_000;

/// A connection to either.
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A row of either.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A value that is written.
#[derive(Clone, Debug)]
pub(crate) enum Value<'q> {
    Integer(Option<i64>),
    Text(Option<Cow<'q, str>>),
    Octets(Option<Cow<'q, [u8]>>),
}

/// A statement with its values.
pub(crate) struct Query<'q> {
    sql: Cow<'static, str>,
    values: Vec<Value<'q>>,
    /// Worth keeping prepared: the text will come again.
    prepared: bool,
}

/// A statement whose text is complete.
pub(crate) fn query(sql: &'static str) -> Query<'static> {
    Query { sql: sql.into(), values: Vec::new(), prepared: true }
}

impl<'q> Query<'q> {
    /// A statement that is put together.
    pub(crate) fn build(sql: &str) -> Query<'q> {
        Query { sql: sql.to_owned().into(), values: Vec::new(), prepared: false }
    }

    /// The next value.
    pub(crate) fn bind<'v>(self, value: impl Into<Value<'v>>) -> Query<'v>
    where
        'q: 'v,
    {
        let Query { sql, values, prepared } = self;
        // Shorter lives are no lie: a vector of longer ones is one of shorter ones.
        let mut values: Vec<Value<'v>> = values;
        values.push(value.into());
        Query { sql, values, prepared }
    }

    /// More of the text.
    pub(crate) fn push(&mut self, sql: &str) -> &mut Query<'q> {
        self.sql.to_mut().push_str(sql);
        self
    }

    /// A value where the text has come to.
    pub(crate) fn push_bind(&mut self, value: impl Into<Value<'q>>) -> &mut Query<'q> {
        self.values.push(value.into());
        self.push("?")
    }

    /// Values in brackets, with commas between them.
    pub(crate) fn push_list<V: Into<Value<'q>>>(&mut self, values: impl IntoIterator<Item = V>) {
        let before = self.values.len();
        for value in values {
            self.push(if self.values.len() == before { "(" } else { ", " }).push_bind(value);
        }
        // `IN ()` is no SQL: in NULL is nothing.
        self.push(if self.values.len() == before { "(NULL)" } else { ")" });
    }

    /// Pairs of values, as a table of two columns; no empty one.
    pub(crate) fn push_pairs(&mut self, pairs: &[(&'q str, &'q str)]) -> &mut Query<'q> {
        for (index, (first, second)) in pairs.iter().enumerate() {
            self.push(if index == 0 { "(VALUES " } else { ", " }).push_list([*first, *second]);
        }
        self.push(")")
    }

    /// Runs it; returns how many rows it touched.
    pub(crate) async fn execute(self, connection: &mut Connection) -> Result<u64, sqlx::Error> {
        let prepared = self.prepared;
        match connection {
            Connection::Sqlite(connection) => {
                let (sql, values) = self.for_sqlite()?;
                let query = sqlx::query_with(AssertSqlSafe(sql), values).persistent(prepared);
                Ok(query.execute(connection).await?.rows_affected())
            }
            Connection::Postgres(connection) => {
                let (sql, values) = self.for_postgres()?;
                let query = sqlx::query_with(AssertSqlSafe(sql), values).persistent(prepared);
                Ok(query.execute(connection).await?.rows_affected())
            }
        }
    }

    /// All rows.
    pub(crate) async fn fetch_all(self, connection: &mut Connection) -> Result<Vec<Row>, sqlx::Error> {
        let prepared = self.prepared;
        match connection {
            Connection::Sqlite(connection) => {
                let (sql, values) = self.for_sqlite()?;
                let query = sqlx::query_with(AssertSqlSafe(sql), values).persistent(prepared);
                Ok(query.fetch_all(connection).await?.into_iter().map(Row::Sqlite).collect())
            }
            Connection::Postgres(connection) => {
                let (sql, values) = self.for_postgres()?;
                let query = sqlx::query_with(AssertSqlSafe(sql), values).persistent(prepared);
                Ok(query.fetch_all(connection).await?.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// The first row, if there is one.
    pub(crate) async fn fetch_optional(
        self,
        connection: &mut Connection,
    ) -> Result<Option<Row>, sqlx::Error> {
        Ok(self.fetch_all(connection).await?.into_iter().next())
    }

    /// The first row.
    pub(crate) async fn fetch_one(self, connection: &mut Connection) -> Result<Row, sqlx::Error> {
        self.fetch_optional(connection).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Hands on one row after the other, however many there are.
    pub(crate) async fn each(
        self,
        connection: &mut Connection,
        mut take: impl AsyncFnMut(Row) -> Result<(), sqlx::Error>,
    ) -> Result<(), sqlx::Error> {
        match connection {
            Connection::Sqlite(connection) => {
                let (sql, values) = self.for_sqlite()?;
                let mut rows = sqlx::query_with(AssertSqlSafe(sql), values).fetch(connection);
                while let Some(row) = poll_fn(|context| rows.as_mut().poll_next(context)).await {
                    take(Row::Sqlite(row?)).await?;
                }
            }
            Connection::Postgres(connection) => {
                let (sql, values) = self.for_postgres()?;
                let mut rows = sqlx::query_with(AssertSqlSafe(sql), values).fetch(connection);
                while let Some(row) = poll_fn(|context| rows.as_mut().poll_next(context)).await {
                    take(Row::Postgres(row?)).await?;
                }
            }
        }
        Ok(())
    }

    fn for_sqlite(self) -> Result<(String, SqliteArguments), sqlx::Error> {
        let mut arguments = SqliteArguments::default();
        for value in self.values {
            let added = match value {
                Value::Integer(value) => arguments.add(value),
                Value::Text(value) => arguments.add(value.map(Cow::into_owned)),
                Value::Octets(value) => arguments.add(value.map(Cow::into_owned)),
            };
            added.map_err(sqlx::Error::Encode)?;
        }
        Ok((self.sql.into_owned(), arguments))
    }

    fn for_postgres(self) -> Result<(String, PgArguments), sqlx::Error> {
        let mut arguments = PgArguments::default();
        for value in self.values {
            let added = match value {
                Value::Integer(value) => arguments.add(value),
                Value::Text(value) => arguments.add(value.map(without_null)),
                Value::Octets(value) => arguments.add(value.as_deref()),
            };
            added.map_err(sqlx::Error::Encode)?;
        }
        Ok((numbered(&self.sql), arguments))
    }
}

/// PostgreSQL has no texts with the octet 0; one of the wire that has must not keep everything else from being stored.
fn without_null(text: Cow<'_, str>) -> String {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}") } else { text.into_owned() }
}

/// `?` becomes `$1`, `$2` and so on, `?2` becomes `$2`; what stands in quotes stays.
fn numbered(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len() + 16);
    let (mut next, mut quoted) = (0, false);
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        quoted ^= letter == '\'';
        if quoted || letter != '?' {
            text.push(letter);
            continue;
        }
        text.push('$');
        if letters.peek().is_none_or(|letter| !letter.is_ascii_digit()) {
            next += 1;
            let _ = write!(text, "{next}");
        }
    }
    text
}

/// What becomes of a row whose key is there already.
#[derive(Clone, Copy)]
pub(crate) enum Clash {
    /// That is a fault.
    Refuse,
    /// The new row is dropped.
    Keep,
    /// The new row takes its place; the first so many columns are the key.
    Replace(usize),
}

/// The values of one row, in the order of the columns.
pub(crate) struct Values<'q>(Vec<Value<'q>>);

impl<'q> Values<'q> {
    pub(crate) fn bind(&mut self, value: impl Into<Value<'q>>) -> &mut Values<'q> {
        self.0.push(value.into());
        self
    }
}

/// Writes rows, many with one statement.
pub(crate) async fn insert<'q, T>(
    connection: &mut Connection,
    (table, columns): (&str, &[&str]),
    clash: Clash,
    rows: impl IntoIterator<Item = T>,
    mut fill: impl FnMut(&mut Values<'q>, T),
) -> Result<(), sqlx::Error> {
    let most = ROWS.min(VALUES / columns.len());
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut query = Query::build(&format!("INSERT INTO {table} ({}) VALUES ", columns.join(", ")));
        let mut count = 0;
        for row in rows.by_ref().take(most) {
            let mut values = Values(Vec::with_capacity(columns.len()));
            fill(&mut values, row);
            debug_assert_eq!(values.0.len(), columns.len(), "{table}");
            query.push(if count == 0 { "" } else { ", " });
            query.push_list(values.0);
            count += 1;
        }
        query.push(&on_conflict(columns, clash));
        query.prepared = count == 1;
        query.execute(connection).await?;
    }
    Ok(())
}

/// As [`insert`], for one row.
pub(crate) async fn insert_one<'q>(
    connection: &mut Connection,
    into: (&str, &[&str]),
    clash: Clash,
    fill: impl FnOnce(&mut Values<'q>),
) -> Result<(), sqlx::Error> {
    let mut fill = Some(fill);
    let once = |row: &mut Values<'q>, ()| {
        if let Some(fill) = fill.take() {
            fill(row);
        }
    };
    insert(connection, into, clash, [()], once).await
}

fn on_conflict(columns: &[&str], clash: Clash) -> String {
    match clash {
        Clash::Refuse => String::new(),
        Clash::Keep => " ON CONFLICT DO NOTHING".to_owned(),
        Clash::Replace(key) => {
            let set: Vec<String> =
                columns[key..].iter().map(|column| format!("{column} = excluded.{column}")).collect();
            format!(" ON CONFLICT ({}) DO UPDATE SET {}", columns[..key].join(", "), set.join(", "))
        }
    }
}

/// Runs a statement that ends with `IN `, for these keys.
pub(crate) async fn delete(
    connection: &mut Connection,
    sql: &str,
    keys: Vec<&str>,
) -> Result<(), sqlx::Error> {
    for keys in keys.chunks(ROWS) {
        let mut query = Query::build(sql);
        query.push_list(keys.iter().copied());
        query.prepared = keys.len() == 1;
        query.execute(connection).await?;
    }
    Ok(())
}

impl Connection {
    /// Runs statements that have no values.
    pub(crate) async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        match self {
            Connection::Sqlite(connection) => connection.execute(AssertSqlSafe(sql)).await.map(drop),
            Connection::Postgres(connection) => {
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop)
            }
        }
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        // SQLite would otherwise find out at the first write that another was faster.
        self.run(if self.is_postgres() { "BEGIN" } else { "BEGIN IMMEDIATE" }).await
    }

    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.run("COMMIT").await
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Connection::Postgres(_))
    }

    pub(crate) async fn close(self) -> Result<(), sqlx::Error> {
        match self {
            Connection::Sqlite(connection) => connection.close().await,
            Connection::Postgres(connection) => connection.close().await,
        }
    }
}

impl Row {
    /// A column by its name.
    pub(crate) fn get<'r, T: Column<'r>>(&'r self, name: &str) -> Result<T, sqlx::Error> {
        let wrong = |what| sqlx::Error::ColumnDecode { index: name.into(), source: what };
        T::of(self, name)?.ok_or_else(|| wrong("it is NULL".into()))
    }

    fn raw<'r, T>(&'r self, name: &str) -> Result<Option<T>, sqlx::Error>
    where
        T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite> + sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>,
    {
        match self {
            Row::Sqlite(row) => row.try_get(name),
            Row::Postgres(row) => row.try_get(name),
        }
    }
}

/// What can be read from a column; `None` for NULL.
pub(crate) trait Column<'r>: Sized {
    fn of(row: &'r Row, name: &str) -> Result<Option<Self>, sqlx::Error>;
}

impl<'r> Column<'r> for i64 {
    fn of(row: &'r Row, name: &str) -> Result<Option<i64>, sqlx::Error> {
        row.raw(name)
    }
}

impl<'r> Column<'r> for &'r str {
    fn of(row: &'r Row, name: &str) -> Result<Option<&'r str>, sqlx::Error> {
        row.raw(name)
    }
}

impl<'r> Column<'r> for &'r [u8] {
    fn of(row: &'r Row, name: &str) -> Result<Option<&'r [u8]>, sqlx::Error> {
        row.raw(name)
    }
}

impl<'r> Column<'r> for String {
    fn of(row: &'r Row, name: &str) -> Result<Option<String>, sqlx::Error> {
        row.raw(name)
    }
}

impl<'r> Column<'r> for Vec<u8> {
    fn of(row: &'r Row, name: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
        row.raw(name)
    }
}

impl<'r> Column<'r> for bool {
    fn of(row: &'r Row, name: &str) -> Result<Option<bool>, sqlx::Error> {
        Ok(row.raw::<i64>(name)?.map(|flag| flag != 0))
    }
}

impl<'r, T: Column<'r>> Column<'r> for Option<T> {
    fn of(row: &'r Row, name: &str) -> Result<Option<Option<T>>, sqlx::Error> {
        Ok(Some(T::of(row, name)?))
    }
}

/// Numbers of fewer bits, and how they are read and written.
macro_rules! small {
    ($($number:ty)*) => {$(
        impl<'r> Column<'r> for $number {
            fn of(row: &'r Row, name: &str) -> Result<Option<$number>, sqlx::Error> {
                let wrong = |what: std::num::TryFromIntError| sqlx::Error::ColumnDecode { index: name.into(), source: what.into() };
                row.raw::<i64>(name)?.map(|number| number.try_into().map_err(wrong)).transpose()
            }
        }
        integer!($number);
    )*};
}

macro_rules! integer {
    ($($number:ty)*) => {$(
        impl From<$number> for Value<'_> {
            fn from(number: $number) -> Self {
                Value::Integer(Some(i64::from(number)))
            }
        }
        impl From<Option<$number>> for Value<'_> {
            fn from(number: Option<$number>) -> Self {
                Value::Integer(number.map(i64::from))
            }
        }
    )*};
}

small!(u8 u16 u32);
integer!(i64 bool);

impl<'q> From<&'q str> for Value<'q> {
    fn from(text: &'q str) -> Self {
        Value::Text(Some(text.into()))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::Text(Some(text.into()))
    }
}

impl<'q> From<&'q String> for Value<'q> {
    fn from(text: &'q String) -> Self {
        Value::Text(Some(text.into()))
    }
}

impl<'q> From<Option<&'q str>> for Value<'q> {
    fn from(text: Option<&'q str>) -> Self {
        Value::Text(text.map(Into::into))
    }
}

impl From<Option<String>> for Value<'_> {
    fn from(text: Option<String>) -> Self {
        Value::Text(text.map(Into::into))
    }
}

impl<'q> From<&'q [u8]> for Value<'q> {
    fn from(octets: &'q [u8]) -> Self {
        Value::Octets(Some(octets.into()))
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(octets: Vec<u8>) -> Self {
        Value::Octets(Some(octets.into()))
    }
}

impl From<Option<Vec<u8>>> for Value<'_> {
    fn from(octets: Option<Vec<u8>>) -> Self {
        Value::Octets(octets.map(Into::into))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_values_are_numbered_for_postgresql() {
        for (sql, numbered_sql) in [
            ("a = ? AND b = ?", "a = $1 AND b = $2"),
            ("at + ?1, ended + ?1, ?2", "at + $1, ended + $1, $2"),
            ("a LIKE ? ESCAPE '\\' AND b = '?' AND c = ?", "a LIKE $1 ESCAPE '\\' AND b = '?' AND c = $2"),
        ] {
            assert_eq!(numbered(sql), numbered_sql);
        }
    }
}
