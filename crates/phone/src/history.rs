//! What calls there were: missed, received, dialled. A fold of what was written down, line by line, as it happened.
//!
//! ```text
//! event --> History --> line      appended to a file by the shell
//! file  --> History::read         at the start; what a death cut off is told as such
//! ```

use crate::limits::HISTORY;
use crate::words::{CallId, Cause, Event};
use clock::Now;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// We called.
    Dialled,
    /// They called, and we answered or refused.
    Received,
    /// They called, and nobody answered.
    Missed,
    /// They called, and another phone took it (RFC 3326): nothing was missed.
    AnsweredElsewhere,
}

/// A wish to see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
pub enum Look {
    /// The newest calls.
    History {
        /// How many; some if it is not said.
        #[serde(default)]
        limit: Option<usize>,
        /// What was missed is seen by it.
        #[serde(default)]
        seen: bool,
    },
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it began, in milliseconds since 1970.
    pub at_ms: i64,
    /// What became of it.
    pub kind: Kind,
    /// By which account.
    pub account: String,
    /// The far side.
    pub number: String,
    /// Its name; may be empty.
    pub name: String,
    /// How long they talked, in seconds; never if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Why it ended; none if the phone was switched off meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The same in words.
    pub words: String,
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
enum Line {
    Began {
        id: u64,
        #[serde(flatten)]
        begun: Begun,
    },
    Answered {
        id: u64,
        at_ms: i64,
    },
    Ended {
        id: u64,
        at_ms: i64,
        cause: Cause,
    },
    /// Who sits here has seen what was missed until then.
    Seen {
        id: u64,
    },
}

/// The end, and when it came; none for a call that a death of the phone cut off.
type End = Option<(i64, Cause)>;

/// A call that is over.
#[derive(Debug)]
struct Over {
    id: u64,
    begun: Begun,
    end: End,
}

/// How a call began.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Begun {
    at_ms: i64,
    incoming: bool,
    account: String,
    number: String,
    name: String,
    #[serde(skip)]
    answered_ms: Option<i64>,
}

/// All calls that are remembered.
#[derive(Debug, Default)]
pub struct History {
    /// Oldest first.
    over: VecDeque<Over>,
    up: BTreeMap<u64, Begun>,
    names: BTreeMap<CallId, u64>,
    last: u64,
    seen: u64,
}

impl History {
    /// From what was written down. A torn or strange line is passed by.
    #[must_use]
    pub fn read(text: &[u8]) -> History {
        let mut history = History::default();
        for line in text.split(|octet| *octet == b'\n') {
            if let Ok(line) = serde_json::from_slice(line) {
                history.fold(line);
            }
        }
        // Whoever died with a call that rang has missed it.
        for (id, begun) in std::mem::take(&mut history.up) {
            history.keep(id, begun, None);
        }
        history
    }

    /// The same in as few lines as it takes.
    #[must_use]
    pub fn written(&self) -> Vec<u8> {
        let mut lines = Vec::new();
        for Over { id, begun, end } in &self.over {
            lines.push(Line::Began { id: *id, begun: begun.clone() });
            lines.extend(begun.answered_ms.map(|at_ms| Line::Answered { id: *id, at_ms }));
            lines.extend(end.clone().map(|(at_ms, cause)| Line::Ended { id: *id, at_ms, cause }));
        }
        for (id, begun) in &self.up {
            lines.push(Line::Began { id: *id, begun: begun.clone() });
            lines.extend(begun.answered_ms.map(|at_ms| Line::Answered { id: *id, at_ms }));
        }
        lines.push(Line::Seen { id: self.seen });
        lines.iter().flat_map(line).collect()
    }

    /// Something happened to a call of an account: what is to be appended.
    pub fn hear(&mut self, now: Now, account: &str, event: &Event) -> Option<Vec<u8>> {
        let at_ms = now.wall.0;
        let made = match event {
            Event::Calling { call, number } => self.began(*call, at_ms, false, account, (number, "")),
            Event::Incoming { call, number, name } => self.began(*call, at_ms, true, account, (number, name)),
            Event::Answered { call, .. } => Line::Answered { id: *self.names.get(call)?, at_ms },
            Event::Ended { call, cause } => {
                Line::Ended { id: self.names.remove(call)?, at_ms, cause: cause.cause.clone() }
            }
            _ => return None,
        };
        let written = line(&made);
        self.fold(made);
        Some(written)
    }

    /// Who sits here has seen what was missed; what is to be appended.
    pub fn see(&mut self) -> Option<Vec<u8>> {
        (self.missed() > 0).then(|| {
            let seen = Line::Seen { id: self.last };
            let written = line(&seen);
            self.fold(seen);
            written
        })
    }

    /// Calls that are over, newest first.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.over.iter().rev().map(Over::entry)
    }

    /// How many missed ones nobody has seen.
    #[must_use]
    pub fn missed(&self) -> usize {
        let unseen = self.over.iter().filter(|over| over.id > self.seen);
        unseen.filter(|over| over.kind() == Kind::Missed).count()
    }

    fn began(
        &mut self,
        call: CallId,
        at_ms: i64,
        incoming: bool,
        account: &str,
        (number, name): (&str, &str),
    ) -> Line {
        let id = self.last + 1;
        self.names.insert(call, id);
        let (account, number, name) = (account.to_owned(), number.to_owned(), name.to_owned());
        Line::Began { id, begun: Begun { at_ms, incoming, account, number, name, answered_ms: None } }
    }

    fn fold(&mut self, line: Line) {
        match line {
            Line::Began { id, begun } => {
                self.last = self.last.max(id);
                self.up.insert(id, begun);
            }
            Line::Answered { id, at_ms } => {
                if let Some(begun) = self.up.get_mut(&id) {
                    begun.answered_ms = Some(at_ms);
                }
            }
            Line::Ended { id, at_ms, cause } => {
                if let Some(begun) = self.up.remove(&id) {
                    self.keep(id, begun, Some((at_ms, cause)));
                }
            }
            Line::Seen { id } => self.seen = self.seen.max(id),
        }
    }

    fn keep(&mut self, id: u64, begun: Begun, end: End) {
        if self.over.len() == HISTORY {
            self.over.pop_front();
        }
        self.over.push_back(Over { id, begun, end });
    }
}

impl Over {
    fn kind(&self) -> Kind {
        match self.end.as_ref().map(|(_, cause)| cause) {
            _ if !self.begun.incoming => Kind::Dialled,
            Some(Cause::AnsweredElsewhere) => Kind::AnsweredElsewhere,
            Some(Cause::WeRejected) => Kind::Received,
            _ if self.begun.answered_ms.is_none() => Kind::Missed,
            _ => Kind::Received,
        }
    }

    fn entry(&self) -> Entry {
        let Begun { at_ms, account, number, name, answered_ms, .. } = self.begun.clone();
        // By the wall clock, which may have been set meanwhile.
        let talked = |from: i64, to: i64| u64::try_from((to - from) / 1_000).unwrap_or(0);
        let seconds = answered_ms.zip(self.end.as_ref()).map(|(from, (to, _))| talked(from, *to));
        let words = match &self.end {
            Some((_, cause)) => cause.to_string(),
            None => "the phone was switched off".to_owned(),
        };
        let cause = self.end.as_ref().map(|(_, cause)| cause.clone());
        Entry { at_ms, kind: self.kind(), account, number, name, seconds, cause, words }
    }
}

fn line(line: &Line) -> Vec<u8> {
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Ended;
    use clock::Wall;

    fn now(seconds: i64) -> Now {
        Now { wall: Wall(seconds * 1_000), ..Now::default() }
    }

    /// What a phone writes that hears these events, a second apart.
    fn told(history: &mut History, events: &[Event]) -> Vec<u8> {
        let lines = events.iter().zip(0..).filter_map(|(event, at)| history.hear(now(at), "office", event));
        lines.flatten().collect()
    }

    fn incoming(call: u32, number: &str) -> Event {
        Event::Incoming { call: CallId(call), number: number.into(), name: "Bob".into() }
    }

    fn answered(call: u32) -> Event {
        Event::Answered { call: CallId(call), codec: "PCMU".into() }
    }

    fn ended(call: u32, cause: Cause) -> Event {
        Event::Ended { call: CallId(call), cause: Ended::from(cause) }
    }

    fn kinds(history: &History) -> Vec<(&str, Kind)> {
        history.over.iter().map(|over| (over.begun.number.as_str(), over.kind())).collect()
    }

    #[test]
    fn s3_11_who_was_answered_elsewhere_is_not_missed() {
        let mut history = History::default();
        let text = told(
            &mut history,
            &[
                incoming(1, "2001"),
                ended(1, Cause::CallerGaveUp),
                incoming(2, "2002"),
                ended(2, Cause::AnsweredElsewhere),
                incoming(3, "2003"),
                ended(3, Cause::WeRejected),
                Event::Calling { call: CallId(4), number: "2004".into() },
                incoming(5, "2005"),
                answered(5),
                ended(4, Cause::Cancelled),
                ended(5, Cause::TheyHungUp),
                Event::Unregistered,
            ],
        );
        let wanted = [
            ("2001", Kind::Missed),
            ("2002", Kind::AnsweredElsewhere),
            ("2003", Kind::Received),
            ("2004", Kind::Dialled),
            ("2005", Kind::Received),
        ];
        assert_eq!((kinds(&history), history.missed()), (wanted.to_vec(), 1));
        let newest = history.entries().next().unwrap();
        assert_eq!((newest.seconds, newest.words.as_str(), newest.at_ms), (Some(2), "they hung up", 7_000));
        for text in [&text, &history.written()] {
            let read = History::read(text);
            assert_eq!((kinds(&read), read.missed()), (wanted.to_vec(), 1));
            assert!(read.entries().eq(history.entries()));
        }
    }

    #[test]
    fn s3_11_a_death_loses_no_call_and_what_was_seen_stays_seen() {
        let mut history = History::default();
        let mut text = told(&mut history, &[incoming(1, "2001"), ended(1, Cause::CallerGaveUp)]);
        text.extend(history.see().unwrap());
        assert_eq!(history.see(), None, "nothing new");
        text.extend(told(&mut history, &[incoming(2, "2002"), incoming(3, "2003"), answered(3)]));
        text.extend(b"{\"what\":\"ended\",\"id\":3,\"at");
        let mut read = History::read(&text);
        let all = [("2001", Kind::Missed), ("2002", Kind::Missed), ("2003", Kind::Received)];
        assert_eq!((kinds(&read), read.missed()), (all.to_vec(), 1));
        assert_eq!(read.entries().next().unwrap().words, "the phone was switched off");
        // The next phone goes on, and its calls are others.
        let mut text = read.written();
        text.extend(told(&mut read, &[incoming(1, "2004"), ended(1, Cause::CallerGaveUp)]));
        assert_eq!((kinds(&History::read(&text)).len(), History::read(&text).missed()), (4, 2));
    }

    #[test]
    fn the_history_has_a_bound_and_bears_nonsense() {
        let mut history = History::default();
        for call in 0..2 * HISTORY as u32 {
            told(&mut history, &[incoming(call, "1"), ended(call, Cause::CallerGaveUp)]);
        }
        assert_eq!(history.entries().count(), HISTORY);
        let text = b"\xff\n{}\n{\"what\":\"ended\",\"id\":9,\"at_ms\":1,\"cause\":\"lost\"}\nx";
        assert_eq!(History::read(text).entries().count(), 0);
    }
}
