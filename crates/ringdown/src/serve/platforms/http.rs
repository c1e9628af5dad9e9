//! A platform that speaks JSON over HTTP (docs/platforms.md): one question for many agents, over connections that are kept.

use super::{Back, json, lost};
use crate::Failure;
use crate::config::{PLATFORM_PATIENCE, Platform};
use exchange::{PlatformInput, PlatformOutput, Sighting};
use net::{Bytes, HttpClient, HttpLine, Method};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Agents of one question.
const BATCH: usize = 200;
/// Octets of an answer about many agents, and of one about a single agent.
const MANY: usize = 256 << 10;
const ONE: usize = 4 << 10;
/// How soon events are asked for again when they could not be had.
const AGAIN: Duration = Duration::from_secs(1);

/// Where the platform is, and how we prove ourselves.
struct Server {
    url: String,
    headers: Vec<(&'static str, String)>,
    back: Back,
}

/// An answer that is none, and how it is to be told of.
enum Wrong {
    /// The platform understood, and does not want to.
    Refused(Box<str>),
    /// There is no answer, or none that can be understood.
    Lost(String),
}

/// Begins to serve the ways to a platform, each connection by a task of its own.
pub(super) fn start(
    platform: &Platform,
    client: &HttpClient,
    back: Back,
    lanes: Vec<Receiver<PlatformOutput>>,
    polls: Receiver<PlatformOutput>,
) -> Result<(), Failure> {
    let mut headers = vec![("content-type", "application/json".to_owned())];
    headers.extend(platform.secret()?.map(|token| ("authorization", format!("Bearer {token}"))));
    let url = platform.url.trim_end_matches('/').to_owned();
    let server = Arc::new(Server { url, headers, back });
    let rest = platform.connections - lanes.len() - usize::from(platform.hold > 0);
    for lane in lanes {
        tokio::spawn(serve_agents(Arc::clone(&server), HttpLine::new(client.clone()), lane));
    }
    let lines = (0..rest.max(1)).map(|_| HttpLine::new(client.clone())).collect();
    let (asked, asking) = watch::channel(None);
    tokio::spawn(serve_polls(Arc::clone(&server), lines, polls, asked));
    if platform.hold > 0 {
        let hold = Duration::from_secs(platform.hold.into());
        let fresh = 3 * platform.every() + PLATFORM_PATIENCE;
        tokio::spawn(hear_events(server, HttpLine::new(client.clone()), hold, asking, fresh));
    }
    Ok(())
}

impl Server {
    async fn ask(
        &self,
        line: &mut HttpLine,
        method: Method,
        path: &str,
        body: &impl Serialize,
        limits: (usize, Duration),
    ) -> Result<Bytes, Wrong> {
        let url = format!("{}{path}", self.url);
        let body = serde_json::to_vec(body).map_err(|error| Wrong::Lost(error.to_string()))?;
        let answer = line.ask(method, &url, &self.headers, body.into(), limits.0, limits.1).await;
        let (status, body) = answer.map_err(Wrong::Lost)?;
        match status {
            200..=299 => Ok(body),
            400..=499 => Err(Wrong::Refused(json::refusal(status, &body))),
            _ => Err(Wrong::Lost(format!("status {status}"))),
        }
    }
}

/// Sign-ins, sign-outs and switches, one after another.
async fn serve_agents(server: Arc<Server>, mut line: HttpLine, mut lane: Receiver<PlatformOutput>) {
    while let Some(asked) = lane.recv().await {
        let limits = (ONE, PLATFORM_PATIENCE);
        let (answer, agent) = match &asked {
            PlatformOutput::SignIn { agent, phone } => {
                let path = format!("/agents/{}", escaped(agent));
                (server.ask(&mut line, Method::PUT, &path, &json::SignIn { phone }, limits).await, agent)
            }
            PlatformOutput::SignOut(agent) => {
                let path = format!("/agents/{}", escaped(agent));
                (server.ask(&mut line, Method::DELETE, &path, &(), limits).await, agent)
            }
            PlatformOutput::SetState { agent, wish } => {
                let path = format!("/agents/{}/state", escaped(agent));
                let state = json::SetState { state: json::name(*wish) };
                (server.ask(&mut line, Method::PUT, &path, &state, limits).await, agent)
            }
            PlatformOutput::Poll { .. } => continue,
        };
        let agent = agent.clone();
        let said = match (answer, asked) {
            (_, PlatformOutput::SignOut(_)) => continue,
            (Ok(_), PlatformOutput::SignIn { .. }) => PlatformInput::SignedIn(agent),
            (Ok(_), _) => PlatformInput::Switched(agent),
            (Err(Wrong::Refused(why)), _) => PlatformInput::Refused { agent, why },
            (Err(Wrong::Lost(why)), asked) => {
                tracing::debug!(platform = %server.back.platform, %agent, %why, "no answer about an agent");
                let Some(said) = lost(asked) else { continue };
                said
            }
        };
        server.back.say(said).await;
    }
}

/// Polls, each spread over all lines.
async fn serve_polls(
    server: Arc<Server>,
    mut lines: Vec<HttpLine>,
    mut polls: Receiver<PlatformOutput>,
    asked: watch::Sender<Option<Instant>>,
) {
    let mut was_there = true;
    while let Some(PlatformOutput::Poll { number, agents }) = polls.recv().await {
        asked.send_replace(Some(Instant::now()));
        let next = Arc::new(AtomicUsize::new(0));
        let mut parts = JoinSet::new();
        for line in lines.drain(..) {
            parts.spawn(poll_part(Arc::clone(&server), line, number, Arc::clone(&agents), Arc::clone(&next)));
        }
        let mut fault = None;
        while let Some(part) = parts.join_next().await {
            let Ok((line, ended)) = part else { continue };
            lines.push(line);
            fault = fault.or(ended.err());
        }
        let platform = &server.back.platform;
        match &fault {
            Some(why) if was_there => tracing::warn!(%platform, %why, "the platform does not answer"),
            None if !was_there => tracing::info!(%platform, "the platform answers again"),
            _ => {}
        }
        was_there = fault.is_none();
        let said = if was_there { PlatformInput::Polled } else { PlatformInput::Unreachable };
        server.back.say(said).await;
    }
}

/// Asks for one batch after another that nobody has asked for yet, until one has no answer.
async fn poll_part(
    server: Arc<Server>,
    mut line: HttpLine,
    number: u32,
    agents: Arc<[Box<str>]>,
    next: Arc<AtomicUsize>,
) -> (HttpLine, Result<(), String>) {
    while let Some(batch) = agents.chunks(BATCH).nth(next.fetch_add(1, Ordering::Relaxed)) {
        let asked = json::Asked { agents: batch };
        let limits = (MANY, PLATFORM_PATIENCE);
        let answer = server.ask(&mut line, Method::POST, "/agents/states", &asked, limits).await;
        let seen = answer.map_err(words).and_then(|body| json::states(&body, batch));
        match seen {
            Ok(sightings) => tell(&server, Some(number), sightings).await,
            Err(why) => return (line, Err(why)),
        }
    }
    (line, Ok(()))
}

async fn tell(server: &Server, poll: Option<u32>, sightings: Vec<Sighting>) {
    if !sightings.is_empty() {
        server.back.say(PlatformInput::States { poll, sightings }).await;
    }
}

fn words(wrong: Wrong) -> String {
    match wrong {
        Wrong::Refused(why) => format!("it refused: {why}"),
        Wrong::Lost(why) => why,
    }
}

/// Asks for events, which the platform holds until there are some, for as long as polls are asked for. What is lost here, the
/// next poll brings.
async fn hear_events(
    server: Arc<Server>,
    mut line: HttpLine,
    hold: Duration,
    mut asking: watch::Receiver<Option<Instant>>,
    fresh: Duration,
) {
    let mut token = String::new();
    loop {
        let lately = asking.borrow_and_update().is_some_and(|asked| asked.elapsed() < fresh);
        if !lately {
            token.clear();
            if asking.changed().await.is_err() {
                return;
            }
            continue;
        }
        let path = format!("/events?after={token}&hold_ms={}", hold.as_millis());
        let limits = (MANY, hold + PLATFORM_PATIENCE);
        let answer = server.ask(&mut line, Method::GET, &path, &(), limits).await;
        match answer.map_err(words).and_then(|body| json::events(&body)) {
            Ok((next, sightings)) => {
                token = next;
                tell(&server, None, sightings).await;
            }
            Err(why) => {
                tracing::debug!(platform = %server.back.platform, %why, "no events");
                token.clear();
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// A name as one part of a path (RFC 3986 2.3).
fn escaped(name: &str) -> String {
    let mut path = String::with_capacity(name.len());
    for octet in name.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => path.push(octet.into()),
            other => path.push_str(&format!("%{other:02X}")),
        }
    }
    path
}
