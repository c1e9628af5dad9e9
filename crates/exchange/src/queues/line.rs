//! The ordered sets of a queue: who waits, and who is ready.

use super::list::QueueCounts;
use calls::CallId;
use clock::{Mono, Wall};
use std::collections::{BTreeMap, BTreeSet};

/// Where an agent stands among those who are ready: priority, then the older time or turn.
pub(super) type Turn = (u8, u64);
/// Where a caller stands: rank, then the time of coming.
pub(super) type Place = (u8, Mono, CallId);

/// A caller in a queue.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(super) queue: Box<str>,
    /// Before others when less.
    pub(super) rank: u8,
    pub(super) entered: Mono,
    pub(super) since: Wall,
    /// The agents for whom it rings.
    pub(super) ringing: Vec<Box<str>>,
    /// The caller was told that nobody is free yet.
    pub(super) told: bool,
    /// When the caller is answered with music, hears the place again, and waits no longer.
    pub(super) music_at: Option<Mono>,
    pub(super) announce_at: Option<Mono>,
    pub(super) longest_at: Option<Mono>,
    /// As it stands in [`Queues::due`].
    due: Option<Mono>,
}

impl Waiting {
    pub(super) fn new(queue: &str, rank: u8, entered: Mono, since: Wall) -> Waiting {
        Waiting {
            queue: queue.into(),
            rank,
            entered,
            since,
            ringing: Vec::new(),
            told: false,
            music_at: None,
            announce_at: None,
            longest_at: None,
            due: None,
        }
    }

    pub(super) fn place(&self, call: CallId) -> Place {
        (self.rank, self.entered, call)
    }
}

/// One queue.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Callers for whom an agent is wanted.
    pub(super) callers: BTreeSet<Place>,
    /// All its callers, also those for whom somebody rings.
    pub(super) all: BTreeSet<Place>,
    ready: BTreeSet<(Turn, Box<str>)>,
    turn_of: BTreeMap<Box<str>, Turn>,
    /// The last turn of each agent.
    turns: BTreeMap<Box<str>, u64>,
    turn: u64,
    pub(super) counts: QueueCounts,
}

impl Line {
    /// The agent who is next.
    pub(super) fn next(&self) -> Option<&str> {
        self.ready.first().map(|(_, account)| &**account)
    }

    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// When somebody had their last turn, zero for never.
    pub(super) fn last_turn(&self, account: &str) -> u64 {
        self.turns.get(account).copied().unwrap_or_default()
    }

    /// Somebody answered: it was their turn.
    pub(super) fn took(&mut self, account: &str) {
        self.turn += 1;
        self.turns.insert(account.into(), self.turn);
    }

    /// Somebody is ready at this place, or is not; true when that is news.
    pub(super) fn put(&mut self, account: &str, turn: Option<Turn>) -> bool {
        let known = match turn {
            Some(turn) => self.turn_of.insert(account.into(), turn),
            None => self.turn_of.remove(account),
        };
        if let Some(known) = known {
            self.ready.remove(&(known, account.into()));
        }
        if let Some(turn) = turn {
            self.ready.insert((turn, account.into()));
        }
        known != turn
    }

    /// Forgets those who are no members any more.
    pub(super) fn keep(&mut self, is_member: impl Fn(&str) -> bool) {
        self.turns.retain(|account, _| is_member(account));
        let gone: Vec<Box<str>> =
            self.turn_of.keys().filter(|account| !is_member(account)).cloned().collect();
        for account in gone {
            self.put(&account, None);
        }
    }
}

/// All queues, as far as anything happened in them.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    pub(super) lines: BTreeMap<Box<str>, Line>,
    pub(super) waiting: BTreeMap<CallId, Waiting>,
    due: BTreeSet<(Mono, CallId)>,
    /// Callers who want an agent, and have not been looked at since.
    pub(super) wanting: BTreeSet<Place>,
    /// Queues that have something to tell.
    pub(super) told: BTreeSet<Box<str>>,
}

impl Queues {
    /// Whether a call waits in a queue.
    pub(crate) fn has(&self, call: CallId) -> bool {
        self.waiting.contains_key(&call)
    }

    pub(super) fn line(&mut self, queue: &str) -> &mut Line {
        self.lines.entry(queue.into()).or_default()
    }

    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.due.first().map(|(when, _)| *when)
    }

    pub(super) fn next_due(&self, now: Mono) -> Option<CallId> {
        self.due.first().filter(|(when, _)| *when <= now).map(|(_, call)| *call)
    }

    /// A caller comes, or wants an agent again.
    pub(super) fn want(&mut self, call: CallId) {
        let Some(waiting) = self.waiting.get(&call) else { return };
        let (place, queue) = (waiting.place(call), waiting.queue.clone());
        self.wanting.insert(place);
        let line = self.line(&queue);
        line.callers.insert(place);
        line.all.insert(place);
        self.told.insert(queue);
    }

    /// Somebody rings for a caller, who is offered to nobody else.
    pub(super) fn is_offered(&mut self, call: CallId) {
        let Some(waiting) = self.waiting.get(&call) else { return };
        let (place, queue) = (waiting.place(call), waiting.queue.clone());
        self.wanting.remove(&place);
        self.line(&queue).callers.remove(&place);
    }

    /// A caller is gone, whatever the reason.
    pub(super) fn leave(&mut self, call: CallId) -> Option<Waiting> {
        self.is_offered(call);
        let waiting = self.waiting.remove(&call)?;
        if let Some(when) = waiting.due {
            self.due.remove(&(when, call));
        }
        let place = waiting.place(call);
        self.line(&waiting.queue).all.remove(&place);
        self.told.insert(waiting.queue.clone());
        Some(waiting)
    }

    /// The times of a caller are others now.
    pub(super) fn index(&mut self, call: CallId) {
        let Some(waiting) = self.waiting.get_mut(&call) else { return };
        let due = [waiting.music_at, waiting.announce_at, waiting.longest_at].into_iter().flatten().min();
        let known = std::mem::replace(&mut waiting.due, due);
        if known != due {
            known.map(|when| self.due.remove(&(when, call)));
            due.map(|when| self.due.insert((when, call)));
        }
    }

    /// The place of a caller, from 1.
    pub(super) fn position(&self, call: CallId) -> Option<usize> {
        let waiting = self.waiting.get(&call)?;
        let line = self.lines.get(&waiting.queue)?;
        Some(line.all.range(..waiting.place(call)).count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_priority_is_next_and_then_the_oldest_turn() {
        let mut line = Line::default();
        assert!(
            line.put("cid", Some((2, 1))) && line.put("bob", Some((1, 9))) && line.put("ada", Some((1, 4)))
        );
        assert_eq!((line.next(), line.ready()), (Some("ada"), 3));
        assert!(line.put("ada", Some((1, 12))) && !line.put("ada", Some((1, 12))));
        assert_eq!(line.next(), Some("bob"));
        line.took("bob");
        assert_eq!((line.last_turn("bob"), line.last_turn("ada")), (1, 0));
        line.keep(|account| account == "cid");
        assert_eq!((line.next(), line.ready(), line.last_turn("bob")), (Some("cid"), 1, 0));
        assert!(line.put("cid", None) && !line.put("cid", None));
        assert_eq!(line.next(), None);
    }

    #[test]
    fn callers_keep_their_place_however_often_somebody_rings_for_them() {
        let mut queues = Queues::default();
        for (number, rank) in [(1, 1), (2, 1), (3, 0)] {
            let call = CallId::of_number(number);
            queues.waiting.insert(call, Waiting::new("sales", rank, Mono(number), Wall(0)));
            queues.want(call);
        }
        let [first, second, preferred] = [1, 2, 3].map(CallId::of_number);
        let position = |queues: &Queues| [first, second, preferred].map(|call| queues.position(call));
        assert_eq!(position(&queues), [Some(2), Some(3), Some(1)]);
        queues.is_offered(preferred);
        assert_eq!(queues.line("sales").callers.first().map(|place| place.2), Some(first));
        assert_eq!(position(&queues), [Some(2), Some(3), Some(1)], "whom somebody rings for is still before");
        queues.want(preferred);
        assert_eq!(queues.line("sales").callers.first().map(|place| place.2), Some(preferred));
        assert!(queues.leave(preferred).is_some() && queues.leave(preferred).is_none());
        assert_eq!(position(&queues), [Some(1), Some(2), None]);
    }
}
