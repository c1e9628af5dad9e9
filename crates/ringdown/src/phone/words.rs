//! Commands as a person types them.

use crate::Failure;
use ::phone::{Command, Hand, KeyStyle};
use std::io::BufRead as _;

const HELP: &str = "call NUMBER | answer | reject [STATUS] | hold | resume | dtmf KEYS [info] | transfer NUMBER | join | keep | no | hang_up | status | quit";

/// Reads the terminal on a thread of its own. Its end is no command: a phone may run without a terminal.
pub(crate) fn read(hand: Hand) -> Result<(), Failure> {
    let read = move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match parse(&line) {
                Ok(Some(command)) => hand.tell(command),
                Ok(None) => {}
                Err(why) => eprintln!("{why}"),
            }
        }
    };
    std::thread::Builder::new().name("words".into()).spawn(read)?;
    Ok(())
}

fn parse(line: &str) -> Result<Option<Command>, String> {
    let mut words = line.split_whitespace();
    let Some(verb) = words.next() else { return Ok(None) };
    let rest: Vec<&str> = words.collect();
    let command = match (verb, rest.as_slice()) {
        ("call", [_, ..]) => Command::Call { number: rest.concat() },
        ("answer", []) => Command::Answer { call: None },
        ("reject", []) => Command::Reject { call: None, status: None },
        ("reject", [status]) => {
            let status = status.parse().map_err(|_| format!("\"{status}\" is no status"))?;
            Command::Reject { call: None, status: Some(status) }
        }
        ("hold", []) => Command::Hold { call: None },
        ("resume", []) => Command::Resume { call: None },
        ("dtmf", [keys]) => Command::Dtmf { call: None, keys: (*keys).to_owned(), style: KeyStyle::Rtp },
        ("dtmf", [keys, "info"]) => {
            Command::Dtmf { call: None, keys: (*keys).to_owned(), style: KeyStyle::Info }
        }
        ("transfer", [_, ..]) => Command::Transfer { call: None, number: rest.concat() },
        ("join", []) => Command::Join { call: None, with: None },
        ("hang_up" | "hangup", []) => Command::HangUp { call: None },
        ("keep" | "yes", []) => Command::KeepCalling { yes: true },
        ("no", []) => Command::KeepCalling { yes: false },
        ("status", []) => Command::Status,
        ("quit", []) => Command::Quit,
        _ => return Err(HELP.to_owned()),
    };
    Ok(Some(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_commands() {
        for (line, command) in [
            ("call 600", Command::Call { number: "600".into() }),
            (" call  +86 10 ", Command::Call { number: "+8610".into() }),
            ("reject 603", Command::Reject { call: None, status: Some(603) }),
            ("dtmf 12# info", Command::Dtmf { call: None, keys: "12#".into(), style: KeyStyle::Info }),
            ("transfer 20 03", Command::Transfer { call: None, number: "2003".into() }),
            ("join", Command::Join { call: None, with: None }),
            ("keep", Command::KeepCalling { yes: true }),
            ("no", Command::KeepCalling { yes: false }),
            ("hangup", Command::HangUp { call: None }),
        ] {
            assert_eq!(parse(line), Ok(Some(command)), "{line}");
        }
        assert_eq!(parse("  "), Ok(None));
        for line in ["call", "answer 3 4", "reject x", "transfer", "join 2", "dance"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
