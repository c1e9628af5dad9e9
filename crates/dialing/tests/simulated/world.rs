//! A small world around the machine: a store that may be away, phones that answer as they are told, crashes at any moment,
//! and a second opinion on every call that leaves.

use clock::{Mono, Now, Wall};
use dialing::cause::{Finding, Outcome};
use dialing::{
    Attempt, AttemptId, Audit, Commit, Dial, Dialing, End, Input, Number, Output, OwnerId, Places, Policy,
    Profile, Purpose, Row, Saved, Task, TaskId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What was written down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    pub(crate) attempts: BTreeMap<AttemptId, Attempt>,
    pub(crate) ended: BTreeMap<TaskId, (End, u16)>,
    pub(crate) forbidden: BTreeSet<(Number, Option<OwnerId>)>,
    pub(crate) audits: Vec<Audit>,
}

impl Ledger {
    pub(crate) fn apply(&mut self, commit: &Commit) {
        for row in commit.rows.iter() {
            match row {
                Row::Task(task) => assert!(self.tasks.insert(task.id, (**task).clone()).is_none()),
                Row::Changed { task, owner, not_before, until, priority } => {
                    let task = self.tasks.get_mut(task).expect("a task that is there");
                    (task.owner, task.priority) = (*owner, *priority);
                    (task.not_before, task.until) = (*not_before, *until);
                }
                Row::Claim(attempt) => {
                    assert!(self.attempts.insert(attempt.id, *attempt).is_none(), "a name used twice");
                }
                Row::Result(attempt) => {
                    let claim = self.attempts.get_mut(&attempt.id).expect("its claim came first");
                    assert!(claim.finished.is_none(), "a result written twice");
                    *claim = *attempt;
                }
                Row::End { task, end, attempts, .. } => {
                    assert!(self.ended.insert(*task, (*end, *attempts)).is_none(), "ended twice");
                }
                Row::ClockSet(by) => {
                    for attempt in self.attempts.values_mut() {
                        attempt.at.0 += by;
                        if let Some((ended, _)) = &mut attempt.finished {
                            ended.0 += by;
                        }
                    }
                }
                Row::Audit(audit) => self.audits.push((**audit).clone()),
                Row::Forbidden(number, owner) => assert!(self.forbidden.insert((*number, *owner))),
                Row::Permitted(number, owner) => assert!(self.forbidden.remove(&(*number, *owner))),
            }
        }
    }

    pub(crate) fn saved(&self) -> Saved {
        let alive = self.tasks.values().filter(|task| !self.ended.contains_key(&task.id));
        Saved {
            tasks: alive.cloned().collect(),
            attempts: self.attempts.values().copied().collect(),
            forbidden: self.forbidden.iter().copied().collect(),
        }
    }

    /// Attempts that count, of one task.
    pub(crate) fn made(&self, task: TaskId) -> usize {
        let own = self.attempts.values().filter(|attempt| attempt.id.task == task);
        own.filter(|attempt| counts(attempt)).count()
    }
}

fn counts(attempt: &Attempt) -> bool {
    attempt.finished.is_none_or(|(_, finding)| finding.outcome != Outcome::NotDialled)
}

/// Where the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The commit left and never arrived.
    BeforeCommit,
    /// It was made, and nobody heard of it.
    AfterCommit,
    /// It was heard of, and what follows from it was not done.
    BeforeDial,
    /// The call left a moment ago.
    AfterDial,
}

/// What a phone does when it is called, and for how many seconds before that it rings.
pub(crate) type Answers = Box<dyn FnMut(&Dial) -> (Finding, u64)>;

pub(crate) struct World {
    pub(crate) now: Now,
    pub(crate) dialing: Dialing,
    pub(crate) ledger: Ledger,
    /// Everything that ever left, with the time of the wall.
    pub(crate) dialled: Vec<(AttemptId, Number, Wall)>,
    /// Phones that ring, and when that ends.
    pub(crate) ringing: BTreeMap<AttemptId, (Number, Mono, Finding)>,
    pub(crate) accepted: BTreeSet<TaskId>,
    pub(crate) refused: Vec<(TaskId, dialing::Rule)>,
    pub(crate) because: Vec<(AttemptId, Vec<dialing::Because>)>,
    pub(crate) commits: usize,
    pub(crate) crashes: usize,
    pub(crate) answers: Answers,
    pub(crate) policy: fn() -> Policy,
    pub(crate) crash: Option<(usize, Phase)>,
    /// How long the disk takes.
    pub(crate) disk: Duration,
    pub(crate) store_away: bool,
    written: Option<(u64, Mono)>,
    /// How far the wall clock is ahead of the other, in milliseconds.
    ahead: i64,
    /// The mistake of the wall clock, in milliseconds.
    pub(crate) slip: i64,
}

pub(crate) fn office() -> Policy {
    let mut policy = Policy::new(Box::new(|number| number.to_string().ends_with("112")));
    for profile in Profile::ALL {
        policy.set(profile, dialing::Stricter::nothing()).expect("the law itself");
    }
    policy.set_jitter(false);
    policy
}

fn millis(mono: Mono) -> i64 {
    i64::try_from(mono.0 / 1_000).expect("a time")
}

pub(crate) fn at(text: &str) -> Wall {
    Wall(text.parse::<jiff::Timestamp>().expect("sound").as_millisecond())
}

pub(crate) fn outside(text: &str) -> Number {
    Number::outside(text).expect("sound")
}

impl World {
    pub(crate) fn new(start: &str, policy: fn() -> Policy) -> World {
        let places = Places::new("Asia/Shanghai").expect("bundled");
        let mut world = World {
            now: Now { mono: Mono(5_000_000_000), wall: at(start) },
            dialing: Dialing::new(policy(), places, 7),
            ledger: Ledger::default(),
            dialled: Vec::new(),
            ringing: BTreeMap::new(),
            accepted: BTreeSet::new(),
            refused: Vec::new(),
            because: Vec::new(),
            commits: 0,
            crashes: 0,
            answers: Box::new(|_| (Finding::sure(Outcome::NoAnswer), 20)),
            policy,
            crash: None,
            disk: Duration::from_millis(2),
            store_away: false,
            written: None,
            ahead: 0,
            slip: 0,
        };
        world.ahead = world.now.wall.0 - millis(world.now.mono);
        world.lease();
        world
    }

    fn lease(&mut self) {
        let until = Mono(u64::MAX);
        self.input(Input::Lease { epoch: 1 + self.crashes as u64, until });
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.dialing.handle(self.now, input);
        self.drain();
    }

    pub(crate) fn add(&mut self, task: Task) {
        self.input(Input::Add(Box::new(task)));
    }

    /// Lives for so long.
    pub(crate) fn run(&mut self, wait: Duration) {
        let end = self.now.mono + wait;
        loop {
            let rings = self.ringing.values().map(|(_, until, _)| *until).min();
            let due = self.dialing.next_deadline().map(|(when, _)| when);
            let written = self.written.map(|(_, when)| when);
            let Some(next) = [rings, due, written].into_iter().flatten().min() else { break };
            if next > end {
                break;
            }
            self.move_to(next);
            if let Some((sequence, _)) = self.written.take_if(|(_, when)| *when <= next) {
                self.heard(sequence);
            } else if rings == Some(next) {
                let done = self.ringing.iter().find(|(_, (_, until, _))| *until == next).map(|(id, _)| *id);
                let (_, _, finding) = self.ringing.remove(&done.expect("one rings")).expect("it rings");
                self.input(Input::Finished { attempt: done.expect("one rings"), finding });
            } else {
                self.input(Input::Timeout);
            }
        }
        self.move_to(end);
    }

    fn move_to(&mut self, when: Mono) {
        // From the start, so that nothing is lost to rounding on the way.
        let mono = self.now.mono.max(when);
        self.now = Now { mono, wall: Wall(self.ahead + millis(mono)) };
    }

    fn heard(&mut self, sequence: u64) {
        let crash = self.crash.filter(|(commit, _)| *commit == self.commits).map(|(_, phase)| phase);
        match crash {
            Some(Phase::AfterCommit) => return self.die(),
            Some(Phase::BeforeDial) => {
                self.dialing.handle(self.now, Input::Committed(sequence));
                return self.die();
            }
            _ => {}
        }
        self.input(Input::Committed(sequence));
    }

    fn drain(&mut self) {
        while let Some(output) = self.dialing.next_output() {
            match output {
                Output::Commit(commit) => {
                    if self.store_away {
                        self.dialing.handle(self.now, Input::Unavailable(commit.sequence));
                        continue;
                    }
                    assert!(self.written.is_none(), "one commit on its way (R21)");
                    self.commits += 1;
                    if self.crash == Some((self.commits, Phase::BeforeCommit)) {
                        return self.die();
                    }
                    self.ledger.apply(&commit);
                    self.written = Some((commit.sequence, self.now.mono + self.disk));
                }
                Output::Dial(dial) => {
                    self.judge(&dial);
                    self.dialled.push((dial.attempt, dial.number, self.true_wall()));
                    self.because.push((dial.attempt, dial.because.clone()));
                    let (finding, rings) = (self.answers)(&dial);
                    let until = self.now.mono + Duration::from_secs(rings);
                    self.ringing.insert(dial.attempt, (dial.number, until, finding));
                    if self.crash == Some((self.commits, Phase::AfterDial)) {
                        return self.die();
                    }
                }
                Output::Cancel(attempt) => {
                    if let Some(call) = self.ringing.get_mut(&attempt) {
                        *call = (call.0, self.now.mono, Finding::sure(Outcome::Withdrawn));
                    }
                }
                Output::Accepted(task) => {
                    assert!(self.ledger.tasks.contains_key(&task), "accepted means stored");
                    self.accepted.insert(task);
                }
                Output::Refused { task, rule } => self.refused.push((task, rule)),
                Output::Ended { task, .. } => assert!(self.ledger.ended.contains_key(&task)),
                Output::Changed(_) | Output::ListFull => {}
            }
        }
    }

    /// kill -9, and a start from what the store has. Calls die with the process; its clock begins anew.
    pub(crate) fn die(&mut self) {
        self.crashes += 1;
        self.crash = None;
        self.ringing.clear();
        self.written = None;
        let mono = Mono(3_000_000 * self.crashes as u64);
        self.now = Now { mono, wall: Wall(self.now.wall.0 + 1_500) };
        self.ahead = self.now.wall.0 - millis(mono);
        let places = Places::new("Asia/Shanghai").expect("bundled");
        self.dialing = Dialing::restore(self.now, (self.policy)(), places, 7, self.ledger.saved());
        self.check_counts();
        self.lease();
    }

    /// The clock on the wall is set.
    pub(crate) fn set_clock(&mut self, by: i64) {
        self.slip += by;
        self.now.wall.0 += by;
        self.ahead += by;
    }

    fn true_wall(&self) -> Wall {
        Wall(self.now.wall.0 - self.slip)
    }

    /// The counts of the machine are those of the ledger.
    fn check_counts(&self) {
        for task in self.ledger.tasks.keys() {
            if let Some(explained) = self.dialing.explain(self.now, *task) {
                assert_eq!(usize::from(explained.attempts.0), self.ledger.made(*task), "{task:?}");
            }
        }
    }

    /// A second opinion, from what was written and what left: may this call leave now?
    fn judge(&self, dial: &Dial) {
        let claim = self.ledger.attempts.get(&dial.attempt).expect("its claim is written first");
        assert!(claim.finished.is_none());
        assert!(self.dialled.iter().all(|(id, ..)| *id != dial.attempt), "dialled twice for one attempt");
        let in_flight = self.ringing.values().filter(|(number, ..)| *number == dial.number).count();
        assert_eq!(in_flight, 0, "one attempt in flight per number");
        assert!(!dial.number.to_string().ends_with("112"), "an emergency");
        assert!(!self.ledger.forbidden.contains(&(dial.number, None)));
        assert!(!self.ledger.forbidden.contains(&(dial.number, Some(dial.owner))));
        let task = &self.ledger.tasks[&dial.attempt.task];
        assert!(task.not_before.is_none_or(|from| from.0 <= self.now.wall.0), "before its time");
        assert!(task.until.is_none_or(|until| until.0 > self.now.wall.0), "after its time");
        self.judge_window(dial, task);
        self.judge_budget(dial, task);
    }

    fn limits(&self, number: Number, purpose: Purpose) -> dialing::Limits {
        let policy = (self.policy)();
        let (region, _) = self.dialing.places().of(number);
        *policy.limits(Profile::of(number, region), purpose)
    }

    fn judge_window(&self, dial: &Dial, task: &Task) {
        let limits = self.limits(dial.number, task.purpose);
        let places = self.dialing.places();
        let (_, set) = places.of(dial.number);
        let named =
            task.zone.as_ref().map(|name| jiff::tz::TimeZoneDatabase::bundled().get(name).expect("bundled"));
        let zones = named.map_or_else(|| places.zones(set).to_vec(), |zone| vec![zone]);
        for zone in zones {
            let at = jiff::Timestamp::from_millisecond(self.now.wall.0).expect("a time").to_zoned(zone);
            let minute =
                u16::try_from(at.hour()).expect("hours") * 60 + u16::try_from(at.minute()).expect("minutes");
            let day =
                &limits.hours.week[usize::try_from(at.weekday().to_monday_zero_offset()).expect("a day")];
            let open = day.iter().any(|span| span.from() <= minute && minute < span.to());
            assert!(open, "{} is outside of the window of {}", at, dial.number);
            assert!(task.slot.is_none_or(|slot| slot.from() <= minute && minute < slot.to()), "{at}");
        }
    }

    /// Budgets by what really left, on a clock that was never wrong.
    fn judge_budget(&self, dial: &Dial, task: &Task) {
        let limits = self.limits(dial.number, task.purpose);
        let now = self.true_wall();
        let before = || self.dialled.iter().filter(|(_, number, _)| *number == dial.number);
        let day = before().filter(|(_, _, when)| now.0 - when.0 < 86_400_000).count();
        assert!(day < usize::from(limits.per_24_hours), "{day} attempts in 24 hours already");
        // Inside we may see that he is free, and need no clock.
        if let Some((_, _, last)) = before().next_back().filter(|_| !dial.number.is_inside()) {
            let gap = (now.0 - last.0) / 1_000;
            assert!(gap >= i64::from(limits.gaps.first), "{gap} s after the last attempt");
        }
        assert!(self.ledger.made(task.id) <= usize::from(limits.per_task));
        if self.slip == 0 {
            let (_, set) = self.dialing.places().of(dial.number);
            for zone in self.dialing.places().zones(set) {
                let date = |wall: Wall| {
                    jiff::Timestamp::from_millisecond(wall.0).expect("a time").to_zoned(zone.clone()).date()
                };
                let today = before().filter(|(_, _, when)| date(*when) == date(now)).count();
                assert!(today < usize::from(limits.per_day), "{today} attempts today already");
            }
        }
    }
}
