//! The calls that are going on, as the office sees them: whose they are, for busy lamps, loops and lists.

use crate::hearing::Heard;
use calls::{CallId, Party};
use clock::Mono;
use directory::ExchangeName;
use sip::Flow;
use sip::subscription::DialogState;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Ongoing {
    /// When it came.
    pub(crate) since: Mono,
    /// The calling device, so that it does not ring for itself.
    pub(crate) device: Option<Box<str>>,
    /// Who called, and whose account that is.
    pub(crate) caller: Party,
    pub(crate) caller_account: Option<Box<str>>,
    /// Who is called, and whose account that is.
    pub(crate) callee: Party,
    pub(crate) callee_account: Option<Box<str>>,
    /// The calling phone itself counts calls in vain and suggests to keep calling (S2.10).
    pub(crate) suggests: bool,
    /// The session, by which a loop is seen (R9).
    pub(crate) session_id: Arc<str>,
    pub(crate) state: DialogState,
    /// On whose account calls to the outside go: the caller's, or that of the last who forwarded.
    pub(crate) payer: Option<Box<str>>,
    /// The numbers that it asked for before (R9).
    pub(crate) asked: Vec<Arc<str>>,
    /// How often it was sent on.
    pub(crate) forwards: u8,
    /// An emergency: nothing limits it (R31).
    pub(crate) emergency: bool,
    /// The trunk that it came in by, and the one that it goes out by; each has a channel less.
    pub(crate) entry: Option<Box<str>>,
    pub(crate) line: Option<Box<str>>,
    /// What is being tried.
    pub(crate) reach: Reach,
    /// Whom it is being transferred to, that one's account, and whether the caller does it.
    pub(crate) moving: Option<(Party, Box<str>, bool)>,
    /// How the caller and the called are heard.
    pub(crate) heard: [Option<Heard>; 2],
}

/// What is being tried to reach somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Nothing yet, or a service of ours.
    Service,
    /// The devices of one person.
    Account,
    /// A hunt group, and the place of its member who is next.
    Group { name: Box<str>, next: usize },
    /// The agents of a queue, and after an answer the one of them who did.
    Queue { name: Box<str> },
    /// Another exchange of the office, by the number that it is asked for; which one it is, once that is known.
    Elsewhere { number: Box<str>, exchange: Option<ExchangeName> },
    /// Trunks.
    Outside(Box<Outside>),
}

/// A call on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outside {
    /// The number as the trunks are asked for it.
    pub(crate) number: Box<str>,
    /// The number that they see, if not the caller's own.
    pub(crate) caller: Option<Box<str>>,
    /// Those that were not tried yet.
    pub(crate) trunks: VecDeque<Box<str>>,
    /// The one that is tried now, and the path to it.
    pub(crate) trunk: Option<Box<str>>,
    pub(crate) flow: Option<Flow>,
}

impl Ongoing {
    /// The accounts that take part.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &str> {
        let callee =
            self.callee_account.as_deref().filter(|callee| self.caller_account.as_deref() != Some(callee));
        self.caller_account.as_deref().into_iter().chain(callee)
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct OngoingCalls {
    calls: BTreeMap<CallId, Ongoing>,
    by_account: BTreeMap<Box<str>, BTreeSet<CallId>>,
    /// Which number each session asks for.
    sessions: BTreeSet<(Arc<str>, Arc<str>)>,
    /// Somebody wants to know which calls change; these did.
    watched: bool,
    touched: BTreeSet<CallId>,
    /// Other exchanges want to know it, too.
    news: Option<BTreeSet<CallId>>,
    /// Those of them that are new since that was asked for last.
    begun: Vec<CallId>,
    /// Accounts whose state follows their calls, and those of them whose calls changed.
    agents: BTreeSet<Box<str>>,
    stirred: BTreeSet<Box<str>>,
}

impl OngoingCalls {
    /// All of them, of which other exchanges are told.
    pub(crate) fn told_to_others(told: bool) -> OngoingCalls {
        OngoingCalls { news: told.then(BTreeSet::new), ..OngoingCalls::default() }
    }

    /// Whether other exchanges are to be told of any.
    pub(crate) fn has_news(&self) -> bool {
        self.news.as_ref().is_some_and(|news| !news.is_empty())
    }

    /// The calls that are new, as far as other exchanges are to be told of them.
    pub(crate) fn take_begun(&mut self) -> Vec<CallId> {
        std::mem::take(&mut self.begun)
    }

    /// The calls of which other exchanges are to be told.
    pub(crate) fn take_news(&mut self) -> BTreeSet<CallId> {
        self.news.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Whether it is noted which calls change.
    pub(crate) fn watch(&mut self, on: bool) {
        self.watched = on;
        // Whoever begins to look sees what rings already.
        self.touched = if on { self.calls.keys().copied().collect() } else { BTreeSet::new() };
    }

    /// Something about a call is perhaps different.
    pub(crate) fn touch(&mut self, call: CallId) {
        if self.watched {
            self.touched.insert(call);
        }
        if let Some(news) = &mut self.news {
            news.insert(call);
        }
        self.stir(call);
    }

    /// The same for those whose state follows the call.
    fn stir(&mut self, call: CallId) {
        if !self.agents.is_empty()
            && let Some(ongoing) = self.calls.get(&call)
        {
            let agents = ongoing.accounts().filter(|account| self.agents.contains(*account));
            self.stirred.extend(agents.map(Box::from));
        }
    }

    /// A call of an account at another exchange is another.
    pub(crate) fn stir_account(&mut self, account: &str) {
        if self.agents.contains(account) {
            self.stirred.insert(account.into());
        }
    }

    /// The state of an account follows its calls from now on, or does not.
    pub(crate) fn watch_agent(&mut self, account: &str, on: bool) {
        if on {
            self.agents.insert(account.into());
            self.stirred.insert(account.into());
        } else {
            self.agents.remove(account);
        }
    }

    /// The agents whose calls changed since the last time.
    pub(crate) fn take_stirred(&mut self) -> BTreeSet<Box<str>> {
        std::mem::take(&mut self.stirred)
    }

    /// Something about an account is different that its calls show.
    pub(crate) fn touch_all_of(&mut self, account: &str) {
        if self.watched {
            self.touched.extend(self.by_account.get(account).into_iter().flatten());
        }
    }

    /// The calls that were touched since the last time.
    pub(crate) fn take_touched(&mut self) -> BTreeSet<CallId> {
        std::mem::take(&mut self.touched)
    }

    /// Notes a new call; false when its session asks for that number already: a loop (R9).
    pub(crate) fn begin(&mut self, call: CallId, ongoing: Ongoing) -> bool {
        let session = (ongoing.session_id.clone(), ongoing.callee.number.clone());
        if !self.sessions.insert(session) {
            return false;
        }
        self.keep(call, ongoing);
        true
    }

    /// A call goes on between others: whatever its session asks for, it is not lost.
    pub(crate) fn go_on(&mut self, call: CallId, ongoing: Ongoing) {
        self.sessions.insert((ongoing.session_id.clone(), ongoing.callee.number.clone()));
        self.keep(call, ongoing);
    }

    fn keep(&mut self, call: CallId, ongoing: Ongoing) {
        for account in ongoing.accounts() {
            self.by_account.entry(account.into()).or_default().insert(call);
        }
        if self.news.is_some() && !self.calls.contains_key(&call) {
            self.begun.push(call);
        }
        self.calls.insert(call, ongoing);
        self.touch(call);
    }

    /// Forgets a call.
    pub(crate) fn end(&mut self, call: CallId) -> Option<Ongoing> {
        self.stir(call);
        if let Some(news) = &mut self.news {
            news.insert(call);
        }
        let ongoing = self.calls.remove(&call)?;
        for number in ongoing.asked.iter().chain([&ongoing.callee.number]) {
            self.sessions.remove(&(ongoing.session_id.clone(), number.clone()));
        }
        for account in ongoing.accounts() {
            forget(&mut self.by_account, account, call);
        }
        Some(ongoing)
    }

    /// A call asks for another number now; false when its session asked for that one already (R9). The numbers before
    /// stay asked for, so that a circle of forwards is seen.
    pub(crate) fn redirect(&mut self, call: CallId, callee: Party, account: Option<Box<str>>) -> bool {
        let Some(ongoing) = self.calls.get_mut(&call) else { return false };
        if !self.sessions.insert((ongoing.session_id.clone(), callee.number.clone())) {
            return false;
        }
        ongoing.asked.push(std::mem::replace(&mut ongoing.callee, callee).number);
        self.belongs(call, account);
        true
    }

    /// A member of a group answered: the call is that account's.
    pub(crate) fn belongs_to(&mut self, call: CallId, account: Box<str>) {
        self.belongs(call, Some(account));
    }

    /// A call is for another account now.
    pub(crate) fn belongs(&mut self, call: CallId, account: Option<Box<str>>) {
        self.touch(call);
        let Some(ongoing) = self.calls.get_mut(&call) else { return };
        for account in ongoing.accounts() {
            forget(&mut self.by_account, account, call);
        }
        ongoing.callee_account = account;
        for account in ongoing.accounts() {
            self.by_account.entry(account.into()).or_default().insert(call);
        }
        self.touch(call);
    }

    /// The one who wanted a call is in it from now on, at this phone.
    pub(crate) fn called_by(&mut self, call: CallId, account: &str, device: Option<Box<str>>) {
        let Some(ongoing) = self.calls.get_mut(&call) else { return };
        ongoing.caller_account = Some(account.into());
        ongoing.device = device;
        self.by_account.entry(account.into()).or_default().insert(call);
        self.touch(call);
    }

    pub(crate) fn call(&self, call: CallId) -> Option<&Ongoing> {
        self.calls.get(&call)
    }

    /// For a change: whoever takes it so is believed to have made one.
    pub(crate) fn call_mut(&mut self, call: CallId) -> Option<&mut Ongoing> {
        self.touch(call);
        self.calls.get_mut(&call)
    }

    /// All of them, oldest name first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (CallId, &Ongoing)> {
        self.calls.iter().map(|(call, ongoing)| (*call, ongoing))
    }

    /// The calls of an account, oldest name first.
    pub(crate) fn of(&self, account: &str) -> impl Iterator<Item = (CallId, &Ongoing)> {
        let calls = self.by_account.get(account).into_iter().flatten();
        calls.filter_map(|call| Some((*call, self.calls.get(call)?)))
    }
}

fn forget(by_account: &mut BTreeMap<Box<str>, BTreeSet<CallId>>, account: &str, call: CallId) {
    if let Some(calls) = by_account.get_mut(account) {
        calls.remove(&call);
        if calls.is_empty() {
            by_account.remove(account);
        }
    }
}
