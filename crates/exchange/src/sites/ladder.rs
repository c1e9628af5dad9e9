//! A call between two exchanges as one ladder: each tells the other what passed at its side, for calls that went between the two
//! and for no others. What R32 keeps back is kept back before it is told.

use super::ask::Why;
use crate::command::Answer;
use crate::exchange::Exchange;
use crate::input::CommandId;
use crate::ladder::Rung;
use crate::limits;
use clock::{Now, Wall};
use directory::between::{Question, Reply, RungTold};
use directory::{ExchangeName, Named as _, SessionHalf};
use sip::Flow;
use std::collections::BTreeSet;

/// What passed at the other exchange of a call between two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LadderElsewhere {
    /// Which exchange; none for a call that went to no other.
    pub exchange: Option<Box<str>>,
    /// What it says, in the order of time.
    pub rungs: Vec<Rung>,
    /// Why it says nothing, in words.
    pub why: Option<Box<str>>,
}

impl Exchange {
    /// What passed at the other side of a call. Answered later, or at once when there is nothing to ask.
    pub(crate) fn ask_ladder(&mut self, now: Now, id: CommandId, session_id: &str) {
        let names: BTreeSet<Box<str>> =
            self.ladder_of(Some(session_id)).into_iter().map(|rung| rung.who).collect();
        let mut names = names.iter().filter_map(|who| ExchangeName::parse(who).ok());
        let exchange = names.find(|name| self.sites.is_exchange(name));
        let session = SessionHalf::parse(session_id);
        let (Some(exchange), Some(session)) = (exchange, session) else {
            return self.answer(id, Answer::LadderElsewhere(Box::default()));
        };
        if !self.ask_exchange(now, &exchange, Question::Ladder(session), Why::Ladder(id)) {
            self.ladder_came(id, &exchange, Err(&"it cannot be asked".to_owned()));
        }
    }

    pub(super) fn ladder_came(
        &mut self,
        id: CommandId,
        exchange: &ExchangeName,
        reply: Result<Reply, &String>,
    ) {
        let offset = self.sites.joined.as_ref().map_or(0, |joined| joined.offset);
        let rung = |told: RungTold| Rung {
            at: Wall(told.at.saturating_sub(offset)),
            sent: told.sent,
            who: told.who,
            flow: told.flow,
            text: told.text.into(),
        };
        let (rungs, why) = match reply {
            Ok(Reply::Ladder(told)) => (told.into_iter().map(rung).collect(), None),
            Ok(Reply::Tapped(_)) => (Vec::new(), Some("it answers something else".into())),
            Err(why) => (Vec::new(), Some(why.as_str().into())),
        };
        let exchange = Some(exchange.to_string().into());
        self.answer(id, Answer::LadderElsewhere(Box::new(LadderElsewhere { exchange, rungs, why })));
    }

    /// What another exchange may know of a call: all of it when it went between the two, else nothing.
    pub(super) fn ladder_for(&self, now: Now, flow: Flow, session_id: &str) -> Vec<RungTold> {
        let Some((asks, joined)) = self.sites.exchange_at(flow).zip(self.sites.joined.as_ref()) else {
            return Vec::new();
        };
        let rungs = self.ladder_of(Some(session_id));
        if !rungs.iter().any(|rung| *rung.who == *asks.as_str()) {
            return Vec::new();
        }
        let offset = joined.time(now).0.saturating_sub(now.wall.0);
        let mut room = limits::LADDER_TOLD;
        let mut told = Vec::new();
        for rung in rungs {
            let octets: usize = rung.text.bytes().map(escaped).sum();
            let Some(left) = room.checked_sub(octets + 160) else { break };
            room = left;
            told.push(RungTold {
                at: rung.at.0.saturating_add(offset),
                sent: rung.sent,
                who: rung.who,
                flow: rung.flow,
                text: rung.text.into(),
            });
        }
        told
    }
}

/// How many octets one takes in JSON.
fn escaped(octet: u8) -> usize {
    match octet {
        b'\n' | b'"' | b'\\' => 2,
        0..b' ' => 6,
        _ => 1,
    }
}
