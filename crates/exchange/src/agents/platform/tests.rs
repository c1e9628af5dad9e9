//! The machine by itself: what it asks for, and when.

use super::*;

const SECOND: u64 = 1_000_000;

fn at(seconds: u64) -> Mono {
    Mono(seconds * SECOND)
}

/// What is asked for, without the polls.
fn drain(platform: &mut Platform) -> Vec<String> {
    let mut asked = Vec::new();
    while let Some(output) = platform.next_output() {
        match output {
            PlatformOutput::SignIn { agent, phone } => asked.push(format!("sign in {agent} {phone}")),
            PlatformOutput::SignOut(agent) => asked.push(format!("sign out {agent}")),
            PlatformOutput::SetState { agent, wish } => asked.push(format!("{agent} {wish:?}")),
            PlatformOutput::Poll { .. } => {}
        }
    }
    asked
}

fn begin(platform: &mut Platform, seconds: u64, agent: &str) {
    platform.begin(at(seconds), agent.into(), "201".into(), Duration::from_secs(30), None);
}

fn saw(platform: &mut Platform, seconds: u64, state: PlatformState, ended: Option<u64>) {
    let ended = ended.map(Duration::from_secs);
    let sightings = vec![Sighting { agent: "ada".into(), state, ended }];
    platform.handle(at(seconds), PlatformInput::States { poll: None, sightings });
}

fn platform() -> Platform {
    let mut platform = Platform::new(Duration::from_secs(1), 7);
    begin(&mut platform, 0, "ada");
    assert!(platform.next_deadline().is_none(), "the first poll begins with the first sign-in");
    assert_eq!(drain(&mut platform), ["sign in ada 201"]);
    assert!(!platform.standing("ada").unwrap().signed_in);
    platform.handle(at(0), PlatformInput::SignedIn("ada".into()));
    platform.handle(at(0), PlatformInput::Polled);
    platform
}

/// Answers each poll with the same until a time, takes switches, and gathers what is asked for.
fn run(platform: &mut Platform, until: u64, state: PlatformState, ended: Option<u64>) -> Vec<(u64, String)> {
    let mut asked = Vec::new();
    let mut state = state;
    while let Some(when) = platform.next_deadline().filter(|when| *when <= at(until)) {
        platform.handle(when, PlatformInput::Timeout);
        while let Some(output) = platform.next_output() {
            let second = when.0 / SECOND;
            match output {
                PlatformOutput::Poll { number, agents } => {
                    let ended = ended.map(Duration::from_secs);
                    let agents = agents.iter().cloned();
                    let sightings = agents.map(|agent| Sighting { agent, state, ended }).collect();
                    platform.handle(when, PlatformInput::States { poll: Some(number), sightings });
                    platform.handle(when, PlatformInput::Polled);
                }
                PlatformOutput::SetState { agent, wish } => {
                    state = match wish {
                        Wish::Ready => Ready,
                        Wish::NotReady => NotReady,
                    };
                    asked.push((second, format!("{agent} {wish:?}")));
                    platform.handle(when, PlatformInput::Switched(agent));
                }
                other => asked.push((second, format!("{other:?}"))),
            }
        }
    }
    asked
}

use PlatformState::{AfterCall, Busy, NotReady, Offline, Ready};

#[test]
fn s0_14_exactly_one_switch_at_the_end_of_the_call_and_the_interval() {
    for (ended, switch) in [(Some(4), 46), (None, 40)] {
        let mut platform = platform();
        saw(&mut platform, 10, Busy, None);
        // Nothing was heard for a while; the call is gone now.
        saw(&mut platform, 20, AfterCall, ended);
        let asked = run(&mut platform, 120, AfterCall, ended);
        assert_eq!(asked, [(switch, "ada Ready".into())], "never from the poll that saw it gone");
        assert_eq!(platform.standing("ada").unwrap().state, Ready);
    }
}

#[test]
fn a_call_between_two_polls_counts_from_its_end_or_from_the_poll_before_it() {
    for (ended, switch) in [(Some(1), 41), (None, 40)] {
        let mut platform = platform();
        saw(&mut platform, 10, Ready, None);
        saw(&mut platform, 12, AfterCall, ended);
        assert_eq!(run(&mut platform, 120, AfterCall, None), [(switch, "ada Ready".into())]);
    }
}

#[test]
fn none_while_a_call_is_up_after_a_sign_out_or_a_change_by_hand() {
    type Case = (fn(&mut Platform), PlatformState, &'static [(u64, &'static str)]);
    let cases: [Case; 6] = [
        (|_| {}, Busy, &[]),
        (|_| {}, Ready, &[]),
        (|_| {}, NotReady, &[]),
        (|platform| platform.wish("ada", Wish::NotReady), AfterCall, &[(12, "ada NotReady")]),
        (|platform| platform.end("ada"), AfterCall, &[(12, "SignOut(\"ada\")")]),
        (|platform| platform.hold("ada", true), AfterCall, &[]),
    ];
    for (index, (act, state, expected)) in cases.into_iter().enumerate() {
        let mut platform = platform();
        saw(&mut platform, 10, Busy, None);
        saw(&mut platform, 11, AfterCall, None);
        drain(&mut platform);
        platform.handle(at(11), PlatformInput::Polled);
        act(&mut platform);
        let mut asked = Vec::new();
        while let Some(output) = platform.next_output() {
            match output {
                PlatformOutput::SetState { agent, wish } => {
                    asked.push((12, format!("{agent} {wish:?}")));
                    platform.handle(at(12), PlatformInput::Switched(agent));
                }
                PlatformOutput::Poll { .. } => platform.handle(at(12), PlatformInput::Polled),
                other => asked.push((12, format!("{other:?}"))),
            }
        }
        let after = if index == 3 { NotReady } else { state };
        asked.extend(run(&mut platform, 120, after, None));
        let expected: Vec<(u64, String)> =
            expected.iter().map(|(when, what)| (*when, (*what).to_owned())).collect();
        assert_eq!(asked, expected, "case {index}");
    }
    // The call elsewhere is over: what was due is due now.
    let mut platform = platform();
    saw(&mut platform, 10, AfterCall, None);
    platform.hold("ada", true);
    run(&mut platform, 100, AfterCall, None);
    platform.hold("ada", false);
    assert_eq!(drain(&mut platform), ["ada Ready"]);
}

#[test]
fn by_hand_it_is_early_or_later_and_in_a_call_a_break_waits_for_its_end() {
    let mut platform = platform();
    saw(&mut platform, 10, Busy, None);
    saw(&mut platform, 11, AfterCall, None);
    platform.put_off("ada", at(60));
    assert_eq!(run(&mut platform, 100, AfterCall, None), [(60, "ada Ready".into())]);
    saw(&mut platform, 110, Busy, None);
    saw(&mut platform, 111, AfterCall, None);
    platform.wish("ada", Wish::Ready);
    assert_eq!(drain(&mut platform), ["ada Ready"]);
    platform.handle(at(112), PlatformInput::Switched("ada".into()));
    saw(&mut platform, 120, Busy, None);
    platform.wish("ada", Wish::NotReady);
    assert!(drain(&mut platform).is_empty());
    saw(&mut platform, 130, AfterCall, None);
    assert_eq!(drain(&mut platform), ["ada NotReady"]);
    platform.handle(at(130), PlatformInput::Switched("ada".into()));
    assert!(run(&mut platform, 300, NotReady, None).is_empty(), "and nobody ends it but the person");
}

#[test]
fn polls_end_with_the_last_sign_out() {
    let mut platform = platform();
    begin(&mut platform, 1, "bob");
    saw(&mut platform, 2, Ready, None);
    assert!(platform.next_deadline().is_none(), "one poll at a time");
    begin(&mut platform, 2, "eve");
    assert!(platform.next_deadline().is_none(), "one poll at a time");
    platform.handle(at(2), PlatformInput::Polled);
    platform.end("eve");
    platform.end("ada");
    assert!(platform.next_deadline().is_some());
    platform.end("bob");
    assert_eq!(drain(&mut platform).last(), Some(&"sign out bob".to_owned()));
    assert_eq!(platform.next_deadline(), None);
}

#[test]
fn a_platform_that_cannot_be_reached_changes_nothing_and_is_asked_less_often() {
    let mut platform = platform();
    saw(&mut platform, 10, Busy, None);
    saw(&mut platform, 11, AfterCall, None);
    let (mut polls, mut last) = (0, at(11));
    platform.handle(at(11), PlatformInput::Unreachable);
    assert_eq!(platform.next_changed().as_deref(), Some("ada"), "it is told");
    platform.handle(at(11), PlatformInput::Timeout);
    while last < at(600) {
        last = platform.next_deadline().expect("it is asked again");
        platform.handle(last, PlatformInput::Timeout);
        let poll = platform.next_output();
        assert!(matches!(poll, Some(PlatformOutput::Poll { .. })), "nobody is switched: {poll:?}");
        polls += 1;
        platform.handle(last, PlatformInput::Unreachable);
    }
    assert!((10..20).contains(&polls), "{polls} polls in ten minutes");
    let standing = platform.standing("ada").unwrap();
    assert_eq!((standing.state, platform.unknown_since()), (AfterCall, Some(at(11))), "unknown since");
    // It is back, and says that they still wait: they are ready at once.
    saw(&mut platform, 700, AfterCall, None);
    assert!(drain(&mut platform).is_empty());
    platform.handle(at(700), PlatformInput::Polled);
    assert_eq!((drain(&mut platform), platform.unknown_since()), (vec!["ada Ready".into()], None));
}

#[test]
fn a_switch_whose_answer_is_lost_is_asked_for_again_only_if_it_was_not_taken() {
    for (state, again) in [(AfterCall, vec!["ada Ready".to_owned()]), (Ready, vec![]), (Busy, vec![])] {
        let mut platform = platform();
        saw(&mut platform, 10, AfterCall, None);
        platform.handle(at(40), PlatformInput::Timeout);
        assert_eq!(drain(&mut platform), ["ada Ready"]);
        platform.handle(at(41), PlatformInput::Lost("ada".into()));
        platform.handle(at(42), PlatformInput::Timeout);
        saw(&mut platform, 42, state, None);
        platform.handle(at(42), PlatformInput::Polled);
        assert_eq!(drain(&mut platform), again, "{state:?}");
    }
}

#[test]
fn a_poll_that_was_asked_before_a_switch_does_not_undo_it() {
    let mut platform = platform();
    saw(&mut platform, 10, AfterCall, None);
    platform.handle(at(39), PlatformInput::Timeout);
    let mut number = 0;
    while let Some(output) = platform.next_output() {
        if let PlatformOutput::Poll { number: of, .. } = output {
            number = of;
        }
    }
    platform.handle(at(40), PlatformInput::Timeout);
    platform.handle(at(40), PlatformInput::Switched("ada".into()));
    let sightings = vec![Sighting { agent: "ada".into(), state: AfterCall, ended: None }];
    platform.handle(at(41), PlatformInput::States { poll: Some(number), sightings });
    assert_eq!(platform.standing("ada").unwrap().state, Ready);
}

#[test]
fn a_platform_that_forgot_somebody_in_an_outage_gets_them_back_and_otherwise_meant_it() {
    for (outage, asked) in [(true, vec!["sign in ada 201".to_owned()]), (false, vec![])] {
        let mut platform = platform();
        saw(&mut platform, 10, Ready, None);
        if outage {
            platform.handle(at(11), PlatformInput::Unreachable);
        }
        saw(&mut platform, 20, Offline, None);
        platform.handle(at(20), PlatformInput::Polled);
        assert_eq!(drain(&mut platform), asked);
    }
}

#[test]
fn what_the_platform_refuses_is_said_and_not_asked_again() {
    let mut platform = platform();
    saw(&mut platform, 10, AfterCall, None);
    platform.handle(at(40), PlatformInput::Timeout);
    drain(&mut platform);
    let why = "no such agent".into();
    platform.handle(at(40), PlatformInput::Refused { agent: "ada".into(), why });
    assert_eq!(platform.standing("ada").unwrap().refused.as_deref(), Some("no such agent"));
    assert!(run(&mut platform, 200, AfterCall, None).is_empty());
    platform.wish("ada", Wish::Ready);
    assert_eq!(drain(&mut platform), ["ada Ready"], "but by hand it is");
}

#[test]
fn a_wrap_up_of_before_our_start_goes_on_to_its_own_end() {
    let mut platform = Platform::new(Duration::from_secs(1), 7);
    let interval = Duration::from_secs(30);
    platform.begin(at(5), "ada".into(), "201".into(), interval, Some(at(22)));
    platform.handle(at(6), PlatformInput::SignedIn("ada".into()));
    drain(&mut platform);
    platform.handle(at(6), PlatformInput::Polled);
    assert_eq!(run(&mut platform, 100, AfterCall, None), [(22, "ada Ready".into())]);
}
