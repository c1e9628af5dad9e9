//! What an app tells besides what every phone tells: one JSON object a line of the control socket.

use serde::Serialize;

/// One piece of news.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub(in crate::phone) enum AppNews {
    /// Who we are.
    App { device: String, account: String },
    /// Whether the directory can be reached; why not, in words.
    Directory {
        connected: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// There is no connection; the broker wakes us.
    Asleep,
    /// A call waits for us at this exchange.
    Woken { exchange: String },
    /// Nobody waits any more for what woke us.
    Withdrawn,
    /// We were woken and do not come.
    Declined { why: String },
    /// The directory was asked for a call.
    Asked { number: String },
    /// Somebody is before us; 1 is next.
    Place { place: u32 },
    /// The call goes to this exchange.
    Designated { exchange: String },
    /// There is no call.
    NotCalled { number: String, why: String },
    /// We are called when somebody is free.
    WhenFree { number: String },
    /// We are not, because of this.
    NotWhenFree { number: String, why: String },
    /// The call is over, and we left the exchange.
    Left,
}
