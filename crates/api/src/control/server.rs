//! The exchange's side of the control socket. The file's mode is the authorisation: owner only.

use super::protocol::{
    AccountChanges, AccountItem, BadgeItem, CardItem, CodeItem, DeviceItem, FactItem, GroupItem,
    GuessingItem, ImportRow, NumberItem, Request, Response, RouteItem, RowFault, RungItem, StatusItem,
    WearableItem,
};
use super::work::{self, QueueItem};
use super::{IMPORT_ROWS, LINE, call_lists, lines};
use crate::backend::{Backend, NatsState, RecordsWanted};
use crate::badge::{self, Wished};
use crate::rest::{self, Api, Asked, CardShape, WearableShape, hex};
use exchange::{
    AccountEdit, AgentAsking, Answer, Asking, Command, Device, DeviceEdit, DeviceRow, NewTask, PeopleChange,
    Reader, SignIn, TaskId, TaskList,
};
use std::fs::{self, Permissions};
use std::io;
use std::num::NonZeroU8;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

/// Commands that may talk to us at once.
const CONVERSATIONS: usize = 64;
/// Call records of one answer.
const RECORDS: u32 = 100_000;

/// Binds the socket and answers until the task is dropped. A stale socket of a dead exchange is replaced: whoever
/// calls this holds the lock of the data folder.
///
/// # Errors
/// When the socket cannot be made.
pub fn serve<B: Backend>(
    path: &Path,
    backend: B,
    api: Api,
) -> io::Result<impl Future<Output = ()> + Send + use<B>> {
    let _ = fs::remove_file(path);
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(async move {
        let room = Arc::new(Semaphore::new(CONVERSATIONS));
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else { continue };
            let (backend, api) = (backend.clone(), api.clone());
            tokio::spawn(async move {
                if let Err(error) = converse(stream, &backend, &api).await {
                    tracing::debug!(%error, "control connection ended");
                }
                drop(place);
            });
        }
    })
}

async fn converse<B: Backend>(stream: UnixStream, backend: &B, api: &Api) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    loop {
        line.clear();
        if (&mut reader).take(LINE as u64).read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let response = match read_and_answer(backend, api, &line).await {
            Response::KeptBy(number, why) => hand_on(backend, number, &line, why).await,
            response => response,
        };
        let mut text = serde_json::to_vec(&response).map_err(io::Error::other)?;
        text.push(b'\n');
        writer.write_all(&text).await?;
    }
}

/// What crossed a change by another exchange is done again, on what is there then.
async fn read_and_answer<B: Backend>(backend: &B, api: &Api, line: &str) -> Response {
    let mut waits = rest::CROSSED.into_iter();
    loop {
        let response = match serde_json::from_str::<Request>(line) {
            Ok(request) => answer(backend, api, request).await,
            Err(error) => Response::Refused(format!("not a request: {error}")),
        };
        match (response, waits.next()) {
            (Response::Crossed(_), Some(wait)) => tokio::time::sleep(wait).await,
            (Response::Crossed(why), None) => {
                return Response::Refused(format!("nothing was changed: {why}"));
            }
            (response, _) => return response,
        }
    }
}

/// Asks the exchange that keeps what a line is about.
async fn hand_on<B: Backend>(backend: &B, to: NonZeroU8, line: &str, why: String) -> Response {
    let answered = match backend.hand_on(to, Asked::Control(line.into())).await {
        Ok(text) => serde_json::from_str(&text).map_err(|_| "its answer makes no sense".to_owned()),
        Err(error) => Err(error),
    };
    answered.unwrap_or_else(|error| Response::Refused(format!("{why}: {error}")))
}

/// Answers a line that another exchange over the same store has handed on. It is not handed on again.
pub async fn answer_handed_on<B: Backend>(backend: &B, api: &Api, line: &str) -> String {
    let response = match read_and_answer(backend, api, line).await {
        Response::KeptBy(_, why) => Response::Refused(why),
        response => response,
    };
    serde_json::to_string(&response).unwrap_or_default()
}

async fn answer<B: Backend>(backend: &B, api: &Api, request: Request) -> Response {
    match request {
        Request::DeviceAdd { name, account, secret } => {
            let (password, made) = password(backend, secret);
            let device = Device::new(account, backend.secret(&name, &password));
            let response = ask(backend, Command::AddDevice { name: name.into(), device }).await;
            with_secret(response, password, made)
        }
        Request::DeviceSecret { name, secret } => {
            let (password, made) = password(backend, secret);
            let secret = backend.secret(&name, &password);
            let edits = vec![DeviceEdit::Secret(secret)];
            let response = ask(backend, Command::EditDevice { name: name.into(), edits }).await;
            with_secret(response, password, made)
        }
        Request::AccountSet { name, changes } => account_set(backend, api, name, changes).await,
        Request::AccountLink { name } => account_link(backend, api, &name).await,
        Request::AccountRemove { name, everything } => {
            let removed = match everything {
                true => ask(backend, Command::LeaveOffice(name.as_str().into())).await,
                false => change(backend, PeopleChange::RemoveAccount { name: name.as_str().into() }).await,
            };
            if removed == Response::Done { tell_api(api.account_left(&name).await) } else { removed }
        }
        Request::DeviceSet { name, changes } => match lines::device_edits(changes) {
            Ok(edits) => ask(backend, Command::EditDevice { name: name.into(), edits }).await,
            Err(why) => Response::Refused(why),
        },
        Request::TrunkAdd { name, trunk } => match lines::trunk(trunk) {
            Ok(trunk) => {
                change(backend, PeopleChange::PutTrunk { name: name.into(), trunk: Box::new(trunk) }).await
            }
            Err(why) => Response::Refused(why),
        },
        Request::RouteAdd { route } => route_add(backend, route).await,
        Request::GroupAdd { group } => group_add(backend, group).await,
        Request::QueueAdd { queue } => queue_add(backend, &queue).await,
        Request::QueueMusic { name, file } => queue_music(backend, &name, file).await,
        Request::List(wanted) => call_lists::answer(api, wanted).await,
        Request::BadgeAdd { badge } => badge_add(backend, badge).await,
        Request::ReaderAdd { name, device } => reader_add(backend, name, device).await,
        Request::WearableAdd { name, account } => wearable_add(api, name, account).await,
        Request::WearableRemove { id } => wearable_remove(api, &id).await,
        Request::WearableList => Response::Wearables(api.wearables(None).into_iter().map(wearable).collect()),
        Request::Explain { kind, subject } => match backend.facts(&kind, &subject).await {
            Ok(facts) => Response::Facts(
                facts.into_iter().map(|(time, rule, words)| FactItem { time, rule, words }).collect(),
            ),
            Err(why) => Response::Refused(why),
        },
        Request::TaskCalls { task } => task_calls(backend, task).await,
        Request::TaskMessages { task } => match backend.messages(stored(task)).await {
            Ok(rows) => Response::Messages(rows),
            Err(why) => Response::Refused(why),
        },
        Request::Calls { most } => match backend.records(most.min(RECORDS)).await {
            Ok(rows) => Response::Calls(rows),
            Err(why) => Response::Refused(why),
        },
        Request::Reload => match backend.reload().await {
            Ok(waits) => Response::Reloaded { waits },
            Err(why) => Response::Refused(format!("nothing was changed: {why}")),
        },
        Request::Import { rows } => import(backend, rows).await,
        Request::Status => status(backend).await,
        simple => ask(backend, command(simple)).await,
    }
}

fn account_add(name: String, display: String) -> Command {
    let display = if display.is_empty() { name.clone() } else { display };
    Command::AddAccount { name: name.into(), display: display.into(), edits: Vec::new() }
}

async fn route_add<B: Backend>(backend: &B, route: RouteItem) -> Response {
    let name = route.name.clone().into();
    let route = Box::new(lines::route(route));
    change(backend, PeopleChange::PutRoute { name, route }).await
}

/// Requests that are one command each.
fn command(request: Request) -> Command {
    match request {
        Request::AccountAdd { name, display } => account_add(name, display),
        Request::AccountList => Command::ListAccounts,
        Request::NumberAdd { number, account } => {
            Command::Change(PeopleChange::PutNumber { number: number.into(), account: account.into() })
        }
        Request::NumberMove { number, account } => {
            Command::MoveNumber { number: number.into(), account: account.into() }
        }
        Request::NumberRemove { number } => {
            Command::Change(PeopleChange::RemoveNumber { number: number.into() })
        }
        Request::NumberList => Command::ListNumbers,
        Request::DeviceRemove { name } => Command::Change(PeopleChange::RemoveDevice { name: name.into() }),
        Request::DeviceList => Command::ListDevices,
        Request::TrunkRemove { name } => Command::Change(PeopleChange::RemoveTrunk { name: name.into() }),
        Request::TrunkList => Command::ListTrunks,
        Request::RouteRemove { name } => Command::Change(PeopleChange::RemoveRoute { name: name.into() }),
        Request::RouteList => Command::ListRoutes,
        Request::GroupRemove { name } => Command::Change(PeopleChange::RemoveGroup { name: name.into() }),
        Request::GroupList => Command::ListGroups,
        work @ (Request::QueueRemove { .. }
        | Request::QueueList
        | Request::AgentList
        | Request::AgentShow { .. }
        | Request::AgentSignIn { .. }
        | Request::AgentSignOut { .. }
        | Request::AgentReady { .. }
        | Request::AgentPause { .. }) => work_command(work),
        Request::BadgeRevoke { name } => Command::RevokeBadge(name.into()),
        Request::BadgeList => Command::ListBadges,
        task @ (Request::TaskList { .. }
        | Request::TaskStart { .. }
        | Request::TaskStop { .. }
        | Request::TaskStopAll { .. }) => asking(asking_of(task)),
        Request::ReaderRemove { name } => Command::Change(PeopleChange::RemoveReader { name: name.into() }),
        Request::ReaderList => Command::ListReaders,
        Request::Ladder { session_id } => Command::Ladder(session_id.map(Into::into)),
        Request::LadderElsewhere { session_id } => Command::LadderElsewhere(session_id.into()),
        Request::Capture { session_id, bodies } => capture(session_id, bodies),
        Request::Codes => Command::ListCodes,
        // The rest is more than one command and never comes here.
        Request::AccountRemove { .. }
        | Request::AccountLink { .. }
        | Request::DeviceAdd { .. }
        | Request::DeviceSecret { .. }
        | Request::AccountSet { .. }
        | Request::DeviceSet { .. }
        | Request::TrunkAdd { .. }
        | Request::RouteAdd { .. }
        | Request::GroupAdd { .. }
        | Request::QueueAdd { .. }
        | Request::QueueMusic { .. }
        | Request::BadgeAdd { .. }
        | Request::ReaderAdd { .. }
        | Request::WearableAdd { .. }
        | Request::WearableRemove { .. }
        | Request::WearableList
        | Request::Explain { .. }
        | Request::List(_)
        | Request::TaskCalls { .. }
        | Request::TaskMessages { .. }
        | Request::Calls { .. }
        | Request::Reload
        | Request::Import { .. }
        | Request::Status => Command::Status,
    }
}

async fn task_calls<B: Backend>(backend: &B, task: u64) -> Response {
    let wanted = RecordsWanted { task: Some(stored(task)), most: RECORDS, ..RecordsWanted::default() };
    match backend.records_page(wanted).await {
        Ok(rows) => Response::Calls(rows.into_iter().rev().collect()),
        Err(why) => Response::Refused(why),
    }
}

/// A task's number as it is kept.
fn stored(task: u64) -> i64 {
    i64::try_from(task).unwrap_or(i64::MAX)
}

fn capture(session_id: Option<String>, bodies: bool) -> Command {
    let bodies = bodies.then(|| "the command line".into());
    Command::Capture { session_id: session_id.map(Into::into), bodies }
}

/// Those about background calls.
fn asking_of(request: Request) -> Asking {
    match request {
        Request::TaskStart { account, number } => {
            let (account, number) = (account.into(), number.into());
            Asking::Start(NewTask { account, number, ..NewTask::default() })
        }
        Request::TaskStop { task } => Asking::Stop { task: TaskId(task), of: None },
        Request::TaskStopAll { account } => Asking::StopAll(account.into()),
        Request::TaskList { account } => {
            let of = account.map(Into::into);
            Asking::List(TaskList { of, ..TaskList::default() })
        }
        _ => Asking::List(TaskList::default()),
    }
}

fn ladder_elsewhere(other: exchange::LadderElsewhere) -> Response {
    Response::LadderElsewhere {
        exchange: other.exchange.map(Into::into),
        rungs: other.rungs.into_iter().map(rung_item).collect(),
        why: other.why.map(Into::into),
    }
}

/// Those about queues and agents.
fn work_command(request: Request) -> Command {
    match request {
        Request::QueueRemove { name } => Command::Change(PeopleChange::RemoveQueue { name: name.into() }),
        Request::AgentList => agents(AgentAsking::List),
        Request::AgentShow { name } => agents(AgentAsking::One(name.into())),
        Request::AgentSignIn { name, device, queues } => {
            let queues = queues.into_iter().map(Into::into).collect();
            let sign_in = SignIn { device: device.map(Into::into), queues, ..SignIn::default() };
            agents(AgentAsking::SignIn { account: name.into(), sign_in })
        }
        Request::AgentSignOut { name } => agents(AgentAsking::SignOut(name.into())),
        Request::AgentReady { name } => agents(AgentAsking::Ready(name.into())),
        Request::AgentPause { name, reason, minutes } => {
            let planned = minutes.map(|minutes| Duration::from_secs(60 * u64::from(minutes.min(24 * 60))));
            agents(AgentAsking::Pause { account: name.into(), reason: reason.into(), planned })
        }
        _ => Command::ListQueues,
    }
}

async fn group_add<B: Backend>(backend: &B, item: GroupItem) -> Response {
    let name = item.name.clone().into();
    match lines::group(item) {
        Ok(group) => change(backend, PeopleChange::PutGroup { name, group: Box::new(group) }).await,
        Err(why) => Response::Refused(why),
    }
}

async fn queue_add<B: Backend>(backend: &B, item: &QueueItem) -> Response {
    let name = item.name.as_str().into();
    match work::queue(item) {
        Ok(queue) => change(backend, PeopleChange::PutQueue { name, queue: Box::new(queue) }).await,
        Err((_, why)) => Response::Refused(why),
    }
}

async fn queue_music<B: Backend>(backend: &B, name: &str, path: Option<std::path::PathBuf>) -> Response {
    let file = match &path {
        Some(path) => match tokio::fs::read(path).await {
            Ok(file) => Some(file),
            Err(error) => return Response::Refused(format!("{}: {error}", path.display())),
        },
        None => None,
    };
    match backend.set_music(name, file).await {
        Ok(()) => Response::Done,
        Err(why) => Response::Refused(why),
    }
}

fn agents(asking: AgentAsking) -> Command {
    Command::Agents(Box::new(asking))
}

fn asking(asking: Asking) -> Command {
    Command::Background(Box::new(asking))
}

async fn change<B: Backend>(backend: &B, change: PeopleChange) -> Response {
    ask(backend, Command::Change(change)).await
}

async fn ask<B: Backend>(backend: &B, command: Command) -> Response {
    match backend.command(command).await {
        Ok(answer) => response(answer),
        Err(_) => Response::Refused("the exchange is stopping or too busy; try again".into()),
    }
}

fn response(answer: Answer) -> Response {
    match answer {
        Answer::Done => Response::Done,
        Answer::Status(status) => Response::Status(status_item(status)),
        Answer::Refused(refusal) => Response::Refused(refusal.to_string()),
        Answer::Unavailable(why) => Response::Refused(format!("nothing was changed: {why}")),
        Answer::Crossed(why) => Response::Crossed(why),
        Answer::KeptBy(number, why) => Response::KeptBy(number, why),
        Answer::Imported { taken, bad } => {
            let faults =
                bad.into_iter().map(|bad| RowFault { line: bad.line, why: bad.why.to_string() }).collect();
            Response::Imported { taken, faults }
        }
        Answer::Accounts(rows) => Response::Accounts(rows.into_iter().map(account_item).collect()),
        Answer::Numbers(rows) => {
            let items = rows
                .into_iter()
                .map(|(number, account)| NumberItem { number: number.into(), account: account.into() });
            Response::Numbers(items.collect())
        }
        Answer::Devices(rows) => Response::Devices(rows.into_iter().map(device_item).collect()),
        Answer::Trunks(rows) => {
            let items = rows.into_iter().map(|(name, trunk, state)| lines::trunk_item(&name, &trunk, state));
            Response::Trunks(items.collect())
        }
        Answer::Routes(rows) => {
            Response::Routes(rows.iter().map(|(name, route)| lines::route_item(name, route)).collect())
        }
        Answer::Groups(rows) => {
            Response::Groups(rows.iter().map(|(name, group)| lines::group_item(name, group)).collect())
        }
        Answer::Queues(_) | Answer::Agents(_) => work_response(&answer),
        // The control socket asks for none of these.
        Answer::WebPhone { .. }
        | Answer::Account(_)
        | Answer::Advice(_)
        | Answer::Work(_)
        | Answer::Profile(_)
        | Answer::Wait(_)
        | Answer::Calls(_)
        | Answer::Seats(_)
        | Answer::Taken(_)
        | Answer::BadgeMade(_)
        | Answer::LastRead(_)
        | Answer::Tapped(_)
        | Answer::Exchanges(_)
        | Answer::Standing(_)
        | Answer::Lists(_) => Response::Done,
        Answer::Tasks(rows) => Response::Tasks(rows.iter().map(lines::task_item).collect()),
        Answer::Task(row) => Response::Tasks(row.iter().map(|row| lines::task_item(row)).collect()),
        Answer::Badges(rows) => {
            Response::Badges(rows.iter().map(|(name, badge)| lines::badge_item(name, badge)).collect())
        }
        Answer::Readers(rows) => {
            let rows = rows.into_iter().map(|(name, reader)| (name.into(), reader.device.into()));
            Response::Readers(rows.collect())
        }
        Answer::Captured(messages) => {
            let file = if messages.is_empty() { Vec::new() } else { crate::capture::file(&messages) };
            Response::Capture(hex(&file))
        }
        Answer::LadderElsewhere(other) => ladder_elsewhere(*other),
        Answer::Ladder(rungs) => Response::Ladder(rungs.into_iter().map(rung_item).collect()),
        Answer::Codes(rows) => {
            let items =
                rows.into_iter().map(|(code, does)| CodeItem { code: code.into(), does: does.into() });
            Response::Codes(items.collect())
        }
    }
}

/// Those about queues and agents.
fn work_response(answer: &Answer) -> Response {
    match answer {
        Answer::Queues(rows) => Response::Queues(rows.iter().map(work::queue_row).collect()),
        Answer::Agents(rows) => Response::Agents(rows.iter().map(work::agent_item).collect()),
        _ => Response::Done,
    }
}

fn device_item(row: DeviceRow) -> DeviceItem {
    DeviceItem {
        name: row.name.into(),
        account: row.account.into(),
        registered: row.registered,
        profile: row.started.as_ref().map(work::started_item),
    }
}

fn account_item(row: exchange::AccountRow) -> AccountItem {
    let texts = |list: Vec<Box<str>>| list.into_iter().map(String::from).collect();
    AccountItem {
        name: row.name.into(),
        display: row.display.into(),
        numbers: texts(row.numbers),
        devices: texts(row.devices),
        settings: lines::settings_in_words(&row.settings),
    }
}

fn rung_item(rung: exchange::Rung) -> RungItem {
    RungItem { at: rung.at.0, sent: rung.sent, who: rung.who.into(), flow: rung.flow.into(), text: rung.text }
}

fn status_item(status: exchange::Status) -> StatusItem {
    let guessing = status.guessing.into_iter().map(|one| GuessingItem {
        source: one.source.to_string(),
        name: one.name.into(),
        strikes: one.strikes,
        ignored_seconds: one.ignored.as_secs(),
    });
    StatusItem {
        calls: status.calls,
        registered: status.registered,
        ports_free: status.ports_free,
        ports_total: status.ports_total,
        store_ready: status.store_ready,
        late_ms: u64::try_from(status.lag.as_millis()).unwrap_or(u64::MAX),
        shed: status.shed,
        flooded: status.flooded,
        wrong_secrets: status.wrong_answers,
        ignored: status.ignored,
        guessing: guessing.collect(),
        nats: None,
    }
}

async fn status<B: Backend>(backend: &B) -> Response {
    match ask(backend, Command::Status).await {
        Response::Status(status) => {
            Response::Status(StatusItem { nats: backend.nats().map(nats_in_words), ..status })
        }
        other => other,
    }
}

fn nats_in_words(nats: NatsState) -> String {
    match (nats.connected, nats.trouble, nats.warning) {
        (_, Some(trouble), _) => trouble,
        (false, None, _) => "no server has us yet".to_owned(),
        (true, None, Some(warning)) => format!("{}: {warning}", nats.server),
        (true, None, None) => format!("{}, {} events kept there", nats.server, nats.published),
    }
}

/// Secrets are hashed here, off the core (R17).
async fn import<B: Backend>(backend: &B, rows: Vec<ImportRow>) -> Response {
    if rows.len() > IMPORT_ROWS {
        return Response::Refused(format!("at most {IMPORT_ROWS} rows at a time"));
    }
    let rows = rows.into_iter().map(|row| {
        let secret = (!row.secret.is_empty()).then(|| backend.secret(&row.device, &row.secret));
        exchange::ImportRow {
            line: row.line,
            account: row.account.into(),
            name: row.name.into(),
            number: row.number.into(),
            device: row.device.into(),
            secret,
        }
    });
    ask(backend, Command::Import(rows.collect())).await
}

fn password<B: Backend>(backend: &B, given: Option<String>) -> (String, bool) {
    match given {
        Some(password) => (password, false),
        None => (backend.new_password(), true),
    }
}

fn with_secret(response: Response, password: String, made: bool) -> Response {
    if made && response == Response::Done { Response::Secret(password) } else { response }
}

/// Sessions end with the password that they were opened under.
async fn account_set<B: Backend>(
    backend: &B,
    api: &Api,
    name: String,
    mut changes: AccountChanges,
) -> Response {
    let password = changes.password.take();
    let edits = lines::account_edits(changes, |pin| hash(backend, pin));
    let mut edits = match edits {
        Ok(edits) => edits,
        Err(fault) => return Response::Refused(fault.why),
    };
    if let Some(password) = &password {
        let checked = if password.is_empty() { Ok(()) } else { rest::check_password(password) };
        let hashed = checked.and_then(|()| match &**password {
            "" => Ok(None),
            password => hash(backend, password).map(|hash| Some(hash.into())),
        });
        match hashed {
            Ok(hash) => edits.push(AccountEdit::Password(hash)),
            Err(why) => return Response::Refused(why),
        }
    }
    let set = ask(backend, Command::EditAccount { name: name.as_str().into(), edits }).await;
    if password.is_some() && set == Response::Done {
        return tell_api(api.password_changed(&name, None).await);
    }
    set
}

async fn wearable_add(api: &Api, name: String, account: String) -> Response {
    match api.add_wearable(account, name).await {
        Ok(added) => Response::Wearables(vec![wearable(added)]),
        Err(problem) => Response::Refused(problem.detail),
    }
}

async fn wearable_remove(api: &Api, id: &str) -> Response {
    match api.remove_wearable(id).await {
        Ok(()) => Response::Done,
        Err(problem) => Response::Refused(problem.detail),
    }
}

fn wearable(one: WearableShape) -> WearableItem {
    let WearableShape { id, account, name, kind, notices, dismissals, .. } = one;
    WearableItem { id, account, name, kind, topics: notices.zip(dismissals) }
}

async fn reader_add<B: Backend>(backend: &B, name: String, device: String) -> Response {
    let (key, hash) = badge::reader_key(&hex(&backend.random()));
    let reader = Reader { device: device.into(), key: hash };
    let response = ask(backend, Command::AddReader { name: name.into(), reader }).await;
    with_secret(response, key, true)
}

async fn badge_add<B: Backend>(backend: &B, item: BadgeItem) -> Response {
    let BadgeItem { name, account, label, kind, uid, text, .. } = item;
    let wished = Wished { name, account, label, kind, uid, text };
    let (new, text) = match badge::new_badge(wished, || hex(&backend.random())) {
        Ok(made) => made,
        Err(why) => return Response::Refused(why),
    };
    match backend.command(Command::AddBadge(Box::new(new))).await {
        Ok(Answer::BadgeMade(keys)) => {
            let CardShape { record, meta_read_key, file_read_key } =
                CardShape::of(keys.as_ref(), text, &backend.http());
            Response::BadgeMade(CardItem { record, meta_read_key, file_read_key })
        }
        Ok(other) => response(other),
        Err(_) => Response::Refused("the exchange is stopping or too busy; try again".into()),
    }
}

async fn account_link<B: Backend>(backend: &B, api: &Api, name: &str) -> Response {
    match backend.command(Command::Account(name.into())).await {
        Ok(Answer::Account(Some(_))) => match api.link(name).await {
            Ok(path) => Response::Link { base: backend.http(), path },
            Err(why) => Response::Refused(why),
        },
        Ok(Answer::Account(None)) => Response::Refused(format!("no account \"{name}\"")),
        _ => Response::Refused("the exchange is stopping or too busy; try again".into()),
    }
}

fn tell_api(told: Result<(), rest::Problem>) -> Response {
    match told {
        Ok(()) => Response::Done,
        Err(problem) => Response::Refused(format!("it is done, but the sessions go on: {}", problem.detail)),
    }
}

/// Guessing a PIN or a password costs the guesser; hashing one costs us some ten milliseconds, here and never on the
/// core (R17).
fn hash<B: Backend>(backend: &B, secret: &str) -> Result<String, String> {
    rest::hash(secret, &backend.random())
}
