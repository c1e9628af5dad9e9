//! What a phone is and does, as data: the script of a simulated phone.

use crate::net::Link;
use crate::observed::OfficeId;
use media::Codec;
use sip::Transport;
use std::net::SocketAddr;
use std::time::Duration;

/// One phone.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its name at the exchange; also the user of its contact.
    pub device: Box<str>,
    /// Its secret.
    pub password: Box<str>,
    /// Where it registers.
    pub office: OfficeId,
    /// Its own address, behind its NAT if it has one.
    pub address: SocketAddr,
    /// Its NAT box.
    pub nat: Option<usize>,
    /// How it reaches the exchange.
    pub transport: Transport,
    /// The way there.
    pub link: Link,
    /// What it speaks, the best first.
    pub codecs: Vec<Codec>,
    /// Which of its device's flows it registers (RFC 5626); zero for a phone with one.
    pub reg_id: u32,
    /// The life of a registration that it asks for, in seconds.
    pub expires: u32,
    /// Sends a line end so often, to keep a NAT mapping.
    pub keep_alive: Option<Duration>,
    /// Supports reliable provisional responses (RFC 3262).
    pub reliable: bool,
    /// Supports session timers (RFC 4028), and asks for this interval in seconds; zero asks for none.
    pub session_timer: Option<u32>,
    /// What it does when it is called.
    pub reaction: Reaction,
}

/// What a phone does when it is called.
#[derive(Clone, Debug)]
pub struct Reaction {
    /// What it says first.
    pub ring: Ring,
    /// How long after the INVITE it does `then`.
    pub after: Duration,
    /// The end of its ringing.
    pub then: Then,
    /// How long after the answer it hangs up by itself.
    pub talk: Option<Duration>,
    /// What it does wrong.
    pub mischief: Mischief,
}

/// What a called phone says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// Nothing at all, to anything.
    Deaf,
    /// 100 alone: it refuses or answers without having rung.
    Quiet,
    /// 180.
    Plain,
    /// 183 with an answer.
    Early,
    /// 183 with an answer, reliably when the caller's side can (RFC 3262).
    EarlyReliable,
}

/// How ringing ends, if nobody ends it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// 200.
    Answer,
    /// A failure, such as 486.
    Refuse(u16),
    /// It rings on.
    Never,
}

/// What a phone does wrong in a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mischief {
    /// Nothing.
    #[default]
    Nothing,
    /// As a caller, never sends the ACK of a 200.
    NeverAcknowledges,
    /// As a callee, sends its 200 again, as new bytes, after half a second.
    AnswersTwice,
    /// As a callee, sends a second 200 with another To tag, as two phones behind a proxy would.
    Forks,
    /// As a callee, answers although it was cancelled.
    AnswersAfterCancel,
    /// Loses power so long after the answer, in seconds.
    Vanishes(u16),
    /// As a caller, sends each INVITE twice.
    Duplicates,
    /// As a caller, sends no CANCEL but goes away.
    LeavesWhileRinging,
}

/// A call that a phone makes.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What it dials.
    pub number: Box<str>,
    /// It gives up after so long without an answer.
    pub patience: Duration,
    /// It hangs up so long after the answer.
    pub talk: Duration,
    /// Its INVITE has no SDP.
    pub late_offer: bool,
    /// What it does while it talks, and when.
    pub deeds: Vec<(Duration, Deed)>,
    /// What it does wrong.
    pub mischief: Mischief,
    /// Max-Forwards of its INVITE.
    pub hops: u8,
    /// A Session-ID of the caller's choice, 32 hexadecimal digits.
    pub session: Option<Box<str>>,
    /// A wrong password.
    pub wrong_secret: bool,
    /// It asks not to be shown (`Privacy: id`).
    pub hidden: bool,
}

impl Attempt {
    /// A plain call.
    #[must_use]
    pub fn to(number: &str) -> Attempt {
        Attempt {
            number: number.into(),
            patience: Duration::from_secs(50),
            talk: Duration::from_secs(30),
            late_offer: false,
            deeds: Vec::new(),
            mischief: Mischief::Nothing,
            hops: 70,
            session: None,
            wrong_secret: false,
            hidden: false,
        }
    }
}

/// Something that a phone does in a call that is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// re-INVITE with sendonly.
    Hold,
    /// re-INVITE with sendrecv.
    Resume,
    /// re-INVITE without SDP.
    AskForOffer,
    /// UPDATE without SDP.
    Update,
    /// A key, by INFO.
    Press(char),
    /// A REFER to a number of the office.
    Refer(&'static str),
    /// An INFO with an old CSeq number.
    OldSequence,
    /// The last ACK once more.
    RepeatAck,
    /// BYE.
    HangUp,
    /// The power goes.
    Vanish,
}

/// What a phone does outside of calls, to vex an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vexation {
    /// Bytes that are no message.
    Garbage,
    /// A request with a header of this many kilobytes.
    Huge(u8),
    /// A REGISTER with a wrong password.
    WrongSecret,
    /// A REGISTER whose credentials were used before.
    Replay,
    /// A BYE for a dialog that never was.
    StrayBye,
    /// An ACK for nothing.
    StrayAck,
    /// A response to nothing.
    StrayResponse,
    /// OPTIONS without credentials.
    Options,
    /// A method that nobody knows.
    UnknownMethod,
    /// A SUBSCRIBE.
    Subscribe,
}
