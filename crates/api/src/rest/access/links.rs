//! One-time links: each opens one session of one account, once, within its time.

use super::{Access, LINK, document, gone};
use crate::backend::Document;
use serde::{Deserialize, Serialize};

/// Milliseconds that a link waits for its use.
const LIVES: i64 = 3 * 24 * 3_600 * 1_000;
/// Links in all; the oldest gives way.
const ALL: usize = 2_000;

/// A link as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    /// Whose session it opens.
    pub(crate) account: String,
    /// When it opens none any more.
    pub(crate) expires: i64,
}

impl Access {
    /// A new link of the secret with this hash. An account has one at a time: the one before is over.
    pub(crate) fn linked(&mut self, now: i64, secret: String, account: &str) -> (Link, Vec<Document>) {
        let over = |link: &Link| link.account == account || link.expires <= now;
        let mut ended: Vec<String> =
            self.links.iter().filter(|(_, link)| over(link)).map(|(id, _)| id.clone()).collect();
        if self.links.len() - ended.len() >= ALL {
            let left = self.links.iter().filter(|(_, link)| !over(link));
            ended.extend(left.min_by_key(|(_, link)| link.expires).map(|(id, _)| id.clone()));
        }
        for id in &ended {
            self.links.remove(id);
        }
        let mut documents: Vec<Document> = ended.iter().map(|id| gone(LINK, id)).collect();
        let link = Link { account: account.into(), expires: now + LIVES };
        documents.push(document(LINK, &secret, &link));
        self.links.insert(secret, link.clone());
        (link, documents)
    }

    /// Takes the link of a secret's hash: one step, so that of many who come at once one gets it.
    pub(crate) fn take_link(&mut self, now: i64, secret: &str) -> Option<(Link, Document)> {
        let link = self.links.remove(secret)?;
        (link.expires > now).then(|| (link, gone(LINK, secret)))
    }

    /// Puts a link back that was taken for nothing, because the store is away.
    pub(crate) fn put_back(&mut self, secret: String, link: Link) {
        self.links.insert(secret, link);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_19_a_link_works_once_within_its_time_and_replaces_the_one_before() {
        let mut access = Access::default();
        access.linked(0, "h1".into(), "alice");
        let (link, documents) = access.linked(0, "h2".into(), "alice");
        assert_eq!(documents.len(), 2, "the first one is over");
        assert!(access.take_link(1, "h1").is_none());
        assert_eq!(access.take_link(1, "h2").unwrap().0, link);
        assert!(access.take_link(1, "h2").is_none());
        access.linked(0, "h3".into(), "alice");
        assert!(access.take_link(LIVES, "h3").is_none(), "too late");
    }

    #[test]
    fn sec_19_of_a_hundred_who_come_at_once_one_gets_it() {
        let access = std::sync::Mutex::new(Access::default());
        access.lock().unwrap().linked(0, "h".into(), "alice");
        let winners: usize = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..100)
                .map(|_| scope.spawn(|| usize::from(access.lock().unwrap().take_link(1, "h").is_some())))
                .collect();
            tries.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(winners, 1);
    }
}
