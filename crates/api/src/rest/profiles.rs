//! `phone/start`, `phone/loaded`: a terminal starts by its profile, and its phone in the same act (S0.4 to S0.7).

use super::caller::{Caller, Peer};
use super::input::Body;
use super::openapi::EVERYBODY;
use super::operations::{Operation, Scope};
use super::phone::{Phone, opened};
use super::problem::Problem;
use super::{Api, time};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use exchange::{Answer, Command, Instruction, Language, Profile, ProfileAsking, Started};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    // Not "creating": as `POST /phone`.
    Operation::new("POST", "/phone/start", EVERYBODY, Scope::Phone),
    Operation::new("POST", "/phone/loaded", EVERYBODY, Scope::Phone),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(start)).routes(routes!(loaded))
}

/// What a terminal starts with; docs/profiles.md says by which rule it is picked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ProfileShape {
    /// Its name.
    name: String,
    /// A hash of what it says; what a terminal reports when it has loaded it.
    version: String,
    /// How the phone sounds.
    audio: AudioShape,
    /// The codecs, the best first: `opus`, `g722`, `pcmu`, `pcma`; the phone's own if there is none.
    codecs: Vec<String>,
    /// Calls are answered as they come, while no other is up.
    auto_answer: bool,
    /// The queues that a sign-in works for if it names none.
    queues: Vec<String>,
    /// The wrap-up after calls; null for none of its own.
    wrap_up_ms: Option<u64>,
    /// `en` or `zh-CN`; null for the reader's own.
    language: Option<String>,
    /// `system`, `light` or `dark`.
    look: String,
    /// Whoever sits down at a phone is signed in to work, too.
    join_seat: bool,
}

/// How a phone sounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct AudioShape {
    /// How loud it rings, in percent.
    ring: u8,
    /// How loud the other side is, in percent.
    volume: u8,
    /// Whether the browser takes out the echo of its loudspeaker.
    echo_cancellation: bool,
    /// Whether it takes out noise.
    noise_suppression: bool,
    /// Whether it levels how loud one speaks.
    gain_control: bool,
}

impl ProfileShape {
    pub(crate) fn of(profile: &Profile) -> ProfileShape {
        let texts = |texts: &[Box<str>]| texts.iter().map(ToString::to_string).collect();
        let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let audio = profile.audio;
        let language = profile.language.map(|language| match language {
            Language::English => "en".to_owned(),
            // As the console's catalogues are named.
            Language::Chinese => "zh-CN".to_owned(),
        });
        ProfileShape {
            name: profile.name.to_string(),
            version: profile.version.to_string(),
            audio: AudioShape {
                ring: audio.ring,
                volume: audio.volume,
                echo_cancellation: audio.echo_cancellation,
                noise_suppression: audio.noise_suppression,
                gain_control: audio.gain_control,
            },
            codecs: texts(&profile.codecs),
            auto_answer: profile.auto_answer,
            queues: texts(&profile.queues),
            wrap_up_ms: profile.wrap_up.map(millis),
            language,
            look: profile.look.name().into(),
            join_seat: profile.join_seat,
        }
    }
}

/// What a phone was started with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct StartedShape {
    /// The profile.
    name: String,
    /// The version that it was given last.
    version: String,
    /// The version that it has loaded; null until it says so. Start-up is complete when it is the one above.
    loaded: Option<String>,
    /// When it said so.
    #[schema(format = DateTime)]
    since: Option<String>,
}

impl StartedShape {
    pub(super) fn of(started: &Started) -> StartedShape {
        StartedShape {
            name: started.profile.to_string(),
            version: started.version.to_string(),
            loaded: started.loaded.as_ref().map(|(version, _)| version.to_string()),
            since: started.loaded.as_ref().map(|(_, at)| time(at.0)),
        }
    }
}

/// A start-up instruction; who asks is known.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StartShape {
    /// The terminal's own name, if it has one.
    #[schema(nullable = false, max_length = 64)]
    terminal: Option<String>,
    /// The office in which it stands, if it knows.
    #[schema(nullable = false, max_length = 64)]
    office: Option<String>,
}

/// What a terminal starts with.
#[derive(Debug, Serialize, ToSchema)]
struct StartUp {
    /// The web phone of this session, as `POST /phone` answers it.
    phone: Phone,
    /// The profile that the rule picked.
    profile: ProfileShape,
}

/// What a phone has loaded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LoadedShape {
    /// The version of the profile.
    #[schema(max_length = 64)]
    version: String,
}

/// Starts a terminal: opens the web phone of this session, or renews its token, and picks its profile. The start-up is
/// complete once the terminal reports the version that it loaded.
#[utoipa::path(post, path = "/phone/start", tag = "phone", operation_id = "phone_start", request_body = StartShape,
    responses((status = 201, body = StartUp)))]
async fn start(
    State(api): State<Api>,
    caller: Caller,
    peer: Peer,
    headers: HeaderMap,
    Body(wanted): Body<StartShape>,
) -> Result<(StatusCode, Json<StartUp>), Problem> {
    let short = |text: &Option<String>| text.as_ref().is_none_or(|text| text.len() <= 64);
    if !short(&wanted.terminal) || !short(&wanted.office) {
        return Err(Problem::malformed("The name of a terminal or an office has 64 octets at most."));
    }
    let phone = opened(&api, &caller, peer, &headers).await?;
    let device: Box<str> = phone.device.as_str().into();
    let terminals = [Some(device.clone()), wanted.terminal.map(Into::into)].into_iter().flatten().collect();
    let office = wanted.office.map(Into::into);
    let instruction = Instruction { user: caller.account().into(), terminals, office };
    match ask(&api, ProfileAsking::Start { device, instruction }).await? {
        Answer::Profile(profile) => {
            let profile = ProfileShape::of(&profile);
            Ok((StatusCode::CREATED, Json(StartUp { phone, profile })))
        }
        other => Err(Problem::of(other, "")),
    }
}

/// Reports that the web phone of this session has loaded a version of its profile: that completes its start-up.
#[utoipa::path(post, path = "/phone/loaded", tag = "phone", operation_id = "phone_loaded", request_body = LoadedShape,
    responses((status = 204, description = "The start-up is complete."), (status = 409, description = "Another version is wanted.")))]
async fn loaded(
    State(api): State<Api>,
    caller: Caller,
    Body(told): Body<LoadedShape>,
) -> Result<StatusCode, Problem> {
    let device = exchange::web_name(&super::phone::session_of(&caller.proof));
    match ask(&api, ProfileAsking::Loaded { device, version: told.version.into() }).await? {
        Answer::Done => Ok(StatusCode::NO_CONTENT),
        other => Err(Problem::of(other, "")),
    }
}

async fn ask(api: &Api, asking: ProfileAsking) -> Result<Answer, Problem> {
    api.ask(Command::Profiles(Box::new(asking))).await
}
