//! A notice as events and wearables have it.

use crate::rest::time;
use exchange::{NearPhone, Notice};
use serde::Serialize;
use serde_json::{Value, json};

/// A call that rings, for whom it rings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NoticeShape {
    /// The call, as in `calls`.
    call: String,
    /// Whom it rings for.
    account: String,
    /// Who calls.
    caller: Who,
    /// The number that was called.
    called: String,
    /// Free phones, the nearest first.
    phones: Vec<PhoneShape>,
    /// When the notice is worth nothing any more.
    until: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Who {
    number: String,
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct PhoneShape {
    device: String,
    location: String,
    /// The call rings there.
    rings: bool,
    /// It stands where the person is.
    here: bool,
}

impl NoticeShape {
    pub(crate) fn of(notice: &Notice) -> NoticeShape {
        let phone = |phone: &NearPhone| PhoneShape {
            device: phone.device.to_string(),
            location: phone.location.to_string(),
            rings: phone.rings,
            here: phone.here,
        };
        NoticeShape {
            call: notice.call.to_string(),
            account: notice.account.to_string(),
            caller: Who { number: notice.caller.number.to_string(), name: notice.caller.name.to_string() },
            called: notice.called.to_string(),
            phones: notice.phones.iter().map(phone).collect(),
            until: time(notice.until.0),
        }
    }
}

/// What a wearable is sent: the event's data, with its type and time, and with what dismisses it.
pub(super) fn message(kind: &str, at: &str, data: &Value, token: Option<String>) -> Value {
    let mut whole = json!({"type": kind, "time": at});
    if let (Some(whole), Some(data)) = (whole.as_object_mut(), data.as_object()) {
        whole.extend(data.clone());
        whole.extend(token.map(|token| ("token".to_owned(), token.into())));
    }
    whole
}
