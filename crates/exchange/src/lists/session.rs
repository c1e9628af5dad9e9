//! Links: what an agent's phone proves itself by, what its file has, and what it gives back.

use super::files::FileRequest;
use super::{FILES, ListAnswer, ListChange, RowName, SESSIONS};
use crate::exchange::Exchange;
use clock::{Now, Wall};
use dialing::Number;
use lists::Assignment;
use sip::bearer::TokenHash;

/// One link of an agent. An agent works by one at a time; one that is over still takes results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its name.
    pub id: u32,
    /// Whose.
    pub agent: Box<str>,
    /// The phone that was given it; empty if it may be any.
    pub device: Box<str>,
    /// No phone works by it: the exchange does, for whoever sits at a phone that only calls ([`super::desk`]).
    pub desk: bool,
    /// What proves it; of a desk's nobody knows.
    pub token: TokenHash,
    /// Since when.
    pub since: Wall,
    /// For how long.
    pub until: Wall,
    /// When it was over.
    pub over: Option<Wall>,
    /// The run whose results its file leaves out, because its phone knows them; 0 when none has begun.
    pub run: u32,
    /// Names what its phone said is left.
    pub left: Box<str>,
    /// Grows whenever its file changes.
    pub version: u32,
    /// Tells one content of its file from another.
    pub content: u64,
    /// The rows of its file, in order.
    pub served: Vec<RowName>,
    /// Numbers that left the file with this version, and of which its phone has not said that it knows.
    pub dropping: Vec<(Number, u32)>,
}

impl Exchange {
    /// Makes a link for an agent; the one before is over, and so is its file.
    pub(super) fn open_link(&mut self, now: Now, agent: &str, device: &str) -> (Vec<ListChange>, ListAnswer) {
        let random = || format!("{:016x}", self.switch.endpoint().random());
        let token: String = std::iter::repeat_with(random).take(4).collect();
        let mut changes = self.close_link(now, agent);
        let session = Session {
            id: self.lists.last_session + 1,
            agent: agent.into(),
            device: device.into(),
            desk: false,
            token: TokenHash::of(&token),
            since: now.wall,
            until: Wall(now.wall.0.saturating_add(milliseconds(self.config.lists.lives))),
            over: None,
            run: 0,
            left: Box::default(),
            version: 0,
            content: 0,
            served: Vec::new(),
            dropping: Vec::new(),
        };
        if !device.is_empty() {
            self.lists.tokens.insert(session.id, token.as_str().into());
        }
        changes.push(ListChange::Session(Box::new(session)));
        let old = self
            .lists
            .sessions
            .values()
            .filter(|session| session.until <= now.wall)
            .map(|session| session.id);
        changes.extend(old.map(ListChange::SessionGone));
        if self.lists.sessions.len() >= SESSIONS {
            changes.extend(self.lists.sessions.keys().next().map(|id| ListChange::SessionGone(*id)));
        }
        (changes, ListAnswer::Link(Box::new(self.assignment(agent, token))))
    }

    /// The link by which an agent's file lies at another server: a new one if no phone works for them. The one before may be over
    /// because they signed in elsewhere; then it has nothing until they have left.
    pub(super) fn outside_link(
        &mut self,
        now: Now,
        agent: &str,
        mine: Option<&TokenHash>,
    ) -> (Vec<ListChange>, ListAnswer) {
        match self.lists.current(agent).filter(|session| session.until > now.wall) {
            Some(session) if mine == Some(&session.token) => (Vec::new(), ListAnswer::Done),
            Some(_) => (Vec::new(), ListAnswer::Missing),
            None => self.open_link(now, agent, ""),
        }
    }

    /// What a phone is told that works for an agent.
    pub(super) fn assignment(&self, agent: &str, token: String) -> Assignment {
        let policy = &self.config.lists;
        let base = policy.url.as_deref().unwrap_or(&self.lists.address).trim_end_matches('/');
        let folder = format!("{base}{FILES}/{}", in_path(agent));
        let mut emergency: Vec<String> =
            self.config.emergency.numbers.iter().map(ToString::to_string).collect();
        emergency.retain(|number| Number::parse(number).is_ok());
        Assignment {
            agent: agent.to_owned(),
            list: format!("{folder}/calls.jsonl"),
            results: format!("{folder}/results"),
            token,
            zone: self.config.background.zone.to_string(),
            country: self.config.numbering.country.to_string(),
            emergency,
            ..policy.assignment.clone()
        }
    }

    /// The link of an agent is over: its phone brings results, and its file has nothing any more.
    pub(super) fn close_link(&self, now: Now, agent: &str) -> Vec<ListChange> {
        let Some(session) = self.lists.current(agent) else { return Vec::new() };
        let mut session = session.clone();
        session.over = Some(now.wall);
        if session.desk {
            session.until = Wall(now.wall.0.saturating_add(milliseconds(self.config.lists.lives)));
        }
        let open = session.served.iter().filter(|row| self.lists.row_is_open(**row));
        let numbers: Vec<Number> = open.filter_map(|row| self.lists.number(*row)).collect();
        session.served.clear();
        session.version += 1;
        let version = session.version;
        session.dropping.extend(numbers.into_iter().map(|number| (number, version)));
        vec![ListChange::Session(Box::new(session))]
    }

    /// The link of an agent opens nothing any more, results neither.
    pub(super) fn revoke_link(&self, agent: &str) -> Vec<ListChange> {
        let all = self.lists.sessions.values().filter(|session| *session.agent == *agent);
        all.map(|session| ListChange::SessionGone(session.id)).collect()
    }

    /// The session of a request, and that its phone was heard.
    pub(super) fn session_for(&mut self, now: Now, request: &FileRequest) -> Option<Session> {
        let session = self.lists.session_of(now.wall, &request.agent, &request.token)?.clone();
        if request.by_phone
            && let Some(live) = self.lists.live.get_mut(&session.id)
        {
            live.seen = now.mono;
        }
        Some(session)
    }
}

/// A name as one step of a path (RFC 3986 3.3).
fn in_path(name: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~+@".contains(&octet);
    name.bytes()
        .map(|octet| if plain(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") })
        .collect()
}

fn milliseconds(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
