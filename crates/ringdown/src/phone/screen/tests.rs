//! The screen in both languages and sizes, and what keys do on it.

use super::keys::Key;
use super::*;
use ::phone::work::{Said, Wish};
use ::phone::{Command, Ended, Look};
use ratatui::backend::TestBackend;

fn screen(language: Language) -> Screen {
    Screen::new(
        language,
        vec![Account::new("ada", "ada@192.0.2.10".into())],
        true,
        vec![('1', "sold".into())],
    )
}

fn callee(name: &str) -> Callee {
    let fields = vec![("number".into(), "2041".into()), ("debt".into(), "90".into())];
    Callee { task: "00".into(), number: "2041".into(), name: name.into(), fields }
}

fn drawn(screen: &Screen, width: u16, height: u16) -> String {
    let mut terminal = ratatui::Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| screen.draw(frame, Instant::now())).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let rows = buffer.content().chunks(usize::from(width));
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>() + "\n").collect()
}

#[test]
fn s3_11_and_s3_12_state_callee_and_queue_stand_on_the_screen_in_both_languages() {
    for (language, words) in [
        (Language::English, ["online", "headset open", "rings there", "attempt 2: busy", "1 of 3 open"]),
        (Language::Chinese, ["在 线", "耳 机  开", "对 方 振 铃", "第  2 次", "共  3"]),
    ] {
        let mut screen = screen(language);
        let now = Instant::now();
        screen.read(&News::Presence { presence: "online".into() });
        screen.read(&News::Dialling {
            callee: callee("Ann\u{202e}\u{7}"),
            attempt: 2,
            because: "busy".into(),
        });
        screen.read(&News::Headset { open: true });
        screen.hear(now, "ada", &Event::Calling { call: CallId(1), number: "2041".into() });
        screen.hear(now, "ada", &Event::Ringing { call: CallId(1), status: 180, place: None });
        screen.read(&News::Queue {
            next: vec![(callee("Bob"), "priority 5".into())],
            rows: 3,
            open: 1,
            due: 1,
            ended: 2,
            reached: 2,
            refused: 0,
        });
        let text = drawn(&screen, 120, 40);
        for word in words {
            assert!(text.contains(word), "{word}\n{text}");
        }
        assert!(text.contains("debt: 90") && text.contains("Bob  priority 5"), "{text}");
        assert!(!text.contains('\u{202e}') && !text.contains('\u{7}'), "what strangers wrote is text");
        // A small window has less, and does not panic.
        for (width, height) in [(40, 12), (20, 5), (3, 2)] {
            drawn(&screen, width, height);
        }
    }
}

#[test]
fn keys_become_wishes() {
    let mut screen = screen(Language::English);
    let said = |screen: &mut Screen, keys: &str| -> Vec<Said> {
        keys.chars()
            .flat_map(|letter| screen.press(if letter == '\n' { Key::Enter } else { Key::Letter(letter) }))
            .collect()
    };
    let later =
        |minutes, at: Option<&str>| Said::List(Wish::Later { task: None, minutes, at: at.map(Into::into) });
    for (keys, wanted) in [
        ("o", Said::List(Wish::Online)),
        ("1", Said::List(Wish::Result { task: None, result: "sold".into(), note: String::new() })),
        ("d2041\n", Said::Phone(Command::call("2041"))),
        ("l1\n", later(Some(15), None)),
        ("l3\n", later(None, Some("tomorrow"))),
        ("l45\n", later(Some(45), None)),
        (
            "rno interest at all\n",
            Said::List(Wish::Result { task: None, result: "no".into(), note: "interest at all".into() }),
        ),
        ("\n", Said::Phone(Command::Answer { call: None })),
        ("qy", Said::Phone(Command::Quit)),
    ] {
        assert_eq!(said(&mut screen, keys), [wanted], "{keys:?}");
    }
    assert!(said(&mut screen, "qn").is_empty() && said(&mut screen, "t").is_empty(), "there is no call");
    assert!(screen.press(Key::Escape).is_empty());
    screen.hear(Instant::now(), "ada", &Event::Suggested { number: "2041".into(), calls: 3 });
    assert!(drawn(&screen, 100, 30).contains("2041 did not answer 3 times"));
    assert_eq!(said(&mut screen, "y"), [Said::Phone(Command::KeepCalling { yes: true })]);
}

#[test]
fn keys_go_to_the_far_side_until_the_call_ends() {
    let mut screen =
        Screen::new(Language::English, vec![Account::new("ada", "ada@h".into())], false, Vec::new());
    screen.hear(
        Instant::now(),
        "ada",
        &Event::Incoming { call: CallId(7), number: "2041".into(), name: "Bob".into() },
    );
    assert!(drawn(&screen, 80, 24).contains("rings here 0:00  2041 Bob"));
    screen.press(Key::Letter('k'));
    let pressed = screen.press(Key::Letter('5'));
    assert!(matches!(&pressed[..], [Said::Phone(Command::Dtmf { keys, .. })] if keys == "5"));
    assert!(screen.press(Key::Letter('o')).is_empty(), "no list, and no tone");
    let cause = Ended::from(::phone::Cause::TheyHungUp);
    screen.hear(Instant::now(), "ada", &Event::Ended { call: CallId(7), cause });
    assert!(matches!(screen.asking, Asking::Nothing));
    assert!(drawn(&screen, 80, 24).contains("No call."));
}

#[test]
fn s3_11_several_accounts_stand_at_the_head_and_tab_chooses_who_calls() {
    let accounts = vec![Account::new("office", "a@o".into()), Account::new("home", "a@h".into())];
    let mut screen = Screen::new(Language::English, accounts, false, Vec::new());
    screen.hear(Instant::now(), "office", &Event::Registered { expires: 60 });
    let away = Event::NotRegistered { status: 503, reason: "Away".into(), retry_s: 4 };
    screen.hear(Instant::now(), "home", &away);
    let rings = Event::Incoming { call: CallId(1), number: "2041".into(), name: String::new() };
    screen.hear(Instant::now(), "home", &rings);
    let text = drawn(&screen, 80, 24);
    for words in
        ["office  ● registered", "home  ○ not registered 503 Away", "2041  [home]", "[home] incoming call"]
    {
        assert!(text.contains(words), "{words}\n{text}");
    }
    screen.press(Key::Letter('d'));
    screen.press(Key::Tab);
    assert!(drawn(&screen, 80, 24).contains("Dial by home"));
    screen.press(Key::Letter('9'));
    let call = Command::Call { number: "9".into(), account: Some("home".into()) };
    assert_eq!(screen.press(Key::Enter), [Said::Phone(call)]);
}

fn entry(number: &str, kind: ::phone::Kind) -> Entry {
    let (account, name, words) = ("home".to_owned(), "Bob".to_owned(), "they hung up".to_owned());
    let cause = Some(::phone::Cause::TheyHungUp);
    Entry { at_ms: 0, kind, account, number: number.into(), name, seconds: Some(65), cause, words }
}

fn full(language: Language) -> Screen {
    let accounts = vec![Account::new("office", "a@o".into()), Account::new("home", "a@h".into())];
    let lamps = ["2001", "2002", "2003", "2004"].map(|number| ("office".to_owned(), number.to_owned()));
    let mut screen =
        Screen::new(language, accounts, true, vec![('1', "sold".into()), ('2', "refused".into())])
            .with_lamps(lamps.to_vec(), "*85");
    let states = [LampState::Idle, LampState::Ringing, LampState::Busy];
    for (number, state) in ["2001", "2002", "2003"].into_iter().zip(states) {
        let lamp = Event::Lamp { number: number.into(), state, why: String::new() };
        screen.hear(Instant::now(), "office", &lamp);
    }
    screen.hear(Instant::now(), "home", &Event::Messages { new: 3, old: 1 });
    let calls = vec![entry("2041", ::phone::Kind::Missed), entry("2042", ::phone::Kind::Dialled)];
    screen.recall(&Recalled::History { missed: 1, calls });
    screen
}

#[test]
fn s3_11_the_state_line_shows_missed_calls_messages_and_lamps_in_both_languages_and_sizes() {
    for (language, words) in [
        (
            Language::English,
            [
                "1 missed",
                "3 new messages",
                "2001\u{a0}○\u{a0}idle",
                "2002\u{a0}◐\u{a0}rings",
                "2004\u{a0}?\u{a0}unknown",
            ],
        ),
        (
            Language::Chinese,
            [
                "未 接  1",
                "新 留 言  3",
                "2001\u{a0}○\u{a0}空 闲",
                "2002\u{a0}◐\u{a0}振 铃",
                "2004\u{a0}?\u{a0}未 知",
            ],
        ),
    ] {
        let screen = full(language);
        for (width, height) in [(80, 24), (140, 40)] {
            let text = drawn(&screen, width, height);
            for word in words {
                assert!(text.contains(word), "{word}\n{text}");
            }
            // Each key has its word at the foot.
            for (key, word) in keys::PHONE.iter().chain(&keys::LIST) {
                let word: String = language.text(word).split(' ').next().unwrap_or_default().into();
                let first = word.chars().next().unwrap();
                assert!(text.contains(&format!("{key}\u{a0}{first}")), "{key} {word}\n{text}");
            }
        }
        for (width, height) in [(40, 12), (20, 5), (3, 2)] {
            drawn(&screen, width, height);
        }
    }
}

#[test]
fn s3_11_a_call_of_the_past_is_made_again_and_what_rings_is_picked_up() {
    let mut screen = full(Language::English);
    let look = Said::Look(Look::History { limit: Some(100), seen: true });
    assert_eq!(screen.press(Key::Letter('c')), [look]);
    let text = drawn(&screen, 80, 24);
    for words in ["! missed  2041 Bob  1:05  [home]  they hung up", "→ dialled  2042", "Enter calls again"]
    {
        assert!(text.contains(words), "{words}\n{text}");
    }
    screen.press(Key::Down);
    let call = |number: &str, account: &str| {
        Said::Phone(Command::Call { number: number.into(), account: Some(account.into()) })
    };
    assert_eq!(screen.press(Key::Enter), [call("2042", "home")]);
    assert!(drawn(&screen, 80, 24).contains("Calls"), "the past is left");
    screen.press(Key::Letter('b'));
    assert!(drawn(&screen, 80, 24).contains("Enter calls 2001"));
    screen.press(Key::Right);
    assert!(drawn(&screen, 80, 24).contains("It rings at 2002: Enter picks it up"));
    assert_eq!(screen.press(Key::Enter), [call("*852002", "office")]);
    assert_eq!(screen.press(Key::Letter('j')), [Said::Phone(Command::Join { call: None, with: None })]);
    let logged = Recalled::Logged { missed: 2, entry: entry("2043", ::phone::Kind::Missed) };
    screen.recall(&logged);
    assert!(drawn(&screen, 80, 24).contains("2 missed"));
}
