//! `wearables` and `notices`: the watches, pendants and apps that hear of an account's calls. How they are told stands in
//! [`super::notice`].

use super::caller::Caller;
use super::input::{Body, Named, Params};
use super::notice::{self, Subscription, Wearable};
use super::openapi::EVERYBODY;
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Page, Wanted};
use super::problem::Problem;
use super::{Api, PREFIX, secrets, time};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use exchange::{Answer, Command, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/wearables", Who::Own(Role::Administrator), Scope::PeopleRead),
    Operation::new("POST", "/wearables", EVERYBODY, Scope::PeopleWrite).creating(),
    Operation::new("GET", "/wearables/{id}", Who::Own(Role::Administrator), Scope::PeopleRead),
    Operation::new("DELETE", "/wearables/{id}", Who::Own(Role::Administrator), Scope::PeopleWrite),
    Operation::new("GET", "/notices/key", EVERYBODY, Scope::PeopleRead),
    Operation::new("GET", "/notices", Who::Role(Role::Manager), Scope::SettingsRead),
];

/// Characters of a name.
const NAME: usize = 80;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(read, remove))
        .routes(routes!(key))
        .routes(routes!(notices))
}

/// A watch, a pendant or an app that hears of an account's calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct WearableShape {
    /// Its own name.
    pub(crate) id: String,
    /// Whose it is.
    pub(crate) account: String,
    /// What it is, for its owner.
    pub(crate) name: String,
    /// `mqtt` or `push`.
    pub(crate) kind: String,
    /// The topic that it hears, by `mqtt`; else null.
    pub(crate) notices: Option<String>,
    /// The topic at which it dismisses, by `mqtt`; else null.
    pub(crate) dismissals: Option<String>,
    /// The push service, by `push`; else null.
    service: Option<String>,
    /// When it was added.
    #[schema(format = DateTime)]
    created: String,
    /// When a push was delivered last since the exchange started.
    #[schema(format = DateTime)]
    delivered: Option<String>,
    /// Pushes that failed since.
    failures: u32,
    /// Why the last of them did; null when none did.
    last_error: Option<String>,
}

impl WearableShape {
    fn of(api: &Api, id: &str, wearable: &Wearable, fares: &notice::Fares) -> WearableShape {
        let topics = match (&wearable.push, api.door().broker()) {
            (None, Some(broker)) => Some(notice::topics(&broker.prefix, id)),
            _ => None,
        };
        let (notices, dismissals) = topics.map(|[notices, dismissals]| (notices, dismissals)).unzip();
        WearableShape {
            id: id.into(),
            account: wearable.account.clone(),
            name: wearable.name.clone(),
            kind: if wearable.push.is_some() { "push" } else { "mqtt" }.into(),
            notices,
            dismissals,
            service: wearable.push.as_ref().and_then(Subscription::service),
            created: time(wearable.created),
            delivered: fares.delivered.map(time),
            failures: fares.failures,
            last_error: fares.trouble.clone(),
        }
    }
}

/// A new wearable or app.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewWearable {
    /// Whose; the caller's own if it is left out.
    #[schema(nullable = false)]
    account: Option<String>,
    /// What it is, for its owner.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// An app's subscription; without one, it is reached by the MQTT broker.
    #[schema(nullable = false)]
    push: Option<PushShape>,
}

/// What `PushSubscription.toJSON()` of a browser gives.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PushShape {
    /// The push service's URL for it: https.
    #[schema(min_length = 1, max_length = 2048)]
    endpoint: String,
    /// Browsers give it, and it says nothing to us: the push service says when it is over.
    #[serde(default, rename = "expirationTime")]
    #[schema(rename = "expirationTime")]
    _expires: Option<f64>,
    /// The browser's keys.
    keys: PushKeys,
}

/// Keys of a subscription, in base64url.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PushKeys {
    /// A point of P-256.
    #[schema(max_length = 100)]
    p256dh: String,
    /// 16 octets.
    #[schema(max_length = 30)]
    auth: String,
}

/// How notices leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct NoticesShape {
    /// The MQTT broker; null if none is configured.
    broker: Option<BrokerShape>,
    /// NATS, where live events are published; null if none is configured.
    nats: Option<NatsShape>,
    /// Pushes that arrived since the exchange started.
    pushed: u64,
    /// Pushes that did not.
    failed: u64,
    /// Pushes that found no room.
    dropped: u64,
}

/// How it goes with NATS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct NatsShape {
    /// The server that has us, with its version; empty if none had us yet.
    server: String,
    /// Whether one has us.
    connected: bool,
    /// Why not, or why it keeps no events; null if it does.
    last_error: Option<String>,
    /// What can lose events that it has acknowledged; null if nothing is known to.
    warning: Option<String>,
    /// Events that it has.
    published: u64,
}

/// How it goes with the MQTT broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct BrokerShape {
    /// Where it is.
    address: String,
    /// Whether it has us.
    connected: bool,
    /// Why not; null if it has.
    last_error: Option<String>,
    /// Messages that it has.
    delivered: u64,
    /// Messages that it did not take in time.
    dropped: u64,
}

/// The key that a browser subscribes with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct KeyShape {
    /// `applicationServerKey`, in base64url.
    key: String,
}

impl Api {
    /// Adds a wearable that the MQTT broker reaches.
    pub(crate) async fn add_wearable(&self, account: String, name: String) -> Result<WearableShape, Problem> {
        if self.door().broker().is_none() {
            return Err(Problem::conflict("No MQTT broker is configured: set broker below [notices]."));
        }
        self.add_receiver(account, name, None).await
    }

    async fn add_receiver(
        &self,
        account: String,
        name: String,
        push: Option<Subscription>,
    ) -> Result<WearableShape, Problem> {
        let name = exchange::clean_display(&name);
        if name.is_empty() {
            return Err(Problem::nonsense(format!("A name has 1 to {NAME} characters.")).at("/name"));
        }
        match self.ask(Command::Account(account.as_str().into())).await? {
            Answer::Account(Some(_)) => {}
            Answer::Account(None) => return Err(Problem::not_found("account", &account)),
            other => return Err(Problem::of(other, &account)),
        }
        let id = secrets::fingerprint(&[self.random().as_bytes()]);
        let wearable = Wearable { account, name: name.into(), created: self.now(), push };
        self.notices().add(self, &id, wearable.clone()).await?;
        Ok(WearableShape::of(self, &id, &wearable, &notice::Fares::default()))
    }

    /// All wearables and apps, or those of one account.
    pub(crate) fn wearables(&self, account: Option<&str>) -> Vec<WearableShape> {
        let all = self.notices().of(account).into_iter();
        all.map(|(id, wearable, fares)| WearableShape::of(self, &id, &wearable, &fares)).collect()
    }

    /// Removes one.
    pub(crate) async fn remove_wearable(&self, id: &str) -> Result<(), Problem> {
        self.notices().one(id).ok_or_else(|| Problem::not_found("wearable", id))?;
        self.notices().remove(self, &[id.to_owned()]).await
    }

    /// Removes one of the caller's own, if it is there.
    pub(super) async fn silence(&self, caller: &Caller, id: String) -> Result<(), Problem> {
        let found = self.notices().one(&id);
        if found.is_some_and(|(one, _)| one.account == caller.account()) {
            self.notices().remove(self, &[id]).await?;
        }
        Ok(())
    }
}

/// One that the caller may know of; others are not told whether there is one.
fn seen(api: &Api, caller: &Caller, id: &str) -> Result<WearableShape, Problem> {
    let found = api.notices().one(id);
    caller.must_own(found.as_ref().map_or("", |(one, _)| &one.account), Role::Administrator)?;
    let (wearable, fares) = found.ok_or_else(|| Problem::not_found("wearable", id))?;
    Ok(WearableShape::of(api, id, &wearable, &fares))
}

/// Wearables and apps; everybody but an administrator sees their own.
#[utoipa::path(get, path = "/wearables", tag = "wearables", operation_id = "wearables_list", params(Wanted),
    responses((status = 200, body = Items<WearableShape>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    wanted: Params<Wanted>,
) -> Result<Json<Items<WearableShape>>, Problem> {
    let page = Page::of(wanted)?;
    let all = api.wearables(caller.sees(Role::Administrator));
    Ok(Json(page.pick(all, |one| &one.id, |one| format!("{} {} {}", one.account, one.name, one.kind))))
}

/// Adds a wearable or an app: from now on it hears of the account's calls.
#[utoipa::path(post, path = "/wearables", tag = "wearables", operation_id = "wearables_add",
    request_body = NewWearable,
    responses((status = 201, body = WearableShape, headers(("Location" = String)))))]
async fn add(
    State(api): State<Api>,
    caller: Caller,
    Body(new): Body<NewWearable>,
) -> Result<Response, Problem> {
    let NewWearable { account, name, push } = new;
    let account = account.unwrap_or_else(|| caller.account().into());
    caller.must_own(&account, Role::Administrator)?;
    let added = match push {
        None => api.add_wearable(account, name).await?,
        Some(PushShape { endpoint, keys, .. }) => {
            let subscription = Subscription::of(&api, endpoint, keys.p256dh, keys.auth)?;
            api.add_receiver(account, name, Some(subscription)).await?
        }
    };
    let location = format!("{PREFIX}/wearables/{}", added.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(added)).into_response())
}

/// One wearable or app.
#[utoipa::path(get, path = "/wearables/{id}", tag = "wearables", operation_id = "wearables_read",
    params(("id" = String, Path, description = "Its own name")),
    responses((status = 200, body = WearableShape)))]
async fn read(
    State(api): State<Api>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<WearableShape>, Problem> {
    seen(&api, &caller, &id).map(Json)
}

/// Removes a wearable or an app: it hears nothing any more.
#[utoipa::path(delete, path = "/wearables/{id}", tag = "wearables", operation_id = "wearables_remove",
    params(("id" = String, Path, description = "Its own name")),
    responses((status = 204, description = "It is removed.")))]
async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    seen(&api, &caller, &id)?;
    api.remove_wearable(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The key of this exchange for Web Push (VAPID): always the same.
#[utoipa::path(get, path = "/notices/key", tag = "wearables", operation_id = "notices_key",
    responses((status = 200, body = KeyShape)))]
async fn key(State(api): State<Api>) -> Result<Json<KeyShape>, Problem> {
    Ok(Json(KeyShape { key: api.notices().public_key(&api).await? }))
}

/// How notices leave.
#[utoipa::path(get, path = "/notices", tag = "wearables", operation_id = "notices_state",
    responses((status = 200, body = NoticesShape)))]
async fn notices(State(api): State<Api>) -> Json<NoticesShape> {
    let [pushed, failed, dropped] = api.notices().pushes();
    let broker = api.door().broker().map(|broker| BrokerShape {
        address: broker.address,
        connected: broker.connected,
        last_error: broker.trouble,
        delivered: broker.delivered,
        dropped: broker.dropped,
    });
    let nats = api.door().nats().map(|nats| NatsShape {
        server: nats.server,
        connected: nats.connected,
        last_error: nats.trouble,
        warning: nats.warning,
        published: nats.published,
    });
    Json(NoticesShape { broker, nats, pushed, failed, dropped })
}
