//! The ordered sets of a queue: who waits, and who is ready.

use super::callback::Callback;
use super::list::QueueCounts;
use super::pace::{Minutes, Pace};
use calls::CallId;
use clock::{Mono, Now, Wall};
use dialing::TaskId;
use media::SoundId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Where an agent stands among those who are ready: priority, then the older time or turn.
pub(super) type Turn = (u8, u64);
/// Where somebody stands in a queue: rank, then the time of coming.
pub(super) type Place = (u8, Came, Who);

/// Who stands in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// A caller on the line.
    Call(CallId),
    /// Somebody who is called back when it is their turn.
    Callback(TaskId),
}

impl From<CallId> for Who {
    fn from(call: CallId) -> Who {
        Who::Call(call)
    }
}

impl From<TaskId> for Who {
    fn from(task: TaskId) -> Who {
        Who::Callback(task)
    }
}

/// When somebody came, in microseconds of the clock that never jumps; before our start it is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Came(i64);

impl Came {
    pub(super) fn at(now: Mono) -> Came {
        Came(i64::try_from(now.0).unwrap_or(i64::MAX))
    }

    /// The same for a time of day.
    pub(super) fn on(now: Now, since: Wall) -> Came {
        let ago = now.wall.0.saturating_sub(since.0).max(0).saturating_mul(1_000);
        Came(Came::at(now.mono).0.saturating_sub(ago))
    }

    pub(super) fn waited(self, now: Mono) -> Duration {
        Duration::from_micros(Came::at(now).0.saturating_sub(self.0).max(0).unsigned_abs())
    }
}

/// A caller in a queue.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(super) queue: Box<str>,
    /// Before others when less.
    pub(super) rank: u8,
    pub(super) came: Came,
    pub(super) since: Wall,
    /// The agents for whom it rings.
    pub(super) ringing: Vec<Box<str>>,
    /// The caller was told that nobody is free yet.
    pub(super) told: bool,
    /// How long the wait was last said to be.
    pub(super) said: Option<Minutes>,
    /// When the caller is answered with music, hears the place again, and waits no longer.
    pub(super) music_at: Option<Mono>,
    pub(super) announce_at: Option<Mono>,
    pub(super) longest_at: Option<Mono>,
    /// As it stands in [`Queues::due`].
    due: Option<Mono>,
}

impl Waiting {
    pub(super) fn new(queue: &str, rank: u8, came: Came, since: Wall) -> Waiting {
        Waiting {
            queue: queue.into(),
            rank,
            came,
            since,
            ringing: Vec::new(),
            told: false,
            said: None,
            music_at: None,
            announce_at: None,
            longest_at: None,
            due: None,
        }
    }

    /// The same, to be put in anew.
    pub(super) fn again(self) -> Waiting {
        Waiting { due: None, ..self }
    }

    pub(super) fn place(&self, call: CallId) -> Place {
        (self.rank, self.came, call.into())
    }
}

/// One queue.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Those for whom an agent is wanted.
    pub(super) callers: BTreeSet<Place>,
    /// All of them, also those for whom somebody rings, and those who cannot be called back now.
    pub(super) all: BTreeSet<Place>,
    /// Those of them who are called back, and for whom an agent is reserved or was.
    pub(super) called: BTreeSet<TaskId>,
    ready: BTreeSet<(Turn, Box<str>)>,
    turn_of: BTreeMap<Box<str>, Turn>,
    /// The last turn of each agent.
    turns: BTreeMap<Box<str>, u64>,
    turn: u64,
    pub(super) counts: QueueCounts,
    pub(super) pace: Pace,
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

    /// Somebody stands in it no more.
    fn leaves(&mut self, place: Place) {
        self.all.remove(&place);
        if self.all.is_empty() {
            self.pace.rests();
        }
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
    pub(super) callbacks: BTreeMap<TaskId, Callback>,
    /// Callers who asked to be called back, until their calls are over.
    pub(super) asked: BTreeMap<CallId, TaskId>,
    due: BTreeSet<(Mono, Who)>,
    /// Those who want an agent, and have not been looked at since.
    pub(super) wanting: BTreeSet<Place>,
    /// Callbacks of which something may be another.
    pub(super) stirred: BTreeSet<TaskId>,
    /// The recordings that queues have of their own.
    pub(super) music: BTreeMap<Box<str>, SoundId>,
    /// Queues that have something to tell.
    pub(super) told: BTreeSet<Box<str>>,
}

impl Queues {
    /// Whether a call waits in a queue.
    pub(crate) fn has(&self, call: CallId) -> bool {
        self.waiting.contains_key(&call)
    }

    /// The queue in which a call waits, and since when.
    pub(crate) fn place_of(&self, call: CallId) -> Option<(Box<str>, Came)> {
        self.waiting.get(&call).map(|waiting| (waiting.queue.clone(), waiting.came))
    }

    /// Something of a task may be another; of others than callbacks nobody here knows.
    pub(crate) fn stir(&mut self, task: TaskId) {
        if self.callbacks.contains_key(&task) {
            self.stirred.insert(task);
        }
    }

    pub(super) fn line(&mut self, queue: &str) -> &mut Line {
        self.lines.entry(queue.into()).or_default()
    }

    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.due.first().map(|(when, _)| *when)
    }

    pub(super) fn next_due(&self, now: Mono) -> Option<Who> {
        self.due.first().filter(|(when, _)| *when <= now).map(|(_, who)| *who)
    }

    /// Where somebody stands, and in which queue.
    fn stands(&self, who: Who) -> Option<(Place, Box<str>)> {
        match who {
            Who::Call(call) => {
                self.waiting.get(&call).map(|waiting| (waiting.place(call), waiting.queue.clone()))
            }
            Who::Callback(task) => {
                self.callbacks.get(&task).map(|callback| (callback.place(task), callback.queue.clone()))
            }
        }
    }

    /// The callers who wait in a queue.
    pub(super) fn callers_of(&self, queue: &str) -> Vec<CallId> {
        let all = self.lines.get(queue).into_iter().flat_map(|line| &line.all);
        let call = |(.., who): &Place| match who {
            Who::Call(call) => Some(*call),
            Who::Callback(_) => None,
        };
        all.filter_map(call).collect()
    }

    /// The queue in which somebody stands.
    pub(super) fn queue_of(&self, who: Who) -> Option<Box<str>> {
        self.stands(who).map(|(_, queue)| queue)
    }

    /// Somebody comes, or wants an agent again.
    pub(super) fn want(&mut self, who: impl Into<Who>) {
        let Some((place, queue)) = self.stands(who.into()) else { return };
        self.wanting.insert(place);
        let line = self.line(&queue);
        line.callers.insert(place);
        line.all.insert(place);
        self.told.insert(queue);
    }

    /// Somebody stands in the queue, and cannot be served now.
    pub(super) fn stands_by(&mut self, task: TaskId) {
        self.is_offered(task);
        let Some((place, queue)) = self.stands(task.into()) else { return };
        self.line(&queue).all.insert(place);
        self.told.insert(queue);
    }

    /// Somebody rings for them, and they are offered to nobody else.
    pub(super) fn is_offered(&mut self, who: impl Into<Who>) {
        let Some((place, queue)) = self.stands(who.into()) else { return };
        self.wanting.remove(&place);
        self.line(&queue).callers.remove(&place);
    }

    /// How long the wait of a caller is said to be, if that is known and is not longer than was said before.
    pub(super) fn expected(&self, now: Now, call: CallId, position: usize) -> Option<Minutes> {
        let waiting = self.waiting.get(&call)?;
        let wait = self.lines.get(&waiting.queue)?.pace.expected(now.mono, position)?;
        Minutes::of(wait).after(waiting.said)
    }

    /// An agent takes somebody: the line has moved.
    pub(super) fn is_served(&mut self, now: Now, who: impl Into<Who>) {
        if let Some(queue) = self.queue_of(who.into()) {
            self.line(&queue).pace.served(now.mono);
        }
    }

    /// A caller is gone, whatever the reason.
    pub(super) fn leave(&mut self, call: CallId) -> Option<Waiting> {
        self.is_offered(call);
        let waiting = self.waiting.remove(&call)?;
        if let Some(when) = waiting.due {
            self.due.remove(&(when, call.into()));
        }
        let place = waiting.place(call);
        self.line(&waiting.queue).leaves(place);
        self.told.insert(waiting.queue.clone());
        Some(waiting)
    }

    /// A callback is over.
    pub(super) fn forget(&mut self, task: TaskId) -> Option<Callback> {
        self.is_offered(task);
        self.look_at(task, None);
        let callback = self.callbacks.remove(&task)?;
        let place = callback.place(task);
        let line = self.line(&callback.queue);
        line.leaves(place);
        line.called.remove(&task);
        self.told.insert(callback.queue.clone());
        Some(callback)
    }

    /// The times of a caller are others now.
    pub(super) fn index(&mut self, call: CallId) {
        let Some(waiting) = self.waiting.get_mut(&call) else { return };
        let due = [waiting.music_at, waiting.announce_at, waiting.longest_at].into_iter().flatten().min();
        let known = std::mem::replace(&mut waiting.due, due);
        self.due_again(call.into(), known, due);
    }

    /// When a callback is looked at again.
    pub(super) fn look_at(&mut self, task: TaskId, due: Option<Mono>) {
        let Some(callback) = self.callbacks.get_mut(&task) else { return };
        let known = std::mem::replace(&mut callback.due, due);
        self.due_again(task.into(), known, due);
    }

    fn due_again(&mut self, who: Who, known: Option<Mono>, due: Option<Mono>) {
        if known != due {
            known.map(|when| self.due.remove(&(when, who)));
            due.map(|when| self.due.insert((when, who)));
        }
    }

    /// The place of somebody, from 1.
    pub(super) fn position(&self, who: impl Into<Who>) -> Option<usize> {
        let (place, queue) = self.stands(who.into())?;
        let line = self.lines.get(&queue)?;
        Some(line.all.range(..place).count() + 1)
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
            queues.waiting.insert(call, Waiting::new("sales", rank, Came::at(Mono(number)), Wall(0)));
            queues.want(call);
        }
        let [first, second, preferred] = [1, 2, 3].map(CallId::of_number);
        let position = |queues: &Queues| [first, second, preferred].map(|call| queues.position(call));
        assert_eq!(position(&queues), [Some(2), Some(3), Some(1)]);
        queues.is_offered(preferred);
        assert_eq!(queues.line("sales").callers.first().map(|place| place.2), Some(first.into()));
        assert_eq!(position(&queues), [Some(2), Some(3), Some(1)], "whom somebody rings for is still before");
        queues.want(preferred);
        assert_eq!(queues.line("sales").callers.first().map(|place| place.2), Some(preferred.into()));
        assert!(queues.leave(preferred).is_some() && queues.leave(preferred).is_none());
        assert_eq!(position(&queues), [Some(1), Some(2), None]);
    }

    #[test]
    fn who_came_before_our_start_stands_before_who_came_after() {
        let now = Now { mono: Mono(5_000_000), wall: Wall(1_000_000) };
        let long_ago = Came::on(now, Wall(400_000));
        assert!(long_ago < Came::on(now, Wall(500_000)) && Came::on(now, Wall(500_000)) < Came::at(Mono(0)));
        assert_eq!(long_ago.waited(now.mono), Duration::from_secs(600));
        assert_eq!(Came::on(now, Wall(2_000_000)), Came::at(now.mono), "nobody came after now");
    }
}
