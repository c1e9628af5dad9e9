//! Call lists: their rows, whose they are, what became of each, and the links of agents.

use crate::sql::{Clash, Connection, Row, insert, insert_one, query};
use clock::Wall;
use dialing::cause::Outcome;
use dialing::{End, Number};
use exchange::lists::{ListChange, Made, MadeList, Progress, Session, Shared};
use exchange::{Change, TokenHash};
use lists::Sheet;
use std::collections::BTreeMap;
use std::sync::Arc;

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

    pub(crate) async fn write(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        self.write_rows(connection).await?;
        self.write_attempts(connection).await?;
        for change in &self.others {
            write_one(connection, change).await?;
        }
        Ok(())
    }

    async fn write_rows(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        let rows: Vec<_> = self.rows.iter().collect();
        let into =
            ("list_rows", &["list", "row", "ended", "outcome", "run", "result", "note", "not_before"][..]);
        insert(connection, into, Clash::Replace(2), &rows, |row, ((list, place), told)| {
            row.bind(*list).bind(*place).bind(told.end.map(|(at, _)| at.0));
            row.bind(told.end.map(|(_, end)| end.name())).bind(told.run);
            row.bind(&*told.result).bind(&*told.note).bind(told.not_before.map(|at| at.0));
        })
        .await?;
        Ok(())
    }

    async fn write_attempts(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        let rows: Vec<_> = self.attempts.iter().collect();
        let into = (
            "list_attempts",
            &["list", "row", "ordinal", "at", "run", "agent", "ended", "outcome", "talked"][..],
        );
        insert(connection, into, Clash::Replace(4), &rows, |row, ((list, place, ordinal, at), made)| {
            row.bind(*list).bind(*place).bind(*ordinal).bind(*at);
            row.bind(made.run).bind(made.agent).bind(made.ended.map(|(at, _)| at.0));
            row.bind(made.ended.map(|(_, outcome)| outcome.name())).bind(made.talked);
        })
        .await?;
        Ok(())
    }
}

async fn write_one(connection: &mut Connection, change: &ListChange) -> Result<(), sqlx::Error> {
    match change {
        ListChange::Made(made) => {
            let refusals: Vec<String> =
                made.refusals.iter().map(|(line, why)| format!("{line}\t{why}")).collect();
            let into = ("lists", &["key", "name", "by", "at", "rows", "skipped", "refusals"][..]);
            insert_one(connection, into, Clash::Refuse, |row| {
                row.bind(made.key).bind(&*made.name).bind(&*made.by).bind(made.at.0);
                row.bind(&*made.text).bind(made.skipped).bind(refusals.join("\n"));
            })
            .await?;
        }
        ListChange::Dealt { key, agents, owners } => {
            let octets: Vec<u8> = owners.iter().flat_map(|owner| owner.to_le_bytes()).collect();
            let query = query("UPDATE lists SET agents = ?, owners = ? WHERE key = ?");
            query.bind(agents.join("\n")).bind(octets).bind(*key).execute(connection).await?;
        }
        ListChange::Gone(key) => {
            for delete in [
                "DELETE FROM lists WHERE key = ?",
                "DELETE FROM list_rows WHERE list = ?",
                "DELETE FROM list_attempts WHERE list = ?",
            ] {
                query(delete).bind(*key).execute(connection).await?;
            }
        }
        ListChange::Session(session) => write_session(connection, session).await?,
        ListChange::SessionGone(id) => {
            for delete in
                ["DELETE FROM list_sessions WHERE id = ?", "DELETE FROM list_runs WHERE session = ?"]
            {
                query(delete).bind(*id).execute(connection).await?;
            }
        }
        ListChange::Run { run, session, name } => {
            insert_one(connection, ("list_runs", &["run", "session", "name"]), Clash::Replace(1), |row| {
                row.bind(*run).bind(*session).bind(&**name);
            })
            .await?;
        }
        ListChange::Row { .. } | ListChange::Attempt { .. } => {}
    }
    Ok(())
}

/// The columns of a session.
const SESSION: [&str; 14] = [
    "id", "agent", "device", "desk", "token", "since", "until", "over", "run", "\"left\"", "version",
    "content", "served", "dropping",
];

async fn write_session(connection: &mut Connection, session: &Session) -> Result<(), sqlx::Error> {
    let served = session.served.iter().flat_map(|(list, row)| [list.to_le_bytes(), row.to_le_bytes()]);
    let served: Vec<u8> = served.flatten().collect();
    let dropping = session.dropping.iter().map(|(number, version)| format!("{number} {version}"));
    let dropping: Vec<String> = dropping.collect();
    insert_one(connection, ("list_sessions", &SESSION), Clash::Replace(1), |row| {
        row.bind(session.id).bind(&*session.agent).bind(&*session.device).bind(session.desk);
        row.bind(session.token.to_string()).bind(session.since.0).bind(session.until.0);
        row.bind(session.over.map(|at| at.0)).bind(session.run).bind(&*session.left);
        row.bind(session.version).bind(session.content.cast_signed()).bind(served);
        row.bind(dropping.join(
            "
",
        ));
    })
    .await
}

/// All lists, what became of their rows, and the links.
pub(crate) async fn read(connection: &mut Connection) -> Result<Vec<Change>, sqlx::Error> {
    let mut changes = Vec::new();
    for row in query("SELECT * FROM lists ORDER BY at, key").fetch_all(connection).await? {
        changes.extend(list(&row)?);
    }
    for row in query("SELECT * FROM list_rows").fetch_all(connection).await? {
        let told = Progress {
            attempts: Vec::new(),
            end: wall(&row, "ended")?.zip(row.get::<Option<&str>>("outcome")?.and_then(End::by_name)),
            run: row.get("run")?,
            result: row.get::<String>("result")?.into(),
            note: row.get::<String>("note")?.into(),
            not_before: wall(&row, "not_before")?,
        };
        changes.push(ListChange::Row { key: row.get("list")?, row: row.get("row")?, told });
    }
    for row in query("SELECT * FROM list_attempts").fetch_all(connection).await? {
        let outcome = row.get::<Option<&str>>("outcome")?.and_then(Outcome::by_name);
        let made = Made {
            run: row.get("run")?,
            ordinal: row.get("ordinal")?,
            agent: row.get("agent")?,
            at: Wall(row.get("at")?),
            ended: wall(&row, "ended")?.zip(outcome),
            talked: row.get("talked")?,
        };
        changes.push(ListChange::Attempt { key: row.get("list")?, row: row.get("row")?, made });
    }
    for row in query("SELECT * FROM list_sessions ORDER BY id").fetch_all(connection).await? {
        changes.extend(session(&row)?.map(|session| ListChange::Session(Box::new(session))));
    }
    for row in query("SELECT * FROM list_runs").fetch_all(connection).await? {
        changes.push(ListChange::Run {
            run: row.get("run")?,
            session: row.get("session")?,
            name: row.get::<String>("name")?.into(),
        });
    }
    Ok(changes.into_iter().map(|change| Change::List(Box::new(change))).collect())
}

fn wall(row: &Row, column: &str) -> Result<Option<Wall>, sqlx::Error> {
    Ok(row.get::<Option<i64>>(column)?.map(Wall))
}

fn list(row: &Row) -> Result<Vec<ListChange>, sqlx::Error> {
    let key = row.get("key")?;
    let text: Vec<u8> = row.get("rows")?;
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
        name: row.get::<String>("name")?.into(),
        by: row.get::<String>("by")?.into(),
        at: Wall(row.get("at")?),
        // It is on the disk, and never written again.
        text: Arc::default(),
        skipped: row.get("skipped")?,
        refusals: row.get::<&str>("refusals")?.lines().filter_map(refusal).collect(),
        sheet: Shared(Arc::new(sheet)),
    };
    let owners: Vec<u8> = row.get("owners")?;
    let owners =
        owners.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect::<Vec<_>>();
    let agents: Arc<[Box<str>]> = row.get::<&str>("agents")?.lines().map(Into::into).collect();
    let dealt =
        (owners.len() == made.sheet.len()).then(|| ListChange::Dealt { key, agents, owners: owners.into() });
    Ok([ListChange::Made(Arc::new(made))].into_iter().chain(dealt).collect())
}

/// One session; `None` when somebody wrote into its token.
fn session(row: &Row) -> Result<Option<Session>, sqlx::Error> {
    let Some(token) = TokenHash::parse(row.get("token")?) else { return Ok(None) };
    let served: Vec<u8> = row.get("served")?;
    let word = |octets: &[u8]| u32::from_le_bytes([octets[0], octets[1], octets[2], octets[3]]);
    let dropping = |line: &str| {
        let (number, version) = line.split_once(' ')?;
        Some((Number::parse(number).ok()?, version.parse().ok()?))
    };
    Ok(Some(Session {
        id: row.get("id")?,
        agent: row.get::<String>("agent")?.into(),
        device: row.get::<String>("device")?.into(),
        desk: row.get("desk")?,
        token,
        since: Wall(row.get("since")?),
        until: Wall(row.get("until")?),
        over: wall(row, "over")?,
        run: row.get("run")?,
        left: row.get::<String>("left")?.into(),
        version: row.get("version")?,
        content: row.get::<i64>("content")?.cast_unsigned(),
        served: served.chunks_exact(8).map(|pair| (word(&pair[..4]), word(&pair[4..]))).collect(),
        dropping: row.get::<&str>("dropping")?.lines().filter_map(dropping).collect(),
    }))
}
