//! What an administrator can ask of the running office. Directory data commits first and is applied then (R20).

use crate::agents::{Advice, AgentAsking, AgentRow, OwnWork};
use crate::background::{Asking, TaskRow};
use crate::badges::{Badge, CardKeys, NewBadge, Reader, TapAnswer, TapRequest, Uid};
use crate::change::Change;
use crate::codes::CodeAct;
use crate::events::{CallName, LiveCall};
use crate::exchange::{Exchange, Promise};
use crate::guesses::Guessing;
use crate::hearing::Sound;
use crate::input::{CommandId, Output};
use crate::ladder::{Captured, Rung};
use crate::limits;
use crate::listing::Slice;
use crate::lists::{ListAnswer, ListAsking};
use crate::people::{
    Account, AccountEdit, AutoAnswer, Device, DeviceEdit, Group, PeopleChange, Refusal, Route, Settings,
    Trunk, clean_display,
};
use crate::profiles::{Profile, ProfileAsking, Started};
use crate::queues::QueueRow;
use crate::reconfigure::LiveConfig;
use crate::seats::{Means, SeatRow, Taken};
use crate::sites::{LadderElsewhere, OfficeMap};
use crate::web_phones::WebPhoneRequest;
use calls::Setup;
use clock::{Now, Wall};
use sip::digest::Secret;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::time::Duration;

/// One row of an import, already split and with its secret hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    /// Where it stood in the file, from 1.
    pub line: u64,
    /// The account's name.
    pub account: Box<str>,
    /// The display name.
    pub name: Box<str>,
    /// A number of the account; may be empty.
    pub number: Box<str>,
    /// A device of the account; may be empty.
    pub device: Box<str>,
    /// The device's secret.
    pub secret: Option<Secret>,
}

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Where it stood.
    pub line: u64,
    /// Why.
    pub why: Refusal,
}

/// What can be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Whether this exchange keeps what must happen once; [`Answer::KeptBy`] if another does.
    Keeps,
    /// Change directory data.
    Change(PeopleChange),
    /// Add an account; one that exists is refused.
    AddAccount {
        /// Its name.
        name: Box<str>,
        /// What others see.
        display: Box<str>,
        /// What is set from the beginning.
        edits: Vec<AccountEdit>,
    },
    /// Add a device; one that exists is refused.
    AddDevice {
        /// Its name.
        name: Box<str>,
        /// The device.
        device: Device,
    },
    /// Change some of what is known of an account that exists.
    EditAccount {
        /// The account.
        name: Box<str>,
        /// What, in order.
        edits: Vec<AccountEdit>,
    },
    /// Change some of what is known of a device that exists.
    EditDevice {
        /// The device.
        name: Box<str>,
        /// What, in order.
        edits: Vec<DeviceEdit>,
    },
    /// A number is of another account from now on; calls that ring for it follow.
    MoveNumber {
        /// The number.
        number: Box<str>,
        /// Whose it is then.
        account: Box<str>,
    },
    /// Somebody leaves with all that is theirs; their calls end.
    LeaveOffice(Box<str>),
    /// Take rows, at most [`limits::IMPORT_ROWS`] at a time.
    Import(Vec<ImportRow>),
    /// One account.
    Account(Box<str>),
    /// One number; answered as [`Answer::Numbers`], with none if nobody has it.
    Number(Box<str>),
    /// One device; answered as [`Answer::Devices`], with none if there is none.
    Device(Box<str>),
    /// Make a badge; what is written into its chip is in [`Answer::BadgeMade`].
    AddBadge(Box<NewBadge>),
    /// A badge opens nothing from now on; a revoked one is forgotten.
    RevokeBadge(Box<str>),
    /// Add a reader of badges; one that exists is refused.
    AddReader {
        /// Its name.
        name: Box<str>,
        /// The reader.
        reader: Reader,
    },
    /// All badges.
    ListBadges,
    /// All readers.
    ListReaders,
    /// The UID that was read last at this reader and is no badge's; answered as [`Answer::LastRead`].
    LastRead(Box<str>),
    /// A badge was held to a reader.
    Tap(Box<TapRequest>),
    /// An account's taps are forgotten.
    ForgetTaps(Box<str>),
    /// Some accounts, in the order of their names; answered as [`Answer::Accounts`].
    AccountPage(Slice),
    /// Some numbers, in order; answered as [`Answer::Numbers`].
    NumberPage(Slice),
    /// Some devices, in the order of their names; answered as [`Answer::Devices`].
    DevicePage(Slice),
    /// Make the web phone of a session, or give it another token.
    OpenWebPhone(Box<WebPhoneRequest>),
    /// A session is over: its web phone leaves, its calls end, its sockets are closed. `None`: all are, as far as we
    /// know; pages whose session lives come again.
    EndSession(Option<Box<str>>),
    /// All accounts.
    ListAccounts,
    /// All numbers.
    ListNumbers,
    /// All devices.
    ListDevices,
    /// All trunks.
    ListTrunks,
    /// All routes to the outside.
    ListRoutes,
    /// All hunt groups.
    ListGroups,
    /// The numbers that are services of the exchange.
    ListCodes,
    /// Who sits where; answered as [`Answer::Seats`].
    ListSeats,
    /// Somebody is identified at a phone; answered as [`Answer::Taken`].
    Take {
        /// Who.
        account: Box<str>,
        /// Where.
        device: Box<str>,
        /// By what.
        means: Means,
    },
    /// Somebody at a phone takes this call and no other; answered as [`Answer::Taken`].
    TakeCall {
        /// Who.
        account: Box<str>,
        /// Where.
        device: Box<str>,
        /// Which.
        call: CallName,
    },
    /// Nobody sits at this phone any more.
    EndSeat {
        /// The phone.
        device: Box<str>,
        /// Who wants it so, for the record.
        who: Box<str>,
    },
    /// Something of background calls.
    Background(Box<Asking>),
    /// Something of call lists.
    Lists(Box<ListAsking>),
    /// Something of agents.
    Agents(Box<AgentAsking>),
    /// About the profiles that phones start with.
    Profiles(Box<ProfileAsking>),
    /// All queues, as they are now.
    ListQueues,
    /// What callers of a queue hear who wait; the standard music if there is no sound.
    QueueMusic {
        /// The queue.
        queue: Box<str>,
        /// A sound that all media workers have.
        sound: Option<media::SoundId>,
    },
    /// The calls that go on.
    ListCalls,
    /// End a call that goes on.
    HangUp {
        /// Which.
        call: CallName,
        /// Who wants it so, for the record.
        who: Box<str>,
    },
    /// Somebody wants their phones to be silent for a call that rings for them.
    Dismiss {
        /// Who.
        account: Box<str>,
        /// Which.
        call: CallName,
    },
    /// What a call sent and received; without a Session-ID, the last call that began.
    Ladder(Option<Box<str>>),
    /// The exchanges of the office.
    Exchanges,
    /// How this exchange is, for the directory, or for others over the same store.
    Standing,
    /// What passed at the other exchange of a call between two; by its Session-ID.
    LadderElsewhere(Box<str>),
    /// Whether a secret from there may be tried for this name now.
    MayTry {
        /// Where from.
        source: IpAddr,
        /// Whose secret.
        name: Box<str>,
    },
    /// A wrong secret was tried: a strike, as for a wrong answer to a challenge (R10).
    WrongSecret {
        /// Where from.
        source: IpAddr,
        /// Whose secret.
        name: Box<str>,
    },
    /// The same for a capture file; the bodies only for a call by its name, and for somebody who may have them.
    Capture {
        /// The Session-ID.
        session_id: Option<Box<str>>,
        /// Who takes the bodies, too.
        bodies: Option<Box<str>>,
    },
    /// How things are.
    Status,
    /// Take settings, all or none.
    Reconfigure(Box<LiveConfig>),
}

/// An account in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Its name.
    pub name: Box<str>,
    /// What others see.
    pub display: Box<str>,
    /// Its numbers.
    pub numbers: Vec<Box<str>>,
    /// Its devices.
    pub devices: Vec<Box<str>>,
    /// What is set for it.
    pub settings: Settings,
    /// Whether one of its devices is registered.
    pub registered: bool,
}

/// A device in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRow {
    /// Its name.
    pub name: Box<str>,
    /// Whose.
    pub account: Box<str>,
    /// Where it is registered from, in the form of a flow; empty when it is not.
    pub registered: Vec<String>,
    /// Where it stands.
    pub location: Box<str>,
    /// The number that an emergency service calls back.
    pub call_back: Option<Box<str>>,
    /// How it is told to answer by itself.
    pub auto_answer: Option<AutoAnswer>,
    /// The profile that it was started with in this life of the exchange.
    pub started: Option<Started>,
}

/// How things are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Calls that are up or ringing.
    pub calls: usize,
    /// Devices that are registered.
    pub registered: usize,
    /// Media ports that are free.
    pub ports_free: usize,
    /// Media ports in all.
    pub ports_total: usize,
    /// Whether the store takes changes.
    pub store_ready: bool,
    /// Whether we take no new calls because we are about to stop.
    pub draining: bool,
    /// How late the core takes what came for it.
    pub lag: Duration,
    /// New requests that were refused because there was too much to do (R17).
    pub shed: u64,
    /// Requests of sources that sent too many (sec_07).
    pub flooded: u64,
    /// Wrong answers to our challenges (R10).
    pub wrong_answers: u64,
    /// Requests that were not listened to, because their source guesses at secrets.
    pub ignored: u64,
    /// The sources that guess, the latest first.
    pub guessing: Vec<Guessing>,
    /// How long callers waited until they were told something.
    pub setup: Setup,
    /// How everybody is heard who talks.
    pub sound: Sound,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done and kept.
    Done,
    /// It is not allowed, or makes no sense.
    Refused(Refusal),
    /// The store cannot keep it now; nothing has changed.
    Unavailable(String),
    /// Another exchange changed the office in the same moment, perhaps not the same of it: nothing has changed; ask again.
    Crossed(String),
    /// Another exchange over the same store keeps it (R25): its number, and words with its name. Nothing has changed here.
    KeptBy(NonZeroU8, String),
    /// The rows were taken but for these.
    Imported {
        /// How many were taken.
        taken: usize,
        /// Those that were not.
        bad: Vec<BadRow>,
    },
    /// To [`Command::Account`]; `None` if there is none.
    Account(Option<Box<AccountRow>>),
    /// To [`Command::MayTry`]: how long the next try has to wait; zero if it may be made now.
    Wait(Duration),
    /// To [`Command::ListAccounts`].
    Accounts(Vec<AccountRow>),
    /// To [`Command::ListNumbers`]: number and account.
    Numbers(Vec<(Box<str>, Box<str>)>),
    /// To [`Command::ListDevices`].
    Devices(Vec<DeviceRow>),
    /// To [`Command::ListTrunks`]: its name, the trunk, and how it is now in words.
    Trunks(Vec<(Box<str>, Trunk, String)>),
    /// To [`Command::ListRoutes`].
    Routes(Vec<(Box<str>, Route)>),
    /// To [`Command::ListGroups`].
    Groups(Vec<(Box<str>, Group)>),
    /// To [`Command::ListCodes`]: what to dial, and what it does.
    Codes(Vec<(Box<str>, Box<str>)>),
    /// To [`Command::ListSeats`], in the order of the phones' names.
    Seats(Vec<SeatRow>),
    /// To [`Command::Take`] and [`Command::TakeCall`].
    Taken(Taken),
    /// To [`Asking`] of several: in the order in which they were asked for.
    Tasks(Vec<TaskRow>),
    /// To [`Asking`] of one; none when it is over.
    Task(Option<Box<TaskRow>>),
    /// To [`ListAsking`].
    Lists(Box<ListAnswer>),
    /// To [`AgentAsking`], where nothing else is said.
    Agents(Vec<AgentRow>),
    /// To [`AgentAsking::Work`].
    Work(Box<OwnWork>),
    /// To [`AgentAsking::Advice`].
    Advice(Vec<Advice>),
    /// To [`ProfileAsking::Start`].
    Profile(Box<Profile>),
    /// To [`Command::ListQueues`], by name.
    Queues(Vec<QueueRow>),
    /// To [`Command::ListCalls`].
    Calls(Vec<LiveCall>),
    /// To [`Command::OpenWebPhone`].
    WebPhone {
        /// The device.
        device: Box<str>,
        /// Calls in vain after which the page suggests that the exchange keeps calling.
        suggest_after: Option<u8>,
    },
    /// To [`Command::AddBadge`]: what is written into the chip of a secure badge, shown only now.
    BadgeMade(Option<CardKeys>),
    /// To [`Command::ListBadges`], by name.
    Badges(Vec<(Box<str>, Badge)>),
    /// To [`Command::LastRead`], if that was just now: the UID, and when.
    LastRead(Option<(Uid, Wall)>),
    /// To [`Command::ListReaders`], by name.
    Readers(Vec<(Box<str>, Reader)>),
    /// To [`Command::Tap`].
    Tapped(Box<TapAnswer>),
    /// To [`Command::Ladder`], in the order of time.
    Ladder(Vec<Rung>),
    /// To [`Command::Exchanges`].
    Exchanges(Box<OfficeMap>),
    /// To [`Command::Standing`].
    Standing(Box<crate::cluster::Standing>),
    /// To [`Command::LadderElsewhere`], in the order of time.
    LadderElsewhere(Box<LadderElsewhere>),
    /// To [`Command::Capture`], in the order of time.
    Captured(Vec<Captured>),
    /// To [`Command::Status`].
    Status(Status),
}

impl Exchange {
    pub(crate) fn command(&mut self, now: Now, id: CommandId, command: Command) {
        match command {
            Command::AddAccount { name, display, edits } => self.add_account(now, id, name, &display, edits),
            Command::AddDevice { name, device } => self.add_device(now, id, name, device),
            Command::EditAccount { name, edits } => self.edit_account(now, id, name, edits),
            Command::EditDevice { name, edits } => self.edit_device(now, id, name, edits),
            Command::Change(change) => self.change_people(now, id, change),
            Command::OpenWebPhone(wanted) => self.open_web_phone(now, id, *wanted),
            Command::EndSession(session) => self.end_session(now, id, session.as_deref()),
            Command::AddBadge(new) => self.add_badge(now, id, *new),
            Command::RevokeBadge(name) => self.revoke_badge(now, id, name),
            Command::AddReader { name, reader } => self.add_reader(now, id, name, reader),
            Command::LastRead(reader) => self.tell_last_read(now, id, &reader),
            Command::Tap(request) => self.tap(now, id, *request),
            Command::ForgetTaps(account) => self.forget_taps(now, id, account),
            Command::MoveNumber { number, account } => self.move_number(now, id, number, account),
            Command::LeaveOffice(name) => self.leave_office(now, id, name),
            Command::Import(rows) => self.import(now, id, &rows),
            list @ (Command::ListAccounts
            | Command::ListNumbers
            | Command::ListDevices
            | Command::ListTrunks
            | Command::ListRoutes
            | Command::ListGroups
            | Command::ListCalls
            | Command::ListBadges
            | Command::ListReaders
            | Command::ListSeats
            | Command::ListCodes) => {
                let answer = self.list(&list);
                self.answer(id, answer);
            }
            look @ (Command::Account(_)
            | Command::Number(_)
            | Command::Device(_)
            | Command::AccountPage(_)
            | Command::NumberPage(_)
            | Command::DevicePage(_)) => {
                let answer = self.look(&look);
                self.answer(id, answer);
            }
            Command::Background(asking) => self.ask_background(now, id, *asking),
            Command::Lists(asking) => self.ask_lists(now, Some(id), *asking),
            Command::Agents(asking) => self.ask_agents(now, id, *asking),
            Command::Profiles(asking) => self.ask_profiles(now, id, *asking),
            Command::ListQueues => self.answer_queues(now, id),
            Command::QueueMusic { queue, sound } => self.set_queue_music(id, queue, sound),
            Command::Take { account, device, means } => self.take_for(now, id, &account, &device, means),
            Command::TakeCall { account, device, call } => self.take_named(now, id, &account, &device, &call),
            Command::EndSeat { device, who } => self.end_seat(now, id, &device, &who),
            Command::MayTry { source, name } => self.answer_may_try(now, id, source, &name),
            Command::WrongSecret { source, name } => {
                self.wrong_secret(now, source, &name);
                self.answer(id, Answer::Done);
            }
            Command::HangUp { call, who } => self.hang_up_named(now, id, &call, &who),
            Command::Dismiss { account, call } => self.dismiss(now, id, &account, &call),
            Command::Exchanges => self.answer(id, Answer::Exchanges(Box::new(self.office_map()))),
            Command::Standing => self.tell_standing(now, id),
            Command::LadderElsewhere(name) => self.ask_ladder(now, id, &name.to_ascii_lowercase()),
            Command::Ladder(name) => self.answer(id, Answer::Ladder(self.ladder_of(name.as_deref()))),
            Command::Keeps => self.answer(id, Answer::Done),
            Command::Capture { session_id, bodies } => {
                self.answer_capture(now, id, session_id.as_deref(), bodies);
            }
            Command::Reconfigure(live) => self.reconfigure(now, id, *live),
            Command::Status => self.answer_status(now, id),
        }
    }

    fn answer_capture(&mut self, now: Now, id: CommandId, session: Option<&str>, bodies: Option<Box<str>>) {
        // Without a name, nothing could say whose bodies were taken.
        let bodies = bodies.filter(|_| session.is_some());
        let answer = Answer::Captured(self.capture_of(now, session, bodies.as_deref()));
        self.answer(id, answer);
    }

    fn add_account(
        &mut self,
        now: Now,
        id: CommandId,
        name: Box<str>,
        display: &str,
        edits: Vec<AccountEdit>,
    ) {
        if self.people.account(&name).is_some() {
            return self.answer(id, Answer::Refused(Refusal::Exists("account", name)));
        }
        let (mut display, mut settings) = (clean_display(display), Box::default());
        for edit in edits {
            edit.apply(&mut display, &mut settings);
        }
        self.change_people(now, id, PeopleChange::PutAccount { name, display, settings });
    }

    fn add_device(&mut self, now: Now, id: CommandId, name: Box<str>, device: Device) {
        if self.people.device(&name).is_some() {
            return self.answer(id, Answer::Refused(Refusal::Exists("device", name)));
        }
        self.change_people(now, id, PeopleChange::PutDevice { name, device });
    }

    fn answer_queues(&mut self, now: Now, id: CommandId) {
        let answer = Answer::Queues(self.queue_rows(now));
        self.answer(id, answer);
    }

    fn answer_may_try(&mut self, now: Now, id: CommandId, source: IpAddr, name: &str) {
        let wait = self.guesses.wait(now.mono, source, name);
        self.answer(id, Answer::Wait(wait));
    }

    fn answer_status(&mut self, now: Now, id: CommandId) {
        let answer = Answer::Status(self.status(now));
        self.answer(id, answer);
    }

    fn hang_up_named(&mut self, now: Now, id: CommandId, call: &CallName, who: &str) {
        let answer = match self.hang_up(now, call, who) {
            true => Answer::Done,
            false => Answer::Refused(Refusal::Unknown("call", call.to_string().into())),
        };
        self.answer(id, answer);
    }

    /// Everything of one kind.
    fn list(&self, what: &Command) -> Answer {
        let people = &self.people;
        match what {
            Command::ListAccounts => {
                let row = |(name, account): (&str, &Account)| self.account_row(name, account);
                Answer::Accounts(people.accounts().map(row).collect())
            }
            Command::ListNumbers => Answer::Numbers(
                people.numbers().map(|(number, account)| (number.into(), account.into())).collect(),
            ),
            Command::ListDevices => {
                let row = |(name, device): (&str, &Device)| self.device_row(name, device);
                Answer::Devices(people.devices().map(row).collect())
            }
            Command::ListTrunks => {
                let row = |(name, trunk): (&str, &Trunk)| {
                    (name.into(), trunk.clone(), self.trunk_state(name, trunk))
                };
                Answer::Trunks(people.trunks().map(row).collect())
            }
            Command::ListRoutes => {
                Answer::Routes(people.routes().map(|(name, route)| (name.into(), route.clone())).collect())
            }
            Command::ListGroups => {
                Answer::Groups(people.groups().map(|(name, group)| (name.into(), group.clone())).collect())
            }
            Command::ListSeats => Answer::Seats(self.seat_rows()),
            Command::ListCalls => Answer::Calls(self.live_calls()),
            Command::ListBadges => {
                let rows = people.register.badges();
                Answer::Badges(rows.map(|(name, badge)| (name.into(), badge.clone())).collect())
            }
            Command::ListReaders => {
                let rows = people.register.readers();
                Answer::Readers(rows.map(|(name, reader)| (name.into(), reader.clone())).collect())
            }
            _ => Answer::Codes(self.services_in_words()),
        }
    }

    /// What can be dialled beside people and the outside, and what it does.
    fn services_in_words(&self) -> Vec<(Box<str>, Box<str>)> {
        let echo = self.config.echo_number.iter().map(|number| (&**number, CodeAct::Echo));
        let codes = echo.chain(self.config.codes.iter());
        let codes = codes.map(|(code, act)| (Box::from(code), Box::from(act.words())));
        let parks = self.config.park.iter().filter(|number| self.is_park(number));
        let parks = parks.map(|number| (number.clone(), "where parked calls wait".into()));
        codes.chain(parks).collect()
    }

    /// Whether a number is one of the exchange's own services.
    fn is_service(&self, number: &str) -> bool {
        self.config.echo_number.as_deref() == Some(number) || self.config.codes.has(number)
    }

    /// How things are.
    pub fn status(&mut self, now: Now) -> Status {
        let ports = self.switch.ports();
        let (ports_free, ports_total) = (ports.free(), ports.total());
        let (wrong_answers, ignored) = self.guesses.totals();
        let sound = self.sound();
        Status {
            calls: self.switch.load().0,
            registered: self.registrar.count(),
            ports_free,
            ports_total,
            store_ready: self.store_ready,
            draining: self.draining,
            lag: self.load.lag,
            shed: self.load.shed,
            flooded: self.sources.refused(),
            wrong_answers,
            ignored,
            guessing: self.guesses.list(now.mono),
            setup: self.switch.setup(),
            sound,
        }
    }

    pub(crate) fn answer(&mut self, id: CommandId, answer: Answer) {
        self.outputs.push_back(Output::Answer { id, answer });
    }

    /// Edits what the directory will be once all that is on its way to the store is kept.
    fn edit_account(&mut self, now: Now, id: CommandId, name: Box<str>, edits: Vec<AccountEdit>) {
        match self.edited_account(&name, edits) {
            Some(change) => self.change_people(now, id, change),
            None => self.answer(id, Answer::Refused(Refusal::Unknown("account", name))),
        }
    }

    /// The change that makes edits of an account, upon those that wait for the store; `None` if there is none.
    pub(crate) fn edited_account(
        &self,
        name: &str,
        edits: impl IntoIterator<Item = AccountEdit>,
    ) -> Option<PeopleChange> {
        let coming = self.coming(|change| match change {
            PeopleChange::PutAccount { name: of, display, settings } if **of == *name => {
                Some((display.clone(), settings.clone()))
            }
            _ => None,
        });
        let known = || {
            let account = self.people.account(name)?;
            Some((account.display.clone(), Box::new(account.settings.clone())))
        };
        let (mut display, mut settings) = coming.or_else(known)?;
        for edit in edits {
            edit.apply(&mut display, &mut settings);
        }
        Some(PeopleChange::PutAccount { name: name.into(), display, settings })
    }

    fn edit_device(&mut self, now: Now, id: CommandId, name: Box<str>, edits: Vec<DeviceEdit>) {
        let coming = self.coming(|change| match change {
            PeopleChange::PutDevice { name: of, device } if *of == name => Some(device.clone()),
            _ => None,
        });
        let Some(mut device) = coming.or_else(|| self.people.device(&name).cloned()) else {
            return self.answer(id, Answer::Refused(Refusal::Unknown("device", name)));
        };
        for edit in edits {
            edit.apply(&mut device);
        }
        self.change_people(now, id, PeopleChange::PutDevice { name, device });
    }

    pub(crate) fn change_people(&mut self, now: Now, id: CommandId, change: PeopleChange) {
        let number = match &change {
            PeopleChange::PutNumber { number, .. } => Some(number),
            PeopleChange::PutGroup { group, .. } => Some(&group.number),
            PeopleChange::PutQueue { queue, .. } => Some(&queue.number),
            _ => None,
        };
        let checked = match number.filter(|number| self.is_service(number)) {
            Some(number) => Err(Refusal::Service(number.clone())),
            None => self.people.check(&change),
        };
        match checked {
            Err(refusal) => self.answer(id, Answer::Refused(refusal)),
            Ok(()) => {
                let mut changes = self.leaving_with(&change);
                changes.push(Change::People(change));
                self.commit(now, changes, Promise::Change { id, taken: None, bad: Vec::new() });
            }
        }
    }

    /// Checks rows one by one against what the directory will be after the rows before them.
    fn import(&mut self, now: Now, id: CommandId, rows: &[ImportRow]) {
        let mut changes = Vec::new();
        let mut bad = Vec::new();
        let mut taken = 0;
        let mut draft = Draft::default();
        for row in rows.iter().take(limits::IMPORT_ROWS) {
            match self.import_row(&mut draft, row) {
                Ok(made) => {
                    taken += 1;
                    changes.extend(made.into_iter().map(Change::People));
                }
                Err(refusal) => bad.push(BadRow { line: row.line, why: refusal }),
            }
        }
        if changes.is_empty() {
            return self.answer(id, Answer::Imported { taken, bad });
        }
        self.commit(now, changes, Promise::Change { id, taken: Some(taken), bad });
    }

    fn import_row(&self, draft: &mut Draft, row: &ImportRow) -> Result<Vec<PeopleChange>, Refusal> {
        let mut changes = Vec::new();
        let display = clean_display(&row.name);
        let known = self.people.account(&row.account);
        let settings = known.map(|account| Box::new(account.settings.clone())).unwrap_or_default();
        let account =
            PeopleChange::PutAccount { name: row.account.clone(), display: display.clone(), settings };
        self.people.check(&account)?;
        let new = known.is_none() && !draft.accounts.contains(&row.account);
        let renamed = known.is_some_and(|known| known.display != display) && !display.is_empty();
        if new || renamed {
            changes.push(account);
        }
        if !row.number.is_empty() {
            changes.extend(self.import_number(draft, row)?);
        }
        if !row.device.is_empty() {
            changes.extend(self.import_device(draft, row)?);
        }
        draft.accounts.insert(row.account.clone());
        if !row.number.is_empty() {
            draft.numbers.insert(row.number.clone(), row.account.clone());
        }
        if !row.device.is_empty() {
            draft.devices.insert(row.device.clone(), row.account.clone());
        }
        Ok(changes)
    }

    /// One row a device: the same number stands in each row of its account.
    fn import_number(&self, draft: &Draft, row: &ImportRow) -> Result<Option<PeopleChange>, Refusal> {
        if !crate::people::is_number(&row.number) {
            return Err(Refusal::BadNumber(row.number.clone()));
        }
        if self.is_service(&row.number) {
            return Err(Refusal::Service(row.number.clone()));
        }
        let holder = draft
            .numbers
            .get(&row.number)
            .map(|account| &**account)
            .or_else(|| self.people.account_of(&row.number).map(|(name, _)| name));
        match holder {
            Some(holder) if *holder == *row.account => Ok(None),
            Some(holder) => Err(Refusal::NumberTaken { number: row.number.clone(), account: holder.into() }),
            None => {
                Ok(Some(PeopleChange::PutNumber { number: row.number.clone(), account: row.account.clone() }))
            }
        }
    }

    fn import_device(&self, draft: &Draft, row: &ImportRow) -> Result<Option<PeopleChange>, Refusal> {
        if !crate::people::is_name(&row.device) {
            return Err(Refusal::BadName("device", row.device.clone()));
        }
        let holder = draft
            .devices
            .get(&row.device)
            .map(|account| &**account)
            .or_else(|| self.people.device(&row.device).map(|device| &*device.account));
        if let Some(holder) = holder
            && *holder != *row.account
        {
            return Err(Refusal::DeviceTaken { device: row.device.clone(), account: holder.into() });
        }
        match &row.secret {
            Some(secret) => {
                let known = self.people.device(&row.device).cloned();
                let mut device = known.unwrap_or_else(|| Device::new(row.account.clone(), secret.clone()));
                device.secret = secret.clone();
                Ok(Some(PeopleChange::PutDevice { name: row.device.clone(), device }))
            }
            None if holder.is_some() => Ok(None),
            None => Err(Refusal::NoSecret(row.device.clone())),
        }
    }
}

/// What the rows of one import have claimed so far.
#[derive(Default)]
struct Draft {
    accounts: std::collections::BTreeSet<Box<str>>,
    numbers: BTreeMap<Box<str>, Box<str>>,
    devices: BTreeMap<Box<str>, Box<str>>,
}
