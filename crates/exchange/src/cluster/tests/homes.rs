//! Which of the two registers at the provider: its home alone, and what becomes of the registration when that is another (R25).

use super::*;

const LASTS: Duration = Duration::from_secs(3);

fn header<'m>(message: &'m str, name: &str) -> &'m str {
    let value = message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    value.unwrap_or_default()
}

fn expires(register: &str) -> u64 {
    header(register, "Expires").parse().expect("Expires")
}

impl Pair {
    /// Both have found the provider.
    fn with_a_provider() -> Pair {
        let mut pair = Pair::new();
        for place in 0..2 {
            let lives = Duration::from_secs(3_600);
            let flows = vec![city(place)];
            pair.feed(place, Input::Reached { trunk: "city".into(), flows, lives, why: String::new() });
            pair.feed(place, Input::Timeout);
        }
        pair.sent.clear();
        pair
    }

    fn homes(&mut self, place: usize, trunks: &[&str]) {
        let trunks = trunks.iter().map(|trunk| (*trunk).into()).collect();
        self.told(place, ClusterInput::Homes { trunks, lasts: LASTS });
        self.feed(place, Input::Timeout);
    }

    /// What one sends the provider to be registered, or to be no more; each but once.
    fn registers(&mut self, place: usize) -> Vec<String> {
        let (found, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.sent)
            .into_iter()
            .partition(|(flow, text)| *flow == city(place) && text.starts_with("REGISTER "));
        self.sent = rest.into();
        found.into_iter().map(|(_, text)| text).collect()
    }

    /// The provider answers.
    fn provider_says(&mut self, place: usize, request: &str, status: &str, more: &str) {
        let lines = request.lines().filter(|line| {
            ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name))
        });
        let headers: String = lines.map(|line| format!("{line}\r\n")).collect();
        let answer = format!("SIP/2.0 {status}\r\n{headers}{more}Content-Length: 0\r\n\r\n");
        self.says(place, city(place), &answer);
    }

    fn is_registered(&mut self, place: usize) {
        let asked = self.registers(place).pop().expect("it registers");
        assert!(expires(&asked) > 0);
        self.provider_says(place, &asked, "200 OK", "Expires: 600\r\n");
    }

    fn trunk_state(&mut self, place: usize) -> String {
        match self.command(place, Command::ListTrunks) {
            Answer::Trunks(rows) => rows[0].2.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// The other hears how one is.
    fn standing_is_told(&mut self, place: usize) {
        match self.command(place, Command::Standing) {
            Answer::Standing(standing) => {
                let of = number(place);
                self.told(1 - place, ClusterInput::Stands { of, standing: *standing });
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Not the keeper: who is the home, from the moment that it is, and nobody before that.
#[test]
fn r25_a_trunk_is_registered_by_its_home_alone() {
    let mut pair = Pair::with_a_provider();
    assert!(pair.registers(0).is_empty() && pair.registers(1).is_empty(), "it is nobody's yet");
    for place in 0..2 {
        let due = pair.exchanges[place].next_deadline().map(|(when, _)| when);
        assert!(due.is_none_or(|when| when > pair.now.mono), "it does not wake for ever");
    }
    pair.homes(0, &[]);
    pair.homes(1, &["city"]);
    pair.is_registered(1);
    pair.passes(Duration::from_secs(100));
    assert!(pair.registers(0).is_empty());
    pair.standing_is_told(1);
    assert!(pair.trunk_state(0).ends_with(", registered at south"), "{}", pair.trunk_state(0));
    assert!(pair.trunk_state(1).ends_with(", registered"), "{}", pair.trunk_state(1));
    // A home of its own that is told again is nothing new.
    pair.homes(1, &["city"]);
    assert!(pair.registers(1).is_empty());
}

/// Without the database nobody knows whose it is: it is not refreshed, and not ended.
#[test]
fn r25_a_registration_rests_while_nobody_says_whose_it_is() {
    let mut pair = Pair::with_a_provider();
    pair.homes(0, &["city"]);
    pair.is_registered(0);
    pair.passes(Duration::from_secs(481));
    pair.passes(Duration::from_secs(20));
    assert!(pair.registers(0).is_empty(), "it is due, and rests");
    assert!(pair.trunk_state(0).ends_with(", registered"));
    pair.homes(0, &["city"]);
    pair.passes(Duration::from_secs(2));
    pair.is_registered(0);
    // A challenge is not met either.
    pair.homes(0, &["city"]);
    pair.passes(Duration::from_secs(481));
    pair.homes(0, &["city"]);
    pair.passes(Duration::from_secs(2));
    let asked = pair.registers(0).pop().expect("it is refreshed");
    pair.now = pair.now.after(LASTS);
    let challenge = "WWW-Authenticate: Digest realm=\"city\", nonce=\"1\"\r\n";
    pair.provider_says(0, &asked, "401 Unauthorized", challenge);
    assert!(pair.registers(0).is_empty());
}

/// Calls find somebody at each moment, and two only for a moment.
#[test]
fn r25_the_old_home_stays_registered_until_the_next_one_is() {
    let mut pair = Pair::with_a_provider();
    pair.homes(0, &["city"]);
    pair.is_registered(0);
    pair.standing_is_told(0);
    pair.homes(0, &[]);
    pair.passes(Duration::from_secs(500));
    assert!(pair.registers(0).is_empty(), "its contact stands, and is not refreshed");
    assert!(
        pair.trunk_state(1).ends_with(", registered at north"),
        "it is told so until north says otherwise"
    );
    pair.homes(1, &["city"]);
    assert!(pair.exchanges[0].has_registrations_to_leave(), "who stops waits for the other");
    pair.is_registered(1);
    pair.standing_is_told(0);
    pair.standing_is_told(1);
    let left = pair.registers(0).pop().expect("it removes its contact");
    assert_eq!(expires(&left), 0);
    assert!(header(&left, "Contact").contains(&door(0).to_string()), "its own alone: {left}");
    pair.provider_says(0, &left, "200 OK", "");
    assert!(!pair.exchanges[0].has_registrations_to_leave());
    assert!(pair.trunk_state(0).ends_with(", registered at south"));
    pair.standing_is_told(1);
    assert!(pair.registers(0).is_empty(), "once");
    assert!(pair.registers(1).is_empty());
}

/// Until the other is registered, who stops is the only one that the provider calls.
#[test]
fn r25_whoever_stops_takes_calls_of_the_trunk_until_it_has_left() {
    let mut pair = Pair::with_a_provider();
    pair.homes(0, &["city"]);
    pair.is_registered(0);
    pair.exchanges[0].drain();
    let refuses = |pair: &mut Pair| {
        pair.sent.clear();
        pair.calls(0, "100");
        pair.sent.iter().any(|(flow, text)| *flow == city(0) && text.starts_with("SIP/2.0 503"))
    };
    assert!(!refuses(&mut pair), "{:?}", pair.sent);
    pair.homes(0, &[]);
    pair.homes(1, &["city"]);
    pair.is_registered(1);
    pair.sent.clear();
    pair.standing_is_told(1);
    let left = pair.registers(0).pop().expect("it removes its contact");
    pair.provider_says(0, &left, "200 OK", "");
    assert!(refuses(&mut pair), "now the other is called: {:?}", pair.sent);
}

/// Nobody is waited for who cannot come, and who is home again registers after what it had ended.
#[test]
fn r25_whoever_is_home_again_registers_after_it_has_left() {
    let mut pair = Pair::with_a_provider();
    pair.homes(0, &["city"]);
    pair.is_registered(0);
    pair.homes(0, &[]);
    pair.homes(1, &["city"]);
    pair.is_registered(1);
    pair.standing_is_told(1);
    let left = pair.registers(0).pop().expect("it removes its contact");
    pair.homes(1, &[]);
    pair.homes(0, &["city"]);
    let again = pair.registers(0).pop().expect("it is home again");
    pair.provider_says(0, &again, "200 OK", "Expires: 600\r\n");
    pair.provider_says(0, &left, "200 OK", "");
    assert_eq!(pair.registers(0).iter().map(|asked| expires(asked)).collect::<Vec<_>>(), [600]);
    pair.others(0, false);
    assert!(!pair.exchanges[0].has_registrations_to_leave(), "the other cannot be reached");
}

/// What the store does with a home, tick by tick, as `crates/store/src/homes.rs` says.
struct Leases {
    owner: usize,
    next: Option<usize>,
    /// When each has said last that it lives, and since when it has done so without a gap.
    alive: [Duration; 2],
    since: [Duration; 2],
    /// When the owner's core was told that it is the home no more.
    left: Option<Duration>,
    /// When the next one had it last.
    moved: Duration,
}

impl Leases {
    /// One tends; whether it is the home.
    fn tend(&mut self, place: usize, now: Duration, moves: bool) -> bool {
        let second = Duration::from_secs(1);
        if now > self.alive[place] + 4 * second {
            self.since[place] = now;
        }
        self.alive[place] = now;
        let other = 1 - place;
        let lives = |place: usize| now <= self.alive[place] + 5 * second;
        if self.owner == other && !lives(other) && now > self.since[place] + 4 * second {
            (self.owner, self.next, self.left) = (place, None, None);
        } else if moves && lives(1 - self.owner) && self.next.is_none() && now > self.moved + 10 * second {
            self.next = Some(1 - self.owner);
        }
        if self.owner == place && self.left.is_some_and(|left| now >= left + second) {
            self.moved = now;
            (self.owner, self.next, self.left) = (other, None, None);
        }
        if self.owner == place && self.next.is_some() {
            self.left.get_or_insert(now);
        }
        self.owner == place && self.next.is_none()
    }
}

/// The two, a store that is away from one or both at times, and a provider that remembers whom it knows.
struct Shift {
    pair: Pair,
    leases: Leases,
    random: u64,
    /// Until when each believes that it is home.
    believes: [Duration; 2],
    /// Until when the provider has each one's contact.
    contacts: [Duration; 2],
    registered: [usize; 2],
}

impl Shift {
    fn new(seed: u64) -> Shift {
        let (owner, next, left, none) = (0, None, None, [Duration::ZERO; 2]);
        let leases = Leases { owner, next, alive: none, since: none, left, moved: Duration::ZERO };
        Shift {
            pair: Pair::with_a_provider(),
            leases,
            random: seed,
            believes: none,
            contacts: none,
            registered: [0; 2],
        }
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33).is_multiple_of(count)
    }

    /// Who is told what, 100 ms later than the last time.
    fn step(&mut self, tick: u32, away: [bool; 2]) {
        let now = Duration::from_millis(100) * tick;
        self.pair.passes(Duration::from_millis(100));
        // What was due was sent before anybody is told anything new.
        self.provider_answers(now);
        for (place, away) in away.into_iter().enumerate() {
            if !away && tick % 10 == 5 * u32::try_from(place).expect("a place") {
                let moves = self.one_in(20);
                let is_home = self.leases.tend(place, now, moves);
                self.believes[place] = if is_home { now + LASTS } else { Duration::ZERO };
                self.pair.homes(place, if is_home { &["city"] } else { &[] });
            }
            if tick % 20 == 7 {
                self.pair.standing_is_told(place);
            }
        }
        self.provider_answers(now);
    }

    fn provider_answers(&mut self, now: Duration) {
        while let Some((flow, text)) = self.pair.sent.pop_front() {
            let Some(place) = (0..2).find(|place| city(*place) == flow) else { continue };
            if !text.starts_with("REGISTER ") {
                self.pair.provider_says(place, &text, "200 OK", "");
            } else if expires(&text) == 0 {
                self.contacts[place] = Duration::ZERO;
                self.pair.provider_says(place, &text, "200 OK", "");
            } else {
                assert!(self.believes[place] > now, "{place} registers at {now:?}, and is not the home");
                assert!(self.believes[1 - place] <= now, "both believe to be the home at {now:?}");
                self.contacts[place] = now + Duration::from_secs(40);
                self.registered[place] += 1;
                self.pair.provider_says(place, &text, "200 OK", "Expires: 40\r\n");
            }
        }
    }
}

#[test]
fn r25_two_never_register_at_one_trunk_while_both_may() {
    for seed in 0..20 {
        let mut shift = Shift::new(seed);
        let mut away = [false; 2];
        for tick in 0..6_000 {
            for gone in &mut away {
                *gone ^= shift.one_in(if *gone { 60 } else { 200 });
            }
            shift.step(tick, away);
        }
        assert!(shift.registered.iter().all(|count| *count > 5), "{:?}", shift.registered);
    }
}

#[test]
fn r25_somebody_is_registered_at_each_moment_of_a_move_and_two_for_some_seconds_only() {
    for seed in 0..20 {
        let mut shift = Shift::new(seed);
        let mut both = 0;
        for tick in 0..6_000 {
            shift.step(tick, [false; 2]);
            let now = Duration::from_millis(100) * tick;
            let known = shift.contacts.iter().filter(|until| **until > now).count();
            assert!(known > 0 || tick < 20, "nobody is registered at {now:?}");
            both = if known == 2 { both + 1 } else { 0 };
            assert!(both <= 30, "both are registered for 3 s at {now:?}");
        }
        assert!(shift.registered.iter().all(|count| *count > 5), "{:?}", shift.registered);
    }
}
