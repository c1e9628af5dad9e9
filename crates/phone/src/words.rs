//! What a phone is told and what it tells: the words of its control socket.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Names one call of a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(pub u32);

/// How key presses travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStyle {
    /// In the sound's stream (RFC 4733); as INFO if the far side cannot.
    #[default]
    Rtp,
    /// As INFO with `application/dtmf-relay`.
    Info,
}

/// What a person does with a phone. Without a call, the newest that fits is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
pub enum Command {
    /// Dial.
    Call {
        /// A number at the server, or a whole SIP URI.
        number: String,
        /// By which account; by the one that calls go out by if there is none.
        #[serde(default)]
        account: Option<String>,
    },
    /// Calls go out by this account from now on.
    Use {
        /// Its name.
        account: String,
    },
    /// Take a call that rings.
    Answer {
        /// Which.
        #[serde(default)]
        call: Option<CallId>,
    },
    /// Refuse a call that rings.
    Reject {
        /// Which.
        #[serde(default)]
        call: Option<CallId>,
        /// The final status, 300 to 699; busy if there is none.
        #[serde(default)]
        status: Option<u16>,
    },
    /// Put the far side on hold.
    Hold {
        /// Which.
        #[serde(default)]
        call: Option<CallId>,
    },
    /// Talk again.
    Resume {
        /// Which.
        #[serde(default)]
        call: Option<CallId>,
    },
    /// Press keys: 0 to 9, A to D, star and pound.
    Dtmf {
        /// Which.
        #[serde(default)]
        call: Option<CallId>,
        /// The keys, in order.
        keys: String,
        /// How they travel.
        #[serde(default)]
        style: KeyStyle,
    },
    /// Send the far side of a call on to a number, and leave the call when it is there (blind).
    Transfer {
        /// Which.
        #[serde(default)]
        call: Option<CallId>,
        /// A number at the server, or a whole SIP URI.
        number: String,
    },
    /// Let the far sides of two calls talk, and leave both (attended).
    Join {
        /// One; the older of two if there is none.
        #[serde(default)]
        call: Option<CallId>,
        /// The other; the newest if there is none.
        #[serde(default)]
        with: Option<CallId>,
    },
    /// End a call, or give it up while it rings there.
    HangUp {
        /// Which.
        #[serde(default)]
        call: Option<CallId>,
    },
    /// Answer what was suggested: whether the server shall keep calling.
    KeepCalling {
        /// Yes or no.
        yes: bool,
    },
    /// Tell how things stand.
    Status,
    /// End all calls, leave the server, and stop.
    Quit,
}

impl Command {
    /// Dials by the account that calls go out by.
    #[must_use]
    pub fn call(number: impl Into<String>) -> Command {
        Command::Call { number: number.into(), account: None }
    }
}

/// Who put a call on hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// This phone.
    Us,
    /// The far side.
    Them,
}

/// What a lamp shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LampState {
    /// The server does not tell; it is asked again, slowly if it never does.
    Unknown,
    /// No call.
    Idle,
    /// It rings there.
    Ringing,
    /// They talk, or call somebody.
    Busy,
}

/// Why a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// This phone hung up.
    WeHungUp,
    /// The far side hung up.
    TheyHungUp,
    /// This phone gave up before there was an answer.
    Cancelled,
    /// The caller gave up before this phone answered.
    CallerGaveUp,
    /// Another phone took the call.
    AnsweredElsewhere,
    /// This phone refused.
    WeRejected,
    /// The far side or a server refused.
    Refused {
        /// The final status.
        status: u16,
        /// Its words.
        reason: String,
        /// What the telephone network says, when it does (RFC 3326, Q.850).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        q850: Option<u16>,
    },
    /// The server names another address, which is not followed: it could name anything.
    Moved {
        /// Where to.
        to: String,
    },
    /// Nobody answered the request.
    NoResponse,
    /// The connection to the server broke, or there is none.
    Unreachable,
    /// Nothing that both can speak.
    NoCommonCodec,
    /// The far side fell silent: no ACK, or no refresh of the session.
    Lost,
    /// This phone sent the far side on.
    Transferred,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cause::WeHungUp => "we hung up",
            Cause::TheyHungUp => "they hung up",
            Cause::Cancelled => "we gave up",
            Cause::CallerGaveUp => "the caller gave up",
            Cause::AnsweredElsewhere => "answered elsewhere",
            Cause::WeRejected => "we refused",
            Cause::Refused { status, reason, .. } => return write!(f, "refused: {status} {reason}"),
            Cause::Moved { to } => return write!(f, "moved to {to}, which is not followed"),
            Cause::NoResponse => "no response",
            Cause::Unreachable => "the server cannot be reached",
            Cause::NoCommonCodec => "no codec in common",
            Cause::Lost => "the far side fell silent",
            Cause::Transferred => "we sent the far side on",
        })
    }
}

/// What a network announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Announcement {
    /// Nobody has that number.
    Vacant,
    /// No way there is free.
    Congestion,
}

impl From<media::Announced> for Announcement {
    fn from(announced: media::Announced) -> Announcement {
        match announced {
            media::Announced::Vacant => Announcement::Vacant,
            media::Announced::Congestion => Announcement::Congestion,
        }
    }
}

/// What happens to a phone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// The server knows where we are, for so many seconds.
    Registered {
        /// The registration's life in seconds.
        expires: u32,
    },
    /// The server does not; it is tried again.
    NotRegistered {
        /// The final status; 0 if there was none.
        status: u16,
        /// In words.
        reason: String,
        /// The wait before the next try, in seconds.
        retry_s: u64,
    },
    /// We have left the server.
    Unregistered,
    /// Calls go out by this account from now on.
    Using,
    /// The server can be reached, and was not to be told where we are.
    Connected,
    /// The server told for whom we work; there are secrets in it, which are told to nobody else.
    Profile {
        /// The assignment, in JSON.
        #[serde(default, skip_serializing)]
        assignment: String,
    },
    /// The server does not tell for whom we work.
    NoProfile {
        /// In words.
        why: String,
    },
    /// What a number does whose lamp is shown.
    Lamp {
        /// Which.
        number: String,
        /// What.
        state: LampState,
        /// Why it is unknown.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
    },
    /// Voice messages wait at the server.
    Messages {
        /// That nobody has heard.
        new: u32,
        /// That were heard.
        old: u32,
    },
    /// A call of ours is on its way.
    Calling {
        /// Which.
        call: CallId,
        /// Whom.
        number: String,
    },
    /// It rings there.
    Ringing {
        /// Which.
        call: CallId,
        /// 180, 182, 183, ...
        status: u16,
        /// With 182, how many are before us, and we; 1 is next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<u32>,
    },
    /// It rings here.
    Incoming {
        /// Which.
        call: CallId,
        /// Who calls.
        number: String,
        /// The name that the caller shows; may be empty.
        name: String,
    },
    /// Both sides can talk.
    Answered {
        /// Which.
        call: CallId,
        /// What we speak.
        codec: String,
    },
    /// The network says by tones what the matter is, before it says it in words (ITU-T E.180).
    Announced {
        /// Which.
        call: CallId,
        /// What.
        what: Announcement,
    },
    /// What arrived in the last half second.
    Heard {
        /// Which.
        call: CallId,
        /// The dominant frequency; 0 in silence.
        hertz: f64,
        /// RMS against a full-scale square.
        dbfs: f64,
    },
    /// On hold.
    Held {
        /// Which.
        call: CallId,
        /// By whom.
        by: Holder,
    },
    /// Not on hold any more.
    Resumed {
        /// Which.
        call: CallId,
        /// Who had held.
        by: Holder,
    },
    /// The far side pressed a key.
    Dtmf {
        /// Which.
        call: CallId,
        /// The key.
        key: char,
    },
    /// How a transfer that we asked for goes.
    Transfer {
        /// The call whose far side shall go on elsewhere.
        call: CallId,
        /// 100 to 199 while it is tried, 200 to 299 when it is done, else why it is not.
        status: u16,
        /// The status in words.
        reason: String,
    },
    /// A call is over.
    Ended {
        /// Which.
        call: CallId,
        /// Why.
        #[serde(flatten)]
        cause: Ended,
    },
    /// A number did not answer several times in a row: the server could keep calling it.
    Suggested {
        /// Which.
        number: String,
        /// How many times.
        calls: u8,
    },
    /// A command could not be done.
    Refused {
        /// In words.
        why: String,
    },
    /// How things stand.
    Status {
        /// Whether the server knows us.
        registered: bool,
        /// Each call: its name, far side and stage.
        calls: Vec<(CallId, String, String)>,
    },
    /// The phone has stopped.
    Stopped,
}

/// The end of a call in words for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The cause.
    pub cause: Cause,
    /// The same in words.
    pub words: String,
}

impl From<Cause> for Ended {
    fn from(cause: Cause) -> Ended {
        Ended { words: cause.to_string(), cause }
    }
}
