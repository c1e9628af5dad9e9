//! `taps` and `taps.csv`: what readers tell, and what became of it, for those whose badges they were.

use super::caller::{Caller, Peer};
use super::csv::Line;
use super::filter::WantedTaps;
use super::input::{self, Body, Params};
use super::openapi::EVERYBODY;
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Page};
use super::problem::{Problem, sentence};
use super::seats::TakenShape;
use super::{Api, time};
use crate::backend::TapRow;
use crate::badge::READER_KEY;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use exchange::{
    Answer, Command, Pin, Reading, Role, Taken, TapAnswer, TapRequest, TapVerdict, TokenHash, WeekTime,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::of_people("POST", "/taps", Who::Reader),
    Operation::new("GET", "/taps", Who::Own(Role::Administrator), Scope::RecordsRead),
    Operation::new("GET", "/taps.csv", EVERYBODY, Scope::RecordsRead),
    Operation::of_people("DELETE", "/taps", EVERYBODY),
];

/// Characters of a tap's id.
const ID: usize = 64;
/// Taps read at once for a file.
const AT_ONCE: u32 = 1_000;
/// Taps of a file; a badge can be tapped oftener within thirty days, and nobody does.
const FILE: usize = 100_000;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(tell, list, forget)).routes(routes!(file))
}

/// The key of a reader, if a request carries one.
pub(super) fn reader_key(headers: &HeaderMap) -> Option<TokenHash> {
    let (scheme, key) = input::text(headers, header::AUTHORIZATION)?.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && key.starts_with(READER_KEY)).then(|| TokenHash::of(key))
}

/// What a reader has read. At least one of `uid` and `ndef`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTap {
    /// What the reader calls this tap, another for each: told again with the same, it is counted once. Without one, the
    /// same reading within two seconds is the same tap.
    #[schema(min_length = 1, max_length = 64, nullable = false)]
    id: Option<String>,
    /// The UID, in hexadecimal digits.
    #[schema(nullable = false)]
    uid: Option<String>,
    /// What the first NDEF record says: its URI or its text.
    #[schema(max_length = 512, nullable = false)]
    ndef: Option<String>,
    /// The PIN, if one was keyed.
    #[schema(format = Password, nullable = false)]
    pin: Option<String>,
}

/// A tap that counts.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
struct TapShape {
    /// `tap.accepted`.
    rule: String,
    /// Whose badge it was.
    account: Option<String>,
    /// The badge.
    badge: Option<String>,
    /// What happened, in words for whoever stands there.
    words: String,
    #[serde(flatten)]
    taken: TakenShape,
}

/// Tells that a badge was held to a reader; with the key of the reader, and from nobody else.
#[utoipa::path(post, path = "/taps", tag = "badges", operation_id = "taps_tell", request_body = NewTap,
    responses((status = 200, body = TapShape),
        (status = 409, description = "The badge is good, and nothing can be taken at this phone now.", body = Problem,
            content_type = "application/problem+json"),
        (status = 403, description = "It is refused; type says why, as in urn:ringdown:problem:tap-replayed.", body = Problem,
            content_type = "application/problem+json"),
        (status = 429, description = "Too many; Retry-After says when.", body = Problem,
            content_type = "application/problem+json")))]
async fn tell(
    State(api): State<Api>,
    peer: Peer,
    headers: HeaderMap,
    Body(tap): Body<NewTap>,
) -> Result<Json<TapShape>, Problem> {
    let NewTap { id, uid, ndef, pin } = tap;
    let reader = reader_key(&headers).ok_or_else(no_key)?;
    if id.as_ref().is_some_and(|id| id.is_empty() || id.chars().count() > ID) {
        return Err(Problem::nonsense(format!("The id of a tap has 1 to {ID} characters.")).at("/id"));
    }
    let reading = Reading::of(uid.as_deref(), ndef.as_deref()).ok_or_else(|| {
        Problem::nonsense("Tell uid, 8, 14 or 20 hexadecimal digits, or ndef, up to 512 octets.")
    })?;
    let pin = match pin.as_deref().map(Pin::of) {
        Some(None) => return Err(Problem::nonsense("A PIN has 1 to 12 digits.").at("/pin")),
        Some(pin) => pin,
        None => None,
    };
    let id = id.map(Into::into);
    let request = TapRequest { reader, source: peer.address, id, reading, pin, at: week_time() };
    match api.ask(Command::Tap(Box::new(request))).await? {
        Answer::Tapped(answer) => told(*answer).map(Json),
        other => Err(Problem::of(other, "")),
    }
}

pub(super) fn no_key() -> Problem {
    Problem::unknown_caller("Send the key of the reader: Authorization: Bearer rdr_…")
}

/// Now, in the time zone of the machine.
fn week_time() -> WeekTime {
    let now = jiff::Zoned::now();
    let day = u8::try_from(now.weekday().to_monday_zero_offset()).unwrap_or_default();
    let minutes = i32::from(now.hour()) * 60 + i32::from(now.minute());
    WeekTime { day, minute: u16::try_from(minutes).unwrap_or_default() }
}

fn told(answer: TapAnswer) -> Result<TapShape, Problem> {
    let TapAnswer { verdict, badge, account, words, taken, wait } = answer;
    if let Some(taken) = taken {
        let text = |text: Option<Box<str>>| text.map(String::from);
        let (account, badge, words) = (text(account), text(badge), words.into());
        if let Taken::Refused { rule, words } = &taken {
            // The badge is good; what it is for cannot be had at this phone now.
            return Err(Problem::new(StatusCode::CONFLICT, &rule.replace('.', "-"), sentence(words)));
        }
        let taken = TakenShape::of(taken)?;
        return Ok(TapShape { rule: verdict.name().into(), account, badge, words, taken });
    }
    let status = match verdict {
        TapVerdict::UnknownReader => return Err(no_key()),
        TapVerdict::Busy | TapVerdict::NotStored | TapVerdict::Away => {
            return Err(Problem::unavailable(&words));
        }
        TapVerdict::IdUsed | TapVerdict::NoPhone => StatusCode::CONFLICT,
        TapVerdict::TooFast | TapVerdict::Locked => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::FORBIDDEN,
    };
    let problem = Problem::new(status, &verdict.name().replace('.', "-"), sentence(&words));
    Err(if status == StatusCode::TOO_MANY_REQUESTS { problem.retry_after(wait.as_secs()) } else { problem })
}

/// A tap that was judged; kept for thirty days at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct TapItem {
    /// In the order in which they were judged.
    id: i64,
    /// When.
    #[schema(format = DateTime)]
    time: String,
    /// Whose badge it was; null if no badge is known by what was read.
    account: Option<String>,
    /// The badge.
    badge: Option<String>,
    /// Its kind.
    kind: Option<String>,
    /// Where.
    reader: String,
    /// The phone there.
    device: String,
    /// The rule that decided, as in `tap.accepted`.
    rule: String,
    /// The decision in words.
    words: String,
}

impl TapItem {
    fn of(row: TapRow) -> TapItem {
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        TapItem {
            id: row.id,
            time: time(row.time),
            account: some(row.account),
            badge: some(row.badge),
            kind: some(row.kind),
            reader: row.reader,
            device: row.device,
            rule: row.rule,
            words: row.words,
        }
    }
}

async fn rows(
    api: &Api,
    account: Option<&str>,
    before: Option<i64>,
    most: u32,
) -> Result<Vec<TapRow>, Problem> {
    api.door().taps(account, before, most).await.map_err(|why| Problem::unavailable(&why))
}

/// Taps, the newest first; everybody but an administrator sees those of their own badges.
#[utoipa::path(get, path = "/taps", tag = "badges", operation_id = "taps_list", params(WantedTaps),
    responses((status = 200, body = Items<TapItem>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Params(wanted): Params<WantedTaps>,
) -> Result<Json<Items<TapItem>>, Problem> {
    let page = Page::wanted(wanted.limit, wanted.after.as_deref(), None)?;
    let before = page.before()?;
    let most = u32::try_from(page.limit + 1).unwrap_or(u32::MAX);
    let whose = match wanted.own {
        None | Some(0) => caller.sees(Role::Administrator),
        Some(1) => Some(caller.account()),
        Some(_) => return Err(Problem::malformed("own is 0 or 1.")),
    };
    let rows = rows(&api, whose, before, most).await?;
    let keyed = rows.into_iter().map(|row| (row.id.to_string(), TapItem::of(row))).collect();
    Ok(Json(page.cut(keyed, |(key, _): &(String, TapItem)| key).map(|(_, tap)| tap)))
}

/// The caller's own taps as a file for spreadsheets (RFC 4180), the newest first; cells as in `records.csv`.
#[utoipa::path(get, path = "/taps.csv", tag = "badges", operation_id = "taps_file",
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn file(State(api): State<Api>, caller: Caller) -> Result<Response, Problem> {
    let mut text = String::from("id,time,badge,kind,reader,device,rule,words\r\n");
    let (mut before, mut count) = (None, 0);
    while count < FILE {
        let read = rows(&api, Some(caller.account()), before, AT_ONCE).await?;
        let Some(last) = read.last() else { break };
        before = Some(last.id);
        count += read.len();
        for row in &read {
            let mut line = Line::new(&mut text, false);
            line.number(row.id).text(&time(row.time)).text(&row.badge).text(&row.kind).text(&row.reader);
            line.text(&row.device).text(&row.rule).text(&row.words);
            line.end();
        }
    }
    let kind = "text/csv; charset=utf-8; header=present";
    let name = "attachment; filename=\"taps.csv\"";
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, text).into_response())
}

/// Deletes the caller's own taps.
#[utoipa::path(delete, path = "/taps", tag = "badges", operation_id = "taps_forget",
    responses((status = 204, description = "The taps are deleted.")))]
async fn forget(State(api): State<Api>, caller: Caller) -> Result<StatusCode, Problem> {
    api.change(Command::ForgetTaps(caller.account().into()), "").await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn sec_11_only_the_key_of_a_reader_is_one() {
        let key = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            reader_key(&headers).is_some()
        };
        assert!(key("Bearer rdr_1") && key("bearer rdr_1"));
        assert!(!key("Bearer rd_1") && !key("Basic rdr_1") && !key("rdr_1"));
        assert!(reader_key(&HeaderMap::new()).is_none());
    }

    /// Octets changed, left out and put in: a body is a tap or not, and what it says is a reading or not.
    #[test]
    fn whatever_a_reader_posts_is_a_tap_or_not() {
        let whole =
            r#"{"id":"t-1","uid":"04DE5F1EACC040","ndef":"https://x/?picc_data=00&cmac=00","pin":"4711"}"#;
        let pieces: [&[u8]; 9] =
            [b"\"", b"{", b"}", b"null", b"\\u0000", b"\\ud800", b"\xff", b"1e999", b",\"uid\":1"];
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
        let mut dice = move |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % u64::try_from(below.max(1)).unwrap()).unwrap()
        };
        let (mut taps, mut none) = (0, 0);
        for _ in 0..100_000 {
            let mut bytes = whole.as_bytes().to_vec();
            for _ in 0..=dice(3) {
                let at = dice(bytes.len());
                match dice(3) {
                    0 => bytes[at] ^= 1 << dice(8),
                    1 => drop(bytes.drain(at..(at + dice(9)).min(bytes.len()))),
                    _ => drop(bytes.splice(at..at, pieces[dice(pieces.len())].iter().copied())),
                }
            }
            match serde_json::from_slice::<NewTap>(&bytes) {
                Ok(tap) => {
                    let _ = (
                        Reading::of(tap.uid.as_deref(), tap.ndef.as_deref()),
                        tap.pin.as_deref().map(Pin::of),
                    );
                    taps += 1;
                }
                Err(_) => none += 1,
            }
        }
        assert!(taps > 1_000 && none > 1_000, "{taps} taps, {none} that are none");
    }

    #[test]
    fn verdicts_become_statuses() {
        let answer = |verdict| TapAnswer {
            verdict,
            badge: None,
            account: None,
            words: TapVerdict::words(verdict).into(),
            taken: (verdict == TapVerdict::Accepted).then_some(Taken::SignedOut),
            wait: std::time::Duration::from_secs(3),
        };
        for (verdict, status) in [
            (TapVerdict::UnknownReader, 401),
            (TapVerdict::Replayed, 403),
            (TapVerdict::PinNeeded, 403),
            (TapVerdict::IdUsed, 409),
            (TapVerdict::TooFast, 429),
            (TapVerdict::NotStored, 503),
        ] {
            let problem = told(answer(verdict)).unwrap_err();
            assert_eq!(problem.status, status, "{verdict:?}");
        }
        let problem = told(answer(TapVerdict::Replayed)).unwrap_err();
        assert!(problem.kind.ends_with(":tap-replayed") && problem.detail.ends_with('.'));
        assert_eq!(told(answer(TapVerdict::Accepted)).unwrap().rule, "tap.accepted");
    }
}
