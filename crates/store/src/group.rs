//! The changes of one transaction, the last word on each key, and the statements that write them.
//!
//! Several commits meet in one group; a key that two of them touch is written once. One multi-row statement a
//! table, so that a thousand registrations cost little more than one (R21).

use crate::agents;
use crate::badges::BadgeRows;
use crate::facts;
use crate::feed::Kind;
use crate::lists::ListRows;
use crate::outside::{self, Rows};
use crate::queues;
use crate::seal::Sealer;
use crate::seats;
use crate::sql::{Clash, Connection, Query, ROWS, delete, insert};
use crate::tasks::TaskRows;
use calls::CallRecord;
use exchange::{
    Change, Commit, Device, Fact, ForwardWhen, Group as HuntGroup, OpenCall, PeopleChange, Queue, Route,
    Settings, StoredBinding, Trunk,
};
use std::collections::BTreeMap;

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
                // Others write their own.
                Change::BindingsElsewhere { .. } => {}
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

    /// The rows of it that other exchanges over the same database have in memory.
    pub(crate) fn touched(&self) -> Vec<(Kind, String)> {
        fn names<T>(kind: Kind, table: &BTreeMap<&str, T>) -> impl Iterator<Item = (Kind, String)> {
            table.keys().map(move |name| (kind, (*name).to_owned()))
        }
        names(Kind::Account, &self.accounts)
            .chain(names(Kind::Number, &self.numbers))
            .chain(names(Kind::Device, &self.devices))
            .chain(names(Kind::Trunk, &self.trunks))
            .chain(names(Kind::Route, &self.routes))
            .chain(names(Kind::Group, &self.groups))
            .chain(names(Kind::Queue, &self.queues))
            .chain(self.badges.touched())
            .chain(names(Kind::Bindings, &self.bindings))
            .chain(names(Kind::Seat, &self.seats))
            .collect()
    }

    /// Writes it all inside the transaction that the connection is in; what belongs to one of several exchanges, as this
    /// one's.
    pub(crate) async fn write(
        &self,
        connection: &mut Connection,
        sealer: &Sealer,
        owner: &str,
    ) -> Result<(), sqlx::Error> {
        self.write_accounts(connection).await?;
        self.write_numbers(connection).await?;
        self.write_devices(connection).await?;
        outside::write_trunks(connection, sealer, &self.trunks).await?;
        outside::write_routes(connection, &self.routes).await?;
        outside::write_groups(connection, &self.groups).await?;
        self.badges.write(connection, sealer).await?;
        facts::write(connection, &self.facts).await?;
        self.write_bindings(connection, owner).await?;
        seats::write(connection, &self.seats).await?;
        queues::write(connection, &self.queues).await?;
        agents::write(connection, &self.agents).await?;
        self.tasks.write(connection).await?;
        self.lists.write(connection).await?;
        self.write_open_calls(connection, owner).await?;
        self.write_records(connection).await
    }

    async fn write_accounts(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        delete(connection, "DELETE FROM accounts WHERE name IN ", removed(&self.accounts)).await?;
        let rows: Vec<_> = self.accounts.iter().filter_map(|(name, put)| Some((*name, (*put)?))).collect();
        let into = (
            "accounts",
            &[
                "name",
                "display",
                "language",
                "zone",
                "mobile",
                "pin",
                "do_not_disturb",
                "forward_always",
                "forward_busy",
                "forward_no_answer",
                "forward_offline",
                "rights",
                "calls_a_day",
                "role",
                "password",
                "background",
                "platform",
                "wrap_up_ms",
            ][..],
        );
        insert(connection, into, Clash::Replace(1), &rows, |row, (name, (display, settings))| {
            row.bind(*name).bind(*display).bind(settings.language.tag());
            row.bind(settings.zone.as_deref()).bind(settings.mobile.as_deref());
            row.bind(settings.pin.as_deref()).bind(settings.do_not_disturb);
            for when in ForwardWhen::ALL {
                row.bind(settings.forwarding.to(when));
            }
            row.bind(settings.rights.to_string()).bind(settings.calls_a_day);
            row.bind(settings.role.name()).bind(settings.password.as_deref());
            row.bind(settings.background).bind(settings.platform.as_deref());
            row.bind(settings.wrap_up.map(milliseconds));
        })
        .await?;
        Ok(())
    }

    /// A number that changes hands goes to the end of its new account's list, as it does in memory.
    async fn write_numbers(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        delete(connection, "DELETE FROM numbers WHERE number IN ", self.numbers.keys().copied().collect())
            .await?;
        let mut rows: Vec<_> = self
            .numbers
            .iter()
            .filter_map(|(number, put)| (*put).map(|(place, account)| (place, *number, account)))
            .collect();
        rows.sort_unstable();
        let into = ("numbers", &["number", "account"][..]);
        insert(connection, into, Clash::Refuse, &rows, |row, (_, number, account)| {
            row.bind(*number).bind(*account);
        })
        .await?;
        Ok(())
    }

    async fn write_devices(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        delete(connection, "DELETE FROM devices WHERE name IN ", removed(&self.devices)).await?;
        let mut rows: Vec<_> = self
            .devices
            .iter()
            .filter_map(|(name, put)| (*put).map(|(place, device)| (place, *name, device)))
            .collect();
        rows.sort_unstable_by_key(|(place, ..)| *place);
        let into =
            ("devices", &["name", "account", "md5", "sha256", "location", "call_back", "auto_answer"][..]);
        insert(connection, into, Clash::Replace(1), &rows, |row, (_, name, device)| {
            row.bind(*name).bind(&*device.account);
            row.bind(&*device.secret.md5).bind(&*device.secret.sha256);
            row.bind(&*device.location).bind(device.call_back.as_deref());
            row.bind(device.auto_answer.map(exchange::AutoAnswer::name));
        })
        .await?;
        Ok(())
    }

    async fn write_bindings(&self, connection: &mut Connection, owner: &str) -> Result<(), sqlx::Error> {
        // Who leaves, leaves everywhere.
        delete(connection, "DELETE FROM bindings WHERE device IN ", removed(&self.devices)).await?;
        let devices: Vec<&str> = self.bindings.keys().copied().collect();
        for devices in devices.chunks(ROWS) {
            let mut ours = Query::build("DELETE FROM bindings WHERE owner = ");
            ours.push_bind(owner).push(" AND device IN ");
            ours.push_list(devices.iter().copied());
            ours.execute(connection).await?;
        }
        let rows: Vec<(&str, usize, &StoredBinding)> = self
            .bindings
            .iter()
            .flat_map(|(device, list)| {
                list.iter().enumerate().map(|(place, binding)| (*device, place, binding))
            })
            .collect();
        let into = (
            "bindings",
            &[
                "device",
                "owner",
                "place",
                "contact",
                "instance",
                "reg_id",
                "q",
                "path",
                "transport",
                "local",
                "remote",
                "behind_nat",
                "expires",
                "call_id",
                "sequence",
            ][..],
        );
        insert(connection, into, Clash::Refuse, &rows, |row, (device, place, binding)| {
            row.bind(*device).bind(owner).bind(i64::try_from(*place).unwrap_or(i64::MAX));
            row.bind(&*binding.contact).bind(binding.instance.as_deref());
            row.bind(binding.reg_id).bind(binding.q);
            row.bind(binding.path.join("\n")).bind(binding.flow.transport.name());
            row.bind(binding.flow.local.to_string()).bind(binding.flow.remote.to_string());
            row.bind(binding.behind_nat).bind(binding.expires.0);
            row.bind(&*binding.call_id).bind(binding.sequence);
        })
        .await?;
        Ok(())
    }

    /// A call that began and ended within this group costs one look for a row that is not there.
    async fn write_open_calls(&self, connection: &mut Connection, owner: &str) -> Result<(), sqlx::Error> {
        let keys: Vec<(&str, &str)> = self.open.keys().copied().collect();
        for keys in keys.chunks(ROWS) {
            let mut query = Query::build("DELETE FROM open_calls WHERE (session_id, dialled) IN ");
            query.push_pairs(keys);
            query.execute(connection).await?;
        }
        let rows: Vec<&OpenCall> = self.open.values().copied().flatten().collect();
        let into = (
            "open_calls",
            &[
                "session_id",
                "dialled",
                "caller_number",
                "caller_name",
                "answered_by",
                "started",
                "answered",
                "task",
                "owner",
            ][..],
        );
        insert(connection, into, Clash::Refuse, &rows, |row, open| {
            row.bind(&*open.session_id).bind(&*open.dialled);
            row.bind(&*open.caller.number).bind(&*open.caller.name);
            row.bind(&*open.answered_by);
            row.bind(open.started.0).bind(open.answered.map(|at| at.0));
            row.bind(task_number(open.task)).bind(owner);
        })
        .await?;
        Ok(())
    }

    async fn write_records(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        let into = (
            "records",
            &[
                "session_id",
                "caller_number",
                "caller_name",
                "dialled",
                "answered_by",
                "started",
                "answered",
                "ended",
                "ringing_ms",
                "talking_ms",
                "cause",
                "blame",
                "status",
                "detail",
                "task",
            ][..],
        );
        insert(connection, into, Clash::Refuse, &self.records, |row, record| {
            row.bind(&*record.session_id);
            row.bind(&*record.caller.number).bind(&*record.caller.name);
            row.bind(&*record.dialled).bind(&*record.answered_by);
            row.bind(record.started.0).bind(record.answered.map(|at| at.0)).bind(record.ended.0);
            row.bind(milliseconds(record.ringing)).bind(milliseconds(record.talking));
            row.bind(record.cause.name()).bind(record.blame.name());
            row.bind(record.status).bind(&*record.detail).bind(task_number(record.task));
        })
        .await?;
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
