//! `people`: the accounts, what is set for them, and their one-time links.

use super::access::Access;
use super::caller::Caller;
use super::input::{self, Body, IfMatch, Named, Params, Tagged, Written, patched, tag};
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Page, Wanted};
use super::problem::{Problem, sentence};
use super::{Api, secrets, time};
use crate::control::AccountChanges;
use crate::control::lines::{self, Fault};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use exchange::{AccountEdit, AccountRow, Answer, Command, ForwardWhen, PeopleChange, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const ADMINISTRATOR: Who = Who::Role(Role::Administrator);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/people", Who::Own(Role::Manager), Scope::PeopleRead),
    Operation::new("POST", "/people", ADMINISTRATOR, Scope::PeopleWrite).creating(),
    Operation::new("GET", "/people/{name}", Who::Own(Role::Manager), Scope::PeopleRead),
    Operation::new("PATCH", "/people/{name}", Who::Own(Role::Administrator), Scope::PeopleWrite),
    Operation::new("DELETE", "/people/{name}", ADMINISTRATOR, Scope::PeopleWrite),
    Operation::of_people("POST", "/people/{name}/link", ADMINISTRATOR),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(read, change, remove))
        .routes(routes!(link))
}

/// A person, or a room that has a telephone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Person {
    /// The account's name.
    name: String,
    /// What others see.
    display: String,
    /// `agent`, `manager` or `administrator`.
    role: String,
    /// In the order they were added.
    numbers: Vec<String>,
    /// The names of the devices, in the order they were added.
    devices: Vec<String>,
    /// `en` or `zh`.
    language: String,
    /// An IANA time zone; null for the exchange's own.
    zone: Option<String>,
    /// The mobile number.
    mobile: Option<String>,
    /// Whether there is a PIN.
    has_pin: bool,
    /// Whether there is a password.
    has_password: bool,
    /// Whether no call rings.
    do_not_disturb: bool,
    /// Whether own calls that nobody answers go on as background calls.
    background: bool,
    /// Where calls go instead of the devices.
    forwarding: Forwarding,
    /// What the person may beyond internal and emergency calls.
    rights: Vec<String>,
    /// Calls to the outside within one day; null for the exchange's limit.
    calls_a_day: Option<u32>,
    /// The telephone platform at which the person works; null for this exchange.
    platform: Option<String>,
    /// The person's own wrap-up in seconds; the longest of all that apply holds.
    wrap_up: Option<u64>,
    /// Whether one of the devices is registered.
    registered: bool,
}

/// Where calls go instead of the devices; null where they do not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Forwarding {
    /// All calls.
    always: Option<String>,
    /// When the person is busy, declines or wants no disturbance.
    busy: Option<String>,
    /// When nobody answers in time.
    no_answer: Option<String>,
    /// When no device is registered.
    offline: Option<String>,
}

impl Person {
    pub(super) fn of(row: &AccountRow) -> Person {
        let settings = &row.settings;
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let to = |when| settings.forwarding.to(when).map(str::to_owned);
        Person {
            name: row.name.to_string(),
            display: row.display.to_string(),
            role: settings.role.name().into(),
            numbers: row.numbers.iter().map(ToString::to_string).collect(),
            devices: row.devices.iter().map(ToString::to_string).collect(),
            language: settings.language.tag().into(),
            zone: text(&settings.zone),
            mobile: text(&settings.mobile),
            has_pin: settings.pin.is_some(),
            has_password: settings.password.is_some(),
            do_not_disturb: settings.do_not_disturb,
            background: settings.background,
            forwarding: Forwarding {
                always: to(ForwardWhen::Always),
                busy: to(ForwardWhen::Busy),
                no_answer: to(ForwardWhen::NoAnswer),
                offline: to(ForwardWhen::Offline),
            },
            rights: settings.rights.iter().map(|right| right.name().to_owned()).collect(),
            calls_a_day: settings.calls_a_day,
            platform: text(&settings.platform),
            wrap_up: settings.wrap_up.map(|interval| interval.as_secs()),
            registered: row.registered,
        }
    }

    /// Of what is set, and not of whether a telephone happens to be there.
    fn tag(&self) -> String {
        tag(&Person { registered: false, ..self.clone() })
    }
}

/// A new person.
#[derive(Deserialize, ToSchema)]
#[serde(try_from = "Map<String, Value>")]
struct NewPerson {
    /// The account's name: 1 to 64 letters, digits and any of . _ - + @.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    #[serde(flatten)]
    set: PersonPatch,
}

impl TryFrom<Map<String, Value>> for NewPerson {
    type Error = String;

    /// The name is taken out; the rest has to be what can be set, so that a mistyped member is not lost.
    fn try_from(mut members: Map<String, Value>) -> Result<NewPerson, String> {
        let Some(Value::String(name)) = members.remove("name") else {
            return Err("name is missing, or no text".into());
        };
        let set = serde_json::from_value(Value::Object(members)).map_err(|error| error.to_string())?;
        Ok(NewPerson { name, set })
    }
}

/// What changes of a person; what is left out stays, null takes a thing away.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PersonPatch {
    /// What others see.
    #[schema(max_length = 200, nullable = false)]
    display: Option<String>,
    /// `agent`, `manager` or `administrator`; a token cannot change it.
    #[schema(nullable = false)]
    role: Option<String>,
    /// `en` or `zh`.
    #[schema(nullable = false)]
    language: Option<String>,
    /// An IANA time zone.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>)]
    zone: Option<Option<String>>,
    /// The mobile number.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>)]
    mobile: Option<Option<String>>,
    /// A PIN of 4 to 12 digits.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>)]
    pin: Option<Option<String>>,
    /// Whether no call rings.
    #[schema(nullable = false)]
    do_not_disturb: Option<bool>,
    /// Whether own calls that nobody answers go on as background calls.
    #[schema(nullable = false)]
    background: Option<bool>,
    /// Where calls go instead of the devices.
    #[schema(nullable = false)]
    forwarding: Option<ForwardingPatch>,
    /// All that the person may beyond internal and emergency calls.
    #[schema(nullable = false)]
    rights: Option<Vec<String>>,
    /// Calls to the outside within one day; null for the exchange's limit.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<u32>)]
    calls_a_day: Option<Option<u32>>,
    /// The telephone platform at which the person works, of those in the configuration; null for this exchange.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>)]
    platform: Option<Option<String>>,
    /// The person's own wrap-up in seconds, at most 3600.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<u32>, maximum = 3600)]
    wrap_up: Option<Option<u32>>,
}

/// What changes of where calls go; what is left out stays, null takes a thing away.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ForwardingPatch {
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>)]
    always: Option<Option<String>>,
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>)]
    busy: Option<Option<String>>,
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>)]
    no_answer: Option<Option<String>>,
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>)]
    offline: Option<Option<String>>,
}

impl PersonPatch {
    /// Whether only what a person may set for themselves is touched.
    fn is_own_business(&self) -> bool {
        self.display.is_none()
            && self.role.is_none()
            && self.rights.is_none()
            && self.calls_a_day.is_none()
            && self.platform.is_none()
            && self.wrap_up.is_none()
    }

    async fn edits(self, api: &Api) -> Result<Vec<AccountEdit>, Problem> {
        let cleared = |text: Option<Option<String>>| text.map(Option::unwrap_or_default);
        let forwarding = self.forwarding.unwrap_or_default();
        let changes = AccountChanges {
            display: self.display,
            language: self.language,
            zone: cleared(self.zone),
            mobile: cleared(self.mobile),
            pin: cleared(self.pin),
            do_not_disturb: self.do_not_disturb,
            background: self.background,
            forward_always: cleared(forwarding.always),
            forward_busy: cleared(forwarding.busy),
            forward_no_answer: cleared(forwarding.no_answer),
            forward_offline: cleared(forwarding.offline),
            rights: self.rights.map(|rights| rights.join(",")),
            calls_a_day: self.calls_a_day.map(Option::unwrap_or_default),
            role: self.role,
            platform: cleared(self.platform),
            wrap_up: self.wrap_up.map(Option::unwrap_or_default),
            password: None,
        };
        let _turn = if changes.pin.is_some() { Some(api.passwords().turn().await?) } else { None };
        let salt = api.door().random();
        let edits = tokio::task::spawn_blocking(move || {
            lines::account_edits(changes, |pin| secrets::hash(pin, &salt))
        });
        edits.await.map_err(|_| Problem::gone())?.map_err(fault)
    }
}

fn fault(Fault { field, why }: Fault) -> Problem {
    Problem::nonsense(sentence(&why)).at(format!("/{field}"))
}

async fn person(api: &Api, name: &str) -> Result<Person, Problem> {
    match api.ask(Command::Account(name.into())).await? {
        Answer::Account(Some(row)) => Ok(Person::of(&row)),
        Answer::Account(None) => Err(Problem::not_found("account", name)),
        other => Err(Problem::of(other, name)),
    }
}

/// People in the order of their names; an agent sees only themselves.
#[utoipa::path(get, path = "/people", tag = "people", operation_id = "people_list", params(Wanted),
    responses((status = 200, body = Items<Person>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    wanted: Params<Wanted>,
) -> Result<Json<Items<Person>>, Problem> {
    let page = Page::of(wanted)?;
    if caller.sees(Role::Manager).is_some() {
        let own = std::iter::once(Person::of(&caller.row));
        let words = |person: &Person| format!("{} {}", person.name, person.display);
        return Ok(Json(page.pick(own, |person| &person.name, words)));
    }
    match api.ask(Command::AccountPage(page.slice())).await? {
        Answer::Accounts(rows) => {
            Ok(Json(page.cut(rows.iter().map(Person::of).collect(), |person| &person.name)))
        }
        other => Err(Problem::of(other, "")),
    }
}

/// Adds a person.
#[utoipa::path(post, path = "/people", tag = "people", operation_id = "people_add", request_body = NewPerson,
    responses((status = 201, body = Person, headers(("ETag" = String), ("Location" = String)))))]
async fn add(
    State(api): State<Api>,
    caller: Caller,
    Body(NewPerson { name, set }): Body<NewPerson>,
) -> Result<Written<Person>, Problem> {
    refuse_role(&caller, &set)?;
    let display = set.display.clone().unwrap_or_else(|| name.clone());
    let edits = set.edits(&api).await?;
    let command = Command::AddAccount { name: name.as_str().into(), display: display.into(), edits };
    api.change(command, "").await?;
    let made = person(&api, &name).await?;
    Ok(Written { location: format!("/api/v1/people/{}", input::in_path(&name)), tag: made.tag(), form: made })
}

/// One person.
#[utoipa::path(get, path = "/people/{name}", tag = "people", operation_id = "people_read",
    params(("name" = String, Path, description = "The account")),
    responses((status = 200, body = Person, headers(("ETag" = String)))))]
async fn read(
    State(api): State<Api>,
    caller: Caller,
    Named(name): Named<String>,
) -> Result<Tagged<Person>, Problem> {
    caller.must_own(&name, Role::Manager)?;
    let person = person(&api, &name).await?;
    Ok(Tagged(person.tag(), person))
}

/// Changes some of what is set for a person (RFC 7396). People change of their own: language, zone, mobile, PIN, do not
/// disturb and forwarding.
#[utoipa::path(patch, path = "/people/{name}", tag = "people", operation_id = "people_change",
    params(("name" = String, Path, description = "The account"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    request_body = PersonPatch, responses((status = 200, body = Person, headers(("ETag" = String)))))]
async fn change(
    State(api): State<Api>,
    caller: Caller,
    Named(name): Named<String>,
    seen: IfMatch,
    Body(patch): Body<PersonPatch>,
) -> Result<Tagged<Person>, Problem> {
    caller.must_own(&name, Role::Administrator)?;
    if caller.role < Role::Administrator && !patch.is_own_business() {
        return Err(Problem::forbidden("display, role, rights and calls_a_day take an administrator."));
    }
    refuse_role(&caller, &patch)?;
    let edits = patch.edits(&api).await?;
    let _alone = api.editing().await;
    seen.check(&person(&api, &name).await?.tag())?;
    api.change(Command::EditAccount { name: name.as_str().into(), edits }, &name).await?;
    let person = person(&api, &name).await?;
    Ok(Tagged(person.tag(), person))
}

/// A stolen token must not make itself an administrator's.
fn refuse_role(caller: &Caller, patch: &PersonPatch) -> Result<(), Problem> {
    if caller.is_program() && patch.role.is_some() {
        return Err(Problem::forbidden("No token may change a role; sign in with a password.").at("/role"));
    }
    Ok(())
}

/// What goes with a person.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Removal {
    /// 1 for their numbers, devices and places in groups, too: a leaver, whose calls end now.
    #[param(minimum = 0, maximum = 1)]
    everything: Option<u8>,
}

/// Removes a person; one who still has numbers or devices only with everything. Their calls, seats, sessions, tokens and
/// links end.
#[utoipa::path(delete, path = "/people/{name}", tag = "people", operation_id = "people_remove",
    params(("name" = String, Path, description = "The account"),
        ("If-Match" = String, Header, description = "The ETag that was read"), Removal),
    responses((status = 204, description = "The person is removed.")))]
async fn remove(
    State(api): State<Api>,
    Named(name): Named<String>,
    Params(wanted): Params<Removal>,
    seen: IfMatch,
) -> Result<StatusCode, Problem> {
    let _alone = api.editing().await;
    seen.check(&person(&api, &name).await?.tag())?;
    let command = match wanted.everything {
        None | Some(0) => Command::Change(PeopleChange::RemoveAccount { name: name.as_str().into() }),
        Some(1) => Command::LeaveOffice(name.as_str().into()),
        Some(_) => return Err(Problem::malformed("everything is 0 or 1.")),
    };
    api.change(command, &name).await?;
    api.account_left(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A one-time link, shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct LinkShape {
    /// The path to open below the exchange's address.
    pub(crate) link: String,
    /// When it opens nothing any more.
    #[schema(format = DateTime)]
    pub(crate) expires: String,
}

/// Makes a one-time link that opens a session of this person and lets them set a password; the one before is over.
#[utoipa::path(post, path = "/people/{name}/link", tag = "people", operation_id = "people_link",
    params(("name" = String, Path, description = "The account")), responses((status = 201, body = LinkShape)))]
async fn link(
    State(api): State<Api>,
    Named(name): Named<String>,
) -> Result<(StatusCode, Json<LinkShape>), Problem> {
    person(&api, &name).await?;
    Ok((StatusCode::CREATED, Json(api.make_link(&name).await?)))
}

impl Api {
    /// A one-time link for an account that exists.
    pub(crate) async fn make_link(&self, account: &str) -> Result<LinkShape, Problem> {
        let secret = self.random();
        let (link, documents) = self.access().linked(self.now(), secrets::digest(&secret), account);
        self.keep(documents).await?;
        Ok(LinkShape { link: format!("/enter/{secret}"), expires: time(link.expires) })
    }

    /// An account was removed: whoever gets its name later gets nothing of its access.
    pub(crate) async fn account_left(&self, account: &str) -> Result<(), Problem> {
        let documents = Access::of_account(&self.access(), account);
        self.keep(documents).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(text: &str) -> Result<PersonPatch, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_patch_tells_left_out_from_null() {
        let both = patch(r#"{"zone": null, "forwarding": {"busy": "102", "always": null}}"#).unwrap();
        assert_eq!((both.zone, both.mobile), (Some(None), None));
        let forwarding = both.forwarding.unwrap();
        assert_eq!(forwarding.busy, Some(Some("102".into())));
        assert_eq!((forwarding.always, forwarding.offline), (Some(None), None));
    }

    #[test]
    fn sec_11_what_people_may_change_of_their_own_gives_them_nothing_more() {
        for (text, own) in [
            (r#"{"do_not_disturb": true, "pin": "1234", "language": "zh"}"#, true),
            (r#"{"role": "administrator"}"#, false),
            (r#"{"rights": ["premium"]}"#, false),
            (r#"{"calls_a_day": null}"#, false),
            (r#"{"display": "The Boss"}"#, false),
        ] {
            assert_eq!(patch(text).unwrap().is_own_business(), own, "{text}");
        }
    }
}
