//! What a NATS server has to be, so that what it said to have kept is there: its version, and how it writes to its disk.
//!
//! Nothing that we promise anybody rests upon NATS (R24). But whoever reads events there takes them for complete, so a server
//! that loses what it acknowledged is refused where that is known of it, and warned of where it depends on its settings.

use serde_json::Value;
use std::time::Duration;

/// The first release that does not lose a whole stream when it is killed (2.10.20 to 2.10.22 do, and what is older has no
/// setting by which each message is on the disk before it is acknowledged).
pub(super) const FIRST: (u64, u64, u64) = (2, 10, 23);
/// What a crash of the machine may cost without being mentioned.
const LITTLE: Duration = Duration::from_secs(1);

/// Why a server of this version keeps nothing for us.
pub(super) fn version(text: &str) -> Result<(), String> {
    let (major, minor, patch) = FIRST;
    let known = parse(text).ok_or_else(|| format!("its version, \"{text}\", makes no sense"))?;
    if known < FIRST {
        return Err(format!(
            "NATS {text} can lose what it has acknowledged; events are kept by {major}.{minor}.{patch} and later"
        ));
    }
    Ok(())
}

/// `2.10.23`, or `2.12.0-beta.1`.
fn parse(text: &str) -> Option<(u64, u64, u64)> {
    let plain = text.split(['-', '+']).next()?;
    let mut parts = plain.splitn(3, '.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}

/// What is to be said of the settings that a server shows at its monitor (`/jsz?config=true`), if it is the one.
pub(super) fn settings(monitor: &[u8], server: &str) -> Option<String> {
    let Ok(shown) = serde_json::from_slice::<Value>(monitor) else {
        return Some("what its monitor shows is no JSON".to_owned());
    };
    if shown["server_id"].as_str() != Some(server) {
        return Some(
            "the monitor is that of another server; how this one writes to its disk is not known".to_owned(),
        );
    }
    let config = &shown["config"];
    if config["sync_always"].as_bool() == Some(true) {
        return None;
    }
    // Two minutes if it says nothing.
    let every = config["sync_interval"].as_u64().map_or(Duration::from_secs(120), Duration::from_nanos);
    (every > LITTLE).then(|| {
        format!(
            "it writes to its disk each {} s: so much of what it acknowledged is lost when its machine loses its power; set \
             sync_interval: always below jetstream",
            every.as_secs()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_lose_what_they_acknowledged_are_refused() {
        for good in ["2.10.23", "2.11.0", "2.15.1", "3.0.0", "2.12.0-beta.1"] {
            assert_eq!(version(good), Ok(()), "{good}");
        }
        for bad in ["2.9.10", "2.10.22", "2.10.20", "1.4.1", "", "new", "2.10", "2.x.1"] {
            assert!(version(bad).is_err(), "{bad}");
        }
        let why = version("2.10.22").unwrap_err();
        assert!(why.contains("2.10.22") && why.contains("2.10.23 and later"), "{why}");
    }

    #[test]
    fn settings_that_lose_what_was_acknowledged_are_warned_of() {
        let shown = |config: &str| format!(r#"{{"server_id": "A", "config": {config}}}"#).into_bytes();
        assert_eq!(settings(&shown(r#"{"sync_interval": 120000000000, "sync_always": true}"#), "A"), None);
        assert_eq!(settings(&shown(r#"{"sync_interval": 500000000}"#), "A"), None);
        let late = settings(&shown(r#"{"sync_interval": 120000000000}"#), "A").unwrap();
        assert!(late.contains("each 120 s") && late.contains("sync_interval: always"), "{late}");
        assert!(settings(&shown("{}"), "A").unwrap().contains("each 120 s"));
        assert!(settings(&shown(r#"{"sync_always": true}"#), "B").unwrap().contains("another server"));
        assert!(settings(b"<html>", "A").unwrap().contains("no JSON"));
        assert!(settings(b"[]", "A").unwrap().contains("another server"));
    }
}
