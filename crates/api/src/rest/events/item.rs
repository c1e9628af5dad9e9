//! One event as it is told: its text, and who may hear it (sec_11).

use crate::backend::CallRow;
use crate::rest::agents::AgentShape;
use crate::rest::calls::{CallShape, EndedShape};
use crate::rest::devices::DeviceShape;
use crate::rest::exchanges::ExchangesShape;
use crate::rest::lists::ListShape;
use crate::rest::lists::desk::DeskShape;
use crate::rest::notice::NoticeShape;
use crate::rest::office::StatusShape;
use crate::rest::operations::Scope;
use crate::rest::people::Person;
use crate::rest::profiles::ProfileShape;
use crate::rest::queues::QueueShape;
use crate::rest::records::RecordShape;
use crate::rest::seats::SeatShape;
use crate::rest::tasks::TaskShape;
use crate::rest::trunks::TrunkShape;
use crate::rest::{SessionEnded, groups, outside_routes, time};
use exchange::{Audience, Event, Happened, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;

/// An event, made once for all who hear it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// Its number; the next event has the next.
    pub(crate) number: u64,
    /// As in `call.started`.
    pub(crate) kind: Cow<'static, str>,
    /// Whom it concerns.
    audience: Audience,
    /// The least role that hears all of this kind.
    role: Role,
    /// What a token needs, beside `events:read`.
    scope: Scope,
    /// When, as the API writes it.
    pub(crate) time: String,
    /// What it is about.
    pub(crate) subject: String,
    /// The whole event in JSON.
    pub(super) text: Arc<str>,
    /// The account that is perhaps another now: whoever hears events for it looks at its role again.
    pub(super) account: Option<Box<str>>,
    /// The data alone.
    pub(crate) data: Arc<Value>,
    /// Another exchange with the same office told it.
    pub(crate) of_another: bool,
}

/// An event that has no number yet.
#[derive(Debug)]
pub(crate) struct Draft {
    kind: Cow<'static, str>,
    audience: Audience,
    role: Role,
    scope: Scope,
    at: i64,
    subject: String,
    account: Option<Box<str>>,
    data: Value,
    of_another: bool,
}

impl Draft {
    pub(super) fn of(event: Event) -> Draft {
        let (kind, subject) = (event.what.kind().into(), event.what.subject());
        let account = match &event.what {
            Happened::PersonChanged(row) => Some(row.name.clone()),
            Happened::PersonRemoved(name) => Some(name.clone()),
            _ => None,
        };
        let (role, scope) = reach(&event.what);
        let data = data(event.what);
        let at = event.at.0;
        Draft { kind, audience: event.audience, role, scope, at, subject, account, data, of_another: false }
    }

    pub(super) fn of_session(at: i64, ended: SessionEnded) -> Draft {
        let SessionEnded { session, account } = ended;
        Draft {
            kind: "session.ended".into(),
            audience: Audience { staff: true, accounts: vec![account.as_str().into()] },
            role: Role::Administrator,
            scope: Scope::PeopleRead,
            at,
            data: json!({"id": session, "account": account}),
            subject: session,
            account: Some(account.into()),
            of_another: false,
        }
    }

    /// The event for another exchange with the same office, whose users hear it, too.
    pub(super) fn for_another(&self) -> String {
        let line = Line {
            kind: &*self.kind,
            staff: self.audience.staff,
            accounts: self.audience.accounts.clone(),
            role: self.role.name().into(),
            scope: self.scope.name().into(),
            at: self.at,
            subject: self.subject.as_str(),
            data: &self.data,
        };
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// An event of another exchange; `None` if it makes no sense.
    pub(super) fn of_another(text: &str) -> Option<Draft> {
        let line: Line<String, Value> = serde_json::from_str(text).ok()?;
        Some(Draft {
            kind: line.kind.into(),
            audience: Audience { staff: line.staff, accounts: line.accounts },
            role: Role::ALL.into_iter().find(|role| role.name() == line.role)?,
            scope: Scope::of_name(&line.scope)?,
            at: line.at,
            subject: line.subject,
            account: None,
            data: line.data,
            of_another: true,
        })
    }

    pub(super) fn numbered(self, epoch: &str, number: u64) -> Item {
        let Draft { kind, audience, role, scope, at, subject, account, data, of_another } = self;
        let time = time(at);
        let told =
            Told { id: &name(epoch, number), time: &time, kind: &kind, subject: &subject, data: &data };
        let text = serde_json::to_string(&told).unwrap_or_default().into();
        let data = Arc::new(data);
        Item { number, kind, audience, role, scope, time, subject, text, account, data, of_another }
    }
}

impl Item {
    /// Whether somebody hears it who has this role, this account, and these scopes if it is a program.
    pub(super) fn is_for(&self, role: Role, account: &str, scopes: Option<&[String]>) -> bool {
        let allowed = scopes.is_none_or(|scopes| scopes.iter().any(|scope| scope == self.scope.name()));
        allowed && (self.audience.has(account) || (self.audience.staff && role >= self.role))
    }
}

/// The name of an event: no other has it, in another life of the exchange neither.
pub(super) fn name(epoch: &str, number: u64) -> String {
    format!("{epoch}-{number}")
}

/// An event on its way between exchanges.
#[derive(Serialize, Deserialize)]
struct Line<Text, Data> {
    #[serde(rename = "type")]
    kind: Text,
    staff: bool,
    accounts: Vec<Box<str>>,
    role: String,
    scope: String,
    at: i64,
    subject: Text,
    data: Data,
}

#[derive(Serialize)]
struct Told<'a> {
    id: &'a str,
    time: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    subject: &'a str,
    data: &'a Value,
}

/// Who hears of everything of a kind, and what a token needs for it: as for reading the resource.
fn reach(what: &Happened) -> (Role, Scope) {
    match what {
        Happened::CallStarted(_)
        | Happened::CallChanged(_)
        | Happened::CallEnded(_)
        | Happened::NoticeShown(_)
        | Happened::NoticeWithdrawn { .. } => (Role::Manager, Scope::CallsRead),
        Happened::TaskChanged(_) | Happened::TaskEnded(_) => (Role::Manager, Scope::TasksRead),
        Happened::ListChanged(_) | Happened::ListRemoved(_) => (Role::Manager, Scope::ListsRead),
        Happened::ProfileChanged { .. } | Happened::DeskChanged(_) => (Role::Manager, Scope::Phone),
        Happened::RecordAdded(_) => (Role::Manager, Scope::RecordsRead),
        Happened::StatusChanged(_) | Happened::ExchangesChanged(_) => (Role::Manager, Scope::SettingsRead),
        Happened::TrunkChanged(..)
        | Happened::TrunkRemoved(_)
        | Happened::RouteChanged(..)
        | Happened::RouteRemoved(_) => (Role::Administrator, Scope::SettingsRead),
        Happened::DeviceChanged(_)
        | Happened::DeviceRemoved(_)
        | Happened::PersonChanged(_)
        | Happened::PersonRemoved(_)
        | Happened::SeatChanged(_)
        | Happened::SeatRemoved { .. }
        | Happened::TakeFailed { .. }
        | Happened::NumberChanged { .. }
        | Happened::NumberRemoved(_)
        | Happened::GroupChanged(..)
        | Happened::GroupRemoved(_)
        | Happened::AgentChanged(_)
        | Happened::QueueChanged(_)
        | Happened::QueueRemoved(_) => (Role::Manager, Scope::PeopleRead),
    }
}

/// The row in the shape of the resource; of what left, its name.
fn data(what: Happened) -> Value {
    let shape = match what {
        Happened::CallStarted(call) | Happened::CallChanged(call) => {
            serde_json::to_value(CallShape::of(&call))
        }
        Happened::CallEnded(ended) => serde_json::to_value(EndedShape::of(&ended)),
        Happened::DeviceChanged(row) => serde_json::to_value(DeviceShape::of(&row)),
        Happened::PersonChanged(row) => serde_json::to_value(Person::of(&row)),
        Happened::NumberChanged { number, account } => Ok(json!({"number": number, "account": account})),
        Happened::GroupChanged(name, group) => serde_json::to_value(groups::shape(&name, &group)),
        Happened::TrunkChanged(name, trunk, state) => {
            serde_json::to_value(TrunkShape::of(&name, &trunk, state))
        }
        Happened::RouteChanged(name, route) => serde_json::to_value(outside_routes::shape(&name, &route)),
        Happened::SeatChanged(row) => serde_json::to_value(SeatShape::of(&row)),
        Happened::SeatRemoved { device, account } => Ok(json!({"device": device, "account": account})),
        Happened::TakeFailed { account, device, words } => {
            Ok(json!({"account": account, "device": device, "why": words}))
        }
        Happened::NoticeShown(notice) => serde_json::to_value(NoticeShape::of(&notice)),
        Happened::NoticeWithdrawn { call, account, why } => {
            Ok(json!({"call": call.to_string(), "account": account, "why": why.name()}))
        }
        Happened::NumberRemoved(number) => Ok(json!({"number": number})),
        Happened::DeviceRemoved(name)
        | Happened::PersonRemoved(name)
        | Happened::GroupRemoved(name)
        | Happened::TrunkRemoved(name)
        | Happened::RouteRemoved(name)
        | Happened::ListRemoved(name)
        | Happened::QueueRemoved(name) => Ok(json!({"name": name})),
        Happened::RecordAdded(record) => {
            serde_json::to_value(RecordShape::of(row(&record))).map(|mut shape| {
                // Its number is the store's to give; GET /records has it.
                if let Some(shape) = shape.as_object_mut() {
                    shape.remove("id");
                }
                shape
            })
        }
        Happened::TaskChanged(row) | Happened::TaskEnded(row) => serde_json::to_value(TaskShape::of(&row)),
        Happened::ProfileChanged { device, profile } => {
            Ok(json!({"device": device, "profile": ProfileShape::of(&profile)}))
        }
        Happened::AgentChanged(row) => serde_json::to_value(AgentShape::of(&row)),
        Happened::QueueChanged(row) => serde_json::to_value(QueueShape::of(&row)),
        Happened::DeskChanged(work) => serde_json::to_value(DeskShape::of(&work)),
        Happened::ListChanged(row) => serde_json::to_value(ListShape::of(&row)),
        Happened::ExchangesChanged(map) => serde_json::to_value(ExchangesShape::of(*map)),
        Happened::StatusChanged(status) => serde_json::to_value(StatusShape::of(*status)),
    };
    shape.unwrap_or_default()
}

fn row(record: &calls::CallRecord) -> CallRow {
    let milliseconds = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    CallRow {
        id: 0,
        session_id: record.session_id.to_string(),
        caller: record.caller.number.to_string(),
        caller_name: record.caller.name.to_string(),
        callee: record.dialled.to_string(),
        answered_by: record.answered_by.to_string(),
        started: record.started.0,
        answered: record.answered.map(|at| at.0),
        ended: record.ended.0,
        ringing_ms: milliseconds(record.ringing),
        duration_ms: milliseconds(record.talking),
        cause: record.cause.name().into(),
        blame: record.blame.name().into(),
        status: record.status,
        detail: record.detail.to_string(),
        task: record.task.and_then(|task| i64::try_from(task).ok()),
    }
}
