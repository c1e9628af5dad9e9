//! Live calls: the list of them, and the events that keep a copy of the list true.

use super::{Audience, Happened};
use crate::cluster::ToldEnd;
use crate::exchange::Exchange;
use crate::hearing::Heard;
use crate::ongoing::Ongoing;
use calls::{Blame, CallId, CallRecord, CallView, Cause, Party};
use clock::{Now, Wall};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a call for others: its Session-ID and the number of the call, as `32 hexadecimal digits-number`. No
/// other call ever has it, in another life of the exchange neither.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallName {
    /// The Session-ID (RFC 7989), which names the call in its record and its ladder.
    pub session_id: Arc<str>,
    /// The call, for as long as it lives.
    pub call: CallId,
}

impl fmt::Display for CallName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:x}", self.session_id, self.call.number())
    }
}

impl FromStr for CallName {
    type Err = ();

    fn from_str(text: &str) -> Result<CallName, ()> {
        let (session, number) = text.split_once('-').ok_or(())?;
        let right = session.len() == 32 && session.bytes().all(|octet| octet.is_ascii_hexdigit());
        let number = u64::from_str_radix(number, 16).map_err(|_| ())?;
        let call = CallId::of_number(number);
        right.then(|| CallName { session_id: session.to_ascii_lowercase().into(), call }).ok_or(())
    }
}

/// Where a live call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// Nobody answered yet.
    Ringing,
    /// The two talk.
    Talking,
    /// One of them has put the other on hold.
    Held,
}

impl CallState {
    /// All there are.
    pub const ALL: [CallState; 3] = [CallState::Ringing, CallState::Talking, CallState::Held];

    /// The name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CallState::Ringing => "ringing",
            CallState::Talking => "talking",
            CallState::Held => "held",
        }
    }
}

/// One end of a live call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallEnd {
    /// The number; `anonymous` for a caller who wants it so (R32).
    pub number: Arc<str>,
    /// The name; hostile input unless it comes from our own directory.
    pub name: Arc<str>,
    /// Whose it is, if it is somebody of the office.
    pub account: Option<Box<str>>,
    /// The device in use, if it is one of ours.
    pub device: Option<Box<str>>,
    /// How this end is heard, once its media worker has told.
    pub heard: Option<Heard>,
}

/// A call that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveCall {
    /// Its name.
    pub name: CallName,
    /// Where it stands.
    pub state: CallState,
    /// Who called.
    pub caller: CallEnd,
    /// Who is called, or talks.
    pub callee: CallEnd,
    /// When the INVITE came.
    pub started: Wall,
    /// When somebody answered.
    pub answered: Option<Wall>,
    /// An emergency (R31).
    pub emergency: bool,
    /// The trunk that it goes out by, else the one that it came in by.
    pub trunk: Option<Box<str>>,
    /// The accounts that take part, a hidden caller's too: who may see it, not to be shown.
    pub accounts: Vec<Box<str>>,
}

/// A call that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedCall {
    /// As it was at the end.
    pub call: LiveCall,
    /// When that was.
    pub ended: Wall,
    /// Why.
    pub cause: Cause,
    /// Whose doing that was.
    pub blame: Blame,
    /// The final status that the caller got.
    pub status: u16,
    /// More to say, if there is.
    pub detail: Box<str>,
}

impl Exchange {
    /// All calls that go on in the office, in the order of their names; those of other exchanges come last.
    #[must_use]
    pub fn live_calls(&self) -> Vec<LiveCall> {
        let here = self.ongoing.iter().filter_map(|(call, ongoing)| self.live_call(call, ongoing));
        here.chain(self.cluster.elsewhere.iter().map(|(id, call)| call.row(id))).collect()
    }

    /// Ends a call for somebody who may do so; the record says who. False when there is no such call.
    pub(crate) fn hang_up(&mut self, now: Now, name: &CallName, who: &str) -> bool {
        let call = name.call;
        if self.ongoing.call(call).is_none_or(|ongoing| ongoing.session_id != name.session_id) {
            return self.hang_up_elsewhere(name, who);
        }
        self.note_call(now, call, "call.ended", format!("{who} ended the call"));
        self.switch.reject(now, call, Cause::EndedByOperator, who);
        true
    }

    /// A call as it is now; `None` when it is over.
    fn live_call(&self, call: CallId, ongoing: &Ongoing) -> Option<LiveCall> {
        Some(self.row(call, ongoing, &self.switch.view(call)?))
    }

    fn row(&self, call: CallId, ongoing: &Ongoing, view: &CallView<'_>) -> LiveCall {
        let end = |party: &Party, account: &Option<Box<str>>, label: Option<&str>, heard: Option<Heard>| {
            let account = account.clone().filter(|_| !party.is_anonymous());
            // It may be another's phone, at which they sit or took the call.
            let device = label.filter(|label| account.is_some() && self.people.device(label).is_some());
            let device = device.map(Box::from);
            CallEnd {
                number: Arc::clone(&party.number),
                name: Arc::clone(&party.name),
                account,
                device,
                heard,
            }
        };
        LiveCall {
            name: CallName { session_id: ongoing.session_id.clone(), call },
            state: match (view.talking, view.held) {
                (false, _) => CallState::Ringing,
                (true, false) => CallState::Talking,
                (true, true) => CallState::Held,
            },
            caller: end(&ongoing.caller, &ongoing.caller_account, view.caller, ongoing.heard[0]),
            callee: end(&ongoing.callee, &ongoing.callee_account, view.callee, ongoing.heard[1]),
            started: view.started,
            answered: view.answered,
            emergency: ongoing.emergency,
            trunk: ongoing.line.clone().or_else(|| ongoing.entry.clone()),
            accounts: ongoing.accounts().map(Box::from).collect(),
        }
    }

    /// Compares the calls that something happened to with what was told of them.
    pub(super) fn tell_calls(&mut self, now: Now) {
        for call in self.ongoing.take_touched() {
            self.tell_notices(now, call);
            let Some(row) = self.ongoing.call(call).and_then(|ongoing| self.live_call(call, ongoing)) else {
                continue;
            };
            self.tell_call(now, row);
        }
    }

    /// A call of another exchange is new, or another.
    pub(crate) fn tell_call_elsewhere(&mut self, now: Now, row: LiveCall) {
        if self.listening.on {
            self.tell_call(now, row);
        }
    }

    /// A call of another exchange is over.
    pub(crate) fn tell_end_elsewhere(&mut self, now: Now, call: LiveCall, end: &ToldEnd) {
        let Some(told) = self.listening.calls.remove(&call.name.call) else { return };
        let ToldEnd { ended, cause, status, .. } = *end;
        let over = EndedCall { call, ended, cause, blame: cause.blame(), status, detail: Box::default() };
        self.tell(now, Audience::all(told.accounts), Happened::CallEnded(Box::new(over)));
    }

    fn tell_call(&mut self, now: Now, row: LiveCall) {
        let audience = Audience::all(row.accounts.clone());
        let Some(old) = self.listening.calls.insert(row.name.call, row.clone()) else {
            return self.tell(now, audience, Happened::CallStarted(Box::new(row)));
        };
        if old == row {
            return;
        }
        // Whoever is out of the call hears no more of it than that.
        let left: Vec<Box<str>> =
            old.accounts.iter().filter(|account| !row.accounts.contains(account)).cloned().collect();
        if !left.is_empty() {
            let cause = Cause::Transferred;
            let (blame, status, detail) = (cause.blame(), cause.status(), Box::default());
            let ended = EndedCall { call: old, ended: now.wall, cause, blame, status, detail };
            let those = Audience { staff: false, accounts: left };
            self.tell(now, those, Happened::CallEnded(Box::new(ended)));
        }
        self.tell(now, audience, Happened::CallChanged(Box::new(row)));
    }

    /// A call is over: its last row, and why.
    pub(crate) fn tell_end(&mut self, now: Now, record: &CallRecord) {
        let call = record.call;
        let Some(ongoing) = self.ongoing.call(call).filter(|_| self.listening.on) else { return };
        let told = self.listening.calls.get(&call);
        let device = |end: Option<&CallEnd>| end.and_then(|end| end.device.clone());
        let (caller, callee) = (device(told.map(|told| &told.caller)), device(told.map(|told| &told.callee)));
        let answered_by = self.people.device(&record.answered_by).is_some().then_some(&*record.answered_by);
        let view = CallView {
            started: record.started,
            answered: record.answered,
            talking: record.answered.is_some(),
            held: false,
            caller: caller.as_deref().or(ongoing.device.as_deref()),
            callee: callee.as_deref().or(answered_by),
        };
        let row = self.row(call, ongoing, &view);
        if told.is_none() {
            let audience = Audience::all(row.accounts.clone());
            self.tell(now, audience, Happened::CallStarted(Box::new(row.clone())));
        }
        // Whoever heard of it hears of its end, and nobody else: a number may have changed hands as it ended.
        let told = self.listening.calls.remove(&call);
        let accounts = told.map_or_else(|| row.accounts.clone(), |told| told.accounts);
        let (cause, blame, status) = (record.cause, record.blame, record.status);
        let detail = record.detail.clone();
        let ended = EndedCall { call: row, ended: record.ended, cause, blame, status, detail };
        self.tell(now, Audience::all(accounts), Happened::CallEnded(Box::new(ended)));
    }
}
