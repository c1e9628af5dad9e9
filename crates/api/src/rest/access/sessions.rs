//! Sessions: what a browser's cookie opens.

use super::{Access, SESSION, document, gone};
use crate::backend::Document;
use serde::{Deserialize, Serialize};

/// Milliseconds after which a session that nobody uses ends: a night at work.
const IDLE: i64 = 14 * 3_600 * 1_000;
/// Milliseconds after which a session ends in any case.
pub(crate) const LIVES: i64 = 14 * 24 * 3_600 * 1_000;
/// Milliseconds between two times that the last use is kept.
const NOTED: i64 = 5 * 60 * 1_000;
/// Sessions of one account; the one that was used least lately ends for a new one.
const OF_ACCOUNT: usize = 20;
/// Sessions in all.
const ALL: usize = 20_000;

/// A session as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Whose it is.
    pub(crate) account: String,
    /// The hash of its cookie.
    pub(crate) cookie: String,
    /// The fingerprint of the password that it was opened under: another password ends it.
    pub(crate) credential: String,
    /// It was opened by a one-time link, and may set the password.
    pub(crate) by_link: bool,
    /// When it was opened.
    pub(crate) created: i64,
    /// When it was used last.
    pub(crate) last_seen: i64,
    /// When the last use was kept.
    noted: i64,
    /// Where it was opened from.
    pub(crate) address: String,
    /// What the browser calls itself; hostile input.
    pub(crate) agent: String,
}

impl Session {
    /// When it ends if nobody uses it.
    pub(crate) fn expires(&self) -> i64 {
        (self.created + LIVES).min(self.last_seen + IDLE)
    }

    pub(crate) fn is_over(&self, now: i64) -> bool {
        self.expires() <= now
    }
}

/// What a session is opened with.
pub(crate) struct Opening<'a> {
    pub(crate) account: &'a str,
    pub(crate) credential: String,
    pub(crate) by_link: bool,
    pub(crate) address: String,
    pub(crate) agent: &'a str,
}

impl Access {
    /// Opens a session under `id` for the cookie of this hash; `None` when there are too many. With its document come
    /// the ends of those that are over.
    pub(crate) fn opened(
        &mut self,
        now: i64,
        id: &str,
        cookie: String,
        opening: Opening<'_>,
    ) -> Option<Vec<Document>> {
        let mut documents: Vec<Document> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.is_over(now))
            .map(|(id, _)| gone(SESSION, id))
            .collect();
        let mut own: Vec<(&String, i64)> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.account == opening.account && !session.is_over(now))
            .map(|(id, session)| (id, session.last_seen))
            .collect();
        own.sort_by_key(|(_, seen)| *seen);
        let spare = (own.len() + 1).saturating_sub(OF_ACCOUNT);
        documents.extend(own.into_iter().take(spare).map(|(id, _)| gone(SESSION, id)));
        if self.sessions.len() - documents.len() >= ALL {
            return None;
        }
        let session = Session {
            account: opening.account.into(),
            cookie: cookie.clone(),
            credential: opening.credential,
            by_link: opening.by_link,
            created: now,
            last_seen: now,
            noted: now,
            address: opening.address,
            agent: opening.agent.chars().filter(|letter| !letter.is_control()).take(200).collect(),
        };
        documents.push(document(SESSION, id, &session));
        self.by_cookie.insert(cookie, id.into());
        self.sessions.insert(id.into(), session);
        Some(documents)
    }

    /// The session of a cookie's hash, used now. The document says that it was used, when that is worth to be kept.
    pub(crate) fn session_of(
        &mut self,
        now: i64,
        cookie: &str,
    ) -> Option<(String, Session, Option<Document>)> {
        let id = self.by_cookie.get(cookie)?.clone();
        let session = self.sessions.get_mut(&id)?;
        if session.is_over(now) {
            return None;
        }
        session.last_seen = session.last_seen.max(now);
        let mut note = None;
        if now - session.noted >= NOTED {
            session.noted = now;
            note = Some(document(SESSION, &id, session));
        }
        Some((id, session.clone(), note))
    }

    /// A session by its name, if it lives.
    pub(crate) fn session(&self, now: i64, id: &str) -> Option<&Session> {
        self.sessions.get(id).filter(|session| !session.is_over(now))
    }

    /// All sessions that live, of one account or of all, by name.
    pub(crate) fn sessions<'a>(
        &'a self,
        now: i64,
        account: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a String, &'a Session)> {
        self.sessions.iter().filter(move |(_, session)| {
            !session.is_over(now) && account.is_none_or(|account| session.account == account)
        })
    }

    /// The ends of an account's sessions but one.
    pub(crate) fn others(&self, account: &str, except: Option<&str>) -> Vec<Document> {
        let other = |(id, session): &(&String, &Session)| {
            session.account == account && except.is_none_or(|except| id.as_str() != except)
        };
        self.sessions.iter().filter(other).map(|(id, _)| gone(SESSION, id)).collect()
    }

    /// The end of a session.
    pub(crate) fn end_of(id: &str) -> Document {
        gone(SESSION, id)
    }

    /// A session goes on under another password.
    pub(crate) fn renewed(&mut self, id: &str, credential: String) -> Option<Document> {
        let session = self.sessions.get_mut(id)?;
        session.credential = credential;
        session.by_link = false;
        Some(document(SESSION, id, session))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600 * 1_000;

    fn opening(account: &str) -> Opening<'_> {
        Opening {
            account,
            credential: "c".into(),
            by_link: false,
            address: "127.0.0.1".into(),
            agent: "browser\r\n",
        }
    }

    #[test]
    fn sec_11_a_session_ends_when_idle_and_in_any_case_and_survives_a_restart() {
        let mut access = Access::default();
        let kept = access.opened(0, "s1", "hash".into(), opening("alice")).unwrap();
        assert!(access.session_of(IDLE - 1, "hash").is_some());
        let mut again = Access::load(&kept, 1);
        assert_eq!(again.session_of(1, "hash").unwrap().1.agent, "browser");
        assert!(again.session_of(1 + IDLE, "hash").is_none(), "idle");
        assert!(Access::load(&kept, IDLE + 1).session(IDLE, "s1").is_none(), "over at the start");
        let mut at = 0;
        while at < LIVES + 2 * HOUR {
            at += HOUR;
            assert_eq!(access.session_of(at, "hash").is_some(), at < LIVES, "{at}");
        }
        assert!(access.session_of(1, "other").is_none());
    }

    #[test]
    fn an_account_has_a_bounded_number_of_sessions() {
        let mut access = Access::default();
        for index in 0..i64::try_from(OF_ACCOUNT).unwrap() + 5 {
            let id = format!("s{index}");
            let documents = access.opened(index, &id, format!("h{index}"), opening("alice")).unwrap();
            access.forget(&documents);
        }
        assert_eq!(access.sessions(100, Some("alice")).count(), OF_ACCOUNT);
        assert!(access.session(100, "s0").is_none() && access.session(100, "s24").is_some());
        assert_eq!(access.others("alice", Some("s24")).len(), OF_ACCOUNT - 1);
    }
}
