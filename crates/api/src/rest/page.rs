//! Lists by pages: `?limit=`, `?after=CURSOR`, `?find=TEXT`, answered with `{"items": […], "next": …}`.

use super::input::Params;
use super::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Items of a page if nothing is said.
const USUAL: u32 = 100;
/// Items of a page at most.
pub(crate) const MOST: u32 = 500;
/// Characters that are looked for at most.
const FIND: usize = 100;

/// What part of a list is wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// How many items at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u32>,
    /// What `next` said of the page before.
    after: Option<String>,
    /// Only items that contain this text, in upper or lower case.
    #[param(max_length = 100)]
    find: Option<String>,
}

/// A checked wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Items at most.
    pub(crate) limit: usize,
    /// The key after which the page begins; empty for the first.
    pub(crate) after: String,
    /// What items contain, in lower case; empty for all.
    pub(crate) find: String,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Items<T> {
    /// The items, in order.
    pub(crate) items: Vec<T>,
    /// What `after` has to be for the next page; null at the end.
    pub(crate) next: Option<String>,
}

impl<T> Items<T> {
    /// Each item in another shape.
    pub(crate) fn map<U>(self, shape: impl Fn(T) -> U) -> Items<U> {
        Items { items: self.items.into_iter().map(shape).collect(), next: self.next }
    }
}

impl Page {
    /// # Errors
    /// 400 when a limit or a cursor is none.
    pub(crate) fn of(Params(wanted): Params<Wanted>) -> Result<Page, Problem> {
        Page::wanted(wanted.limit, wanted.after.as_deref(), wanted.find.as_deref())
    }

    /// # Errors
    /// 400 when a limit or a cursor is none.
    pub(crate) fn wanted(
        limit: Option<u32>,
        after: Option<&str>,
        find: Option<&str>,
    ) -> Result<Page, Problem> {
        let limit = limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::malformed(format!("limit is from 1 to {MOST}.")));
        }
        let after = after.unwrap_or_default();
        let after = decode(after).ok_or_else(|| {
            Problem::malformed("after is what next said of the page before, and nothing else.")
        })?;
        let find = find.unwrap_or_default();
        if find.chars().count() > FIND {
            return Err(Problem::malformed(format!("find has at most {FIND} characters.")));
        }
        Ok(Page { limit: usize::try_from(limit).unwrap_or(0), after, find: find.to_lowercase() })
    }

    /// Of a list whose keys are numbers, the newest first: the number before which the page begins.
    ///
    /// # Errors
    /// 400 when the cursor is none of such a list.
    pub(crate) fn before(&self) -> Result<Option<i64>, Problem> {
        let cursor = || Problem::malformed("after is what next said of the page before, and nothing else.");
        match self.after.as_str() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| cursor()),
        }
    }

    /// What the exchange is asked for: one more than the page holds, to know whether there is a next.
    pub(crate) fn slice(&self) -> exchange::Slice {
        exchange::Slice {
            after: self.after.as_str().into(),
            find: self.find.as_str().into(),
            most: self.limit + 1,
        }
    }

    /// Cuts one page of what is one longer when there is more.
    pub(crate) fn cut<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> &str) -> Items<T> {
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let next = items.last().filter(|_| more).map(|last| encode(key(last)));
        Items { items, next }
    }

    /// One page of a list that is all here, in the order of its keys.
    pub(crate) fn pick<T>(
        &self,
        all: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> &str,
        words: impl Fn(&T) -> String,
    ) -> Items<T> {
        let fits = |item: &T| {
            key(item) > self.after.as_str()
                && (self.find.is_empty() || words(item).to_lowercase().contains(&self.find))
        };
        self.cut(all.into_iter().filter(fits).take(self.limit + 1).collect(), key)
    }
}

/// A cursor says nothing to its reader: the key in hexadecimal.
fn encode(key: &str) -> String {
    super::secrets::hex(key.as_bytes())
}

fn decode(cursor: &str) -> Option<String> {
    if !cursor.len().is_multiple_of(2) || cursor.len() > 1_024 || !cursor.is_ascii() {
        return None;
    }
    let octets: Option<Vec<u8>> = cursor
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    String::from_utf8(octets?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_without_a_gap_and_find_leaves_out() {
        let all = ["anna", "bert", "carl", "dora", "emil"];
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = Page::wanted(Some(2), after.as_deref(), None).unwrap();
            let items = page.pick(all, |item| item, |item| (*item).to_owned());
            seen.extend(items.items);
            after = items.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
        let page = Page::wanted(None, None, Some("R")).unwrap();
        let items = page.pick(all, |item| item, |item| (*item).to_owned());
        assert_eq!((items.items, items.next), (vec!["bert", "carl", "dora"], None));
    }

    #[test]
    fn a_cursor_is_ours_or_refused() {
        for key in ["", "alice", "李", "a\"b"] {
            assert_eq!(decode(&encode(key)).as_deref(), Some(key));
        }
        for bad in ["x", "zz", "ff", "é", &"61".repeat(600), "+1"] {
            assert!(Page::wanted(None, Some(bad), None).is_err() || bad == "+1", "{bad}");
        }
        assert!(Page::wanted(Some(0), None, None).is_err());
        assert!(Page::wanted(Some(501), None, None).is_err());
    }
}
