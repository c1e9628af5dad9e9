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
    /// Whoever signs in to work has their call list called, if they have one.
    call_list: bool,
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
            call_list: profile.call_list,
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

#[cfg(test)]
mod tests {
    use super::super::testing::{HERE, Office, caller};
    use super::*;
    use axum::http::{HeaderValue, header};
    use exchange::Selector;

    fn put(office: &Office, version: &str, selectors: Vec<Selector>) {
        let profile =
            Profile { name: "sales".into(), version: version.into(), selectors, ..Profile::built_in() };
        let asking = ProfileAsking::Put(vec![profile]);
        assert_eq!(office.ask(Command::Profiles(Box::new(asking))), Answer::Done);
    }

    async fn begin(api: &Api, account: &str, wanted: StartShape) -> Result<StartUp, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("office.example"));
        let who = caller(account, account);
        let (status, Json(up)) = start(State(api.clone()), who, HERE, headers, Body(wanted)).await?;
        assert_eq!(status, StatusCode::CREATED);
        Ok(up)
    }

    /// The status of the answer.
    async fn tell(api: &Api, account: &str, version: &str) -> u16 {
        let told = Body(LoadedShape { version: version.into() });
        let answer = loaded(State(api.clone()), caller(account, account), told).await;
        answer.map_or_else(|problem| problem.status, |status| status.as_u16())
    }

    async fn shown(api: &Api, device: &str) -> Option<StartedShape> {
        let Ok(Answer::Devices(rows)) = api.ask(Command::Device(device.into())).await else { return None };
        rows.first()?.started.as_ref().map(StartedShape::of)
    }

    fn place(terminal: Option<&str>, office: Option<&str>) -> StartShape {
        StartShape { terminal: terminal.map(Into::into), office: office.map(Into::into) }
    }

    #[tokio::test]
    async fn s0_7_a_start_answers_with_phone_and_profile_and_is_complete_when_that_version_is_loaded() {
        let office = Office::with(&["ada"]);
        let api = office.api();
        put(&office, "1", vec![Selector::User("ada".into())]);
        assert_eq!(tell(&api, "ada", "1").await, 409, "nothing was started");
        let up = begin(&api, "ada", place(None, None)).await.unwrap();
        assert_eq!((up.profile.name.as_str(), up.profile.version.as_str()), ("sales", "1"));
        assert!(up.phone.device.starts_with("web-"), "{}", up.phone.device);
        let started = shown(&api, &up.phone.device).await.expect("started");
        assert_eq!((started.version.as_str(), started.loaded, started.since), ("1", None, None));
        // The file changes before the page reports: what it has is not wanted any more.
        put(&office, "2", vec![Selector::User("ada".into())]);
        assert_eq!(tell(&api, "ada", "1").await, 409);
        assert_eq!(tell(&api, "ada", "2").await, 204);
        assert_eq!(tell(&api, "ada", "2").await, 204, "once more changes nothing");
        let started = shown(&api, &up.phone.device).await.expect("started");
        assert_eq!((started.loaded.as_deref(), started.since.is_some()), (Some("2"), true));
        // A renewal of the same page is complete still.
        begin(&api, "ada", place(None, None)).await.unwrap();
        assert_eq!(shown(&api, &up.phone.device).await.expect("started").loaded.as_deref(), Some("2"));
    }

    #[tokio::test]
    async fn s0_5_who_asks_and_where_they_say_that_they_are_pick_the_profile() {
        let office = Office::with(&["ada", "bob"]);
        let api = office.api();
        put(&office, "1", vec![Selector::Terminal("reception".into()), Selector::Office("east".into())]);
        for (terminal, at, name) in [
            (None, None, "default"),
            (Some("reception"), None, "sales"),
            (Some("desk"), Some("east"), "sales"),
            (Some("desk"), Some("west"), "default"),
        ] {
            let up = begin(&api, "bob", place(terminal, at)).await.unwrap();
            assert_eq!(up.profile.name, name, "{terminal:?} {at:?}");
        }
        // 64 octets and not characters.
        let (fits, long) = ("上".repeat(21), "上".repeat(22));
        assert!(begin(&api, "bob", place(Some(&fits), None)).await.is_ok());
        let problem = begin(&api, "bob", place(None, Some(&long))).await.expect_err("too long");
        assert_eq!(problem.status, 400, "{}", problem.detail);
        assert_eq!(begin(&api, "eve", place(None, None)).await.expect_err("no account").status, 422);
    }
}
