//! Requests for what another exchange of the cluster keeps ([`exchange::Answer::KeptBy`]): they are handed on to that one with who
//! asks, and answered as it answers. So it does not matter at which exchange somebody looks at agents, queues, tasks or lists.
//!
//! ```text
//! a handler finds that another keeps it --> the request, and who asks --> that one's handler --> the answer
//! ```
//! What is handed on is never handed on again: two that take each other for the keeper answer with 503. A change that crossed
//! another exchange's is made again here, as whoever asked would do, so that If-Match is looked at again as well.

use super::caller::{Caller, Peer, Proof};
use super::problem::Problem;
use super::{Api, PREFIX, input};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use exchange::{Answer, Command, Role};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU8;
use std::time::Duration;

/// Octets of a body that is handed on, and of its answer.
const MOST: usize = 512 * 1024;
/// How long it is waited before a change that crossed another is made again. The other one is known here by then; but who changes
/// much may cross the next one, too.
pub(crate) const CROSSED: [Duration; 7] = [
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
    Duration::from_millis(80),
    Duration::from_millis(160),
    Duration::from_millis(320),
    Duration::from_millis(640),
];
/// What the keeper alone has.
const WEBHOOKS: &str = "/webhooks";
/// How long a body may take to arrive (sec_25).
const PATIENCE: Duration = Duration::from_secs(15);
/// What of a request's headers means something to a handler.
const ASKED: [HeaderName; 5] =
    [header::CONTENT_TYPE, header::ACCEPT, header::ACCEPT_LANGUAGE, header::IF_MATCH, header::IF_NONE_MATCH];
/// What of an answer's headers does.
const ANSWERED: [HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::CONTENT_DISPOSITION,
    header::ETAG,
    header::LINK,
    header::LOCATION,
    header::RETRY_AFTER,
];

/// Something for the exchange that keeps what it is about.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// A request of the API.
    Request(Box<RequestAsked>),
    /// A line of the control socket.
    Control(String),
}

/// A request of the API, with who was found out to ask.
#[derive(Debug, Serialize, Deserialize)]
pub struct RequestAsked {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
    account: String,
    role: String,
    proof: ProofAsked,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ProofAsked {
    Session(String),
    Token(String, Vec<String>),
}

/// What it answered.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answered {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// The exchange that keeps what a request is about; goes with the response that says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptBy(pub(super) NonZeroU8);

/// A change crossed another exchange's; goes with the response that says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossed;

/// Who asks, as another exchange found out.
#[derive(Clone, Debug)]
pub(super) struct HandedOn {
    account: String,
    role: Role,
    proof: Proof,
}

/// Runs a request, and hands it on if it turns out to be another's.
pub(super) async fn hand_on(State(api): State<Api>, request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Caller>().cloned();
    let (true, Some(caller)) = (api.door().is_one_of_several(), caller) else {
        return next.run(request).await;
    };
    let again = request.extensions().get::<HandedOn>().is_some();
    let (parts, body) = request.into_parts();
    let read = tokio::time::timeout(PATIENCE, to_bytes(body, input::BODY)).await;
    let Ok(Ok(body)) = read else {
        let detail = format!("The body has more than {} octets, or came too slowly.", input::BODY);
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail).into_response();
    };
    if !again && parts.uri.path().starts_with(WEBHOOKS) {
        // What is queued for them is the keeper's, and no command of the exchange says so.
        match api.ask(Command::Keeps).await {
            Ok(Answer::KeptBy(number, _)) => {
                let answered = ask(&api, number, &parts, &body, caller).await;
                return answered.unwrap_or_else(|why| Problem::unavailable(&why).into_response());
            }
            Ok(Answer::Unavailable(why)) => return Problem::unavailable(&why).into_response(),
            _ => {}
        }
    }
    let mut response = run(next.clone(), &parts, &body).await;
    for wait in CROSSED {
        if response.extensions().get::<Crossed>().is_none() {
            break;
        }
        tokio::time::sleep(wait).await;
        response = run(next.clone(), &parts, &body).await;
    }
    let Some(KeptBy(to)) = response.extensions().get::<KeptBy>().copied() else { return response };
    if again || body.len() > MOST {
        return response;
    }
    let answered = ask(&api, to, &parts, &body, caller).await;
    answered.unwrap_or_else(|why| Problem::unavailable(&why).into_response())
}

async fn run(next: Next, parts: &Parts, body: &Bytes) -> Response {
    next.run(Request::from_parts(parts.clone(), Body::from(body.clone()))).await
}

async fn ask(
    api: &Api,
    to: NonZeroU8,
    parts: &Parts,
    body: &Bytes,
    caller: Caller,
) -> Result<Response, String> {
    let account = caller.account().to_owned();
    let asked = Asked::Request(Box::new(RequestAsked {
        method: parts.method.to_string(),
        // What is nested below the prefix does not see it.
        path: format!("{PREFIX}{}", parts.uri.path_and_query().map_or("", |path| path.as_str())),
        headers: told(&parts.headers, &ASKED),
        body: BASE64_STANDARD.encode(body),
        account,
        role: caller.role.name().into(),
        proof: match caller.proof {
            Proof::Session(id) => ProofAsked::Session(id),
            Proof::Token(id, scopes) => ProofAsked::Token(id, scopes),
        },
    }));
    let text = api.door().hand_on(to, asked).await?;
    let wrong = || "the exchange that keeps it answers with what makes no sense".to_owned();
    let answered: Answered = serde_json::from_str(&text).map_err(|_| wrong())?;
    let status = StatusCode::from_u16(answered.status).map_err(|_| wrong())?;
    let body = BASE64_STANDARD.decode(answered.body).map_err(|_| wrong())?;
    let mut response = (status, body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    put(response.headers_mut(), &answered.headers);
    Ok(response)
}

fn told(headers: &HeaderMap, wanted: &[HeaderName]) -> Vec<(String, String)> {
    let text = |name: &HeaderName| Some((name.to_string(), headers.get(name)?.to_str().ok()?.to_owned()));
    wanted.iter().filter_map(text).collect()
}

fn put(headers: &mut HeaderMap, told: &[(String, String)]) {
    for (name, value) in told {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
}

impl RequestAsked {
    /// The request, for the API's router: it is let in as what the other exchange found out. `None` if it makes no sense.
    #[must_use]
    pub fn request(self) -> Option<Request> {
        let RequestAsked { method, path, headers, body, account, role, proof } = self;
        let body = BASE64_STANDARD.decode(body).ok()?;
        let request = Request::builder().method(method.as_str()).uri(path).body(Body::from(body));
        let mut request = request.ok()?;
        put(request.headers_mut(), &headers);
        let proof = match proof {
            ProofAsked::Session(id) => Proof::Session(id),
            ProofAsked::Token(id, scopes) => Proof::Token(id, scopes),
        };
        let role = Role::ALL.into_iter().find(|known| known.name() == role)?;
        request.extensions_mut().insert(HandedOn { account, role, proof });
        request.extensions_mut().insert(Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), secure: true });
        Some(request)
    }
}

impl Answered {
    /// What the router answered.
    pub async fn of(response: Response) -> Answered {
        let (parts, body) = response.into_parts();
        let (status, headers) = (parts.status.as_u16(), told(&parts.headers, &ANSWERED));
        match to_bytes(body, MOST).await {
            Ok(body) => Answered { status, headers, body: BASE64_STANDARD.encode(body) },
            Err(_) => {
                let words = "The answer is too long to be handed on; ask the exchange that keeps it.";
                let problem = Problem::new(StatusCode::BAD_GATEWAY, "too-large", words);
                let body = serde_json::to_vec(&problem).unwrap_or_default();
                let headers = vec![("content-type".into(), "application/problem+json".into())];
                Answered { status: problem.status, headers, body: BASE64_STANDARD.encode(body) }
            }
        }
    }
}

/// Who asks, by what the other exchange says; nobody may more here than there.
pub(super) async fn caller(api: &Api, handed: HandedOn) -> Result<Caller, Problem> {
    let HandedOn { account, role, proof } = handed;
    match api.ask(Command::Account(account.as_str().into())).await? {
        Answer::Account(Some(row)) => {
            let role = role.min(row.settings.role);
            Ok(Caller { row: *row, role, proof })
        }
        Answer::Account(None) => Err(Problem::unavailable("the account is not known here yet")),
        other => Err(Problem::of(other, "")),
    }
}
