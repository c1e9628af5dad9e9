//! Tokens: what programs show. A token may what its scopes say, and never more than its account.

use super::{Access, TOKEN, document, gone};
use crate::backend::Document;
use serde::{Deserialize, Serialize};

/// Tokens of one account.
const OF_ACCOUNT: usize = 100;
/// Tokens in all.
const ALL: usize = 10_000;
/// Milliseconds between two times that the last use is kept.
const NOTED: i64 = 5 * 60 * 1_000;

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Token {
    /// Whose it is.
    pub(crate) account: String,
    /// What its owner calls it.
    pub(crate) name: String,
    /// The hash of its secret.
    pub(crate) secret: String,
    /// What it may do.
    pub(crate) scopes: Vec<String>,
    /// When it was made.
    pub(crate) created: i64,
    /// When it gives no access any more.
    pub(crate) expires: Option<i64>,
    /// When it was used last.
    pub(crate) last_used: Option<i64>,
}

impl Access {
    /// A new token; `None` when there are too many.
    pub(crate) fn made(&mut self, id: &str, token: Token) -> Option<Document> {
        let own = self.tokens.values().filter(|one| one.account == token.account).count();
        if own >= OF_ACCOUNT || self.tokens.len() >= ALL {
            return None;
        }
        let kept = document(TOKEN, id, &token);
        self.by_secret.insert(token.secret.clone(), id.into());
        self.tokens.insert(id.into(), token);
        Some(kept)
    }

    /// The token of a secret's hash, used now. The document says that it was used, when that is worth to be kept.
    pub(crate) fn token_of(&mut self, now: i64, secret: &str) -> Option<(String, Token, Option<Document>)> {
        let id = self.by_secret.get(secret)?.clone();
        let token = self.tokens.get_mut(&id)?;
        if token.expires.is_some_and(|end| end <= now) {
            return None;
        }
        let mut note = None;
        if token.last_used.is_none_or(|last| now - last >= NOTED) {
            token.last_used = Some(now);
            note = Some(document(TOKEN, &id, token));
        }
        Some((id, token.clone(), note))
    }

    /// A token by its name.
    pub(crate) fn token(&self, id: &str) -> Option<&Token> {
        self.tokens.get(id)
    }

    /// All tokens, of one account or of all, by name.
    pub(crate) fn tokens<'a>(
        &'a self,
        account: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a String, &'a Token)> {
        self.tokens.iter().filter(move |(_, token)| account.is_none_or(|account| token.account == account))
    }

    /// The end of a token.
    pub(crate) fn end_of_token(id: &str) -> Document {
        gone(TOKEN, id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(account: &str, secret: &str, expires: Option<i64>) -> Token {
        Token {
            account: account.into(),
            name: "script".into(),
            secret: secret.into(),
            scopes: vec!["people:read".into()],
            created: 0,
            expires,
            last_used: None,
        }
    }

    #[test]
    fn tokens_expire_are_noted_when_used_and_leave_with_their_account() {
        let mut access = Access::default();
        let kept = access.made("t1", token("alice", "h1", Some(10_000_000))).unwrap();
        assert!(access.token_of(1, "h1").unwrap().2.is_some(), "the first use is kept");
        assert!(access.token_of(2, "h1").unwrap().2.is_none(), "not each use is");
        assert!(access.token_of(10_000_000, "h1").is_none());
        let mut again = Access::load(&[kept], 0);
        assert_eq!(again.token_of(5, "h1").unwrap().0, "t1");
        let documents = again.of_account("alice");
        again.forget(&documents);
        assert!(again.token_of(5, "h1").is_none());
    }
}
