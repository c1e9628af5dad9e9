//! Messages to owners: shown at their phones at once, and written into the outbox for whatever else carries them (S2.6).

use super::Trying;
use crate::change::Change;
use crate::command::Answer;
use crate::exchange::{Exchange, Promise};
use crate::people::Refusal;
use clock::{Now, Wall};

/// A message that waits to be carried to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Names it for ever: the same message is never there twice.
    pub key: Box<str>,
    /// Whom it is for.
    pub account: Box<str>,
    /// The mobile number that they had then.
    pub mobile: Option<Box<str>>,
    /// When it was written.
    pub at: Wall,
    /// The task that it is about.
    pub task: u64,
    /// What it says, in their language.
    pub text: Box<str>,
}

/// What there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// The other side answered, and the owner did not.
    Missed,
    /// The other side answered and did not wait.
    DidNotWait,
    /// The other side asks to be called back.
    CallBack,
    /// The owner was called first and did not answer.
    NotThere,
}

impl Occasion {
    fn name(self) -> &'static str {
        match self {
            Occasion::Missed => "missed",
            Occasion::DidNotWait => "did-not-wait",
            Occasion::CallBack => "call-back",
            Occasion::NotThere => "not-there",
        }
    }
}

impl Exchange {
    /// Tells the owner of a task what happened.
    pub(super) fn message_owner(&mut self, now: Now, trying: &Trying, occasion: Occasion) {
        let task = trying.attempt.task;
        let Some(account) = self.people.account(&trying.account) else { return };
        let (language, mobile) = (account.settings.language, account.settings.mobile.clone());
        let number = self.background.tasks.get(&task).map(|known| known.number.clone());
        let number = number.or_else(|| {
            let ended = self.background.ended.iter().rev().find(|row| row.task == task);
            ended.map(|row| row.number.clone())
        });
        let number = number.unwrap_or_default();
        let name = self.display_of_number(&number);
        let text: Box<str> = super::words::message(occasion, language, &number, &name).into();
        let key = format!("task-{}-{}-{}", task.0, trying.attempt.ordinal, occasion.name()).into();
        for device in self.phones_of(&trying.account) {
            self.show_at(now, &device, &text);
        }
        let account = trying.account.clone();
        let message = OutboxMessage { key, account, mobile, at: now.wall, task: task.0, text };
        self.commit(now, vec![Change::Message(Box::new(message))], Promise::Nothing);
    }

    /// Shows a message at all phones of an account that are there.
    pub(super) fn show_again(&mut self, now: Now, account: Box<str>, text: &str) -> Answer {
        if self.people.account(&account).is_none() {
            return Answer::Refused(Refusal::Unknown("account", account));
        }
        let mut phones = self.phones_of(&account);
        phones.retain(|device| !self.registrar.targets(device).is_empty());
        for device in &phones {
            self.show_at(now, device, text);
        }
        match phones.is_empty() {
            true => Answer::Unavailable("no phone of theirs is registered".into()),
            false => Answer::Done,
        }
    }
}
