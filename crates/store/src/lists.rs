//! Call lists: their rows, whose they are, what became of each, and the links of agents.

use clock::Wall;
use dialing::cause::Outcome;
use dialing::{End, Number};
use exchange::lists::{ListChange, Made, MadeList, Progress, Session, Shared};
use exchange::{Change, TokenHash};
use lists::Sheet;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of one statement; SQLite takes 32,766 variables.
const ROWS: usize = 1_000;

/// What a group does to lists. Changes are written in their order, but those of rows and attempts, which come together.
#[derive(Default)]
pub(crate) struct ListRows<'a> {
    others: Vec<&'a ListChange>,
    rows: BTreeMap<(u32, u32), &'a Progress>,
    attempts: BTreeMap<(u32, u32, u16, i64), &'a Made>,
}

impl<'a> ListRows<'a> {
    pub(crate) fn add(&mut self, change: &'a ListChange) {
        match change {
            ListChange::Row { key, row, told } => {
                self.rows.insert((*key, *row), told);
            }
            ListChange::Attempt { key, row, made } => {
                self.attempts.insert((*key, *row, made.ordinal, made.at.0), made);
            }
            other => self.others.push(other),
        }
    }

    pub(crate) async fn write(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        self.write_rows(connection).await?;
        self.write_attempts(connection).await?;
        for change in &self.others {
            write_one(connection, change).await?;
        }
        Ok(())
    }

    async fn write_rows(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let rows: Vec<_> = self.rows.iter().collect();
        for rows in rows.chunks(ROWS) {
            let insert = "INSERT OR REPLACE INTO list_rows (list, row, ended, outcome, run, result, note, not_before) ";
            let mut query = QueryBuilder::<Sqlite>::new(insert);
            query.push_values(rows, |mut row, ((list, place), told)| {
                row.push_bind(*list).push_bind(*place).push_bind(told.end.map(|(at, _)| at.0));
                row.push_bind(told.end.map(|(_, end)| end.name())).push_bind(told.run);
                row.push_bind(&*told.result).push_bind(&*told.note).push_bind(told.not_before.map(|at| at.0));
            });
            query.build().execute(&mut *connection).await?;
        }
        Ok(())
    }

    async fn write_attempts(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let rows: Vec<_> = self.attempts.iter().collect();
        for rows in rows.chunks(ROWS) {
            let insert = "INSERT OR REPLACE INTO list_attempts \
                          (list, row, run, ordinal, agent, at, ended, outcome, talked) ";
            let mut query = QueryBuilder::<Sqlite>::new(insert);
            query.push_values(rows, |mut row, ((list, place, ordinal, at), made)| {
                row.push_bind(*list).push_bind(*place).push_bind(made.run).push_bind(*ordinal);
                row.push_bind(made.agent).push_bind(*at).push_bind(made.ended.map(|(at, _)| at.0));
                row.push_bind(made.ended.map(|(_, outcome)| outcome.name())).push_bind(made.talked);
            });
            query.build().execute(&mut *connection).await?;
        }
        Ok(())
    }
}

async fn write_one(connection: &mut SqliteConnection, change: &ListChange) -> Result<(), sqlx::Error> {
    match change {
        ListChange::Made(made) => {
            let refusals: Vec<String> =
                made.refusals.iter().map(|(line, why)| format!("{line}\t{why}")).collect();
            let insert =
                "INSERT INTO lists (key, name, by, at, rows, skipped, refusals) VALUES (?, ?, ?, ?, ?, ?, ?)";
            let query = sqlx::query(insert).bind(made.key).bind(&*made.name).bind(&*made.by).bind(made.at.0);
            query.bind(&*made.text).bind(made.skipped).bind(refusals.join("\n")).execute(connection).await?;
        }
        ListChange::Dealt { key, agents, owners } => {
            let octets: Vec<u8> = owners.iter().flat_map(|owner| owner.to_le_bytes()).collect();
            let query = sqlx::query("UPDATE lists SET agents = ?, owners = ? WHERE key = ?");
            query.bind(agents.join("\n")).bind(octets).bind(key).execute(connection).await?;
        }
        ListChange::Gone(key) => {
            for delete in [
                "DELETE FROM lists WHERE key = ?",
                "DELETE FROM list_rows WHERE list = ?",
                "DELETE FROM list_attempts WHERE list = ?",
            ] {
                sqlx::query(delete).bind(key).execute(&mut *connection).await?;
            }
        }
        ListChange::Session(session) => write_session(connection, session).await?,
        ListChange::SessionGone(id) => {
            for delete in
                ["DELETE FROM list_sessions WHERE id = ?", "DELETE FROM list_runs WHERE session = ?"]
            {
                sqlx::query(delete).bind(id).execute(&mut *connection).await?;
            }
        }
        ListChange::Run { run, session, name } => {
            let query = sqlx::query("INSERT OR REPLACE INTO list_runs (run, session, name) VALUES (?, ?, ?)");
            query.bind(run).bind(session).bind(&**name).execute(connection).await?;
        }
        ListChange::Row { .. } | ListChange::Attempt { .. } => {}
    }
    Ok(())
}

async fn write_session(connection: &mut SqliteConnection, session: &Session) -> Result<(), sqlx::Error> {
    let served = session.served.iter().flat_map(|(list, row)| [list.to_le_bytes(), row.to_le_bytes()]);
    let served: Vec<u8> = served.flatten().collect();
    let dropping = session.dropping.iter().map(|(number, version)| format!("{number} {version}"));
    let dropping: Vec<String> = dropping.collect();
    let query = sqlx::query(
        "INSERT OR REPLACE INTO list_sessions (id, agent, device, desk, token, since, until, over, run, left, version, \
         content, served, dropping) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    let query = query.bind(session.id).bind(&*session.agent).bind(&*session.device).bind(session.desk);
    let query = query.bind(session.token.to_string()).bind(session.since.0).bind(session.until.0);
    let query = query.bind(session.over.map(|at| at.0)).bind(session.run).bind(&*session.left);
    let query = query.bind(session.version).bind(session.content.cast_signed()).bind(served);
    query.bind(dropping.join("\n")).execute(connection).await?;
    Ok(())
}

/// All lists, what became of their rows, and the links.
pub(crate) async fn read(connection: &mut SqliteConnection) -> Result<Vec<Change>, sqlx::Error> {
    let mut changes = Vec::new();
    for row in sqlx::query("SELECT * FROM lists ORDER BY at, key").fetch_all(&mut *connection).await? {
        changes.extend(list(&row)?);
    }
    for row in sqlx::query("SELECT * FROM list_rows").fetch_all(&mut *connection).await? {
        let told = Progress {
            attempts: Vec::new(),
            end: wall(&row, "ended")?.zip(row.try_get::<Option<&str>, _>("outcome")?.and_then(End::by_name)),
            run: row.try_get("run")?,
            result: row.try_get::<String, _>("result")?.into(),
            note: row.try_get::<String, _>("note")?.into(),
            not_before: wall(&row, "not_before")?,
        };
        changes.push(ListChange::Row { key: row.try_get("list")?, row: row.try_get("row")?, told });
    }
    for row in sqlx::query("SELECT * FROM list_attempts").fetch_all(&mut *connection).await? {
        let outcome = row.try_get::<Option<&str>, _>("outcome")?.and_then(Outcome::by_name);
        let made = Made {
            run: row.try_get("run")?,
            ordinal: row.try_get("ordinal")?,
            agent: row.try_get("agent")?,
            at: Wall(row.try_get("at")?),
            ended: wall(&row, "ended")?.zip(outcome),
            talked: row.try_get("talked")?,
        };
        changes.push(ListChange::Attempt { key: row.try_get("list")?, row: row.try_get("row")?, made });
    }
    for row in sqlx::query("SELECT * FROM list_sessions ORDER BY id").fetch_all(&mut *connection).await? {
        changes.extend(session(&row)?.map(|session| ListChange::Session(Box::new(session))));
    }
    for row in sqlx::query("SELECT * FROM list_runs").fetch_all(&mut *connection).await? {
        changes.push(ListChange::Run {
            run: row.try_get("run")?,
            session: row.try_get("session")?,
            name: row.try_get::<String, _>("name")?.into(),
        });
    }
    Ok(changes.into_iter().map(|change| Change::List(Box::new(change))).collect())
}

fn wall(row: &SqliteRow, column: &str) -> Result<Option<Wall>, sqlx::Error> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Wall))
}

fn list(row: &SqliteRow) -> Result<Vec<ListChange>, sqlx::Error> {
    let key = row.try_get("key")?;
    let text: Vec<u8> = row.try_get("rows")?;
    let sheet = Sheet::read(&text).map_err(|fault| {
        let source = format!("the list {key}: {fault}").into();
        sqlx::Error::ColumnDecode { index: "rows".into(), source }
    })?;
    let refusal = |line: &str| {
        let (line, why) = line.split_once('\t')?;
        Some((line.parse().ok()?, why.into()))
    };
    let made = MadeList {
        key,
        name: row.try_get::<String, _>("name")?.into(),
        by: row.try_get::<String, _>("by")?.into(),
        at: Wall(row.try_get("at")?),
        // It is on the disk, and never written again.
        text: Arc::default(),
        skipped: row.try_get("skipped")?,
        refusals: row.try_get::<&str, _>("refusals")?.lines().filter_map(refusal).collect(),
        sheet: Shared(Arc::new(sheet)),
    };
    let owners: Vec<u8> = row.try_get("owners")?;
    let owners =
        owners.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect::<Vec<_>>();
    let agents: Arc<[Box<str>]> = row.try_get::<&str, _>("agents")?.lines().map(Into::into).collect();
    let dealt =
        (owners.len() == made.sheet.len()).then(|| ListChange::Dealt { key, agents, owners: owners.into() });
    Ok([ListChange::Made(Arc::new(made))].into_iter().chain(dealt).collect())
}

/// One session; `None` when somebody wrote into its token.
fn session(row: &SqliteRow) -> Result<Option<Session>, sqlx::Error> {
    let Some(token) = TokenHash::parse(row.try_get("token")?) else { return Ok(None) };
    let served: Vec<u8> = row.try_get("served")?;
    let word = |octets: &[u8]| u32::from_le_bytes([octets[0], octets[1], octets[2], octets[3]]);
    let dropping = |line: &str| {
        let (number, version) = line.split_once(' ')?;
        Some((Number::parse(number).ok()?, version.parse().ok()?))
    };
    Ok(Some(Session {
        id: row.try_get("id")?,
        agent: row.try_get::<String, _>("agent")?.into(),
        device: row.try_get::<String, _>("device")?.into(),
        desk: row.try_get("desk")?,
        token,
        since: Wall(row.try_get("since")?),
        until: Wall(row.try_get("until")?),
        over: wall(row, "over")?,
        run: row.try_get("run")?,
        left: row.try_get::<String, _>("left")?.into(),
        version: row.try_get("version")?,
        content: row.try_get::<i64, _>("content")?.cast_unsigned(),
        served: served.chunks_exact(8).map(|pair| (word(&pair[..4]), word(&pair[4..]))).collect(),
        dropping: row.try_get::<&str, _>("dropping")?.lines().filter_map(dropping).collect(),
    }))
}
