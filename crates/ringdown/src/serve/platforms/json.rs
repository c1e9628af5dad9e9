//! The words of docs/platforms.md, there and back. What comes is hostile: it is refused whole or taken.

use exchange::{PlatformState, Sighting, Wish};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Characters of a refusal that are kept.
const REFUSAL: usize = 120;

#[derive(Serialize)]
pub(super) struct SignIn<'a> {
    pub(super) phone: &'a str,
}

#[derive(Serialize)]
pub(super) struct SetState {
    pub(super) state: &'static str,
}

#[derive(Serialize)]
pub(super) struct Asked<'a> {
    pub(super) agents: &'a [Box<str>],
}

#[derive(Deserialize)]
struct States {
    agents: Vec<Stands>,
}

#[derive(Deserialize)]
struct Stands {
    agent: Box<str>,
    state: Box<str>,
    #[serde(default)]
    ended_ms: Option<u64>,
}

/// What the platform tells of itself, and how the next question is to begin.
#[derive(Deserialize)]
struct Events {
    token: String,
    agents: Vec<Stands>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

pub(super) fn name(wish: Wish) -> &'static str {
    match wish {
        Wish::Ready => "ready",
        Wish::NotReady => "not-ready",
    }
}

fn sighting(stands: Stands) -> Result<Sighting, String> {
    let state = match &*stands.state {
        "offline" => PlatformState::Offline,
        "ready" => PlatformState::Ready,
        "busy" => PlatformState::Busy,
        "after-call" => PlatformState::AfterCall,
        "not-ready" => PlatformState::NotReady,
        other => return Err(format!("{other:?} is no state")),
    };
    Ok(Sighting { agent: stands.agent, state, ended: stands.ended_ms.map(Duration::from_millis) })
}

/// How agents stand; whoever was asked for and is not in it is offline.
pub(super) fn states(body: &[u8], asked: &[Box<str>]) -> Result<Vec<Sighting>, String> {
    let States { agents } = serde_json::from_slice(body).map_err(|error| format!("no answer: {error}"))?;
    let mut seen: Vec<Sighting> = agents.into_iter().map(sighting).collect::<Result<_, _>>()?;
    seen.sort_by(|a, b| a.agent.cmp(&b.agent));
    let missing = asked.iter().filter(|agent| seen.binary_search_by(|one| one.agent.cmp(agent)).is_err());
    let missing: Vec<Sighting> = missing
        .map(|agent| Sighting { agent: agent.clone(), state: PlatformState::Offline, ended: None })
        .collect();
    seen.extend(missing);
    Ok(seen)
}

/// What happened, and the token of the next question.
pub(super) fn events(body: &[u8]) -> Result<(String, Vec<Sighting>), String> {
    let Events { token, agents } =
        serde_json::from_slice(body).map_err(|error| format!("no answer: {error}"))?;
    let sound = token.len() <= 64 && token.bytes().all(|octet| octet.is_ascii_alphanumeric());
    if !sound {
        return Err("the token is not of at most 64 letters and digits".into());
    }
    Ok((token, agents.into_iter().map(sighting).collect::<Result<_, _>>()?))
}

/// Why something was refused, in the platform's words or by its status.
pub(super) fn refusal(status: u16, body: &[u8]) -> Box<str> {
    let words = serde_json::from_slice::<Refusal>(body).map(|refusal| refusal.error).unwrap_or_default();
    let words: String = words.chars().filter(|one| !one.is_control()).take(REFUSAL).collect();
    if words.is_empty() { format!("status {status}").into() } else { words.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_taken_whole_or_refused() {
        let asked = ["ada".into(), "bob".into()];
        let body = br#"{"agents": [{"agent": "ada", "state": "after-call", "ended_ms": 1500, "more": 1}]}"#;
        let seen = states(body, &asked).unwrap();
        assert_eq!(
            (seen[0].state, seen[0].ended),
            (PlatformState::AfterCall, Some(Duration::from_millis(1500)))
        );
        assert_eq!((&*seen[1].agent, seen[1].state), ("bob", PlatformState::Offline));
        for wrong in [
            &b"<html>"[..],
            b"",
            b"\xff{}",
            br#"{"agents": [{"agent": "ada", "state": "asleep"}]}"#,
            br#"{"agents": [{"agent": "ada"}]}"#,
            br#"{"agents": [{"agent": "ada", "state": "busy", "ended_ms": -1}]}"#,
        ] {
            assert!(states(wrong, &asked).is_err());
        }
        assert_eq!(events(br#"{"token": "7a", "agents": []}"#), Ok(("7a".to_owned(), vec![])));
        assert!(events(br#"{"token": "7&x=/", "agents": []}"#).is_err());
    }

    #[test]
    fn a_refusal_is_in_the_platforms_words_without_control_characters() {
        assert_eq!(&*refusal(409, br#"{"error": "no\u001b such agent"}"#), "no such agent");
        assert_eq!(&*refusal(404, b"<html>"), "status 404");
    }
}
