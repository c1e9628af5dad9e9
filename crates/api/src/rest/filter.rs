//! Which records are wanted, as parameters say it.

use super::problem::Problem;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which records.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WantedRecords {
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    pub(super) limit: Option<u32>,
    /// What `next` said of the page before.
    pub(super) after: Option<String>,
    /// Only records that contain this text in a number, a name, a device, the cause or the session.
    #[param(max_length = 100)]
    pub(super) find: Option<String>,
    /// Only calls that began at this time or later.
    #[param(format = "date-time")]
    pub(super) from: Option<String>,
    /// Only calls that began before this time.
    #[param(format = "date-time")]
    pub(super) to: Option<String>,
    /// Only the calls of this background call.
    pub(super) task: Option<i64>,
}

/// Which records of a file, and how it is written.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WantedFile {
    /// Only records that contain this text in a number, a name, a device, the cause or the session.
    #[param(max_length = 100)]
    pub(super) find: Option<String>,
    /// Only calls that began at this time or later.
    #[param(format = "date-time")]
    pub(super) from: Option<String>,
    /// Only calls that began before this time.
    #[param(format = "date-time")]
    pub(super) to: Option<String>,
    /// 1 begins the file with a byte order mark, which some spreadsheets need to see UTF-8.
    #[param(minimum = 0, maximum = 1)]
    pub(super) bom: Option<u8>,
    /// 1 leaves cells that a spreadsheet would take for formulas as they are: for programs only.
    #[param(minimum = 0, maximum = 1)]
    pub(super) raw: Option<u8>,
}

/// Which taps.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WantedTaps {
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    pub(super) limit: Option<u32>,
    /// What `next` said of the page before.
    pub(super) after: Option<String>,
    /// 1 leaves out what others tapped: an administrator's own taps.
    #[param(minimum = 0, maximum = 1)]
    pub(super) own: Option<u8>,
}

/// Whose background calls.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WantedOwner {
    /// Whose; yours, if it is left out. Another's takes an administrator.
    pub(super) account: Option<String>,
}

/// A time of a parameter.
pub(super) fn at(name: &str, text: Option<&str>) -> Result<Option<i64>, Problem> {
    let parse = |text: &str| {
        let at = text.parse::<jiff::Timestamp>();
        at.map(jiff::Timestamp::as_millisecond)
            .map_err(|_| Problem::malformed(format!("{name} is a time, as in 2026-11-24T17:05:03Z.")))
    };
    text.map(parse).transpose()
}
