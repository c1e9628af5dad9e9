//! Notices: whom a call rings for is told who calls and which free phones are near, wherever they are (S1.7).
//!
//! ```text
//! rings for an account --> notice.shown --> answered, dismissed, passed on or over --> notice.withdrawn
//! ```
//! Like every event, a notice comes from comparing what is with what was told, so nobody has to remember to withdraw one.
//! It says what was so at its moment: which phone takes the call is judged anew when somebody taps there. How it reaches
//! watches and apps is the shell's affair.

mod dismiss;
mod near;

pub use near::NearPhone;
pub(crate) use near::Places;

use crate::events::{Audience, CallName, Happened};
use crate::exchange::Exchange;
use crate::ongoing::{Ongoing, Reach};
use calls::{CallId, CallRecord, Party};
use clock::{Now, Wall};
use sip::subscription::DialogState;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What an account is told whose phones ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The call.
    pub call: CallName,
    /// Whom it rings for.
    pub account: Box<str>,
    /// Who calls; anonymous for a caller who wants it so (R32).
    pub caller: Party,
    /// The number that was called: the account's own, or a group's.
    pub called: Arc<str>,
    /// Phones at which it can be taken, the nearest first.
    pub phones: Vec<NearPhone>,
    /// When nobody need be told any more, whatever became of it.
    pub until: Wall,
}

/// Why a notice is withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawn {
    /// Somebody answered.
    Answered,
    /// The account wants its phones to be silent.
    Dismissed,
    /// It rings for others now.
    PassedOn,
    /// The call is over.
    Ended,
}

impl Withdrawn {
    /// The name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Withdrawn::Answered => "answered",
            Withdrawn::Dismissed => "dismissed",
            Withdrawn::PassedOn => "passed_on",
            Withdrawn::Ended => "ended",
        }
    }
}

type Told = BTreeSet<(CallId, Box<str>)>;

/// What was told, and who wants to hear no more of which call.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    told: Told,
    dismissed: Told,
}

impl Notices {
    /// Whether an account's phones are to be silent for a call.
    pub(crate) fn is_dismissed(&self, call: CallId, account: &str) -> bool {
        !self.dismissed.is_empty() && self.dismissed.contains(&(call, account.into()))
    }

    /// The account takes the call after all.
    pub(crate) fn is_taken(&mut self, call: CallId, account: &str) {
        self.dismissed.remove(&(call, account.into()));
    }

    /// Nobody listens any more, or somebody begins to.
    pub(crate) fn forget_told(&mut self) {
        self.told.clear();
    }
}

/// All entries of one call.
fn of_call(list: &Told, call: CallId) -> Vec<Box<str>> {
    let from = (call, Box::<str>::default());
    list.range(from..).take_while(|(of, _)| *of == call).map(|(_, account)| account.clone()).collect()
}

impl Exchange {
    /// The accounts that a call rings for now.
    pub(crate) fn rung_for(&self, call: CallId) -> Vec<Box<str>> {
        let Some(ongoing) = self.ongoing.call(call).filter(|ongoing| self.may_ring(call, ongoing)) else {
            return Vec::new();
        };
        match &ongoing.reach {
            Reach::Account => {
                let rings = self.switch.labels(call).any(|label| self.switch.rings_at(call, label));
                ongoing.callee_account.iter().filter(|_| rings).cloned().collect()
            }
            Reach::Group { name, .. } => {
                let members = self.people.group(name).map(|group| group.members.as_slice());
                let rings = |member: &str| {
                    self.phones_of(member).iter().any(|phone| self.switch.rings_at(call, phone))
                        && !self.notices.is_dismissed(call, member)
                };
                members.unwrap_or_default().iter().filter(|member| rings(member)).cloned().collect()
            }
            Reach::Queue { .. } => self.agents_rung(call),
            Reach::Service | Reach::Elsewhere { .. } | Reach::Outside(_) => Vec::new(),
        }
    }

    fn may_ring(&self, call: CallId, ongoing: &Ongoing) -> bool {
        let open = ongoing.state != DialogState::Confirmed || self.switch.is_let_go(call);
        open && !ongoing.emergency && !self.services.has(call)
    }

    /// Compares whom a call rings for with who was told of it.
    pub(crate) fn tell_notices(&mut self, now: Now, call: CallId) {
        let rung = self.rung_for(call);
        for account in of_call(&self.notices.told, call) {
            if !rung.contains(&account) {
                let ongoing = self.ongoing.call(call);
                let answered = ongoing.is_some_and(|ongoing| ongoing.state == DialogState::Confirmed);
                let why = match answered {
                    _ if self.notices.is_dismissed(call, &account) => Withdrawn::Dismissed,
                    true => Withdrawn::Answered,
                    false => Withdrawn::PassedOn,
                };
                self.withdraw(now, call, account, why);
            }
        }
        for account in rung {
            if self.notices.told.contains(&(call, account.clone())) {
                continue;
            }
            let Some(notice) = self.notice(now, call, &account) else { continue };
            self.notices.told.insert((call, account.clone()));
            let audience = Audience { staff: false, accounts: vec![account] };
            self.tell_if_heard(now, audience, Happened::NoticeShown(Box::new(notice)));
        }
    }

    /// A call is over, and with it all that was said of it.
    pub(crate) fn end_notices(&mut self, now: Now, record: &CallRecord) {
        let call = record.call;
        for account in of_call(&self.notices.told, call) {
            let why = if record.answered.is_some() { Withdrawn::Answered } else { Withdrawn::Ended };
            self.withdraw(now, call, account, why);
        }
        for account in of_call(&self.notices.dismissed, call) {
            self.notices.dismissed.remove(&(call, account));
        }
    }

    fn withdraw(&mut self, now: Now, call: CallId, account: Box<str>, why: Withdrawn) {
        self.notices.told.remove(&(call, account.clone()));
        let Some(call) = self.call_name(call) else { return };
        let audience = Audience { staff: false, accounts: vec![account.clone()] };
        self.tell_if_heard(now, audience, Happened::NoticeWithdrawn { call, account, why });
    }

    fn notice(&self, now: Now, call: CallId, account: &str) -> Option<Notice> {
        let ongoing = self.ongoing.call(call)?;
        let longest = i64::try_from(self.config.ring_limit.as_millis()).unwrap_or(i64::MAX);
        Some(Notice {
            call: self.call_name(call)?,
            account: account.into(),
            caller: ongoing.caller.clone(),
            called: Arc::clone(&ongoing.callee.number),
            phones: self.near_phones(now, account, call),
            until: Wall(now.wall.0.saturating_add(longest)),
        })
    }
}
