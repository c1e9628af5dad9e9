//! What a webhook is sent: an event as CloudEvents 1.0 JSON (structured mode), and the signature over it.

use super::queue::Event;
use crate::backend::CallRow;
use crate::rest::events::Item;
use crate::rest::records::RecordShape;
use crate::rest::{secrets, time};
use aws_lc_rs::hmac;
use serde::Serialize;
use serde_json::{Value, json};

/// The media type of a message.
pub(super) const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";
/// The header that proves who sent it.
pub(super) const SIGNATURE: &str = "ringdown-signature";
/// The kind of the event that tells of a call record: it comes from the records, not from the live events.
pub(super) const RECORD: &str = "record.added";
/// The kind of what `POST webhooks/ID/test` sends.
const TEST: &str = "webhook.test";

/// What a webhook may hear of: all live events but `status.changed` and `exchanges.changed`, which are for eyes and come each
/// second.
pub(crate) const TYPES: &[&str] = &[
    "call.started",
    "call.changed",
    "call.ended",
    RECORD,
    "person.changed",
    "person.removed",
    "number.changed",
    "number.removed",
    "device.changed",
    "device.removed",
    "group.changed",
    "group.removed",
    "trunk.changed",
    "trunk.removed",
    "route.changed",
    "route.removed",
    "seat.changed",
    "seat.removed",
    "take.failed",
    "task.changed",
    "task.ended",
    "list.changed",
    "list.removed",
    "list_work.changed",
    "agent.changed",
    "profile.changed",
    "queue.changed",
    "queue.removed",
    "notice.shown",
    "notice.withdrawn",
    "session.ended",
];

/// CloudEvents 1.0, JSON event format, section 3.
#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    time: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    subject: &'a str,
    datacontenttype: &'static str,
    data: &'a Value,
}

fn event(id: String, source: &str, kind: &str, time: &str, subject: &str, data: &Value) -> Event {
    let whole = CloudEvent {
        specversion: "1.0",
        id: &id,
        source,
        kind,
        time,
        subject,
        datacontenttype: "application/json",
        data,
    };
    // What is derived from our own types can always be written.
    let body = serde_json::to_string(&whole).unwrap_or_default();
    Event { id, kind: kind.into(), subject: subject.into(), body }
}

/// A live event; `id` is its name in the stream of events.
pub(super) fn of_item(id: String, source: &str, item: &Item) -> Event {
    event(id, source, &item.kind, &item.time, &item.subject, &item.data)
}

/// A call record; its name says its number, which never changes.
pub(super) fn of_record(source: &str, row: CallRow) -> Event {
    let (id, at, session) = (format!("record-{}", row.id), time(row.ended), row.session_id.clone());
    let data = serde_json::to_value(RecordShape::of(row)).unwrap_or_default();
    event(id, source, RECORD, &at, &session, &data)
}

/// What is sent to try a webhook.
pub(super) fn of_test(id: String, source: &str, now: i64, webhook: &str) -> Event {
    event(id, source, TEST, &time(now), webhook, &json!({"webhook": webhook}))
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA-256 under the secret, over the seconds since 1970, a full stop and the body. The time is
/// that of the attempt, so that a message that was overheard is worth nothing later.
pub(super) fn signature(secret: &str, now: i64, body: &str) -> String {
    let seconds = now.div_euclid(1_000);
    let mut signing = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
    signing.update(format!("{seconds}.").as_bytes());
    signing.update(body.as_bytes());
    format!("t={seconds},v1={}", secrets::hex(signing.sign().as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_a_message_is_a_cloud_event_with_all_that_is_required() {
        let row = CallRow { id: 42, session_id: "ab12".into(), ended: 1_000, ..CallRow::default() };
        let event = of_record("sip:office.example", row);
        let body: Value = serde_json::from_str(&event.body).unwrap();
        for (name, value) in [
            ("specversion", "1.0"),
            ("id", "record-42"),
            ("source", "sip:office.example"),
            ("type", "record.added"),
            ("time", "1970-01-01T00:00:01.000Z"),
            ("subject", "ab12"),
            ("datacontenttype", "application/json"),
        ] {
            assert_eq!(body[name], value, "{name}");
        }
        assert_eq!(body["data"]["id"], 42);
        let test = of_test("test-1".into(), "sip:a", 0, "w1");
        assert!(test.body.contains("\"type\":\"webhook.test\"") && test.subject == "w1", "{}", test.body);
    }

    /// Made by another implementation: `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac rdwh_secret`.
    #[test]
    fn b_the_signature_is_the_hmac_of_time_and_body() {
        let expected = "t=1700000000,v1=2b7d931f99e58cd4caade80da45bd88d69cb12012b148ac9a36db6fffe777da3";
        assert_eq!(signature("rdwh_secret", 1_700_000_000_999, "{\"a\":1}"), expected);
    }

    /// What can be chosen is what the document names.
    #[test]
    fn the_types_are_the_events_of_the_document() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md");
        let text = std::fs::read_to_string(path).unwrap();
        let table = text.split("\n## Events\n").nth(1).unwrap().split("\n## ").next().unwrap();
        let rows = table.lines().filter(|line| line.starts_with("| `"));
        let cells = rows.filter_map(|line| line.split('|').nth(1));
        let mut named: Vec<&str> = cells
            .flat_map(|cell| cell.split('`').skip(1).step_by(2))
            .filter(|name| name.contains('.') && !matches!(*name, "status.changed" | "exchanges.changed"))
            .collect();
        let mut known = TYPES.to_vec();
        named.sort_unstable();
        known.sort_unstable();
        assert_eq!(named, known);
    }
}
