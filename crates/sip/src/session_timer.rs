//! Session timers (RFC 4028): who refreshes a session, how often, and when it is dead.

use std::time::Duration;
use wire::sip::{HeaderName, Message};

/// The smallest interval anybody may ask for (RFC 4028 section 4).
pub const MIN_SE: u32 = 90;
/// The interval that we ask for.
pub const INTERVAL: u32 = 1_800;

/// The end that keeps a session alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// This exchange.
    Us,
    /// The peer.
    Them,
}

/// What both ends agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The session's life without a refresh, in seconds.
    pub interval: u32,
    /// Who refreshes.
    pub refresher: Refresher,
}

impl Agreement {
    /// What has to be done after how long a quiet time (RFC 4028 section 10): a refresh by us at half-time, or an
    /// end when the peer's refresh did not come.
    #[must_use]
    pub fn wait(self) -> Duration {
        let seconds = match self.refresher {
            Refresher::Us => self.interval / 2,
            Refresher::Them => self.interval - (self.interval / 3).min(32),
        };
        Duration::from_secs(u64::from(seconds))
    }
}

/// `Session-Expires: 1800;refresher=uac`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SessionExpires {
    interval: u32,
    refresher_is_uac: Option<bool>,
}

fn parse(message: &Message<'_>) -> Option<SessionExpires> {
    let text = std::str::from_utf8(message.value(HeaderName::SessionExpires)?).ok()?;
    let mut parts = text.split(';');
    let interval = parts.next()?.trim().parse().ok()?;
    let refresher_is_uac = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("refresher") {
            return None;
        }
        Some(value.trim().eq_ignore_ascii_case("uac"))
    });
    Some(SessionExpires { interval, refresher_is_uac })
}

/// The peer asked for less than [`MIN_SE`]: 422 with our Min-SE (RFC 4028 section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSmall;

/// Our decision about a request that we are about to accept; `None` when the peer has no session timer.
///
/// We refresh unless the peer insists on doing it (R7), so that a dead phone is noticed.
///
/// # Errors
/// [`TooSmall`] when the asked interval is below [`MIN_SE`] and the peer would understand a 422.
pub fn answer(request: &Message<'_>) -> Result<Option<Agreement>, TooSmall> {
    if !request.has_token(HeaderName::Supported, "timer") {
        return Ok(None);
    }
    let Some(asked) = parse(request) else {
        return Ok(Some(Agreement { interval: INTERVAL, refresher: Refresher::Us }));
    };
    if asked.interval < MIN_SE {
        return Err(TooSmall);
    }
    let refresher = if asked.refresher_is_uac == Some(true) { Refresher::Them } else { Refresher::Us };
    Ok(Some(Agreement { interval: asked.interval, refresher }))
}

/// What the 2xx to a request of ours agreed; `None` when the peer has no session timer.
#[must_use]
pub fn agreed(response: &Message<'_>) -> Option<Agreement> {
    let answer = parse(response)?;
    let refresher = if answer.refresher_is_uac == Some(false) { Refresher::Them } else { Refresher::Us };
    Some(Agreement { interval: answer.interval.max(MIN_SE), refresher })
}

/// The smallest interval that a 422 demands.
#[must_use]
pub fn demanded(response: &Message<'_>) -> Option<u32> {
    std::str::from_utf8(response.value(HeaderName::MinSe)?).ok()?.split(';').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite(headers: &str) -> String {
        format!(
            "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n{headers}Content-Length: 0\r\n\r\n"
        )
    }

    #[test]
    fn the_table_of_answers() {
        let us = |interval| Ok(Some(Agreement { interval, refresher: Refresher::Us }));
        let them = |interval| Ok(Some(Agreement { interval, refresher: Refresher::Them }));
        let cases = [
            ("", Ok(None)),
            ("Session-Expires: 200\r\n", Ok(None)),
            ("Supported: timer\r\n", us(INTERVAL)),
            ("Supported: timer\r\nSession-Expires: 200\r\n", us(200)),
            ("Supported: timer\r\nx: 200;refresher=uac\r\n", them(200)),
            ("k: timer\r\nSession-Expires: 200 ; refresher=uas\r\n", us(200)),
            ("Supported: timer\r\nSession-Expires: 89\r\n", Err(TooSmall)),
        ];
        for (headers, expected) in cases {
            let text = invite(headers);
            let message = Message::parse(text.as_bytes()).expect("a message");
            assert_eq!(answer(&message), expected, "{headers}");
        }
    }

    #[test]
    fn waits_leave_room_for_a_refresh() {
        assert_eq!(Agreement { interval: 1800, refresher: Refresher::Us }.wait().as_secs(), 900);
        assert_eq!(Agreement { interval: 1800, refresher: Refresher::Them }.wait().as_secs(), 1768);
        assert_eq!(Agreement { interval: 90, refresher: Refresher::Them }.wait().as_secs(), 60);
    }
}
