//! What wakes the work on a list, what it wants done, and how it is set.

use crate::limits;
use crate::numbering::Numbering;
use crate::order::Order;
use clock::Wall;
use dialing::cause::Finding;
use dialing::{AttemptId, Because, Consent, Number, OwnerId, Rule, TaskId};

/// Whose list this is, and which: what its results are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The agent's identifier.
    pub agent: Box<str>,
    /// The name of the list, without folders and endings.
    pub list: Box<str>,
    /// Tells this working through it from another.
    pub run: Box<str>,
}

impl Subject {
    /// What a file about it is called: `AGENT-LIST-RUN` and an ending. What could be a path is none.
    #[must_use]
    pub fn file(&self, ending: &str) -> String {
        let plain = |text: &str| -> String {
            let letters = text.chars().filter(|letter| !letter.is_control()).take(limits::NAME);
            let plain: String =
                letters.map(|letter| if "/\\:*?\"<>| ".contains(letter) { '_' } else { letter }).collect();
            plain.trim_start_matches('.').to_owned()
        };
        format!("{}-{}-{}.{ending}", plain(&self.agent), plain(&self.list), plain(&self.run))
    }
}

/// How a list is worked through.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose, and which.
    pub subject: Subject,
    /// The order of the calls (S3.6 to S3.9).
    pub order: Order,
    /// How its numbers are meant.
    pub numbering: Numbering,
    /// Seconds between two calls (S3.16).
    pub gap: u32,
    /// Seconds before the same callee is called again; the distances of the law hold as well (S3.13).
    pub interval: Option<u32>,
    /// Attempts for each row (S3.14).
    pub attempts: Option<u16>,
    /// On what ground its callees may be called, where a row says nothing of its own.
    pub consent: Option<Consent>,
    /// The agent, as [`dialing`] knows him.
    pub owner: OwnerId,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            subject: Subject::default(),
            order: Order::default(),
            numbering: Numbering::default(),
            gap: 5,
            interval: None,
            attempts: None,
            consent: None,
            owner: OwnerId(1),
        }
    }
}

/// What an agent says of himself (S3.17).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// Calls are made for him.
    Online,
    /// He is here, and wants none.
    Away,
    /// He has gone.
    #[default]
    SignedOut,
}

/// All that can wake it.
#[derive(Clone, Debug)]
pub enum Input {
    /// The deadline has come.
    Timeout,
    /// The agent says how he stands.
    Presence(Presence),
    /// Whether his phone is free: nothing rings, nobody talks.
    OnHook(bool),
    /// After this call he is away.
    PauseAfterCall,
    /// The callee answered: whatever happens to this phone now, they are not called again for this.
    Answered(AttemptId),
    /// An attempt is over.
    Finished {
        /// Which.
        attempt: AttemptId,
        /// What it came to.
        finding: Finding,
        /// Seconds that were talked.
        talked: u32,
    },
    /// This line is in the journal.
    Written(u64),
    /// It could not be written.
    NotWritten(u64),
    /// The agent wants this one next.
    Choose(TaskId),
    /// He wants to call it then: in a quarter of an hour, tomorrow, at a time (S3.13). A callee who was reached is called once
    /// more.
    Later {
        /// Which.
        task: TaskId,
        /// Not before.
        at: Wall,
    },
    /// He gives it up.
    GiveUp(TaskId),
    /// The callee wants no more calls.
    Forbid(TaskId),
    /// What came of it, in the agent's words.
    Mark {
        /// Which.
        task: TaskId,
        /// By one key: the name of a result.
        result: Box<str>,
        /// A note.
        note: Box<str>,
    },
}

/// What the shell shall do.
#[derive(Debug)]
pub enum Output {
    /// Append this line to the journal, whole, and say when it is on the disk.
    Write {
        /// Names it in the answer. The same may come again after [`Input::NotWritten`].
        sequence: u64,
        /// It ends with a line break.
        line: Vec<u8>,
    },
    /// Call somebody; that is written down.
    Dial(Box<Call>),
    /// Give up this attempt. [`Input::Finished`] still comes.
    Cancel(AttemptId),
    /// What is known of this row changed.
    Changed(TaskId),
    /// What was asked for a row is not done, and why.
    Refused(TaskId, Rule),
    /// The agent is away now, as he had wished for after his call.
    Paused,
    /// Nothing is left to be called (S3.18).
    Done,
}

/// One call to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name.
    pub attempt: AttemptId,
    /// Whom.
    pub number: Number,
    /// Its row; [`super::Work::entry`] has the callee's data.
    pub row: Option<u32>,
    /// Seconds that the callee's phone rings at least before we give up.
    pub ring: u16,
    /// Why this one, and why now.
    pub because: Vec<Because>,
}

/// How many rows are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows that were taken from the file.
    pub rows: usize,
    /// Those that have not ended.
    pub open: usize,
    /// Those that are due now, of the rows that were looked at so far.
    pub due: usize,
    /// Rows that ended.
    pub ended: usize,
    /// Among them those whose callee was reached.
    pub reached: usize,
    /// Rows that were refused, by the file's shape or by a rule.
    pub refused: usize,
    /// Calls that were made.
    pub attempts: usize,
}
