//! What a person says to a phone that works through a list, and what it tells.

use crate::history::Look;
use crate::words::Command;
use lists::work::Presence;
use serde::{Deserialize, Serialize};

/// What a person does; without a task, the one that is called now, or that was called last, is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
pub enum Wish {
    /// Fetch the list and begin, away at first (S3.5).
    SignIn,
    /// Make calls (S3.17).
    Online,
    /// Make none.
    Away,
    /// Away after this call.
    PauseAfterCall,
    /// Send the results, give back what is left, and forget the list (S3.19).
    SignOut,
    /// Look at the list's link now.
    Reload,
    /// Call this one next.
    Choose {
        /// Which.
        task: String,
    },
    /// Call it then (S3.13).
    Later {
        /// Which.
        #[serde(default)]
        task: Option<String>,
        /// In so many minutes.
        #[serde(default)]
        minutes: Option<u32>,
        /// At a time: RFC 3339, or `tomorrow`.
        #[serde(default)]
        at: Option<String>,
    },
    /// After the others that are due: in the interval of the list.
    Skip {
        /// Which.
        #[serde(default)]
        task: Option<String>,
    },
    /// Give it up.
    GiveUp {
        /// Which.
        #[serde(default)]
        task: Option<String>,
    },
    /// The callee wants no more calls.
    Forbid {
        /// Which.
        #[serde(default)]
        task: Option<String>,
    },
    /// What came of it.
    Result {
        /// Which.
        #[serde(default)]
        task: Option<String>,
        /// By one key of the assignment, or in words.
        result: String,
        /// A note.
        #[serde(default)]
        note: String,
    },
    /// Tell what comes next, and how many rows are where.
    Queue,
}

/// A line of the control socket: for the list, for the phone, or for its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// For the list.
    List(Wish),
    /// For the phone.
    Phone(Command),
    /// For what it remembers.
    Look(Look),
}

impl Said {
    /// As it is written in JSON.
    ///
    /// # Errors
    /// Why it is none of them.
    pub fn read(line: &str) -> Result<Said, String> {
        let for_others = |error: &serde_json::Error| error.to_string().starts_with("unknown variant");
        let of_list = serde_json::from_str(line).map(Said::List);
        // Of several complaints the one of whom it was meant for.
        let read = of_list.or_else(|first| match serde_json::from_str(line).map(Said::Phone) {
            Err(second) if for_others(&second) => match serde_json::from_str(line).map(Said::Look) {
                Err(third) if for_others(&third) => Err(first),
                other => other,
            },
            other => other,
        });
        read.map_err(|error| error.to_string())
    }
}

/// A callee's row, for a screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callee {
    /// Names it in what a person says.
    pub task: String,
    /// Whom to call.
    pub number: String,
    /// Their name.
    pub name: String,
    /// All fields of the row with their headers, in the order of the file.
    pub fields: Vec<(String, String)>,
}

/// What happens to a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum News {
    /// A list was loaded.
    ListLoaded {
        /// Its name.
        list: String,
        /// Rows that were taken.
        rows: usize,
        /// Rows that were refused by their shape, and the first of them with line and reason.
        refused: usize,
        /// See above.
        refusals: Vec<String>,
        /// Calls that were made for it already.
        attempts: usize,
    },
    /// It was not: why.
    ListRefused {
        /// Its link.
        link: String,
        /// In words.
        why: String,
        /// Seconds until it is tried again, if it is.
        again_s: Option<u64>,
    },
    /// The agent is online, away, or signed out.
    Presence {
        /// `online`, `away` or `signed_out`.
        presence: String,
    },
    /// A row of the list is dialled: what is known of the callee, before anybody answers (S3.12).
    Dialling {
        /// Whom.
        #[serde(flatten)]
        callee: Callee,
        /// Which attempt it is.
        attempt: u16,
        /// Why this one, and why now.
        because: String,
    },
    /// The headset opens: the call is on its way; and closes: it is over (S3.12).
    Headset {
        /// Whether it is open.
        open: bool,
    },
    /// Something of a row changed.
    Row {
        /// Which.
        task: String,
        /// Whom.
        number: String,
        /// How it ended, or `open`.
        state: String,
        /// Attempts that were made.
        attempts: usize,
        /// What the last one came to.
        outcome: Option<String>,
        /// When it is next called, or why it is not, in words.
        next: String,
    },
    /// What comes next.
    Queue {
        /// The first rows that are due.
        next: Vec<(Callee, String)>,
        /// Rows that were taken.
        rows: usize,
        /// Those that have not ended.
        open: usize,
        /// Those that are due now.
        due: usize,
        /// Those that ended, and among them those whose callee was reached.
        ended: usize,
        /// See above.
        reached: usize,
        /// Rows that were refused.
        refused: usize,
    },
    /// A wish is not done.
    WishRefused {
        /// In words.
        why: String,
    },
    /// Nothing is left to be called (S3.18).
    ListDone,
    /// A file was uploaded.
    Uploaded {
        /// Where to.
        link: String,
    },
    /// It was not; it is tried again.
    NotUploaded {
        /// Where to.
        link: String,
        /// In words.
        why: String,
    },
    /// The disk takes nothing: no calls are made until it does.
    JournalFull {
        /// In words.
        why: String,
    },
}

/// Its name in [`News::Presence`].
#[must_use]
pub fn presence_name(presence: Presence) -> &'static str {
    match presence {
        Presence::Online => "online",
        Presence::Away => "away",
        Presence::SignedOut => "signed_out",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_for_the_list_or_for_the_phone() {
        let read = |line: &str| Said::read(line);
        assert_eq!(read(r#"{"do":"online"}"#), Ok(Said::List(Wish::Online)));
        assert_eq!(
            read(r#"{"do":"later","minutes":15}"#).unwrap(),
            Said::List(Wish::Later { task: None, minutes: Some(15), at: None })
        );
        let look = Look::History { limit: Some(5), seen: false };
        assert_eq!(read(r#"{"do":"history","limit":5}"#), Ok(Said::Look(look)));
        assert!(read(r#"{"do":"history","limt":5}"#).unwrap_err().starts_with("unknown field `limt`"));
        assert_eq!(read(r#"{"do":"status"}"#), Ok(Said::Phone(Command::Status)));
        assert!(read(r#"{"do":"dance"}"#).unwrap_err().starts_with("unknown variant `dance`"));
        assert!(read(r#"{"do":"call","nmber":"1"}"#).unwrap_err().starts_with("unknown field `nmber`"));
        assert!(read(r#"{"do":"result"}"#).unwrap_err().starts_with("missing field `result`"));
    }
}
