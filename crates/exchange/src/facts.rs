//! Facts: each decision that the office takes by itself leaves one, so that it can say why (`ringdown explain`).
//!
//! An ordinary call that rings and is answered leaves none; its record says all.

use crate::change::Change;
use crate::exchange::{Exchange, Promise};
use calls::CallId;
use clock::{Now, Wall};

/// What was decided, about what, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// When.
    pub time: Wall,
    /// What kind of thing it is about.
    pub kind: FactKind,
    /// Its name: a call's Session-ID, an account, an address.
    pub subject: Box<str>,
    /// The rule's name.
    pub rule: Box<str>,
    /// The decision, in words for people.
    pub words: Box<str>,
}

/// What a fact can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactKind {
    /// A call, by its Session-ID.
    Call,
    /// A trunk, by its name.
    Trunk,
    /// Where requests come from, by its address.
    Source,
    /// A badge, by its name.
    Badge,
    /// A reader of badges, by its name.
    Reader,
    /// A phone, by its name.
    Device,
    /// A background call, by its number; `0` for one that was never taken.
    Task,
    /// An agent, by the account.
    Agent,
}

impl FactKind {
    /// The name in the database and in commands.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FactKind::Call => "call",
            FactKind::Trunk => "trunk",
            FactKind::Source => "source",
            FactKind::Badge => "badge",
            FactKind::Reader => "reader",
            FactKind::Device => "device",
            FactKind::Task => "task",
            FactKind::Agent => "agent",
        }
    }
}

impl Exchange {
    /// Leaves a fact about a call.
    pub(crate) fn note_call(&mut self, now: Now, call: CallId, rule: &str, words: String) {
        let Some(session) = self.ongoing.call(call).map(|ongoing| ongoing.session_id.clone()) else { return };
        self.note(now, FactKind::Call, &session, rule, words);
    }

    /// Leaves a fact. It is stored when the store has time for it; a store that is away keeps the newest (R20).
    pub(crate) fn note(&mut self, now: Now, kind: FactKind, subject: &str, rule: &str, words: String) {
        let fact =
            Fact { time: now.wall, kind, subject: subject.into(), rule: rule.into(), words: words.into() };
        self.commit(now, vec![Change::Fact(Box::new(fact))], Promise::Nothing);
    }
}
