//! The fold of one agent, by tables and at random.

use super::agent::{Agent, Away, Leg, Phase, Reservation, SignIn};
use super::interval::{By, CallKind};
use super::state::{AgentState, Trigger};
use calls::CallId;
use clock::{Mono, Now, Wall};
use std::time::Duration;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn start() -> Now {
    Now { mono: Mono(1_000_000), wall: Wall(0) }
}

fn at(count: u64) -> Now {
    start().after(seconds(count))
}

fn leg(number: u64, kind: CallKind, phase: Phase, wraps: u64) -> Leg {
    let by = match &kind {
        CallKind::Queue(name) => By::Queue(name.clone()),
        _ => By::Kind,
    };
    let wraps = Some((seconds(wraps), by)).filter(|(interval, _)| !interval.is_zero());
    Leg { call: CallId::of_number(number), kind, phase, with: "200".into(), wraps }
}

fn sales(number: u64, phase: Phase) -> Leg {
    leg(number, CallKind::Queue("sales".into()), phase, 30)
}

fn own(number: u64, phase: Phase) -> Leg {
    leg(number, CallKind::Outgoing, phase, 0)
}

fn agent() -> Agent {
    let mut agent = Agent::new(start(), SignIn::default());
    agent.settle(start(), Trigger::SignIn);
    assert_eq!(agent.state, AgentState::Ready);
    agent
}

/// The calls are these now.
fn calls(agent: &mut Agent, now: Now, legs: &[Leg]) -> AgentState {
    agent.look(now.mono, legs.to_vec());
    agent.settle(now, Trigger::Call);
    agent.state
}

fn time(agent: &mut Agent, now: Now) -> AgentState {
    agent.expire(now.mono);
    agent.settle(now, Trigger::Time);
    agent.state
}

#[test]
fn s0_14_busy_becomes_ready_by_itself_when_the_interval_is_over() {
    let mut agent = agent();
    assert_eq!(calls(&mut agent, at(1), &[sales(1, Phase::Talks)]), AgentState::Talking);
    assert_eq!(calls(&mut agent, at(9), &[sales(1, Phase::Held)]), AgentState::OnHold);
    assert_eq!(calls(&mut agent, at(20), &[]), AgentState::WrapUp);
    assert_eq!(agent.ends(seconds(60)), Some(at(50).mono), "it counts from the end of the call");
    assert_eq!(time(&mut agent, at(49)), AgentState::WrapUp);
    assert_eq!(time(&mut agent, at(50)), AgentState::Ready);
    assert_eq!(agent.next_deadline(seconds(60)), None);
}

#[test]
fn one_timer_for_the_agent_and_the_longest_interval_wins() {
    let support = |phase| leg(2, CallKind::Queue("support".into()), phase, 90);
    let mut agent = agent();
    calls(&mut agent, at(1), &[sales(1, Phase::Held), support(Phase::Talks)]);
    // The one with the long interval ends first; the wrap-up counts from the end of the last.
    assert_eq!(calls(&mut agent, at(10), &[sales(1, Phase::Talks)]), AgentState::Talking);
    assert_eq!(calls(&mut agent, at(40), &[]), AgentState::WrapUp);
    let wrap_up = agent.wrap_up.clone().unwrap();
    assert_eq!((wrap_up.by, wrap_up.ends), (By::Queue("support".into()), at(130).mono));
}

#[test]
fn a_timer_never_ends_anything_for_an_older_call() {
    let mut agent = agent();
    calls(&mut agent, at(1), &[sales(1, Phase::Talks)]);
    calls(&mut agent, at(2), &[]);
    // A new call within the wrap-up: the old end means nothing any more.
    assert_eq!(calls(&mut agent, at(10), &[sales(2, Phase::Talks)]), AgentState::Talking);
    assert_eq!(time(&mut agent, at(32)), AgentState::Talking);
    assert_eq!(calls(&mut agent, at(33), &[]), AgentState::WrapUp);
    assert_eq!(time(&mut agent, at(40)), AgentState::WrapUp);
    assert_eq!(time(&mut agent, at(63)), AgentState::Ready);
}

#[test]
fn an_own_call_that_failed_brings_back_what_was_before_it() {
    let mut agent = agent();
    agent.pause(at(0).mono, "lunch", "agents.hand", None);
    agent.settle(at(0), Trigger::Pause);
    assert_eq!(calls(&mut agent, at(1), &[own(1, Phase::Rings)]), AgentState::Ringing);
    assert_eq!(calls(&mut agent, at(2), &[]), AgentState::NotReady, "a break stays a break");
    assert_eq!(calls(&mut agent, at(3), &[own(2, Phase::Talks)]), AgentState::Talking);
    assert_eq!(calls(&mut agent, at(4), &[]), AgentState::NotReady);
    agent.ready();
    agent.settle(at(5), Trigger::Ready);
    calls(&mut agent, at(6), &[sales(3, Phase::Talks)]);
    calls(&mut agent, at(10), &[]);
    calls(&mut agent, at(12), &[own(4, Phase::Rings)]);
    assert_eq!(calls(&mut agent, at(14), &[]), AgentState::WrapUp, "and a wrap-up goes on to its own end");
    assert_eq!(agent.ends(seconds(60)), Some(at(40).mono));
    // While a leg is up nobody becomes ready; afterwards the time that is over is over.
    calls(&mut agent, at(39), &[own(5, Phase::Rings)]);
    assert_eq!(time(&mut agent, at(41)), AgentState::Ringing);
    assert_eq!(calls(&mut agent, at(42), &[]), AgentState::Ready);
}

#[test]
fn a_break_that_was_asked_for_in_a_call_begins_with_its_end() {
    let mut agent = agent();
    calls(&mut agent, at(1), &[sales(1, Phase::Talks)]);
    agent.pause(at(2).mono, "break", "agents.hand", Some(seconds(900)));
    assert!(!agent.settle(at(2), Trigger::Pause), "the call goes on");
    assert_eq!(calls(&mut agent, at(9), &[]), AgentState::NotReady);
    assert_eq!((agent.wrap_up.clone(), agent.ends(seconds(60))), (None, Some(at(902).mono)));
    // The same out of a wrap-up.
    agent.ready();
    agent.settle(at(10), Trigger::Ready);
    calls(&mut agent, at(11), &[sales(2, Phase::Talks)]);
    assert_eq!(calls(&mut agent, at(12), &[]), AgentState::WrapUp);
    agent.pause(at(13).mono, "break", "agents.hand", None);
    agent.settle(at(13), Trigger::Pause);
    assert_eq!(agent.state, AgentState::NotReady);
    assert_eq!(time(&mut agent, at(100)), AgentState::NotReady, "the wrap-up's timer is gone");
}

#[test]
fn a_wrap_up_ends_early_and_is_made_longer_within_bounds() {
    let mut agent = agent();
    calls(&mut agent, at(1), &[sales(1, Phase::Talks)]);
    assert!(!agent.extend(seconds(30), 2), "there is none to make longer");
    calls(&mut agent, at(2), &[]);
    assert!(agent.takes(Trigger::Extend));
    assert!(agent.extend(seconds(30), 2) && agent.extend(seconds(30), 2) && !agent.extend(seconds(30), 2));
    assert_eq!(agent.ends(seconds(60)), Some(at(92).mono));
    agent.ready();
    agent.settle(at(60), Trigger::Ready);
    assert_eq!((agent.state, agent.next_deadline(seconds(60))), (AgentState::Ready, None));
}

#[test]
fn a_wrap_up_without_a_phone_goes_on_when_the_phone_is_back_in_time() {
    let mut agent = agent();
    calls(&mut agent, at(1), &[sales(1, Phase::Talks)]);
    calls(&mut agent, at(2), &[]);
    agent.away = Some(Away::NoPhone);
    agent.settle(at(5), Trigger::Phone);
    assert_eq!(agent.state, AgentState::NotReady);
    let mut late = agent.clone();
    agent.away = None;
    agent.settle(at(8), Trigger::Phone);
    assert_eq!((agent.state, agent.ends(seconds(60))), (AgentState::WrapUp, Some(at(32).mono)));
    assert_eq!(time(&mut late, at(32)), AgentState::NotReady, "nobody is ready without a phone");
    late.away = None;
    late.settle(at(40), Trigger::Phone);
    assert_eq!(late.state, AgentState::Ready);
}

fn reservation(call: CallId, rings: bool) -> Reservation {
    Reservation { who: Some(call.into()), call: Some(call), queue: "sales".into(), number: None, rings }
}

#[test]
fn a_caller_that_is_missed_lets_the_agent_rest_and_an_answer_is_forgiving() {
    let mut agent = agent();
    for (count, too_many) in [(1, false), (2, false), (3, true)] {
        let now = at(100 * count);
        agent.rests = None;
        agent.settle(now, Trigger::Time);
        agent.reserved = Some(reservation(CallId::of_number(count), true));
        agent.settle(now, Trigger::Reserve);
        assert_eq!(agent.state, AgentState::Ringing);
        agent.reserved = None;
        assert_eq!(agent.miss(now.mono, seconds(10), 3), too_many);
        agent.settle(now, Trigger::Release);
        assert_eq!(
            (agent.state, agent.ends(seconds(60))),
            (AgentState::NotReady, Some(now.mono + seconds(10)))
        );
    }
    assert_eq!(time(&mut agent, at(310)), AgentState::Ready);
    calls(&mut agent, at(311), &[sales(9, Phase::Talks)]);
    assert_eq!(agent.missed, 0);
}

#[test]
fn who_talks_with_the_exchange_is_busy_and_loses_nothing() {
    let mut agent = agent();
    calls(&mut agent, at(1), &[sales(1, Phase::Talks)]);
    calls(&mut agent, at(2), &[]);
    let service = leg(2, CallKind::Outgoing, Phase::Service, 0);
    assert_eq!(calls(&mut agent, at(3), std::slice::from_ref(&service)), AgentState::Talking);
    assert!(agent.extend(seconds(30), 1), "a code makes it longer");
    assert_eq!(calls(&mut agent, at(6), &[]), AgentState::WrapUp);
    assert_eq!(agent.ends(seconds(60)), Some(at(62).mono));
}

/// Everything at random, for long: no transition that the table does not have (each step is asserted against it), and
/// nobody is ready while a leg is up.
#[test]
fn whatever_happens_the_table_is_kept() {
    use rand_core::{Rng, SeedableRng};
    for seed in 0..200 {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let (mut agent, mut now, mut legs, mut next) = (agent(), start(), Vec::<Leg>::new(), 1);
        for _ in 0..400 {
            now = now.after(seconds(u64::from(rng.next_u32() % 20)));
            match rng.next_u32() % 10 {
                0 if legs.len() < 3 => {
                    next += 1;
                    legs.push(if rng.next_u32() % 2 == 0 {
                        sales(next, Phase::Rings)
                    } else {
                        own(next, Phase::Rings)
                    });
                    calls(&mut agent, now, &legs);
                }
                1 | 2 if !legs.is_empty() => {
                    let place = rng.next_u32() as usize % legs.len();
                    legs[place].phase = if rng.next_u32() % 3 == 0 { Phase::Held } else { Phase::Talks };
                    calls(&mut agent, now, &legs);
                }
                3 | 4 if !legs.is_empty() => {
                    legs.remove(rng.next_u32() as usize % legs.len());
                    calls(&mut agent, now, &legs);
                }
                5 => {
                    agent.pause(now.mono, "break", "agents.hand", None);
                    agent.settle(now, Trigger::Pause);
                }
                6 => {
                    agent.ready();
                    agent.away = None;
                    agent.settle(now, Trigger::Ready);
                }
                7 if agent.state == AgentState::Ready => {
                    let call = CallId::of_number(1_000 + next);
                    agent.reserved = Some(reservation(call, false));
                    agent.settle(now, Trigger::Reserve);
                }
                8 if agent.reserved.is_some() => {
                    agent.reserved = None;
                    agent.miss(now.mono, seconds(10), 3);
                    agent.settle(now, Trigger::Release);
                }
                _ => {
                    time(&mut agent, now);
                }
            }
            assert!(agent.state != AgentState::Ready || legs.is_empty(), "seed {seed}");
        }
    }
}
