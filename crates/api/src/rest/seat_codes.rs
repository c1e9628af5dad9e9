//! `devices/{name}/code`: what a QR code beside a phone says, for whoever wants to sit there (decision 10).
//!
//! A code counts once, for one phone, within a few minutes, and only with the session of whoever scanned it. Codes are
//! in memory alone: after a restart the page that shows one asks for another.

use super::caller::Caller;
use super::input::Named;
use super::operations::{Operation, Who};
use super::problem::Problem;
use super::{Api, devices, seats, secrets, time};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use exchange::Role;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation::of_people("POST", "/devices/{name}/code", Who::Own(Role::Manager))];

/// Milliseconds that a code waits for its use: enough to sign in on a mobile.
const LIVES: i64 = 3 * 60 * 1_000;
/// Codes of one phone; the oldest gives way. The page that shows them asks for another every half minute.
const OF_A_PHONE: usize = 8;
/// Codes in all; the oldest gives way.
const ALL: usize = 2_000;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(make))
}

/// A code for a phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct CodeShape {
    /// The code.
    #[schema(format = Password)]
    code: String,
    /// When it is good no more.
    #[schema(format = DateTime)]
    expires: String,
}

/// Makes a code that lets whoever scans it sit at this phone, once; for its owner, whoever sits there, and managers.
#[utoipa::path(post, path = "/devices/{name}/code", tag = "seats", operation_id = "devices_code",
    params(("name" = String, Path, description = "The device")),
    responses((status = 201, body = CodeShape)))]
async fn make(
    State(api): State<Api>,
    caller: Caller,
    Named(name): Named<String>,
) -> Result<(StatusCode, Json<CodeShape>), Problem> {
    if caller.role < Role::Manager && !seats::is_at(&api, &caller, &name).await? {
        return Err(Problem::forbidden("You are not at this phone; it takes the role manager."));
    }
    if devices::is_web(&api, &name).await? {
        return Err(Problem::nonsense("A web phone is its owner's alone; nobody else can sit there."));
    }
    let code = api.random();
    let expires = api.seat_codes().made(api.now(), secrets::digest(&code), &name);
    Ok((StatusCode::CREATED, Json(CodeShape { code, expires: time(expires) })))
}

/// A code as it is kept, by the hash of what is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    device: String,
    expires: i64,
}

/// All that are good.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    known: BTreeMap<String, Code>,
}

impl Codes {
    /// A new code of the secret with this hash; returns when it ends.
    fn made(&mut self, now: i64, hash: String, device: &str) -> i64 {
        self.known.retain(|_, code| code.expires > now);
        let of_phone = self.known.values().filter(|code| code.device == device).count();
        let any = self.known.len() >= ALL;
        if of_phone >= OF_A_PHONE || any {
            let candidates =
                self.known.iter().filter(|(_, code)| of_phone < OF_A_PHONE || code.device == device);
            let oldest = candidates.min_by_key(|(_, code)| code.expires).map(|(hash, _)| hash.clone());
            oldest.and_then(|hash| self.known.remove(&hash));
        }
        let expires = now.saturating_add(LIVES);
        self.known.insert(hash, Code { device: device.into(), expires });
        expires
    }

    /// Takes the code of a hash, if it is this phone's: one step, so that of many who come at once one gets it.
    pub(crate) fn used(&mut self, now: i64, hash: &str, device: &str) -> Option<Code> {
        let good = self.known.get(hash).is_some_and(|code| code.device == device && code.expires > now);
        if good { self.known.remove(hash) } else { None }
    }

    /// Puts a code back that was used for nothing.
    pub(crate) fn put_back(&mut self, hash: String, code: Code) {
        self.known.insert(hash, code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_19_a_code_counts_once_for_its_phone_within_its_time() {
        let mut codes = Codes::default();
        assert_eq!(codes.made(0, "h1".into(), "desk-1"), LIVES);
        assert!(codes.used(1, "h1", "desk-2").is_none(), "another phone's");
        assert!(codes.used(LIVES, "h1", "desk-1").is_none(), "too late");
        let code = codes.used(LIVES - 1, "h1", "desk-1").unwrap();
        assert!(codes.used(1, "h1", "desk-1").is_none(), "used");
        codes.put_back("h1".into(), code);
        assert!(codes.used(1, "h1", "desk-1").is_some());
    }

    #[test]
    fn codes_are_bounded_for_a_phone_and_in_all() {
        let mut codes = Codes::default();
        for n in 0..20 {
            codes.made(n, format!("h{n}"), "desk-1");
        }
        assert_eq!(codes.known.len(), OF_A_PHONE);
        assert!(codes.used(20, "h11", "desk-1").is_none() && codes.used(20, "h12", "desk-1").is_some());
        for n in 0..i64::try_from(ALL).unwrap() + 50 {
            codes.made(100 + n, format!("x{n}"), &format!("phone-{n}"));
        }
        assert_eq!(codes.known.len(), ALL);
        codes.made(100_000 + LIVES, "last".into(), "desk-1");
        assert_eq!(codes.known.len(), 1, "what is over is forgotten");
    }
}
