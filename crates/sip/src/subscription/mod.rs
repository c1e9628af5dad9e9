//! Event subscriptions, the notifier's side (RFC 6665): a phone watches something, and is told of each change.
//!
//! * [`Package`] names what can be watched; the documents are in files of their own beside this one.
//! * [`Subscription`] is one watcher's dialog: its life, its refreshes, the head of each NOTIFY.

mod dialog_info;
mod message_summary;
mod presence;

pub use dialog_info::{DialogInfo, DialogState, Party};
pub use message_summary::message_summary;
pub use presence::{Presence, presence};

use crate::dialog::Dialog;
use clock::Mono;
use std::time::Duration;
use wire::sip::{HeaderName, Message, Method, Writer};

/// What a subscription lasts that names no time, and what it lasts at most, in seconds.
const DEFAULT: u32 = 3_600;
/// Shorter ones are refused: each refresh costs what a registration costs.
pub const LEAST: u32 = 60;

/// What can be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Package {
    /// The calls of a person: busy lamps (RFC 4235).
    Dialog,
    /// Whether a person can be reached (RFC 3856, PIDF of RFC 3863).
    Presence,
    /// Waiting messages (RFC 3842).
    MessageSummary,
    /// What a phone works by (RFC 6080).
    UaProfile,
}

impl Package {
    /// All of them, for Allow-Events.
    pub const NAMES: &'static str = "dialog, presence, message-summary, ua-profile";

    /// The package and the id in an Event header; `None` for one that we do not have (489).
    #[must_use]
    pub fn of(request: &Message<'_>) -> Option<(Package, Option<Box<str>>)> {
        let text = std::str::from_utf8(request.value(HeaderName::Event)?).ok()?;
        let mut parts = text.split(';').map(str::trim);
        let package = match parts.next()? {
            "dialog" => Package::Dialog,
            "presence" => Package::Presence,
            "message-summary" => Package::MessageSummary,
            "ua-profile" => Package::UaProfile,
            _ => return None,
        };
        let id = parts.find_map(|part| part.strip_prefix("id="));
        Some((package, id.filter(|id| id.len() <= 128).map(Box::from)))
    }

    /// As written in an Event header.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Package::Dialog => "dialog",
            Package::Presence => "presence",
            Package::MessageSummary => "message-summary",
            Package::UaProfile => "ua-profile",
        }
    }

    /// The type of its documents.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Package::Dialog => "application/dialog-info+xml",
            Package::Presence => "application/pidf+xml",
            Package::MessageSummary => "application/simple-message-summary",
            Package::UaProfile => "application/json",
        }
    }
}

/// The wish is below [`LEAST`]: 423 with Min-Expires (RFC 6665 4.2.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooBrief;

/// How long a SUBSCRIBE wants to watch, in seconds; zero ends it.
///
/// # Errors
/// [`TooBrief`].
pub fn wanted(request: &Message<'_>) -> Result<u32, TooBrief> {
    match request.expires() {
        None => Ok(DEFAULT),
        Some(0) => Ok(0),
        Some(seconds) if seconds < LEAST => Err(TooBrief),
        Some(seconds) => Ok(seconds.min(DEFAULT)),
    }
}

/// Why a subscription ends (RFC 6665 4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The watcher asked for it, or did not refresh.
    Timeout,
    /// What it watches is gone.
    NoResource,
}

/// One watcher.
#[derive(Debug)]
pub struct Subscription {
    /// What it watches.
    pub package: Package,
    /// Its dialog; our tag is in it.
    pub dialog: Dialog,
    /// Lives until.
    pub expires: Mono,
    id: Option<Box<str>>,
    version: u32,
}

impl Subscription {
    /// From an accepted SUBSCRIBE; `dialog` is the callee's side of it.
    #[must_use]
    pub fn new(
        package: Package,
        id: Option<Box<str>>,
        dialog: Dialog,
        now: Mono,
        seconds: u32,
    ) -> Subscription {
        let mut subscription = Subscription { package, dialog, expires: now, id, version: 0 };
        subscription.renew(now, seconds);
        subscription
    }

    /// Lives on from `now`.
    pub fn renew(&mut self, now: Mono, seconds: u32) {
        self.expires = now + Duration::from_secs(u64::from(seconds));
    }

    /// The number of the next document, from zero, without a gap (RFC 4235 4.1.1).
    pub fn next_version(&mut self) -> u32 {
        self.version += 1;
        self.version - 1
    }

    /// Writes what a NOTIFY has beside the dialog's own headers, and ends it with the document.
    pub fn finish_notify(
        &self,
        now: Mono,
        mut writer: Writer<'_>,
        ended: Option<Ended>,
        document: &str,
    ) -> usize {
        match &self.id {
            Some(id) => writer.header_strs(HeaderName::Event, &[self.package.name(), ";id=", id]),
            None => writer.header(HeaderName::Event, self.package.name()),
        };
        match ended {
            None => {
                let left = self.expires.since(now).as_millis().div_ceil(1_000);
                writer.header_fmt(HeaderName::SubscriptionState, format_args!("active;expires={left}"))
            }
            Some(Ended::Timeout) => writer.header(HeaderName::SubscriptionState, "terminated;reason=timeout"),
            Some(Ended::NoResource) => {
                writer.header(HeaderName::SubscriptionState, "terminated;reason=noresource")
            }
        };
        writer.body(self.package.content_type(), document.as_bytes())
    }

    /// Whether a request of the watcher's is of this dialog and newer than the last.
    pub fn accept(&mut self, request: &Message<'_>) -> bool {
        let tags =
            (request.to().ok().and_then(|to| to.tag()), request.from().ok().and_then(|from| from.tag()));
        let (Some(ours), theirs) = tags else { return false };
        let Ok(call_id) = request.call_id() else { return false };
        request.method() == Method::Subscribe
            && self.dialog.matches(call_id, ours, theirs)
            && request.cseq().is_ok_and(|cseq| self.dialog.accept_sequence(cseq.number).is_ok())
    }
}

/// Text inside XML, between tags or quotes; what XML 1.0 forbids is left out (sec_01, sec_15).
pub(crate) fn escape_xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {}
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscribe(lines: &str) -> String {
        format!(
            "SUBSCRIBE sip:101@office SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:101@office>\r\nCall-ID: x\r\nCSeq: 1 SUBSCRIBE\r\n{lines}Content-Length: 0\r\n\r\n"
        )
    }

    #[test]
    fn packages_and_lives() {
        for (lines, package, life) in [
            ("Event: dialog\r\n", Some(Package::Dialog), Ok(3_600)),
            ("o: presence;id=7\r\nExpires: 90\r\n", Some(Package::Presence), Ok(90)),
            ("Event: message-summary\r\nExpires: 0\r\n", Some(Package::MessageSummary), Ok(0)),
            ("Event: message-summary\r\nExpires: 9\r\n", Some(Package::MessageSummary), Err(TooBrief)),
            ("Event: ua-profile;profile-type=\"user\";vendor=\"x\"\r\n", Some(Package::UaProfile), Ok(3_600)),
            ("Event: conference\r\nExpires: 999999\r\n", None, Ok(3_600)),
            ("", None, Ok(3_600)),
        ] {
            let text = subscribe(lines);
            let message = Message::parse(text.as_bytes()).expect("a request");
            assert_eq!(Package::of(&message).map(|(package, _)| package), package, "{lines}");
            assert_eq!(wanted(&message), life, "{lines}");
        }
    }

    #[test]
    fn a_notify_says_how_long_it_goes_on_and_repeats_the_id() {
        let text = subscribe("Event: dialog;id=7\r\n");
        let message = Message::parse(text.as_bytes()).expect("a request");
        let dialog = Dialog::from_request(&message, "ours").expect("a dialog");
        let (package, id) = Package::of(&message).expect("a package");
        let mut watcher = Subscription::new(package, id, dialog, Mono(0), 60);
        assert_eq!((watcher.next_version(), watcher.next_version()), (0, 1));
        let mut bytes = Vec::new();
        watcher.finish_notify(
            Mono(500_000),
            Writer::request(&mut bytes, Method::Notify, "sip:a"),
            None,
            "<x/>",
        );
        let notify = String::from_utf8_lossy(&bytes);
        assert!(
            notify.contains("Event: dialog;id=7\r\nSubscription-State: active;expires=60\r\n"),
            "{notify}"
        );
    }

    #[test]
    fn sec_15_nothing_leaves_its_place_in_xml() {
        assert_eq!(escape_xml("a<b>&\"c\u{0}\u{1B}"), "a&lt;b&gt;&amp;&quot;c");
    }
}
