//! What can change while calls run: taken whole or refused whole, and never on the back of a running call.

use crate::agents::AgentPolicy;
use crate::background::BackgroundPolicy;
use crate::badges::BadgePolicy;
use crate::codes::Codes;
use crate::command::Answer;
use crate::emergency::EmergencyPlan;
use crate::exchange::Exchange;
use crate::input::CommandId;
use crate::lists::ListPolicy;
use crate::numbering::Numbering;
use crate::people::{Refusal, is_number};
use crate::seats::SeatPolicy;
use clock::Now;
use sip::digest::ChallengePolicy;
use std::time::Duration;

/// The part of [`crate::Config`] that a running office takes anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveConfig {
    /// The host of From and To.
    pub domain: Option<Box<str>>,
    /// The number that talks back, if any.
    pub echo_number: Option<Box<str>>,
    /// How long a call rings; calls that ring already keep theirs.
    pub ring_limit: Duration,
    /// Which digest algorithms are asked for from now on (R10).
    pub challenge: ChallengePolicy,
    /// How long the devices of somebody ring who forwards calls that nobody answers.
    pub no_answer_limit: Duration,
    /// How long a call to the outside may ring.
    pub outside_limit: Duration,
    /// The numbers at which talks wait.
    pub park: Vec<Box<str>>,
    /// How long they wait there.
    pub park_limit: Duration,
    /// Who may sit where; seats that are taken keep their end.
    pub seats: SeatPolicy,
    /// How numbers are dialled.
    pub numbering: Numbering,
    /// What is dialled for the features.
    pub codes: Codes,
    /// Which numbers are emergencies (R31).
    pub emergency: EmergencyPlan,
    /// Which badges open anything, and when the PIN is asked for as well.
    pub badges: BadgePolicy,
    /// How the exchange keeps calling somebody; its time zone stays until the next start.
    pub background: BackgroundPolicy,
    /// What holds for agents; times that run keep their end.
    pub agents: AgentPolicy,
    /// What holds for call lists; links that were given keep their end.
    pub lists: ListPolicy,
}

impl Exchange {
    /// Takes settings, or refuses them: a number that reaches a person cannot become a service.
    pub(crate) fn reconfigure(&mut self, now: Now, id: CommandId, live: LiveConfig) {
        if let Some(number) = &live.echo_number {
            let refusal = match self.people.account_of(number) {
                Some((account, _)) => {
                    Some(Refusal::NumberTaken { number: number.clone(), account: account.into() })
                }
                None if !is_number(number) => Some(Refusal::BadNumber(number.clone())),
                None => None,
            };
            if let Some(refusal) = refusal {
                return self.answer(id, Answer::Refused(refusal));
            }
        }
        let LiveConfig { domain, echo_number, ring_limit, challenge, no_answer_limit, outside_limit, .. } =
            live;
        self.verifier.set_policy(challenge);
        self.config.domain = domain;
        self.config.echo_number = echo_number;
        self.config.ring_limit = ring_limit;
        self.config.challenge = challenge;
        self.config.no_answer_limit = no_answer_limit;
        self.config.outside_limit = outside_limit;
        self.config.park = live.park;
        self.config.park_limit = live.park_limit;
        self.config.seats = live.seats;
        self.config.numbering = live.numbering;
        self.config.codes = live.codes;
        self.config.emergency = live.emergency;
        self.config.badges = live.badges;
        self.config.background = live.background;
        self.config.agents = live.agents;
        self.config.lists = live.lists;
        let emergency = self.config.emergency.numbers.clone();
        let policy = Box::new(self.config.background.dialing(emergency));
        self.background.dialing.handle(now, dialing::Input::Policy(policy));
        self.answer(id, Answer::Done);
    }
}
