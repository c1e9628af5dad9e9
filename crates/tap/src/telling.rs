//! What is told to the exchange, what it answers, and what that says to whoever stands there.

use crate::Reading;
use serde_json::{Value, json};
use std::time::Duration;

/// How long to wait before each further try.
pub const TRIES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// Where an exchange is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether it is reached by TLS.
    pub tls: bool,
}

impl Exchange {
    /// Reads `https://HOST[:PORT]`; `http` only for this machine, because the key would be read by everybody on the way.
    ///
    /// # Errors
    /// In words.
    pub fn parse(url: &str) -> Result<Exchange, String> {
        let wrong =
            || format!("\"{url}\" is no address of an exchange: write it as in https://office.example:8443");
        let (tls, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(wrong()),
        };
        let place = rest.trim_end_matches('/');
        let bracketed = place.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (host, port) = match bracketed {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let usual = if tls { 443 } else { 80 };
        let port = port.map_or(Ok(usual), |port| port.parse().map_err(|_| wrong()))?;
        let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-:".contains(letter);
        if host.is_empty() || !host.chars().all(plain) {
            return Err(wrong());
        }
        let here = host == "localhost" || host.parse().is_ok_and(|at: std::net::IpAddr| at.is_loopback());
        if !tls && !here {
            return Err(format!("{url} would carry the reader's key in clear; use https"));
        }
        Ok(Exchange { host: host.into(), port, tls })
    }

    /// As in `Host`.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{host}:{}", self.port)
    }
}

/// The request that tells a tap.
#[must_use]
pub fn request(exchange: &Exchange, key: &str, id: &str, reading: &Reading, pin: Option<&str>) -> Vec<u8> {
    let mut told = json!({"id": id});
    for (name, value) in [("uid", reading.uid.as_deref()), ("ndef", reading.ndef.as_deref()), ("pin", pin)] {
        if let Some(value) = value {
            told[name] = json!(value);
        }
    }
    let body = told.to_string();
    format!(
        "POST /api/v1/taps HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Accept: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        exchange.authority(),
        body.len()
    )
    .into_bytes()
}

/// An answer of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The tap counts: what happened.
    Accepted(String),
    /// It does not: why.
    Refused(String),
    /// The PIN is needed as well.
    NeedsPin(String),
    /// Not now: why. The same may be told again.
    Later(String),
}

impl Told {
    /// Reads a whole answer (RFC 9112); what is none is worth another try.
    #[must_use]
    pub fn of(answer: &[u8]) -> Told {
        Told::read(answer).unwrap_or_else(|| Told::Later("the answer makes no sense".into()))
    }

    fn read(answer: &[u8]) -> Option<Told> {
        let at = answer.windows(4).position(|part| part == b"\r\n\r\n")?;
        let (head, body) = answer.split_at_checked(at + 4)?;
        let line = std::str::from_utf8(head).ok()?.lines().next()?;
        let status: u16 = line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let why = || text("detail").unwrap_or_else(|| format!("the exchange answers {status}"));
        Some(match status {
            200 => {
                let who = text("account").map(|account| format!("{account}: ")).unwrap_or_default();
                Told::Accepted(format!("{who}{}", text("words")?))
            }
            403 if text("type").is_some_and(|kind| kind.ends_with(":tap-pin-needed")) => {
                Told::NeedsPin(why())
            }
            408 | 500..=599 => Told::Later(why()),
            _ => Told::Refused(why()),
        })
    }

    /// One line for whoever stands there, without anything that moves a terminal (sec_01).
    #[must_use]
    pub fn words(&self) -> String {
        let (mark, words) = match self {
            Told::Accepted(words) => ("accepted", words),
            Told::Refused(words) => ("refused", words),
            Told::NeedsPin(words) => ("PIN needed", words),
            Told::Later(words) => ("not now", words),
        };
        let hostile = |letter: char| {
            let turns = matches!(letter, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
            letter.is_control() || turns
        };
        let plain: String = words.chars().map(|letter| if hostile(letter) { '?' } else { letter }).collect();
        format!("{mark}: {plain}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_are_found_by_https_and_in_clear_only_here() {
        for (url, authority) in [
            ("https://office.example", Some("office.example:443")),
            ("https://office.example:8443/", Some("office.example:8443")),
            ("https://[2001:db8::1]:8443", Some("[2001:db8::1]:8443")),
            ("http://127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("http://office.example", None),
            ("office.example", None),
            ("https://", None),
            ("https://a b", None),
            ("https://office.example:x", None),
            ("https://office.example/\r\nX: y", None),
        ] {
            let read = Exchange::parse(url).map(|exchange| exchange.authority());
            assert_eq!(read.ok().as_deref(), authority, "{url}");
        }
    }

    #[test]
    fn a_request_says_what_was_read_and_nothing_else() {
        let exchange = Exchange::parse("https://office.example").unwrap();
        let reading = Reading { uid: Some("DEADBEEF".into()), ndef: None };
        let request =
            String::from_utf8(request(&exchange, "rdr_1", "tap-1", &reading, Some("4711"))).unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /api/v1/taps HTTP/1.1\r\nHost: office.example:443\r\n"), "{head}");
        assert!(head.contains("\r\nAuthorization: Bearer rdr_1\r\n"));
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
        let told: Value = serde_json::from_str(body).unwrap();
        assert_eq!(told, json!({"id": "tap-1", "uid": "DEADBEEF", "pin": "4711"}));
    }

    #[test]
    fn answers_are_told_apart() {
        let answer = |status: &str, body: &str| {
            Told::of(format!("HTTP/1.1 {status}\r\nA: b\r\n\r\n{body}").as_bytes())
        };
        assert_eq!(
            answer("200 OK", r#"{"rule": "tap.accepted", "account": "ada", "words": "the call comes here"}"#),
            Told::Accepted("ada: the call comes here".into())
        );
        let refused = r#"{"type": "urn:ringdown:problem:tap-replayed", "detail": "Told before."}"#;
        assert_eq!(answer("403 Forbidden", refused), Told::Refused("Told before.".into()));
        let pin = r#"{"type": "urn:ringdown:problem:tap-pin-needed", "detail": "The PIN."}"#;
        assert_eq!(answer("403 Forbidden", pin), Told::NeedsPin("The PIN.".into()));
        assert_eq!(answer("503 Service Unavailable", ""), Told::Later("the exchange answers 503".into()));
        assert_eq!(answer("401 Unauthorized", "x"), Told::Refused("the exchange answers 401".into()));
        for garbled in ["", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/2 200\r\n\r\n{}", "\r\n\r\n"]
        {
            assert!(matches!(Told::of(garbled.as_bytes()), Told::Later(_)), "{garbled}");
        }
        assert_eq!(Told::Refused("a\u{1b}[2J".into()).words(), "refused: a?[2J");
    }
}
