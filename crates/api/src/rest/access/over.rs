//! What ends by time: nobody asks for it, so it has to be looked for.

use super::{Access, SESSION, gone};
use crate::backend::Document;

/// Sessions that end in one look; the next ones do in the next.
const AT_ONCE: usize = 256;

/// What one look found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Over {
    /// What need not be kept any more.
    pub(crate) documents: Vec<Document>,
    /// What ended, each with whose it was.
    pub(crate) ended: Vec<(String, String)>,
}

impl Access {
    /// Forgets the sessions whose time is over by `now`, and tells the tokens whose time ended since the last look. A
    /// token stays in the list, so that its owner sees why a program is refused.
    pub(crate) fn end_by_time(&mut self, now: i64) -> Over {
        let sessions = self.sessions.iter().filter(|(_, session)| session.is_over(now));
        let documents: Vec<Document> = sessions.take(AT_ONCE).map(|(id, _)| gone(SESSION, id)).collect();
        let mut ended = self.forget(&documents);
        let since = self.looked;
        self.looked = since.max(now);
        let tokens =
            self.tokens.iter().filter(|(_, one)| one.expires.is_some_and(|end| since < end && end <= now));
        ended
            .extend(tokens.map(|(id, one)| (super::super::phone::session_of_token(id), one.account.clone())));
        Over { documents, ended }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Opening, SESSION_LIVES, Token};
    use super::*;

    const DAY: i64 = 24 * 3_600 * 1_000;

    fn open(access: &mut Access, now: i64, account: &str, id: &str) -> Vec<Document> {
        let opening = Opening {
            account,
            credential: "c".into(),
            by_link: false,
            address: "127.0.0.1".into(),
            agent: "browser",
        };
        access.opened(now, id, format!("cookie of {id}"), opening).expect("room")
    }

    fn ended(access: &mut Access, now: i64) -> Vec<String> {
        access.end_by_time(now).ended.into_iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn s0_1_a_session_that_nobody_uses_is_told_at_its_end_and_once() {
        let mut access = Access::default();
        open(&mut access, 0, "alice", "s1");
        open(&mut access, DAY / 2, "alice", "s2");
        let end = access.session(0, "s1").expect("it lives").expires();
        assert_eq!(access.end_by_time(end - 1), Over::default());
        let over = access.end_by_time(end);
        assert_eq!(over.ended, [("s1".to_owned(), "alice".to_owned())]);
        assert_eq!(over.documents, [gone(SESSION, "s1")]);
        assert_eq!(access.end_by_time(end), Over::default(), "told once");
        assert!(access.session_of(end, "cookie of s1").is_none());
        assert!(access.session_of(end, "cookie of s2").is_some(), "the other one lives");
    }

    #[test]
    fn s0_1_a_session_ends_after_its_days_however_much_it_is_used() {
        let mut access = Access::default();
        open(&mut access, 0, "alice", "s1");
        for at in (0..SESSION_LIVES).step_by(3_600 * 1_000) {
            assert!(access.session_of(at, "cookie of s1").is_some());
            assert!(ended(&mut access, at).is_empty(), "{at}");
        }
        assert_eq!(ended(&mut access, SESSION_LIVES), ["s1"]);
    }

    #[test]
    fn s0_1_what_ended_while_the_exchange_was_off_is_told_at_its_start() {
        let kept = open(&mut Access::default(), 0, "alice", "s1");
        let mut access = Access::load(&kept, SESSION_LIVES);
        assert!(access.session_of(SESSION_LIVES, "cookie of s1").is_none());
        assert_eq!(access.end_by_time(SESSION_LIVES).documents, [gone(SESSION, "s1")]);
    }

    #[test]
    fn s0_2_a_token_is_told_at_its_end_once_and_stays_in_the_list() {
        let mut access = Access::default();
        let token = Token {
            account: "alice".into(),
            name: "portal".into(),
            secret: "h".into(),
            scopes: vec!["phone".into()],
            created: 0,
            expires: Some(DAY),
            last_used: None,
        };
        access.made("t1", Token { secret: "g".into(), expires: None, ..token.clone() });
        access.made("t2", token);
        assert!(ended(&mut access, DAY - 1).is_empty());
        assert_eq!(ended(&mut access, DAY + 300), ["token/t2"]);
        assert!(ended(&mut access, 2 * DAY).is_empty(), "told once");
        assert_eq!(access.tokens(None).count(), 2);
    }

    #[test]
    fn a_look_ends_a_bounded_number_and_the_next_goes_on() {
        let mut access = Access::default();
        for index in 0..AT_ONCE + 7 {
            open(&mut access, 0, &format!("a{index}"), &format!("s{index}"));
        }
        assert_eq!(ended(&mut access, 2 * SESSION_LIVES).len(), AT_ONCE);
        assert_eq!(ended(&mut access, 2 * SESSION_LIVES).len(), 7);
    }
}
