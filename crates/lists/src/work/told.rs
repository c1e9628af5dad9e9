//! What is known of a row that was begun.

use clock::Wall;
use dialing::cause::Finding;
use dialing::{AttemptId, End, Number, TaskId};

/// One attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Try {
    /// Its name.
    pub id: AttemptId,
    /// When it began.
    pub at: Wall,
    /// When and how it ended.
    pub finished: Option<(Wall, Finding)>,
    /// Seconds that were talked.
    pub talked: u32,
}

/// All that is known of one callee of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its row in the list; none when a newer file has it no more.
    pub row: Option<u32>,
    /// Who was called.
    pub number: Number,
    /// The task that stands for it now; another than the first after [`super::Input::Later`] brought it back.
    pub task: TaskId,
    /// What was tried, in order.
    pub attempts: Vec<Try>,
    /// When and how it ended.
    pub end: Option<(Wall, End)>,
    /// Not before, by the agent's wish.
    pub not_before: Option<Wall>,
    /// What came of it, by one key.
    pub result: Box<str>,
    /// A note.
    pub note: Box<str>,
}

impl Told {
    pub(super) fn new(task: TaskId, number: Number) -> Told {
        Told {
            row: None,
            number,
            task,
            attempts: Vec::new(),
            end: None,
            not_before: None,
            result: Box::default(),
            note: Box::default(),
        }
    }

    /// What the last attempt came to.
    #[must_use]
    pub fn last(&self) -> Option<Finding> {
        self.attempts.iter().rev().find_map(|attempt| attempt.finished).map(|(_, finding)| finding)
    }
}
