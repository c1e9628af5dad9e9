//! Who has access: sessions, tokens and one-time links, all in memory, each kept as a document.
//!
//! Nothing here has a clock or randomness: times, in milliseconds since 1970 UTC, and secrets come in. A secret is kept
//! as its hash only. What a method returns as documents has to be kept before anybody is promised anything (R20).

mod links;
mod over;
mod sessions;
mod tokens;

pub(crate) use links::Link;
pub(crate) use sessions::{LIVES as SESSION_LIVES, Opening, Session};
pub(crate) use tokens::Token;

use crate::backend::Document;
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// All that gives access.
#[derive(Debug, Default)]
pub(crate) struct Access {
    sessions: BTreeMap<String, Session>,
    /// The session of the hash of each cookie.
    by_cookie: BTreeMap<String, String>,
    tokens: BTreeMap<String, Token>,
    /// The token of the hash of each secret.
    by_secret: BTreeMap<String, String>,
    /// By the hash of its secret.
    links: BTreeMap<String, Link>,
    /// Until when it was looked whose time is over.
    looked: i64,
}

const SESSION: &str = "session";
const TOKEN: &str = "token";
const LINK: &str = "link";

impl Access {
    /// What was kept. Sessions that ended meanwhile are among them, to be told and forgotten by [`Access::end_by_time`].
    pub(crate) fn load(documents: &[Document], now: i64) -> Access {
        let mut access = Access { looked: now, ..Access::default() };
        access.put(documents, now);
        access
    }

    /// What was kept, here or by another exchange with the same office.
    pub(crate) fn put(&mut self, documents: &[Document], now: i64) {
        for Document { kind, id, text } in documents {
            let text = text.as_deref().unwrap_or_default();
            match kind.as_str() {
                SESSION => {
                    if let Some(session) = read::<Session>(text) {
                        self.by_cookie.insert(session.cookie.clone(), id.clone());
                        self.sessions.insert(id.clone(), session);
                    }
                }
                TOKEN => {
                    if let Some(token) = read::<Token>(text) {
                        self.by_secret.insert(token.secret.clone(), id.clone());
                        self.tokens.insert(id.clone(), token);
                    }
                }
                LINK => {
                    if let Some(link) = read::<Link>(text)
                        && link.expires > now
                    {
                        self.links.insert(id.clone(), link);
                    }
                }
                _ => {}
            }
        }
    }

    /// An account left: whoever gets its name later gets nothing of its access.
    pub(crate) fn of_account(&self, account: &str) -> Vec<Document> {
        let sessions = self.sessions.iter().filter(|(_, one)| one.account == account);
        let tokens = self.tokens.iter().filter(|(_, one)| one.account == account);
        let links = self.links.iter().filter(|(_, one)| one.account == account);
        sessions
            .map(|(id, _)| gone(SESSION, id))
            .chain(tokens.map(|(id, _)| gone(TOKEN, id)))
            .chain(links.map(|(id, _)| gone(LINK, id)))
            .collect()
    }

    /// Forgets what documents say is gone. Returns the sessions that ended by it.
    pub(crate) fn forget(&mut self, documents: &[Document]) -> Vec<(String, String)> {
        let mut ended = Vec::new();
        for Document { kind, id, text } in documents {
            if text.is_some() {
                continue;
            }
            match kind.as_str() {
                SESSION => {
                    if let Some(session) = self.sessions.remove(id) {
                        self.by_cookie.remove(&session.cookie);
                        ended.push((id.clone(), session.account));
                    }
                }
                TOKEN => {
                    if let Some(token) = self.tokens.remove(id) {
                        self.by_secret.remove(&token.secret);
                        ended.push((super::phone::session_of_token(id), token.account));
                    }
                }
                LINK => drop(self.links.remove(id)),
                _ => {}
            }
        }
        ended
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

fn document(kind: &str, id: &str, value: &impl Serialize) -> Document {
    // What is derived from our own types can always be written.
    Document {
        kind: kind.into(),
        id: id.into(),
        text: Some(serde_json::to_string(value).unwrap_or_default()),
    }
}

fn gone(kind: &str, id: &str) -> Document {
    Document { kind: kind.into(), id: id.into(), text: None }
}
