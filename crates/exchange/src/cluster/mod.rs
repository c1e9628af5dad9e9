//! Several exchanges over one store (R19, R24 to R28): each has phones at its own doors and routes their calls by itself, for
//! people and registrations are in the memory of all. What must happen once, tasks, agents and lists, is kept by one of them.
//!
//! ```text
//! a phone at B registers --> B stores it --> all are told (feed.rs) --> A rings it: bytes by B's door, media straight
//! what that phone answers --> B sees by tag or branch that A made it (carry.rs) --> A
//! a call for a queue, or a code of an agent's, comes to B --> to the keeper, A, by B's door (carry.rs)
//! a call of A's changes --> B's lamps, agents and lists show it (calls.rs)
//! A dies --> B keeps what must happen once, with all there is of it (keeper.rs), and registers at A's trunks (homes.rs)
//! ```

mod calls;
mod carry;
mod feed;
mod homes;
mod keeper;
mod standing;
#[cfg(test)]
mod tests;
mod web;

pub(crate) use self::calls::CallsElsewhere;
pub use self::calls::{CallNews, CallPlace, ToldCall, ToldEnd, ToldSide};
pub(crate) use self::homes::Home;
pub use self::standing::Standing;
pub use self::web::ToldWebPhone;
use self::web::WebElsewhere;

use self::calls::Telling;
use self::carry::Carried;
use self::homes::Homes;
use crate::change::{Change, Epoch};
use crate::events::CallName;
use crate::exchange::Exchange;
use crate::seats::Means;
use crate::sites::Tie;
use clock::{Mono, Now};
use sip::{Flow, Transport};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

/// What an exchange is to the others over the same store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number among them, in its tags and branches.
    pub number: NonZeroU8,
    /// Whether it keeps what must happen once.
    pub keeps: bool,
    /// How far it knows at its start what others changed.
    pub position: u64,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub number: NonZeroU8,
    /// What people know it by.
    pub name: Box<str>,
    /// Where phones reach it.
    pub doors: Vec<(Transport, SocketAddr)>,
    /// Whether there is a way to it now.
    pub reachable: bool,
    /// Whether it keeps what must happen once.
    pub keeps: bool,
}

/// What is told of them.
#[derive(Clone, Debug)]
pub enum ClusterInput {
    /// Who the others are; told again when that changes.
    Members(Vec<Member>),
    /// What others changed.
    Fed {
        /// How far that is, for what is asked of the store from now on.
        position: u64,
        /// The changes, in an order that can be applied.
        changes: Vec<Change>,
    },
    /// What must happen once is ours, with all there is of it; with nothing, it goes on as it was.
    Keep {
        /// Our term.
        epoch: Epoch,
        /// For so long, unless that is said again: then it rests (R25).
        lasts: Duration,
        /// All of it, after it was another's.
        changes: Option<Vec<Change>>,
    },
    /// It is another's now.
    Lose,
    /// Registering at these trunks is ours alone.
    Homes {
        /// All of them.
        trunks: BTreeSet<Box<str>>,
        /// For so long, unless that is said again: then it rests (R25).
        lasts: Duration,
    },
    /// Others took us for dead: what the store has of us is gone.
    Forgotten,
    /// A message that came to another's door, and is for us.
    Carried {
        /// Its path there.
        flow: Flow,
        /// The message.
        bytes: Arc<[u8]>,
    },
    /// Another has no way any more to somebody at its door.
    Gone(Flow),
    /// One tells of its calls.
    Calls {
        /// Who.
        from: NonZeroU8,
        /// What.
        news: CallNews,
    },
    /// One tells of its web phones.
    WebPhones {
        /// Who.
        from: NonZeroU8,
        /// The names of all of them, so that others are forgotten.
        all: Option<Vec<Box<str>>>,
        /// Some of them.
        phones: Vec<ToldWebPhone>,
    },
    /// One says how it is; also this one, of itself.
    Stands {
        /// Who.
        of: NonZeroU8,
        /// How.
        standing: Standing,
    },
    /// One asks for all calls of ours.
    TellAll(NonZeroU8),
    /// A phone that watches at another may answer a call of ours by this name (R32).
    MayPickUp {
        /// Where it watches.
        from: NonZeroU8,
        /// The number of the call.
        call: u64,
        /// The watch, for there is one name for each.
        watch: u64,
        /// The phone.
        device: Box<str>,
        /// The name.
        name: Box<str>,
    },
    /// Somebody is identified at a phone, which another saw: what rings for them here, or their talk, comes there.
    Take {
        /// Who.
        account: Box<str>,
        /// Where.
        device: Box<str>,
        /// By what.
        means: Means,
    },
    /// Somebody at another ends a call of ours, and may.
    HangUp {
        /// Which.
        call: CallName,
        /// Who, for the record.
        who: Box<str>,
    },
}

/// Something for others; each is told to them as the [`ClusterInput`] of that name.
#[derive(Clone, Debug)]
pub enum ClusterOutput {
    /// A message for one.
    Carry(Carry),
    /// What happened to our calls.
    Calls {
        /// For whom; without, for all.
        to: Option<NonZeroU8>,
        /// What.
        news: CallNews,
    },
    /// One is asked for all of its calls.
    TellAll(NonZeroU8),
    /// A phone may answer a call of one.
    MayPickUp {
        /// Whose call it is.
        to: NonZeroU8,
        /// Its number.
        call: u64,
        /// The watch.
        watch: u64,
        /// The phone.
        device: Box<str>,
        /// The name.
        name: Box<str>,
    },
    /// Somebody for whom a call of one rings, or who talks in it, is at a phone now.
    Take {
        /// Whose call it is.
        to: NonZeroU8,
        /// Who.
        account: Box<str>,
        /// Where.
        device: Box<str>,
        /// By what.
        means: Means,
    },
    /// Our web phones.
    WebPhones {
        /// Whom; nobody in particular are all.
        to: Option<NonZeroU8>,
        /// The names of all of them, so that others are forgotten.
        all: Option<Vec<Box<str>>>,
        /// Some of them.
        phones: Vec<ToldWebPhone>,
    },
    /// A call of one is to end.
    HangUp {
        /// Whose it is.
        to: NonZeroU8,
        /// Which.
        call: CallName,
        /// Who says so.
        who: Box<str>,
    },
}

/// Something for another of them.
#[derive(Clone, Debug)]
pub struct Carry {
    /// Whose it is.
    pub to: NonZeroU8,
    /// How it came.
    pub flow: Flow,
    /// The message.
    pub bytes: Arc<[u8]>,
}

/// What is known of the others.
#[derive(Debug, Default)]
pub(crate) struct Cluster {
    place: Option<Place>,
    /// Until when what must happen once is ours for sure, by our own clock.
    until: Option<Mono>,
    /// It is later: keeping rests until the store has said again that it is ours.
    rests: bool,
    homes: Homes,
    members: BTreeMap<NonZeroU8, Member>,
    /// Whose door this is.
    doors: BTreeMap<(Transport, SocketAddr), NonZeroU8>,
    /// How far we know what others changed.
    position: u64,
    /// What others were told of our calls.
    pub(crate) telling: Telling,
    /// The calls that others have.
    pub(crate) elsewhere: CallsElsewhere,
    /// Calls that began here, and whose they are.
    carried: Carried,
    /// Whose door what is being looked at came by.
    carried_by: Option<NonZeroU8>,
    /// How each of them is, as it said last; of this one, too.
    standings: BTreeMap<NonZeroU8, Standing>,
    /// The web phones of others.
    pub(crate) web: WebElsewhere,
}

impl Cluster {
    pub(crate) fn new(place: Option<Place>) -> Cluster {
        let position = place.map_or(0, |place| place.position);
        Cluster { place, position, ..Cluster::default() }
    }

    /// What we are to the others, if there are any.
    pub(crate) fn place(&self) -> Option<Place> {
        self.place
    }

    /// Whether what must happen once happens here; always, where there are no others.
    pub(crate) fn keeps(&self) -> bool {
        self.place.is_none_or(|place| place.keeps && !self.rests)
    }

    /// Whose the connection to the directory is.
    pub(crate) fn tie(&self) -> Tie {
        match self.place {
            Some(place) if !place.keeps => Tie::Anothers,
            Some(_) if self.rests => Tie::Rests,
            _ => Tie::Ours,
        }
    }

    /// It is this late; whether keeping begins to rest.
    pub(crate) fn look_at_clock(&mut self, now: Mono) -> bool {
        let before = std::mem::replace(&mut self.rests, self.until.is_some_and(|until| until <= now));
        self.rests && !before
    }

    /// When keeping rests, unless the store says again that it is ours, or others are told of calls.
    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        let rests = self.until.filter(|_| self.keeps());
        rests.into_iter().chain(self.telling.next_deadline()).min()
    }

    /// How far we know what others changed.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Whether somebody is at a door of another.
    pub(crate) fn is_elsewhere(&self, flow: Flow) -> bool {
        self.door(flow).is_some()
    }

    /// Whose door a flow came by, if not ours.
    fn door(&self, flow: Flow) -> Option<NonZeroU8> {
        self.doors.get(&(flow.transport, flow.local)).copied()
    }

    /// Who keeps what must happen once, if it is another.
    fn keeper(&self) -> Option<&Member> {
        if self.place.is_none_or(|place| place.keeps) {
            return None;
        }
        self.members.values().find(|member| member.keeps)
    }
}

impl Exchange {
    /// Something of the others.
    pub(crate) fn cluster_said(&mut self, now: Now, said: ClusterInput) {
        match said {
            ClusterInput::Members(members) => self.members_are(now, members),
            ClusterInput::Fed { position, changes } => self.fed(now, position, changes),
            ClusterInput::Keep { epoch, lasts, changes } => self.keep_once(now, epoch, lasts, changes),
            ClusterInput::Lose => self.lose_once(now),
            ClusterInput::Homes { trunks, lasts } => self.homes_are(now, trunks, lasts),
            ClusterInput::Forgotten => self.tell_store_anew(now),
            ClusterInput::Carried { flow, bytes } => self.carried(now, flow, &bytes),
            ClusterInput::Gone(flow) => self.flow_closed(now, flow),
            ClusterInput::Calls { from, news } => self.hear_news(now, from, news),
            ClusterInput::WebPhones { from, all, phones } => {
                self.hear_web_phones(now, from, all, phones);
            }
            ClusterInput::Stands { of, standing } => self.stands(now, of, standing),
            ClusterInput::TellAll(to) => self.tell_all_calls(now, to),
            ClusterInput::MayPickUp { from, call, watch, device, name } => {
                self.may_pick_up_by(from, (call, watch), &device, name);
            }
            ClusterInput::Take { account, device, means } => {
                self.bring_to(now, &account, &device, means);
            }
            ClusterInput::HangUp { call, who } => {
                self.hang_up(now, &call, &who);
            }
        }
    }

    /// Who the others are. Nobody is at the doors of one who cannot be reached: what is tried there fails at once, and calls
    /// wait for phones that are on their way to another (R28).
    fn members_are(&mut self, now: Now, members: Vec<Member>) {
        let own = &self.config.own_addresses;
        for member in &members {
            let others = member.doors.iter().filter(|door| !own.contains(door));
            self.cluster.doors.extend(others.map(|door| (*door, member.number)));
        }
        let members = members.into_iter().map(|member| (member.number, member)).collect();
        let before = std::mem::replace(&mut self.cluster.members, members);
        self.forget_standings();
        self.map_changed(now);
        self.calls_of_members(now, &before);
        self.forget_web_phones(now, &before);
        let reachable =
            |number: &NonZeroU8| self.cluster.members.get(number).is_some_and(|member| member.reachable);
        let away: BTreeSet<_> = self
            .cluster
            .doors
            .iter()
            .filter(|(_, number)| !reachable(number))
            .map(|(door, _)| *door)
            .collect();
        let before = std::mem::replace(&mut self.registrar.away, away);
        let (lost, returned) = self.registrar.behind(now, &before);
        for flow in lost {
            self.switch.flow_failed(now, flow);
        }
        for device in returned {
            self.is_back(now, &device);
        }
    }
}
