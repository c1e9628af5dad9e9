//! Stories of one call each, as the rules tell them: what a caller and the called phones see.

use media::Codec;
use std::time::Duration;
use testkit::phone::{Attempt, Deed, Mischief, Note, Reaction, Ring, Then};
use testkit::stage::{Stage, answers_after};
use testkit::{Act, World};

const CALLER: usize = 0;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn rings_on() -> Reaction {
    Reaction { then: Then::Never, ..answers_after(0) }
}

fn refuses(status: u16) -> Reaction {
    Reaction { then: Then::Refuse(status), ..answers_after(1) }
}

fn two_people() -> Stage {
    Stage::new(1).person("ada", "100").phone("ada-1", answers_after(1)).person("bob", "200")
}

fn cancelled_with(world: &World, phone: usize) -> Vec<&str> {
    let reasons = world.notes_of(phone).filter_map(|note| match note {
        Note::Cancelled { reason, .. } => Some(&**reason),
        _ => None,
    });
    reasons.collect()
}

fn record(world: &World) -> String {
    let lines = world.trace.lines();
    lines
        .iter()
        .rev()
        .find(|line| line.contains(" record ") && line.contains(" -> "))
        .expect("a record")
        .clone()
}

fn has(world: &World, phone: usize, wanted: impl Fn(&Note) -> bool) -> bool {
    world.notes_of(phone).any(wanted)
}

#[test]
fn s1_4_all_phones_ring_and_the_first_answer_wins() {
    let stage = two_people().phone("bob-1", answers_after(3)).phone("bob-2", rings_on());
    let mut world = stage.open();
    world.call(CALLER, Attempt::to("200"));
    world.run_for(seconds(60));
    assert_eq!(world.final_status(CALLER), Some(200));
    assert_eq!(cancelled_with(&world, 2), ["SIP;cause=200;text=\"Call completed elsewhere\""]);
    assert!(record(&world).contains("caller hung up"), "{}", record(&world));
    world.close();
}

#[test]
fn r1_early_media_of_two_branches_is_one_dialog_with_one_answer() {
    let early = |after| Reaction { ring: Ring::Early, ..answers_after(after) };
    let stage = two_people().with(|plan| plan.codecs = vec![Codec::PCMU, Codec::PCMA, Codec::G722]);
    let stage = stage.phone("bob-1", early(9)).with(|plan| plan.codecs = vec![Codec::G722]);
    let stage = stage.phone("bob-2", early(4)).with(|plan| plan.codecs = vec![Codec::PCMA]);
    let mut world = stage.open();
    world.call(CALLER, Attempt::to("200"));
    world.run_for(seconds(20));
    let tags: std::collections::BTreeSet<&str> = world
        .notes_of(CALLER)
        .filter_map(|note| match note {
            Note::Progress { tag, .. } => Some(&**tag),
            _ => None,
        })
        .collect();
    assert_eq!(tags.len(), 1, "one To tag");
    assert_eq!(world.final_status(CALLER), Some(200));
    // The second phone won with a codec that the caller's one answer excludes; it is asked to change, or we transcode.
    assert!(
        has(&world, 2, |note| matches!(note, Note::Changed { asked: false, .. })),
        "the winner is re-INVITEd"
    );
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn a_cancel_that_crosses_the_answer_ends_in_bye() {
    for millis in [1_990, 1_998, 2_000, 2_002, 2_010] {
        let mut world = two_people().phone("bob-1", answers_after(2)).open();
        let attempt = Attempt { patience: Duration::from_millis(millis), ..Attempt::to("200") };
        world.call(CALLER, attempt);
        world.run_for(seconds(60));
        assert!(matches!(world.final_status(CALLER), Some(200 | 487)), "{millis}");
        world.close();
    }
    let defies = Reaction { mischief: Mischief::AnswersAfterCancel, ..rings_on() };
    let mut world = two_people().phone("bob-1", defies).open();
    world.call(CALLER, Attempt { patience: seconds(3), ..Attempt::to("200") });
    world.run_for(seconds(10));
    assert_eq!(world.final_status(CALLER), Some(487));
    assert!(has(&world, 1, |note| matches!(note, Note::Ended { .. })), "ACK and BYE");
    world.close();
}

#[test]
fn a_forked_answer_is_acknowledged_and_ended() {
    let forks = Reaction { mischief: Mischief::Forks, ..answers_after(1) };
    let mut world = two_people().phone("bob-1", forks).open();
    world.call(CALLER, Attempt::to("200"));
    world.run_for(seconds(20));
    let lines = world.trace.lines();
    let byes = lines.iter().filter(|line| line.contains("-> udp:10.0.0.11:5060 BYE")).count();
    assert!(byes >= 1, "the second answer gets its BYE");
    assert!(!has(&world, CALLER, |note| matches!(note, Note::Ended { .. })), "the call goes on");
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn glare_of_two_holds_is_settled() {
    let mut world = two_people().phone("bob-1", answers_after(1)).open();
    let hold = vec![(seconds(2), Deed::Hold), (seconds(8), Deed::Resume), (seconds(12), Deed::AskForOffer)];
    world.call(CALLER, Attempt { deeds: hold, ..Attempt::to("200") });
    world.after(Duration::from_millis(3_005), Act::Do { phone: 1, deed: Deed::Hold });
    world.after(seconds(6), Act::Do { phone: 1, deed: Deed::Resume });
    world.run_for(seconds(60));
    assert!(has(&world, CALLER, |note| matches!(note, Note::Changed { status: 200, .. })));
    assert!(has(&world, 1, |note| matches!(note, Note::Changed { status: 200, .. })));
    assert!(record(&world).contains("caller hung up"));
    world.close();
}

#[test]
fn r1_a_200_waits_for_the_prack_of_early_media() {
    let early = Reaction { ring: Ring::EarlyReliable, ..answers_after(0) };
    let stage = two_people().with(|plan| plan.reliable = true);
    let mut world = stage.phone("bob-1", early).with(|plan| plan.reliable = true).open();
    world.call(CALLER, Attempt::to("200"));
    world.run_for(seconds(60));
    assert_eq!(world.final_status(CALLER), Some(200));
    let lines = world.trace.lines();
    let at = |words: &str| lines.iter().position(|line| line.contains(words)).expect("in the trace");
    assert!(at("<- udp:10.0.0.10:5060 PRACK") < at("-> udp:10.0.0.10:5060 200 INVITE"));
    world.close();
}

#[test]
fn a_caller_that_vanishes_before_its_prack_is_not_told_200() {
    let early = Reaction { ring: Ring::Early, talk: Some(seconds(1)), ..answers_after(0) };
    let stage = two_people().with(|plan| plan.reliable = true);
    let mut world = stage.phone("bob-1", early).open();
    world.call(CALLER, Attempt::to("200"));
    world.after(Duration::from_millis(4), Act::Cut { phone: CALLER, time: seconds(100) });
    world.run_for(seconds(120));
    assert!(
        record(&world).contains("callee hung up") || record(&world).contains("lost"),
        "{}",
        record(&world)
    );
    world.close();
}

#[test]
fn nobody_answers_within_the_ring_limit() {
    let mut stage = two_people().phone("bob-1", rings_on()).phone("bob-2", rings_on());
    stage.config.ring_limit = seconds(20);
    let mut world = stage.open();
    world.call(CALLER, Attempt::to("200"));
    world.run_for(seconds(30));
    assert_eq!(world.final_status(CALLER), Some(480));
    assert!(record(&world).contains("no answer (callee, 480)"), "{}", record(&world));
    assert_eq!(cancelled_with(&world, 1).len(), 1);
    world.close();
}

#[test]
fn busy_and_declined_are_told_to_the_caller() {
    for (first, second, status) in [(486, 480, 486), (486, 486, 486), (480, 404, 404), (603, 0, 603)] {
        let second = if second == 0 { rings_on() } else { refuses(second) };
        let mut world = two_people().phone("bob-1", refuses(first)).phone("bob-2", second).open();
        world.call(CALLER, Attempt::to("200"));
        world.run_for(seconds(20));
        assert_eq!(world.final_status(CALLER), Some(status));
        world.close();
    }
}

#[test]
fn r7_a_session_whose_refresh_finds_nobody_ends() {
    let stage = two_people().with(|plan| plan.session_timer = Some(90));
    let mut world = stage.phone("bob-1", answers_after(1)).with(|plan| plan.session_timer = Some(0)).open();
    world.call(CALLER, Attempt { talk: seconds(20_000), ..Attempt::to("200") });
    world.run_for(seconds(400));
    assert!(has(&world, CALLER, |note| matches!(note, Note::Changed { asked: false, status: 200, .. })));
    assert_eq!(world.exchange(0).switch().load().0, 1, "refreshes keep it up");
    world.after(Duration::ZERO, Act::PowerOff { phone: CALLER });
    world.run_for(seconds(150));
    assert_eq!(world.exchange(0).switch().load().0, 0);
    assert!(record(&world).contains("lost (caller"), "{}", record(&world));
    world.close();
}

#[test]
fn r7_a_phone_without_session_timers_is_probed() {
    let vanishes = Reaction { mischief: Mischief::Vanishes(5), ..answers_after(1) };
    let mut world = two_people().phone("bob-1", vanishes).open();
    world.offices[0].mute = true;
    world.call(CALLER, Attempt { talk: seconds(20_000), ..Attempt::to("200") });
    world.run_for(seconds(160));
    assert!(record(&world).contains("lost (callee"), "{}", record(&world));
    assert!(has(&world, CALLER, |note| matches!(note, Note::Ended { .. })));
    world.close();
}

#[test]
fn a_200_that_is_never_acknowledged_ends_the_call_with_a_bye() {
    let mut world = two_people().phone("bob-1", answers_after(1)).open();
    let attempt = Attempt { mischief: Mischief::NeverAcknowledges, talk: seconds(500), ..Attempt::to("200") };
    world.call(CALLER, attempt);
    world.run_for(seconds(40));
    assert_eq!(world.exchange(0).switch().load().0, 0);
    assert!(has(&world, CALLER, |note| matches!(note, Note::Ended { .. })), "RFC 3261 13.3.1.4: a BYE");
    assert!(has(&world, 1, |note| matches!(note, Note::Ended { .. })));
    world.close();
}

#[test]
fn r9_loops_and_spent_hops() {
    let mut world = two_people().phone("bob-1", rings_on()).open();
    let session: Box<str> = "0123456789abcdef0123456789abcdef".into();
    world.call(CALLER, Attempt { session: Some(session.clone()), ..Attempt::to("200") });
    world.run_for(seconds(3));
    world.call(CALLER, Attempt { session: Some(session), ..Attempt::to("200") });
    world.run_for(seconds(1));
    assert_eq!(world.final_status(CALLER), Some(482));
    world.call(CALLER, Attempt { hops: 0, ..Attempt::to("200") });
    world.run_for(seconds(1));
    assert_eq!(world.final_status(CALLER), Some(483));
    world.run_for(seconds(120));
    world.close();
}

#[test]
fn s1_10_unknown_numbers_and_absent_phones() {
    let mut world = two_people().open();
    world.call(CALLER, Attempt::to("999"));
    world.run_for(seconds(1));
    assert_eq!(world.final_status(CALLER), Some(404));
    world.call(CALLER, Attempt::to("200"));
    world.run_for(seconds(1));
    assert_eq!(world.final_status(CALLER), Some(480));
    world.call(CALLER, Attempt::to("600"));
    world.run_for(seconds(1));
    assert_eq!(world.final_status(CALLER), Some(200), "the echo");
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn a_late_offer_is_answered_in_the_ack() {
    for ring in [Ring::Plain, Ring::Early] {
        let mut world = two_people().phone("bob-1", Reaction { ring, ..answers_after(2) }).open();
        world.call(CALLER, Attempt { late_offer: true, ..Attempt::to("200") });
        world.run_for(seconds(20));
        assert_eq!(world.final_status(CALLER), Some(200));
        assert!(
            has(&world, CALLER, |note| matches!(note, Note::Progress { .. })),
            "the caller hears that it rings"
        );
        assert_eq!(world.offices[0].orders.len(), 2, "both legs have media");
        world.run_for(seconds(60));
        world.close();
    }
}

#[test]
fn early_media_of_the_next_phone_is_heard_when_the_first_gives_up() {
    let early = |then| Reaction { ring: Ring::Early, then, ..answers_after(2) };
    let stage = two_people().phone("bob-1", early(Then::Refuse(480)));
    let mut world = stage.phone("bob-2", rings_on()).open();
    world.call(CALLER, Attempt { patience: seconds(10), ..Attempt::to("200") });
    world.run_for(seconds(5));
    world.assert_sound();
    let stage = two_people().phone("bob-1", early(Then::Refuse(480)));
    let mut world = stage.phone("bob-2", Reaction { after: seconds(6), ..early(Then::Answer) }).open();
    world.call(CALLER, Attempt::to("200"));
    world.run_for(seconds(60));
    assert_eq!(world.final_status(CALLER), Some(200));
    world.close();
}

#[test]
fn a_repeated_ack_says_nothing_about_the_next_invite() {
    let mut world = two_people().phone("bob-1", answers_after(1)).open();
    // Between our 200 to the second INVITE, whose ACK must bring an answer, and that ACK.
    let deeds = vec![(seconds(2), Deed::AskForOffer), (Duration::from_micros(2_001_500), Deed::RepeatAck)];
    world.call(CALLER, Attempt { deeds, ..Attempt::to("200") });
    world.run_for(seconds(60));
    assert!(record(&world).contains("caller hung up"), "{}", record(&world));
    assert!(has(&world, CALLER, |note| matches!(note, Note::Changed { status: 200, .. })));
    world.close();
}

/// A phone that keeps two flows: phone 1 is its first, phone 2 its second, which registered for longer.
fn two_flows(second: Reaction) -> Stage {
    let stage = two_people().phone("bob-1", answers_after(1)).with(|plan| plan.reg_id = 1);
    stage.phone("bob-1b", second).with(|plan| {
        (plan.device, plan.password) = ("bob-1".into(), "bob-1".into());
        (plan.reg_id, plan.expires) = (2, 600);
    })
}

#[test]
fn r11_two_flows_of_a_phone_ring_once() {
    let mut world = two_flows(answers_after(1)).open();
    world.call(CALLER, Attempt::to("200"));
    world.run_for(seconds(60));
    assert_eq!(world.final_status(CALLER), Some(200));
    assert!(!has(&world, 1, |note| matches!(note, Note::Rings { .. })), "only the newest flow");
    world.close();
}

#[test]
fn r11_the_next_flow_of_a_phone_rings_when_the_first_is_dead() {
    let deaf = Reaction { ring: Ring::Deaf, ..rings_on() };
    let mut world = two_flows(deaf.clone()).open();
    world.call(CALLER, Attempt::to("200"));
    world.run_for(seconds(40));
    assert_eq!(world.final_status(CALLER), Some(200), "after Timer B");
    world.run_for(seconds(60));
    world.close();
    let mut world = two_flows(deaf).with(|plan| plan.transport = sip::Transport::Tcp).open();
    world.call(CALLER, Attempt::to("200"));
    world.after(seconds(1), Act::BreakStream { phone: 2 });
    world.run_for(seconds(5));
    assert_eq!(world.final_status(CALLER), Some(200), "as soon as the stream breaks");
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn r11_a_page_whose_socket_broke_hears_the_far_end_hang_up_over_the_new_one() {
    let hangs_up = Reaction { talk: Some(seconds(20)), ..answers_after(1) };
    let page = |plan: &mut testkit::phone::Plan| (plan.transport, plan.reg_id) = (sip::Transport::Wss, 1);
    // As the caller, and as the one who was called.
    for (caller, callee) in [(0, 1), (1, 0)] {
        let mut stage = Stage::new(9).person("ada", "100").phone("ada-1", hangs_up.clone());
        stage = if caller == 0 { stage.with(page) } else { stage };
        stage = stage.person("bob", "200").phone("bob-1", hangs_up.clone());
        let mut world = if caller == 1 { stage.with(page) } else { stage }.open();
        let page = caller;
        let number = if callee == 1 { "200" } else { "100" };
        world.call(caller, Attempt::to(number));
        world.after(seconds(5), Act::BreakStream { phone: page });
        world.run_for(seconds(15));
        assert_eq!(world.final_status(caller), Some(200));
        assert_eq!(world.exchange(0).switch().load().0, 1, "the call goes on");
        world.run_for(seconds(20));
        assert!(has(&world, page, |note| matches!(note, Note::Ended { .. })), "the BYE arrived");
        assert_eq!(world.exchange(0).switch().load(), (0, 0));
        world.close();
    }
}

#[test]
fn r12_a_contact_that_answers_nothing_is_passed_over_until_it_registers_again() {
    let stage = two_people().phone("bob-1", answers_after(1)).with(|plan| plan.expires = 3_600);
    let mut world = stage.open();
    world.after(Duration::ZERO, Act::PowerOff { phone: 1 });
    let attempt = || Attempt { patience: seconds(60), ..Attempt::to("200") };
    for _ in 0..2 {
        world.call(CALLER, attempt());
        world.run_for(seconds(20));
        assert_eq!(world.exchange(0).switch().load().1, 2, "the dead contact is tried");
        world.run_for(seconds(50));
        assert_eq!(world.final_status(CALLER), Some(480));
    }
    world.call(CALLER, attempt());
    world.run_for(seconds(1));
    assert!(record(&world).contains("offline"), "{}", record(&world));
    world.after(Duration::ZERO, Act::Boot { phone: 1, moved: false });
    world.run_for(seconds(5));
    world.call(CALLER, attempt());
    world.run_for(seconds(5));
    assert_eq!(world.final_status(CALLER), Some(200));
    world.run_for(seconds(60));
    world.close();
}
