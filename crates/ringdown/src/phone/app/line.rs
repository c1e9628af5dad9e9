//! The phone that an app is for one call: at which exchange, what lets it in, and when it leaves.

use super::super::hub::{self, Ear};
use ::phone::{CallId, Command, Event, Hand, Pass, Phone, Settings, Trust};
use directory::{Fingerprint, Notice, SessionHalf, Ticket, TicketId};
use net::Papers;
use std::time::{Duration, Instant};

/// An exchange that lets us in rings us at once; when it does not, there is nothing to ring for.
const RINGS_IN: Duration = Duration::from_secs(10);

/// Makes phones.
pub(super) struct Lines {
    pub(super) settings: Settings,
    pub(super) ear: Ear,
    /// Calls until now: each has a name of its own.
    pub(super) calls: u32,
}

/// Where a call of ours goes.
pub(super) struct Goal {
    pub(super) address: Box<str>,
    pub(super) fingerprint: Fingerprint,
    pub(super) ticket: Ticket,
    pub(super) session: SessionHalf,
}

/// A phone at an exchange.
pub(super) struct Line {
    hand: Hand,
    /// What is called once the exchange can be reached.
    dial: Option<String>,
    /// What woke us, when we were woken.
    ticket: Option<TicketId>,
    calls: u32,
    up: usize,
    /// We call, and nobody has answered.
    waits: bool,
    /// When we leave unless it rings.
    leave_at: Option<Instant>,
    leaving: bool,
}

impl Lines {
    /// C3: registers with the ticket, so that the waiting INVITE comes.
    pub(super) fn woken(&self, papers: &Papers, notice: Notice) -> Result<Line, String> {
        let Notice { address, fingerprint, ticket, callee, session, .. } = notice;
        let id = ticket.id;
        let goal = Goal { address, fingerprint, ticket, session };
        let mut settings = self.at(papers, &callee.to_string(), &goal)?;
        settings.accounts.iter_mut().for_each(|account| account.register = true);
        let line = self.start(settings)?;
        Ok(Line { ticket: Some(id), leave_at: Some(Instant::now() + RINGS_IN), ..line })
    }

    /// C14: calls with the ticket.
    pub(super) fn designated(
        &self,
        papers: &Papers,
        device: &str,
        goal: Goal,
        number: &str,
    ) -> Result<Line, String> {
        let line = self.start(self.at(papers, device, &goal)?)?;
        Ok(Line { dial: Some(number.to_owned()), ..line })
    }

    fn at(&self, papers: &Papers, user: &str, goal: &Goal) -> Result<Settings, String> {
        let pass = Pass {
            token: goal.ticket.token.clone(),
            user: goal.ticket.id.to_string().into(),
            secret: goal.ticket.secret.reveal().into(),
            session: goal.session.to_string().into(),
        };
        let server: ::phone::Server = goal.address.parse()?;
        let mut settings = Settings { first_call: CallId(self.calls + 1), ..self.settings.clone() };
        for account in &mut settings.accounts {
            account.server = server.clone();
            account.trust = Trust::Member(papers.clone(), goal.fingerprint.0);
            account.user = user.to_owned();
            account.pass = Some(pass.clone());
        }
        Ok(settings)
    }

    fn start(&self, settings: Settings) -> Result<Line, String> {
        let phone = Phone::start(settings).map_err(|error| error.to_string())?;
        let hand = hub::listen(phone, self.ear.clone()).map_err(|error| error.to_string())?;
        Ok(Line {
            hand,
            dial: None,
            ticket: None,
            calls: self.calls,
            up: 0,
            waits: false,
            leave_at: None,
            leaving: false,
        })
    }
}

impl Line {
    pub(super) fn hand(&self) -> &Hand {
        &self.hand
    }

    pub(super) fn tell(&self, command: Command) {
        self.hand.tell(command);
    }

    /// Its calls until now.
    pub(super) fn calls(&self) -> u32 {
        self.calls
    }

    /// Whether somebody is called who has not answered.
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// What woke us, as long as nothing rang.
    pub(super) fn woken_with(&self) -> Option<TicketId> {
        self.ticket.filter(|_| self.leave_at.is_some())
    }

    /// Whether this ticket woke us, and nothing rang yet.
    pub(super) fn waits_for(&self, ticket: TicketId) -> bool {
        self.woken_with() == Some(ticket)
    }

    /// Ends all calls, and leaves the exchange.
    pub(super) fn leave(&self) {
        self.hand.tell(Command::Quit);
    }

    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::Incoming { call, .. } | Event::Calling { call, .. } => {
                (self.calls, self.leave_at) = (call.0, None);
                self.up += 1;
                self.waits = matches!(event, Event::Calling { .. });
            }
            Event::Answered { .. } => self.waits = false,
            Event::Connected => {
                if let Some(number) = self.dial.take() {
                    self.hand.tell(Command::call(number));
                }
            }
            Event::Ended { .. } => {
                self.up = self.up.saturating_sub(1);
                self.leave_if_done();
            }
            // Another than the one that was named, or the ticket is worth nothing: there is no second try (S4.25).
            Event::NotRegistered { .. } | Event::Refused { .. } => self.leave_if_done(),
            _ => {}
        }
    }

    fn leave_if_done(&mut self) {
        if self.up == 0 {
            self.leaving = true;
            self.leave();
        }
    }

    pub(super) fn run_timer(&mut self) {
        if self.leave_at.is_some_and(|at| at <= Instant::now()) {
            self.leave_at = None;
            self.leave_if_done();
        }
    }
}
