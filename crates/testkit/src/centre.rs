//! A call centre for stories: queues, agents at phones of their own, and callers.

use crate::phone::{Attempt, Reaction};
use crate::stage::{Stage, answers_after};
use crate::world::{Act, World};
use exchange::{
    AgentAsking, AgentRow, AgentState, Answer, Command, PeopleChange, Queue, QueueMember, QueueRow, SignIn,
};
use std::time::Duration;

/// A queue of these members, whose callers hear music at once and are told nothing.
#[must_use]
pub fn queue(display: &str, number: &str, members: &[&str]) -> Queue {
    let member = |account: &&str| QueueMember { account: (*account).into(), priority: 1 };
    Queue {
        members: members.iter().map(member).collect(),
        answer_after: Some(Duration::ZERO),
        announce: Duration::ZERO,
        ..Queue::new(display, number)
    }
}

/// The change that puts a queue.
#[must_use]
pub fn put_queue(name: &str, queue: Queue) -> PeopleChange {
    PeopleChange::PutQueue { name: name.into(), queue: Box::new(queue) }
}

/// An agent's usual phone: rings at once, answers after so many seconds, and hangs up after `talk` more.
#[must_use]
pub fn works(answers: u64, talk: u64) -> Reaction {
    Reaction { talk: Some(Duration::from_secs(talk)), ..answers_after(answers) }
}

/// A caller of a queue who is patient, and does not hang up first.
#[must_use]
pub fn patient(number: &str) -> Attempt {
    Attempt { patience: Duration::from_secs(7_000), talk: Duration::from_secs(7_000), ..Attempt::to(number) }
}

impl Stage {
    /// Agents with a phone each: `ada` has the number 100 and the phone `ada-1`, `bob` 101 and `bob-1`, and so on.
    #[must_use]
    pub fn agents(self, names: &[&str], reaction: &Reaction) -> Stage {
        names.iter().enumerate().fold(self, |stage, (place, name)| {
            let stage = stage.person(name, &(100 + place).to_string());
            stage.phone(&format!("{name}-1"), reaction.clone())
        })
    }

    /// So many callers: `caller-0` has the number 900 and the phone `caller-0-1`, and so on.
    #[must_use]
    pub fn callers(self, count: usize) -> Stage {
        (0..count).fold(self, |stage, place| {
            let name = format!("caller-{place}");
            stage.person(&name, &(900 + place).to_string()).phone(&format!("{name}-1"), answers_after(1))
        })
    }
}

impl World {
    /// Asks something of agents; the rows, or the refusal in words.
    ///
    /// # Errors
    /// What the exchange refused.
    pub fn agents(&mut self, asking: AgentAsking) -> Result<Vec<AgentRow>, String> {
        self.command(0, Command::Agents(Box::new(asking)));
        match self.offices[0].answers.last().map(|(_, answer)| answer) {
            Some(Answer::Agents(rows)) => Ok(rows.clone()),
            Some(Answer::Refused(refusal)) => Err(refusal.to_string()),
            other => Err(format!("{other:?}")),
        }
    }

    /// Signs somebody in to work at all of their phones, for all of their queues.
    ///
    /// # Panics
    /// When that is refused.
    pub fn sign_in(&mut self, account: &str) -> AgentRow {
        let asking = AgentAsking::SignIn { account: account.into(), sign_in: SignIn::default() };
        self.agents(asking).expect("signed in").remove(0)
    }

    /// How an agent stands.
    ///
    /// # Panics
    /// When there is no such account.
    pub fn agent(&mut self, account: &str) -> AgentRow {
        self.agents(AgentAsking::One(account.into())).expect("an agent").remove(0)
    }

    /// The state alone.
    pub fn state(&mut self, account: &str) -> AgentState {
        self.agent(account).state
    }

    /// A queue as it stands.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn queue(&mut self, name: &str) -> QueueRow {
        self.command(0, Command::ListQueues);
        let Some((_, Answer::Queues(rows))) = self.offices[0].answers.last() else { panic!("no queues") };
        rows.iter().find(|row| *row.name == *name).expect("the queue").clone()
    }

    /// From now on a phone reacts so.
    pub fn react(&mut self, phone: usize, reaction: Reaction) {
        self.after(Duration::ZERO, Act::React { phone, reaction });
        self.run_for(Duration::from_millis(1));
    }

    /// A whole number of seconds passes.
    pub fn wait(&mut self, seconds: u64) {
        self.run_for(Duration::from_secs(seconds));
    }
}
