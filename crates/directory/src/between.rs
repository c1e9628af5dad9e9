//! What two exchanges ask each other over the connection in which both proved themselves, and answer (R24). The directory has no
//! part in it.

use crate::names::{Number, SessionHalf};
use serde::{Deserialize, Serialize};

/// The media type of both.
pub const MEDIA_TYPE: &str = "application/ringdown+json";

/// What one exchange asks another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Question {
    /// Somebody held a badge to a reader, and nobody knows it there.
    Tap(Box<TapTold>),
    /// What the call with this half of a Session-ID sent and received.
    Ladder(SessionHalf),
}

/// A badge that was held to a reader of another exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TapTold {
    /// The reader.
    pub reader: Box<str>,
    /// The phone beside it.
    pub device: Box<str>,
    /// Under this number that phone can be called by the exchange that is asked, once and within seconds.
    pub number: Number,
    /// The UID that was read, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<Box<str>>,
    /// What the record said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordTold>,
    /// The PIN that was keyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Box<str>>,
    /// The day of the week there, from 0 for Monday, and the minute of the day.
    pub at: (u8, u16),
}

/// What a badge's record said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RecordTold {
    /// Encrypted PICC data and the MAC of this tap, in hexadecimal.
    Secure(Box<str>, Box<str>),
    /// The SHA-256 of its text, in hexadecimal.
    Text(Box<str>),
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reply {
    /// What became of the tap.
    Tapped(TapJudged),
    /// The messages of the call, the oldest first.
    Ladder(Vec<RungTold>),
}

/// What became of a tap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TapJudged {
    /// The rule that decided, as in `tap.accepted`.
    pub rule: Box<str>,
    /// In words for whoever stands there.
    pub words: Box<str>,
    /// What comes to the phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comes: Option<Comes>,
    /// Seconds until the next try.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub wait: u64,
}

/// What comes to the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comes {
    /// A call that rings.
    Call,
    /// A talk.
    Talk,
    /// The badge is good, and nothing can be taken there now.
    Nothing,
}

/// A message of a call, as it may be shown (R32).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RungTold {
    /// When it passed, in milliseconds since 1970 of the directory's clock.
    pub at: i64,
    /// Sent by the exchange that tells, else received.
    pub sent: bool,
    /// Who was at the other end.
    pub who: Box<str>,
    /// The path that it took.
    pub flow: Box<str>,
    /// Its first octets.
    pub text: Box<str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(wait: &u64) -> bool {
    *wait == 0
}

impl Question {
    /// Reads what another exchange sent.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Question> {
        serde_json::from_slice(body).ok()
    }

    /// As it is sent.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Reply {
    /// Reads what another exchange sent.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Reply> {
        serde_json::from_slice(body).ok()
    }

    /// As it is sent.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Named as _;

    #[test]
    fn what_is_asked_and_answered_is_read_as_it_is_written() {
        let tap = TapTold {
            reader: "r".into(),
            device: "d".into(),
            number: Number::parse("tap-1").unwrap(),
            uid: None,
            record: Some(RecordTold::Secure("00".into(), "11".into())),
            pin: Some("1".into()),
            at: (6, 1_439),
        };
        for question in [Question::Tap(Box::new(tap)), Question::Ladder(SessionHalf([7; 16]))] {
            assert_eq!(Question::parse(&question.body()), Some(question));
        }
        let judged =
            TapJudged { rule: "tap.accepted".into(), words: "w".into(), comes: Some(Comes::Talk), wait: 0 };
        let rung = RungTold { at: 1, sent: true, who: "a".into(), flow: "f".into(), text: "é\n".into() };
        for reply in [Reply::Tapped(judged), Reply::Ladder(vec![rung])] {
            assert_eq!(Reply::parse(&reply.body()), Some(reply));
        }
        assert_eq!(Question::parse(b"{\"tap\":1}"), None);
        assert_eq!(Reply::parse(b"\xff"), None);
    }
}
