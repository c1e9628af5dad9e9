//! The changes of one transaction, the last word on each key, and the statements that write them.
//!
//! Several commits meet in one group; a key that two of them touch is written once. One multi-row statement a
//! table, so that a thousand registrations cost little more than one (R21).

use crate::agents;
use crate::badges::BadgeRows;
use crate::facts;
use crate::lists::ListRows;
use crate::outside::{self, Rows};
use crate::queues;
use crate::seal::Sealer;
use crate::seats;
use crate::tasks::TaskRows;
use calls::CallRecord;
use exchange::{
    Change, Commit, Device, Fact, ForwardWhen, Group as HuntGroup, OpenCall, PeopleChange, Queue, Route,
    Settings, StoredBinding, Trunk,
};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::BTreeMap;

/// Rows of one statement; SQLite takes 32,766 variables, and a record has 15.
const ROWS: usize = 1_000;

/// What a group comes to: for each key its new value, or its removal.
#[derive(Default)]
pub(crate) struct Group<'a> {
    accounts: BTreeMap<&'a str, Option<(&'a str, &'a Settings)>>,
    /// The account, and the place in the order of this group.
    numbers: BTreeMap<&'a str, Option<(usize, &'a str)>>,
    devices: BTreeMap<&'a str, Option<(usize, &'a Device)>>,
    trunks: Rows<'a, Trunk>,
    routes: Rows<'a, Route>,
    groups: Rows<'a, HuntGroup>,
    queues: Rows<'a, Queue>,
    agents: agents::Agents<'a>,
    badges: BadgeRows<'a>,
    facts: Vec<&'a Fact>,
    bindings: BTreeMap<&'a str, &'a [StoredBinding]>,
    seats: seats::Seats<'a>,
    tasks: TaskRows<'a>,
    lists: ListRows<'a>,
    records: Vec<&'a CallRecord>,
    /// By session and number; `None` for those that are over.
    open: BTreeMap<(&'a str, &'a str), Option<&'a OpenCall>>,
    place: usize,
}

impl<'a> Group<'a> {
    pub(crate) fn add(&mut self, commit: &'a Commit) {
        for owned in commit.changes.iter() {
            match &owned.change {
                Change::People(change) => self.add_people(change),
                Change::Bindings { device, bindings } => {
                    self.bindings.insert(device, bindings);
                }
                Change::Seat { device, seat } => {
                    self.seats.insert(device, seat.as_ref());
                }
                Change::Agent { account, kept } => {
                    self.agents.insert(account, kept.as_deref());
                }
                Change::Record(record) => {
                    self.open.insert((&record.session_id, &record.dialled), None);
                    self.records.push(record);
                }
                Change::OpenCall(open) => {
                    self.open.insert((&open.session_id, &open.dialled), Some(open));
                }
                Change::Fact(fact) => self.facts.push(fact),
                Change::Task(change) => self.tasks.add(change),
                Change::List(change) => self.lists.add(change),
                Change::Message(message) => self.tasks.add_message(message),
                Change::TapCounter { account, issue, heard, bound } => {
                    self.badges.add_counter(account, *issue, *heard, *bound);
                }
                Change::Tap(tap) => self.badges.add_tap(tap),
                Change::ForgetTaps { account } => self.badges.forget_taps(account),
            }
        }
    }

    fn add_people(&mut self, change: &'a PeopleChange) {
        self.place += 1;
        match change {
            PeopleChange::PutAccount { name, display, settings } => {
                self.accounts.insert(name, Some((display, settings)));
            }
            PeopleChange::RemoveAccount { name } => {
                self.accounts.insert(name, None);
            }
            PeopleChange::PutNumber { number, account } => {
                self.numbers.insert(number, Some((self.place, account)));
            }
            PeopleChange::RemoveNumber { number } => {
                self.numbers.insert(number, None);
            }
            PeopleChange::PutDevice { name, device } => {
                self.devices.insert(name, Some((self.place, device)));
            }
            PeopleChange::RemoveDevice { name } => {
                self.devices.insert(name, None);
                self.bindings.insert(name, &[]);
            }
            PeopleChange::PutTrunk { name, trunk } => {
                self.trunks.insert(name, Some(trunk));
            }
            PeopleChange::RemoveTrunk { name } => {
                self.trunks.insert(name, None);
            }
            PeopleChange::PutRoute { name, route } => {
                self.routes.insert(name, Some(route));
            }
            PeopleChange::RemoveRoute { name } => {
                self.routes.insert(name, None);
            }
            PeopleChange::PutGroup { name, group } => {
                self.groups.insert(name, Some(group));
            }
            PeopleChange::RemoveGroup { name } => {
                self.groups.insert(name, None);
            }
            PeopleChange::PutQueue { name, queue } => {
                self.queues.insert(name, Some(queue));
            }
            PeopleChange::RemoveQueue { name } => {
                self.queues.insert(name, None);
            }
            PeopleChange::PutBadge { .. }
            | PeopleChange::RemoveBadge { .. }
            | PeopleChange::PutReader { .. }
            | PeopleChange::RemoveReader { .. }
            | PeopleChange::PutBadgeKeys(_) => self.badges.add_people(change),
        }
    }

    /// Writes it all inside the transaction that the connection is in.
    pub(crate) async fn write(
        &self,
        connection: &mut SqliteConnection,
        sealer: &Sealer,
    ) -> Result<(), sqlx::Error> {
        self.write_accounts(connection).await?;
        self.write_numbers(connection).await?;
        self.write_devices(connection).await?;
        outside::write_trunks(connection, sealer, &self.trunks).await?;
        outside::write_routes(connection, &self.routes).await?;
        outside::write_groups(connection, &self.groups).await?;
        self.badges.write(connection, sealer).await?;
        facts::write(connection, &self.facts).await?;
        self.write_bindings(connection).await?;
        seats::write(connection, &self.seats).await?;
        queues::write(connection, &self.queues).await?;
        agents::write(connection, &self.agents).await?;
        self.tasks.write(connection).await?;
        self.lists.write(connection).await?;
        self.write_open_calls(connection).await?;
        self.write_records(connection).await
    }

    async fn write_accounts(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        delete(connection, "DELETE FROM accounts WHERE name IN ", removed(&self.accounts)).await?;
        let rows: Vec<_> = self.accounts.iter().filter_map(|(name, put)| Some((*name, (*put)?))).collect();
        for rows in rows.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT OR REPLACE INTO accounts (name, display, language, zone, mobile, pin, do_not_disturb, \
                 forward_always, forward_busy, forward_no_answer, forward_offline, rights, calls_a_day, role, password, \
                 background, platform, wrap_up_ms) ",
            );
            query.push_values(rows, |mut row, (name, (display, settings))| {
                row.push_bind(*name).push_bind(*display).push_bind(settings.language.tag());
                row.push_bind(settings.zone.as_deref()).push_bind(settings.mobile.as_deref());
                row.push_bind(settings.pin.as_deref()).push_bind(settings.do_not_disturb);
                for when in ForwardWhen::ALL {
                    row.push_bind(settings.forwarding.to(when));
                }
                row.push_bind(settings.rights.to_string()).push_bind(settings.calls_a_day);
                row.push_bind(settings.role.name()).push_bind(settings.password.as_deref());
                row.push_bind(settings.background).push_bind(settings.platform.as_deref());
                row.push_bind(settings.wrap_up.map(milliseconds));
            });
            query.build().execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// A number that changes hands goes to the end of its new account's list, as it does in memory.
    async fn write_numbers(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        delete(connection, "DELETE FROM numbers WHERE number IN ", self.numbers.keys().copied().collect())
            .await?;
        let mut rows: Vec<_> = self
            .numbers
            .iter()
            .filter_map(|(number, put)| (*put).map(|(place, account)| (place, *number, account)))
            .collect();
        rows.sort_unstable();
        for rows in rows.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO numbers (number, account) ");
            query.push_values(rows, |mut row, (_, number, account)| {
                row.push_bind(*number).push_bind(*account);
            });
            query.build().execute(&mut *connection).await?;
        }
        Ok(())
    }

    async fn write_devices(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        delete(connection, "DELETE FROM devices WHERE name IN ", removed(&self.devices)).await?;
        let mut rows: Vec<_> = self
            .devices
            .iter()
            .filter_map(|(name, put)| (*put).map(|(place, device)| (place, *name, device)))
            .collect();
        rows.sort_unstable_by_key(|(place, ..)| *place);
        for rows in rows.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT INTO devices (name, account, md5, sha256, location, call_back, auto_answer) ",
            );
            query.push_values(rows, |mut row, (_, name, device)| {
                row.push_bind(*name).push_bind(&*device.account);
                row.push_bind(&*device.secret.md5).push_bind(&*device.secret.sha256);
                row.push_bind(&*device.location).push_bind(device.call_back.as_deref());
                row.push_bind(device.auto_answer.map(exchange::AutoAnswer::name));
            });
            query.push(
                " ON CONFLICT (name) DO UPDATE SET account = excluded.account, md5 = excluded.md5, \
                 sha256 = excluded.sha256, location = excluded.location, call_back = excluded.call_back, \
                 auto_answer = excluded.auto_answer",
            );
            query.build().execute(&mut *connection).await?;
        }
        Ok(())
    }

    async fn write_bindings(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        delete(connection, "DELETE FROM bindings WHERE device IN ", self.bindings.keys().copied().collect())
            .await?;
        let rows: Vec<(&str, usize, &StoredBinding)> = self
            .bindings
            .iter()
            .flat_map(|(device, list)| {
                list.iter().enumerate().map(|(place, binding)| (*device, place, binding))
            })
            .collect();
        for rows in rows.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT INTO bindings (device, place, contact, instance, reg_id, q, path, transport, local, remote, \
                 behind_nat, expires, call_id, sequence) ",
            );
            query.push_values(rows, |mut row, (device, place, binding)| {
                row.push_bind(*device).push_bind(i64::try_from(*place).unwrap_or(i64::MAX));
                row.push_bind(&*binding.contact).push_bind(binding.instance.as_deref());
                row.push_bind(binding.reg_id).push_bind(binding.q);
                row.push_bind(binding.path.join("\n")).push_bind(binding.flow.transport.name());
                row.push_bind(binding.flow.local.to_string()).push_bind(binding.flow.remote.to_string());
                row.push_bind(binding.behind_nat).push_bind(binding.expires.0);
                row.push_bind(&*binding.call_id).push_bind(binding.sequence);
            });
            query.build().execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// A call that began and ended within this group costs one look for a row that is not there.
    async fn write_open_calls(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let keys: Vec<&(&str, &str)> = self.open.keys().collect();
        for keys in keys.chunks(ROWS) {
            let mut query =
                QueryBuilder::<Sqlite>::new("DELETE FROM open_calls WHERE (session_id, dialled) IN (");
            query.push_values(keys, |mut row, (session, dialled)| {
                row.push_bind(*session).push_bind(*dialled);
            });
            query.push(")");
            query.build().execute(&mut *connection).await?;
        }
        let rows: Vec<&OpenCall> = self.open.values().copied().flatten().collect();
        for rows in rows.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT INTO open_calls (session_id, dialled, caller_number, caller_name, answered_by, started, \
                 answered, task) ",
            );
            query.push_values(rows, |mut row, open| {
                row.push_bind(&*open.session_id).push_bind(&*open.dialled);
                row.push_bind(&*open.caller.number).push_bind(&*open.caller.name);
                row.push_bind(&*open.answered_by);
                row.push_bind(open.started.0).push_bind(open.answered.map(|at| at.0));
                row.push_bind(task_number(open.task));
            });
            query.build().execute(&mut *connection).await?;
        }
        Ok(())
    }

    async fn write_records(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        for rows in self.records.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT INTO records (session_id, caller_number, caller_name, dialled, answered_by, started, answered, \
                 ended, ringing_ms, talking_ms, cause, blame, status, detail, task) ",
            );
            query.push_values(rows, |mut row, record| {
                row.push_bind(&*record.session_id);
                row.push_bind(&*record.caller.number).push_bind(&*record.caller.name);
                row.push_bind(&*record.dialled).push_bind(&*record.answered_by);
                row.push_bind(record.started.0)
                    .push_bind(record.answered.map(|at| at.0))
                    .push_bind(record.ended.0);
                row.push_bind(milliseconds(record.ringing)).push_bind(milliseconds(record.talking));
                row.push_bind(record.cause.name()).push_bind(record.blame.name());
                row.push_bind(record.status).push_bind(&*record.detail).push_bind(task_number(record.task));
            });
            query.build().execute(&mut *connection).await?;
        }
        Ok(())
    }
}

fn task_number(task: Option<u64>) -> Option<i64> {
    task.map(|task| i64::try_from(task).unwrap_or(i64::MAX))
}

fn milliseconds(span: std::time::Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn removed<'a, T>(table: &BTreeMap<&'a str, Option<T>>) -> Vec<&'a str> {
    table.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| *key).collect()
}

pub(crate) async fn delete(
    connection: &mut SqliteConnection,
    sql: &'static str,
    keys: Vec<&str>,
) -> Result<(), sqlx::Error> {
    for keys in keys.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new(sql);
        query.push("(");
        let mut list = query.separated(", ");
        for key in keys {
            list.push_bind(*key);
        }
        query.push(")");
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}
