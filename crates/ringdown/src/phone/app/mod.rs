//! `ringdown phone --app`: a phone that belongs to no exchange. The directory wakes it, or tells it where a call goes; it connects
//! there with a ticket, is a phone for that call, and leaves (S4.8, S4.20 to S4.24).
//!
//! ```text
//!  asleep --Push(Wake)--> REGISTER with the ticket --> its INVITE rings --> talks --> leaves
//!  asleep --call--> Designated --> INVITE with the ticket --> rings there --> talks --> leaves
//! ```

mod cloud;
mod line;
mod news;
mod state;

pub(super) use cloud::Cloud;
pub(super) use news::AppNews;

use super::control::Control;
use super::face::Face;
use super::hub::{self, Heard};
use super::list::Desk;
use super::{Arguments, Errand};
use crate::Failure;
use crate::directory::app_protocol::FromApp;
use crate::directory::{AppLink, random};
use ::phone::work::Said;
use ::phone::{Account, Command, Event, Settings};
use cloud::{Broking, Words};
use directory::{Message, Named as _, Notice, Number, Push, RequestId, SessionHalf, TicketId};
use line::{Line, Lines};
use net::Clock;
use state::State;
use std::collections::VecDeque;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// Tickets that are remembered, so that none is followed twice.
const SEEN: usize = 64;
/// How long we wait for anything before we look at the time.
const TURN: Duration = Duration::from_millis(250);

/// What the command line says of an app.
#[derive(clap::Args)]
pub(super) struct AppArguments {
    /// Be an app of an office with a directory: with the link that `ringdown directory invite-app` printed, once; afterwards
    /// what is kept is enough
    #[arg(long, value_name = "LINK", num_args = 0..=1, conflicts_with_all = ["server", "user"])]
    pub(super) app: Option<Option<AppLink>>,
    /// Sleep, and be woken by this broker, as in mqtts://broker.example:8883
    #[arg(long, value_name = "BROKER", requires = "app")]
    wake_by: Option<net::Broker>,
    /// Who we are at the broker
    #[arg(long, value_name = "NAME", requires = "wake_by")]
    wake_user: Option<String>,
    /// How we prove it
    #[arg(
        long,
        value_name = "TEXT",
        env = "RINGDOWN_WAKE_PASSWORD",
        hide_env_values = true,
        requires = "wake_by"
    )]
    wake_password: Option<String>,
}

/// A call that the directory was asked for.
struct Asked {
    id: RequestId,
    number: String,
    session: SessionHalf,
}

/// What the one account of an app is called.
const ACCOUNT: &str = "app";

struct App {
    state: State,
    words: Words,
    lines: Lines,
    line: Option<Line>,
    asked: Option<Asked>,
    /// Whom we called last, or asked for.
    last: Option<String>,
    /// Whom we want to be called for, until the directory has answered.
    when_free: Option<(RequestId, String)>,
    /// It woke us while we were leaving.
    next: Option<Notice>,
    seen: VecDeque<TicketId>,
    requests: u64,
    errand: Errand,
    /// The number of `--call`, until it was asked for.
    wanted: Option<String>,
    /// The name of that call's request.
    errand_id: Option<RequestId>,
    leaving: bool,
}

pub(super) fn run(arguments: &Arguments, control: Option<Control>) -> Result<(), Failure> {
    let clock = Clock::start();
    let folder = arguments.list.folder("app");
    let state = State::open(&folder, arguments.app.app.as_ref().and_then(Option::as_ref))?;
    let (ear, heard) = hub::open();
    let broking = broking(&arguments.app)?;
    let words = cloud::start(state.clone(), broking, clock, ear.clone())?;
    super::signals::quit_when_told(ear.clone())?;
    let desk = Desk::open(&arguments.list, &mut [], clock, ear.clone())?;
    let mut face = Face::open(arguments, &[], control, &desk, ear.clone())?;
    face.app(&AppNews::App { device: state.device.to_string(), account: state.account.to_string() });
    let mut app = App {
        lines: Lines { settings: common(arguments, clock)?, ear, calls: 0 },
        state,
        words,
        line: None,
        asked: None,
        last: None,
        when_free: None,
        next: None,
        seen: VecDeque::new(),
        requests: 0,
        errand: Errand { number: None, ..Errand::new(arguments, &[]) },
        wanted: arguments.call.clone(),
        errand_id: None,
        leaving: false,
    };
    loop {
        match heard.recv_timeout(TURN) {
            Ok(Heard::Event(_, event)) => app.event(&event, &mut face)?,
            Ok(Heard::Said(Said::Phone(command))) => app.command(command, &mut face)?,
            Ok(Heard::Said(Said::List(_) | Said::Look(_))) => {
                face.event(ACCOUNT, &Event::Refused { why: "an app has no list and no history".into() })?;
            }
            Ok(Heard::Cloud(said)) => app.cloud(said, &mut face),
            Ok(Heard::Gone) => app.left(&mut face),
            Ok(Heard::Fetched(..) | Heard::Uploaded(..) | Heard::Key(_) | Heard::Resized)
            | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return app.outcome(),
        }
        app.run_timers();
        if app.leaving && app.line.is_none() {
            return app.outcome();
        }
    }
}

fn broking(arguments: &AppArguments) -> Result<Option<Broking>, Failure> {
    let Some(broker) = arguments.wake_by.clone() else { return Ok(None) };
    let tls = ::phone::client_config(&::phone::Trust::System).map_err(|error| error.to_string());
    Ok(Some(Broking {
        broker,
        user: arguments.wake_user.clone(),
        password: arguments.wake_password.clone(),
        tls,
    }))
}

/// What all of our calls have in common; where they go is said by the directory.
fn common(arguments: &Arguments, clock: Clock) -> Result<Settings, Failure> {
    let account = Account {
        further: Vec::new(),
        name: ACCOUNT.into(),
        server: "127.0.0.1".parse()?,
        transport: sip::Transport::Tls,
        trust: ::phone::Trust::System,
        user: String::new(),
        password: String::new(),
        display: arguments.display.clone(),
        register: false,
        expires: 3_600,
        codecs: arguments.codecs.clone(),
        suggest: None,
        profile: false,
        lamps: Vec::new(),
        messages: false,
        pass: None,
    };
    super::settings(arguments, vec![account]).map(|settings| Settings { clock, ..settings })
}

impl App {
    // ---- what a person, or a program, wants

    fn command(&mut self, command: Command, face: &mut Face) -> Result<(), Failure> {
        match command {
            Command::Quit => {
                self.leaving = true;
                if let Some(line) = &self.line {
                    line.leave();
                }
            }
            Command::Call { number, .. } => {
                if let Err(why) = self.ask(&number, face) {
                    face.event(ACCOUNT, &Event::Refused { why })?;
                }
            }
            Command::HangUp { .. } if self.asked.is_some() => {
                if let Some(asked) = self.asked.take() {
                    self.say(FromApp::Cancel { id: asked.id });
                    self.not_called(asked, "we gave up", face);
                }
            }
            Command::KeepCalling { yes: true } => {
                if let Err(why) = self.ask_when_free() {
                    face.event(ACCOUNT, &Event::Refused { why })?;
                }
            }
            command => match &self.line {
                Some(line) => line.tell(command),
                None if command == Command::Status => {
                    face.event(ACCOUNT, &Event::Status { registered: false, calls: Vec::new() })?;
                }
                None => face.event(ACCOUNT, &Event::Refused { why: "there is no call".into() })?,
            },
        }
        Ok(())
    }

    /// C1: the directory is asked first.
    fn ask(&mut self, number: &str, face: &mut Face) -> Result<RequestId, String> {
        if self.line.is_some() || self.asked.is_some() {
            return Err("there is a call already".into());
        }
        let callee = Number::parse(number)?;
        let half = random::<16>().map_err(|error| error.to_string())?;
        self.requests += 1;
        let (id, session) = (RequestId(self.requests), SessionHalf(half));
        self.last = Some(number.to_owned());
        self.asked = Some(Asked { id, number: number.to_owned(), session });
        face.app(&AppNews::Asked { number: number.to_owned() });
        self.say(FromApp::Call { id, callee, session });
        Ok(id)
    }

    /// Whoever waits does not have to: our home keeps calling whom we called last.
    fn ask_when_free(&mut self) -> Result<(), String> {
        let number = self.last.clone().ok_or("nobody was called yet")?;
        let callee = Number::parse(&number)?;
        self.requests += 1;
        let id = RequestId(self.requests);
        self.when_free = Some((id, number));
        self.say(FromApp::WhenFree { id, callee });
        Ok(())
    }

    fn say(&self, word: FromApp) {
        if self.words.try_send(word).is_err() {
            tracing::warn!("the directory takes no more words");
        }
    }

    // ---- what the directory says

    fn cloud(&mut self, said: Cloud, face: &mut Face) {
        match said {
            Cloud::Connected => {
                face.app(&AppNews::Directory { connected: true, why: None });
                if let Some(number) = self.wanted.take() {
                    match self.ask(&number, face) {
                        Ok(id) => self.errand_id = Some(id),
                        Err(why) => self.fail(why),
                    }
                }
            }
            Cloud::Asleep => face.app(&AppNews::Asleep),
            Cloud::Away(why) => {
                face.app(&AppNews::Directory { connected: false, why: Some(why) });
                if let Some((_, number)) = self.when_free.take() {
                    let why = "the connection to the directory broke".to_owned();
                    face.app(&AppNews::NotWhenFree { number, why });
                }
                if let Some(asked) = self.asked.take() {
                    self.not_called(asked, "the connection to the directory broke", face);
                }
            }
            Cloud::Refused(why) => face.app(&AppNews::Directory { connected: true, why: Some(why) }),
            Cloud::Push(Push::Wake(notice)) => self.woken(notice, face),
            Cloud::Push(Push::Withdrawn { ticket, .. }) => self.withdrawn(ticket, face),
            Cloud::Told(message) => self.told(message, face),
        }
    }

    /// C3: an exchange waits for us.
    fn woken(&mut self, notice: Notice, face: &mut Face) {
        if self.seen.contains(&notice.ticket.id) {
            return;
        }
        self.seen.push_back(notice.ticket.id);
        if self.seen.len() > SEEN {
            self.seen.pop_front();
        }
        match &self.line {
            Some(line) if line.is_leaving() => self.next = Some(notice),
            Some(_) => self.decline(notice.ticket.id, "there is a call already", face),
            None if self.asked.is_some() => {
                self.decline(notice.ticket.id, "a call is asked for", face);
            }
            None => self.go_to(notice, face),
        }
    }

    fn go_to(&mut self, notice: Notice, face: &mut Face) {
        face.app(&AppNews::Woken { exchange: notice.address.to_string() });
        let ticket = notice.ticket.id;
        match self.lines.woken(&self.state.papers(), notice) {
            Ok(line) => self.line = Some(line),
            Err(why) => self.decline(ticket, &why, face),
        }
    }

    fn decline(&self, ticket: TicketId, why: &str, face: &mut Face) {
        self.say(FromApp::Decline { ticket });
        face.app(&AppNews::Declined { why: why.to_owned() });
    }

    fn withdrawn(&mut self, ticket: TicketId, face: &mut Face) {
        if self.next.as_ref().is_some_and(|notice| notice.ticket.id == ticket) {
            self.next = None;
        }
        let Some(line) = self.line.as_ref().filter(|line| line.waits_for(ticket)) else { return };
        line.leave();
        face.app(&AppNews::Withdrawn);
    }

    /// Whether we are called when somebody is free. Then nobody waits for them any more.
    fn told_when_free(&mut self, message: &Message, face: &mut Face) -> bool {
        let (Message::Kept { id } | Message::Refused { id, .. }) = message else { return false };
        let Some((_, number)) = self.when_free.take_if(|(asked, _)| asked == id) else { return false };
        if let Message::Refused { why, .. } = message {
            face.app(&AppNews::NotWhenFree { number, why: why.to_string() });
            return true;
        }
        face.app(&AppNews::WhenFree { number: number.clone() });
        if let Some(asked) = self.asked.take_if(|asked| asked.number == number) {
            self.say(FromApp::Cancel { id: asked.id });
        }
        if let Some(line) = self.line.as_ref().filter(|line| line.waits()) {
            line.leave();
        }
        true
    }

    /// C13: the answer to a call of ours.
    fn told(&mut self, message: Message, face: &mut Face) {
        if self.told_when_free(&message, face) {
            return;
        }
        let of = match &message {
            Message::Designated { id, .. } | Message::Place { id, .. } | Message::Refused { id, .. } => *id,
            _ => return,
        };
        // What was given up meanwhile is not wanted any more.
        let Some(asked) = self.asked.take_if(|asked| asked.id == of) else { return };
        match message {
            Message::Designated { exchange, address, fingerprint, ticket, .. } => {
                face.app(&AppNews::Designated { exchange: exchange.to_string() });
                let device = self.state.device.to_string();
                let to = line::Goal { address, fingerprint, ticket, session: asked.session };
                match self.lines.designated(&self.state.papers(), &device, to, &asked.number) {
                    Ok(line) => self.line = Some(line),
                    Err(why) => self.not_called(asked, &why, face),
                }
            }
            Message::Place { place, .. } => {
                self.asked = Some(asked);
                face.app(&AppNews::Place { place });
            }
            Message::Refused { why, .. } => self.not_called(asked, &why, face),
            _ => {}
        }
    }

    fn not_called(&mut self, asked: Asked, why: &str, face: &mut Face) {
        if self.errand_id == Some(asked.id) {
            self.fail(format!("no call: {why}"));
        }
        face.app(&AppNews::NotCalled { number: asked.number, why: why.to_owned() });
    }

    // ---- the phone of the call

    fn event(&mut self, event: &Event, face: &mut Face) -> Result<(), Failure> {
        face.event(ACCOUNT, event)?;
        let Some(line) = &mut self.line else { return Ok(()) };
        line.note(event);
        self.errand.note(line.hand(), ACCOUNT, event);
        match event {
            Event::Answered { .. } if self.errand_id.is_some() => self.errand.answered = true,
            Event::Ended { cause, .. } if self.errand_id.is_some() => {
                if !self.errand.answered {
                    self.errand.failed = Some(format!("no call: {}", cause.words));
                }
                self.leaving = true;
            }
            Event::NotRegistered { reason, .. } => {
                let woken = line.woken_with();
                if let Some(ticket) = woken {
                    self.decline(ticket, reason, face);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The phone has left the exchange.
    fn left(&mut self, face: &mut Face) {
        let Some(line) = self.line.take() else { return };
        self.lines.calls = line.calls();
        face.app(&AppNews::Left);
        if let Some(notice) = self.next.take() {
            self.go_to(notice, face);
        }
    }

    fn run_timers(&mut self) {
        if let Some(line) = &mut self.line {
            self.errand.run_timer(line.hand());
            line.run_timer();
        }
    }

    fn fail(&mut self, why: String) {
        self.errand.failed = Some(why);
        self.leaving = true;
    }

    fn outcome(self) -> Result<(), Failure> {
        match self.errand.failed {
            Some(why) => Err(why.into()),
            None => Ok(()),
        }
    }
}
