//! Each checker can fail: a doctored trace, and the words that it says.

use calls::{Blame, CallId, CallRecord, Cause, Party, PortLease};
use clock::{Mono, Wall};
use dialing::{Attempt, AttemptId, End, Number, Row, TaskId};
use exchange::{
    AgentRow, AgentState, Audience, CallEnd, CallName, CallState, Event, Fact, FactKind, Happened, LiveCall,
    PeopleChange, TaskChange,
};
use media::{LegKey, Source};
use sip::Flow;
use std::net::Ipv4Addr;
use std::time::Duration;
use testkit::check::{
    Agents, Bounds, Checker, KnownAddresses, Leftovers, LiveCalls, LosersAreTold, NobodyWaitsInVain,
    OneAnswer, OneRecord, OneWinner, OpenCalls, Ports, RemovedDevices, StoredFirst, Talkers, Tasks,
    TrueRecords,
};
use testkit::phone::Note;
use testkit::reference::Reference;
use testkit::{Left, Observed, Seen};

/// What a checker says of a trace, the last word included.
fn verdict(mut checker: impl Checker, events: Vec<Observed>) -> String {
    for event in &events {
        if let Err(words) = checker.see(Mono(0), event) {
            return words;
        }
    }
    checker.end().err().unwrap_or_default()
}

fn flow() -> Flow {
    Flow::udp("192.0.2.1:5060".parse().expect("ours"), "192.0.2.7:5060".parse().expect("theirs"))
}

fn seen(outgoing: bool, method: &str, status: u16) -> Seen {
    Seen {
        outgoing,
        flow: Some(flow()),
        method: method.into(),
        status,
        call_id: "c".into(),
        from_tag: "f".into(),
        number: 1,
        session: "s".into(),
        ..Seen::default()
    }
}

fn message(seen: Seen) -> Observed {
    Observed::Message(Box::new(seen))
}

fn lease(port: u16) -> PortLease {
    PortLease { address: Ipv4Addr::LOCALHOST.into(), port, worker: 0 }
}

fn order(leg: u64, port: u16, source: Source) -> Observed {
    Observed::Order { office: 0, lease: lease(port), leg: LegKey(leg), source }
}

fn record() -> CallRecord {
    CallRecord {
        call: CallId::default(),
        session_id: "s".into(),
        caller: Party::default(),
        dialled: "200".into(),
        answered_by: "".into(),
        started: Wall(0),
        answered: None,
        ended: Wall(0),
        ringing: Duration::ZERO,
        talking: Duration::ZERO,
        cause: Cause::Busy,
        blame: Blame::Callee,
        status: 486,
        detail: "".into(),
        task: None,
    }
}

#[test]
fn one_answer_sees_a_second_tag_and_a_second_sdp() {
    let ringing = |tag: &str, sdp| message(Seen { to_tag: tag.into(), sdp, ..seen(true, "INVITE", 183) });
    let words = verdict(OneAnswer::default(), vec![ringing("a", None), ringing("b", None)]);
    assert!(words.contains("two To tags"), "{words}");
    let words = verdict(OneAnswer::default(), vec![ringing("a", Some(1)), ringing("a", Some(2))]);
    assert!(words.contains("two different SDP answers"), "{words}");
    assert_eq!(verdict(OneAnswer::default(), vec![ringing("a", None), ringing("a", Some(2))]), "");
}

#[test]
fn one_winner_sees_two() {
    let branch = |call: &str| {
        let with = |seen: Seen| message(Seen { call_id: call.into(), ..seen });
        vec![
            with(seen(true, "INVITE", 0)),
            with(Seen { to_tag: "t".into(), ..seen(false, "INVITE", 200) }),
            with(Seen { to_tag: "t".into(), ..seen(true, "ACK", 0) }),
        ]
    };
    let settled = Observed::Settled { office: 0, talking: Vec::new() };
    let mut events = branch("one");
    events.push(settled.clone());
    assert_eq!(verdict(OneWinner::default(), events.clone()), "");
    events.extend(branch("two"));
    events.push(settled);
    assert!(verdict(OneWinner::default(), events).contains("has 2 winners"));
}

#[test]
fn tasks_sees_a_call_without_a_claim_a_second_one_and_one_that_was_claimed_before_a_death() {
    let number = Number::inside("200").expect("a number");
    let id = AttemptId { task: TaskId(7), ordinal: 2 };
    let kept = |row| {
        let change = TaskChange { row, account: "ada".into(), at: Wall(0) };
        Observed::KeptTask { office: 0, change: Box::new(change) }
    };
    let claim = kept(Row::Claim(Attempt { id, number, at: Wall(0), finished: None }));
    let end = kept(Row::End { task: TaskId(7), at: Wall(0), end: End::Stopped, attempts: 1 });
    let call = |session: &str| {
        let fact = Fact {
            time: Wall(0),
            kind: FactKind::Call,
            subject: session.into(),
            rule: "task.call".into(),
            words: "attempt 2 of task 7".into(),
        };
        Observed::Fact { office: 0, fact: Box::new(fact) }
    };
    let died = Observed::Died { office: 0 };
    let tells = |events: &[&Observed]| {
        verdict(Tasks::default(), events.iter().map(|event| (*event).clone()).collect())
    };
    assert_eq!(tells(&[&claim, &call("a"), &call("a"), &died]), "", "a fact may be handed over twice");
    assert!(tells(&[&call("a")]).contains("its claim is not kept"));
    assert!(tells(&[&claim, &call("a"), &call("b")]).contains("made twice"));
    assert!(tells(&[&claim, &died, &call("a")]).contains("claimed before a death"));
    assert!(tells(&[&end, &claim]).contains("its task is over"));
}

#[test]
fn losers_must_hear_a_reason_and_the_right_one() {
    let cancel = |reason: &str| message(Seen { reason: reason.into(), ..seen(true, "CANCEL", 0) });
    let begun = message(seen(true, "INVITE", 0));
    let other = message(Seen { call_id: "d".into(), ..seen(true, "INVITE", 0) });
    let answered = message(Seen { call_id: "d".into(), ..seen(false, "INVITE", 200) });
    let words = verdict(LosersAreTold::default(), vec![begun.clone(), cancel("")]);
    assert!(words.contains("without a Reason"), "{words}");
    let acknowledged = message(Seen { call_id: "d".into(), ..seen(true, "ACK", 0) });
    let elsewhere = "SIP;cause=200;text=\"Call completed elsewhere\"";
    let words = verdict(LosersAreTold::default(), vec![begun.clone(), cancel(elsewhere)]);
    assert!(words.contains("nobody answered"), "{words}");
    let events = vec![begun, other, answered, acknowledged, cancel("SIP;cause=480;text=\"No answer\"")];
    let words = verdict(LosersAreTold::default(), events);
    assert!(words.contains("was answered elsewhere"), "{words}");
}

#[test]
fn one_record_sees_none_two_and_contradictions() {
    let taken = vec![message(seen(false, "INVITE", 0)), message(seen(true, "INVITE", 100))];
    assert!(verdict(OneRecord::default(), taken.clone()).contains("took 1 calls and kept 0"));
    let kept = Observed::KeptRecord { office: 0, record: Box::new(record()) };
    let words = verdict(OneRecord::default(), vec![kept.clone(), kept.clone()]);
    assert!(words.contains("recorded twice"), "{words}");
    let handed = |record| Observed::Record { office: 0, record: Box::new(record) };
    let blamed = handed(CallRecord { blame: Blame::Us, ..record() });
    assert!(verdict(OneRecord::default(), vec![blamed]).contains("blames us"));
    let unanswered = handed(CallRecord { status: 200, ..record() });
    assert!(verdict(OneRecord::default(), vec![unanswered]).contains("answered None"));
    let changed = handed(CallRecord { cause: Cause::Declined, ..record() });
    assert!(verdict(OneRecord::default(), vec![handed(record()), changed]).contains("two records"));
    let mut events = taken;
    events.extend([message(seen(true, "INVITE", 603)), handed(record()), kept]);
    assert!(verdict(OneRecord::default(), events).contains("the record says 486"));
}

#[test]
fn true_records_sees_who_answered_nothing_and_who_did_not_give_up() {
    let handed = |record| Observed::Record { office: 0, record: Box::new(record) };
    let with = |call: &str, seen: Seen| message(Seen { call_id: call.into(), ..seen });
    let rung = with("out", Seen { user: "d1".into(), ..seen(true, "INVITE", 0) });
    let begun = || vec![with("in", seen(false, "INVITE", 0)), rung.clone()];
    let say = |more: Vec<Observed>| verdict(TrueRecords::default(), [begun(), more].concat());
    let gave_up = handed(CallRecord { cause: Cause::Cancelled, ..record() });
    let words = say(vec![gave_up.clone()]);
    assert!(words.contains("said to have given up and did not"), "{words}");
    let cancel = with("in", seen(false, "CANCEL", 0));
    assert_eq!(say(vec![cancel.clone(), gave_up]), "");
    let told = with("in", seen(true, "INVITE", 487));
    let words = say(vec![cancel, told, handed(record())]);
    assert!(words.contains("gave up, and the record says busy"), "{words}");
    let answered = CallRecord { answered_by: "d1".into(), answered: Some(Wall(5)), ..record() };
    let words = say(vec![handed(answered.clone())]);
    assert!(words.contains("which said nothing"), "{words}");
    assert_eq!(say(vec![with("out", seen(false, "INVITE", 200)), handed(answered)]), "");
    let reason = "SIP;cause=487;text=\"Caller gave up\"".into();
    let words = say(vec![with("out", Seen { reason, ..seen(true, "CANCEL", 0) })]);
    assert!(words.contains("told that the caller gave up"), "{words}");
}

#[test]
fn leftovers_sees_each_thing_that_is_left() {
    let nothing = Left::default();
    assert_eq!(verdict(Leftovers, vec![Observed::Quiet(nothing)]), "");
    for left in [
        Left { calls: 1, ..nothing },
        Left { legs: 1, ..nothing },
        Left { transactions: 1, ..nothing },
        Left { ports: 1, ..nothing },
        Left { registered: 1, ..nothing },
        Left { promises: true, ..nothing },
        Left { timers: true, ..nothing },
    ] {
        assert!(verdict(Leftovers, vec![Observed::Quiet(left)]).contains("left behind"));
    }
}

#[test]
fn ports_sees_two_legs_at_one_a_second_release_and_one_that_stays() {
    let released = |leg, port| Observed::Released { office: 0, lease: lease(port), leg: LegKey(leg) };
    let words = verdict(Ports::default(), vec![order(1, 10, Source::Nothing), order(2, 10, Source::Nothing)]);
    assert!(words.contains("is of legs 1 and 2"), "{words}");
    let words = verdict(Ports::default(), vec![released(1, 10), released(1, 10)]);
    assert!(words.contains("released twice"), "{words}");
    let words = verdict(Ports::default(), vec![released(1, 10), order(1, 10, Source::Nothing)]);
    assert!(words.contains("which is gone"), "{words}");
    let quiet = Observed::Quiet(Left::default());
    let words = verdict(Ports::default(), vec![order(1, 10, Source::Nothing), quiet]);
    assert!(words.contains("still of leg 1"), "{words}");
}

#[test]
fn known_addresses_sees_one_learned_from_nothing() {
    let sent = message(seen(true, "INVITE", 0));
    assert!(verdict(KnownAddresses::default(), vec![sent.clone()]).contains("nobody knows"));
    assert_eq!(verdict(KnownAddresses::default(), vec![message(seen(false, "OPTIONS", 0)), sent]), "");
}

#[test]
fn stored_first_sees_a_200_that_came_too_soon() {
    let contacts = vec!["sip:u7@192.0.2.7".into()];
    let confirmed = message(Seen { contacts, ..seen(true, "REGISTER", 200) });
    assert!(verdict(StoredFirst::default(), vec![confirmed]).contains("was never stored"));
}

#[test]
fn removed_devices_sees_one_that_rings() {
    let removed = PeopleChange::RemoveDevice { name: "u7".into() };
    let invite = message(Seen { user: "u7".into(), branch: "b".into(), ..seen(true, "INVITE", 0) });
    let events = vec![Observed::KeptPeople { office: 0, change: removed }, invite];
    assert!(verdict(RemovedDevices::default(), events).contains("was removed and rings"));
}

#[test]
fn bounds_sees_a_storm_and_an_endless_backlog() {
    let storm = vec![message(seen(true, "BYE", 0)); 50];
    assert!(verdict(Bounds::default(), storm).contains("a storm"));
    let away = Observed::StoreAway { office: 0, waiting: exchange::limits::PENDING_COMMITS + 1 };
    assert!(verdict(Bounds::default(), vec![away]).contains("wait for the store"));
}

#[test]
fn talkers_sees_who_hears_nobody_and_who_hears_the_dead() {
    let hears = |leg| Source::Leg(LegKey(leg));
    let settled = Observed::Settled { office: 0, talking: vec![(LegKey(1), LegKey(2))] };
    let deaf = vec![order(1, 10, hears(2)), order(2, 12, Source::Nothing), settled.clone()];
    assert!(verdict(Talkers::default(), deaf).contains("talks to 1 and hears Nothing"));
    let gone = Observed::Released { office: 0, lease: lease(12), leg: LegKey(2) };
    let settled_without = Observed::Settled { office: 0, talking: Vec::new() };
    let dead = vec![order(1, 10, hears(2)), gone, settled_without];
    assert!(verdict(Talkers::default(), dead).contains("which is gone"));
    assert_eq!(
        verdict(Talkers::default(), vec![order(1, 10, hears(2)), order(2, 12, hears(1)), settled]),
        ""
    );
}

#[test]
fn the_reference_office_sees_strangers_ring_and_answers_from_nowhere() {
    let mut reference = Reference::default();
    reference.calm = true;
    for (phone, device) in [(0, "ada-1"), (1, "bob-1"), (2, "eve-1")] {
        reference.add_phone(phone, 0, device);
    }
    let put = |number: &str, account: &str| PeopleChange::PutNumber {
        number: number.into(),
        account: account.into(),
    };
    reference.directory_changed(0, &put("200", "bob"));
    reference.directory_changed(0, &testkit::stage::put_device("bob-1", "bob"));
    let session: Box<str> = "s".into();
    let hear = |reference: &mut Reference, phone, note| reference.hear(Mono(0), phone, &note);
    hear(&mut reference, 1, Note::Registered { status: 200 }).expect("fine");
    hear(&mut reference, 0, Note::Calls { session: session.clone(), number: "200".into() }).expect("fine");
    let words = hear(&mut reference, 2, Note::Rings { session: session.clone() }).unwrap_err();
    assert!(words.contains("not its own"), "{words}");
    let words = hear(&mut reference, 0, Note::Final { session: session.clone(), status: 487 }).unwrap_err();
    assert!(words.contains("did not ring"), "{words}");
    hear(&mut reference, 1, Note::Rings { session: session.clone() }).expect("fine");
    for status in [200, 404, 486, 603] {
        let words = hear(&mut reference, 0, Note::Final { session: session.clone(), status }).unwrap_err();
        assert!(words.contains("which nobody said"), "{words}");
    }
}

#[test]
fn a_call_that_stays_open_after_its_record_is_caught() {
    let open = || {
        let record = record();
        let open = exchange::OpenCall {
            session_id: record.session_id,
            dialled: record.dialled,
            caller: record.caller,
            answered_by: Box::default(),
            started: record.started,
            answered: None,
            task: None,
        };
        Observed::KeptOpenCall { office: 0, open: std::sync::Arc::new(open) }
    };
    let kept = || Observed::KeptRecord { office: 0, record: Box::new(record()) };
    assert_eq!(verdict(OpenCalls::default(), vec![open(), open(), kept()]), "");
    assert!(verdict(OpenCalls::default(), vec![open(), kept(), open()]).contains("open in the store"));
}

fn live(number: u64, state: CallState) -> LiveCall {
    LiveCall {
        name: CallName { session_id: "s".into(), call: CallId::of_number(number) },
        state,
        caller: CallEnd::default(),
        callee: CallEnd::default(),
        started: Wall(0),
        answered: None,
        emergency: false,
        trunk: None,
        accounts: vec!["ada".into()],
    }
}

#[test]
fn live_calls_sees_what_is_left_behind_missing_old_or_told_to_others() {
    let event = |what| {
        let audience = Audience { staff: true, accounts: vec!["ada".into()] };
        Observed::Event { office: 0, event: Box::new(Event { at: Wall(0), audience, what }) }
    };
    let list = |calls: Vec<LiveCall>| Observed::Live { office: 0, up: calls.len(), calls };
    let ringing = || live(0x1_0000_0001, CallState::Ringing);
    let talking = || live(0x1_0000_0001, CallState::Talking);
    let started = || event(Happened::CallStarted(Box::new(ringing())));
    let changed = || event(Happened::CallChanged(Box::new(talking())));
    let fine = vec![started(), list(vec![ringing()]), changed(), list(vec![talking()])];
    assert_eq!(verdict(LiveCalls::default(), fine), "");
    let says = |events, words: &str| {
        let said = verdict(LiveCalls::default(), events);
        assert!(said.contains(words), "{said}");
    };
    says(vec![started(), list(Vec::new())], "the events tell");
    says(vec![list(vec![ringing()])], "the events tell None");
    says(vec![started(), list(vec![talking()])], "the list tells");
    says(vec![started(), started()], "began twice");
    says(vec![changed()], "never began");
    says(vec![started(), Observed::Live { office: 0, up: 2, calls: vec![ringing()] }], "2 calls are up");
    let nobodys = LiveCall { accounts: Vec::new(), ..ringing() };
    says(vec![started(), list(vec![nobodys])], "the list tells");
}

fn agent(state: AgentState, ends: Option<i64>) -> Observed {
    let row = AgentRow {
        account: "ada".into(),
        display: "Ada".into(),
        state,
        reason: None,
        words: state.name().into(),
        rule: "agents.call",
        since: Wall(0),
        ends: ends.map(Wall),
        after: None,
        device: None,
        queues: Vec::new(),
        signed_in: Some(Wall(0)),
        missed: 0,
        asked: false,
        profile: None,
    };
    let what = Happened::AgentChanged(Box::new(row));
    let event = Event { at: Wall(0), audience: Audience::default(), what };
    Observed::Event { office: 0, event: Box::new(event) }
}

/// What a checker says of events at their seconds.
fn verdict_in_time(mut checker: impl Checker, events: Vec<(u64, Observed)>) -> String {
    for (second, event) in &events {
        if let Err(words) = checker.see(Mono(second * 1_000_000), event) {
            return words;
        }
    }
    String::new()
}

fn queues_of(beside: Vec<(Box<str>, Box<str>)>, called_back: Vec<(Box<str>, TaskId)>) -> Observed {
    Observed::Queues { office: 0, beside, called_back }
}

#[test]
fn an_agent_calls_one_back_and_does_nothing_else() {
    let one = || queues_of(Vec::new(), vec![("ada".into(), TaskId(1))]);
    let two = || queues_of(Vec::new(), vec![("ada".into(), TaskId(1)), ("ada".into(), TaskId(2))]);
    let reserved = || agent(AgentState::Reserved, None);
    assert_eq!(verdict(Agents::default(), vec![reserved(), one()]), "");
    let twice = verdict(Agents::default(), vec![reserved(), two()]);
    assert!(twice.contains("reserved for the callbacks 1 and 2"), "{twice}");
    let ready = verdict(Agents::default(), vec![agent(AgentState::Ready, None), one()]);
    assert!(ready.contains("ada is to call back for task 1 and is Some(Ready)"), "{ready}");
}

#[test]
fn agents_in_calls_are_not_ready_end_in_time_and_are_not_left_behind() {
    let queues = || queues_of(Vec::new(), Vec::new());
    let wraps_up = || agent(AgentState::WrapUp, Some(30_000));
    assert_eq!(verdict_in_time(Agents::default(), vec![(0, wraps_up()), (30, queues())]), "");
    let late = verdict_in_time(Agents::default(), vec![(0, wraps_up()), (31, queues())]);
    assert!(late.contains("the wrap-up of ada was to end"), "{late}");
    let in_time = vec![(0, wraps_up()), (30, agent(AgentState::Ready, None)), (31, queues())];
    assert_eq!(verdict_in_time(Agents::default(), in_time), "");
    let at = |device: &str| CallEnd { device: Some(device.into()), ..CallEnd::default() };
    let talk =
        LiveCall { caller: at("bob-1"), callee: at("ada-1"), ..live(0x1_0000_0001, CallState::Talking) };
    let tells = |call: LiveCall| Observed::Live { office: 0, up: 1, calls: vec![call] };
    let busy = verdict(Agents::default(), vec![agent(AgentState::Ready, None), tells(talk.clone())]);
    assert!(busy.contains("ada is ready, and"), "{busy}");
    assert_eq!(verdict(Agents::default(), vec![agent(AgentState::Talking, None), tells(talk)]), "");
    let left =
        verdict(Agents::default(), vec![agent(AgentState::Reserved, None), Observed::Quiet(Left::default())]);
    assert!(left.contains("ada is reserved and nobody calls"), "{left}");
}

#[test]
fn no_caller_waits_beside_a_ready_agent_for_long() {
    let beside = || queues_of(vec![("sales".into(), "ada".into())], Vec::new());
    let nobody = || queues_of(Vec::new(), Vec::new());
    let waits = verdict_in_time(NobodyWaitsInVain::default(), vec![(0, beside()), (1, beside())]);
    assert!(waits.contains("a caller waits in sales"), "{waits}");
    let served = vec![(0, beside()), (0, nobody()), (1, beside())];
    assert_eq!(verdict_in_time(NobodyWaitsInVain::default(), served), "");
}
