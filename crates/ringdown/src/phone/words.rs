//! Commands as a person types them.

use super::hub::{Ear, Heard};
use crate::Failure;
use ::phone::work::{Said, Wish};
use ::phone::{Command, KeyStyle, Look};
use std::io::BufRead as _;

const HELP: &str = "call NUMBER [by ACCOUNT] | use ACCOUNT | answer | reject [STATUS] | hold | resume | dtmf KEYS [info] | transfer NUMBER | join | keep | no | hang_up | history [CALLS] | status | quit";
const LIST_HELP: &str = "with a list: online | away | pause | later MINUTES|tomorrow|TIME | skip | give_up | forbid | result WORD [NOTE] | choose ROW | queue | reload | sign_out | sign_in";

/// Reads the terminal on a thread of its own. Its end is no command: a phone may run without a terminal.
pub(crate) fn read(ear: Ear) -> Result<(), Failure> {
    let read = move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match parse(&line) {
                Ok(Some(said)) => {
                    if ear.send(Heard::Said(said)).is_err() {
                        return;
                    }
                }
                Ok(None) => {}
                Err(why) => eprintln!("{why}"),
            }
        }
    };
    std::thread::Builder::new().name("words".into()).spawn(read)?;
    Ok(())
}

fn parse(line: &str) -> Result<Option<Said>, String> {
    let mut words = line.split_whitespace();
    let Some(verb) = words.next() else { return Ok(None) };
    let rest: Vec<&str> = words.collect();
    let command = match (verb, rest.as_slice()) {
        ("call", [number @ .., "by", account]) if !number.is_empty() => {
            Command::Call { number: number.concat(), account: Some((*account).to_owned()) }
        }
        ("use", [account]) => Command::Use { account: (*account).to_owned() },
        ("call", [_, ..]) => Command::call(rest.concat()),
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
        ("history", []) => return Ok(Some(Said::Look(Look::History { limit: None, seen: true }))),
        ("history", [limit]) => {
            let limit = limit.parse().map_err(|_| format!("\"{limit}\" is no number of calls"))?;
            return Ok(Some(Said::Look(Look::History { limit: Some(limit), seen: true })));
        }
        ("status", []) => Command::Status,
        ("quit", []) => Command::Quit,
        _ => return wish(verb, &rest).map(|wish| Some(Said::List(wish))),
    };
    Ok(Some(Said::Phone(command)))
}

/// What is said of a list.
fn wish(verb: &str, rest: &[&str]) -> Result<Wish, String> {
    Ok(match (verb, rest) {
        ("sign_in", []) => Wish::SignIn,
        ("online", []) => Wish::Online,
        ("away", []) => Wish::Away,
        ("pause", []) => Wish::PauseAfterCall,
        ("sign_out", []) => Wish::SignOut,
        ("reload", []) => Wish::Reload,
        ("choose", [task]) => Wish::Choose { task: (*task).to_owned() },
        ("later", [when]) => match when.parse() {
            Ok(minutes) => Wish::Later { task: None, minutes: Some(minutes), at: None },
            Err(_) => Wish::Later { task: None, minutes: None, at: Some((*when).to_owned()) },
        },
        ("skip", []) => Wish::Skip { task: None },
        ("give_up", []) => Wish::GiveUp { task: None },
        ("forbid", []) => Wish::Forbid { task: None },
        ("result", [result, note @ ..]) => {
            Wish::Result { task: None, result: (*result).to_owned(), note: note.join(" ") }
        }
        ("queue", []) => Wish::Queue,
        _ => return Err(format!("{HELP}\n{LIST_HELP}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_commands() {
        for (line, command) in [
            ("call 600", Command::call("600")),
            (" call  +86 10 ", Command::call("+8610")),
            ("call 20 01 by home", Command::Call { number: "2001".into(), account: Some("home".into()) }),
            ("use home", Command::Use { account: "home".into() }),
            ("reject 603", Command::Reject { call: None, status: Some(603) }),
            ("dtmf 12# info", Command::Dtmf { call: None, keys: "12#".into(), style: KeyStyle::Info }),
            ("transfer 20 03", Command::Transfer { call: None, number: "2003".into() }),
            ("join", Command::Join { call: None, with: None }),
            ("keep", Command::KeepCalling { yes: true }),
            ("no", Command::KeepCalling { yes: false }),
            ("hangup", Command::HangUp { call: None }),
        ] {
            assert_eq!(parse(line), Ok(Some(Said::Phone(command))), "{line}");
        }
        for (line, wish) in [
            ("online", Wish::Online),
            ("later 15", Wish::Later { task: None, minutes: Some(15), at: None }),
            ("later tomorrow", Wish::Later { task: None, minutes: None, at: Some("tomorrow".into()) }),
            (
                "result sold two of them",
                Wish::Result { task: None, result: "sold".into(), note: "two of them".into() },
            ),
        ] {
            assert_eq!(parse(line), Ok(Some(Said::List(wish))), "{line}");
        }
        assert_eq!(parse("  "), Ok(None));
        for line in ["call", "answer 3 4", "reject x", "transfer", "join 2", "dance"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
