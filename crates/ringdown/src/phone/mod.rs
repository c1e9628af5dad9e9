//! `ringdown phone`: a telephone for the terminal, or for programs by a control socket; any SIP server will do.

mod accounts;
mod app;
mod control;
mod courier;
mod face;
mod history;
mod hub;
mod links;
mod list;
mod memory;
mod screen;
mod show;
mod signals;
mod words;

use crate::Failure;
use ::phone::work::{Said, Wish};
use ::phone::{
    Account, CallId, Command, Ended, Event, Hand, HeadsetProgram, Look, Phone, Server, Settings, Source,
};
use app::AppArguments;
use clap::ValueEnum;
use control::Control;
use face::Face;
use history::Log;
use hub::Heard;
pub(crate) use links::answer_ssh;
use list::{Desk, ListArguments};
use media::{Codec, CodecName};
use net::Clock;
use sip::Transport;
use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// A telephone without a case. It registers, calls, answers, says a tone or a file, and measures and keeps what it
/// hears.
///
/// With --config it has several accounts at once: each registers by itself, calls say for whom they are, and go out by the first or
/// by the one that is named: call NUMBER by ACCOUNT, use ACCOUNT.
///
/// On a terminal it has a screen, and keys that stand at its foot. With --plain it reads words: call NUMBER, answer, reject [STATUS], hold, resume,
/// dtmf KEYS [info], keep, no, hang_up, history, status, quit. With --control it takes one JSON object a line from that socket, as in
/// {"do":"call","number":"600"}, and writes what happens there, as in {"event":"heard","call":1,"hertz":440.0,"dbfs":-9.0}.
///
/// With --list it calls the people of a list, one after another, while its agent is online and no other call is up: online, away,
/// pause, later MINUTES, skip, give_up, forbid, result WORD [NOTE], queue, sign_out, sign_in, reload.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  ringdown phone --server 192.0.2.10 --user alice-phone --call 600 --tone 440 --hang-up-after 5
  ringdown phone --server 192.0.2.10 --user bob-phone --answer-after 1 --play hello.wav --record heard.wav
  ringdown phone --server 192.0.2.10 --user carol-phone --headset
  ringdown phone --server 192.0.2.10 --user ada-phone --list lists/ada.csv --order priority,slot --online

The exit code is 0 when the wanted call was answered, or when there was none to make; else 1, with the reason.")]
pub(crate) struct Arguments {
    /// The SIP server; for SIP over WebSocket as in wss://pbx.example:8443/sip. Given again, the next of the same office when one is gone
    #[arg(long, value_name = "HOST[:PORT]", required_unless_present_any = ["app", "config"])]
    server: Vec<Server>,
    /// Several accounts in a file of TOML, in place of --server and what goes with it; described in docs/phone.md
    #[arg(long, value_name = "FILE.toml", conflicts_with_all = ["server", "user", "transport", "tls_trust", "tls_trust_any", "display", "no_register", "expires"])]
    config: Option<PathBuf>,
    /// The user name, of the address and of the login
    #[arg(long, value_name = "NAME", default_value = "", required_unless_present_any = ["app", "config"])]
    user: String,
    /// Its password; the environment keeps it out of the list of processes
    #[arg(
        long,
        value_name = "TEXT",
        env = "RINGDOWN_PHONE_PASSWORD",
        hide_env_values = true,
        default_value = ""
    )]
    password: String,
    /// How to reach the server [default: what its address says, else udp]
    #[arg(long, value_enum)]
    transport: Option<By>,
    /// Trust only the certificates in this PEM file [default: those that the system trusts]
    #[arg(long, value_name = "FILE", conflicts_with = "tls_trust_any")]
    tls_trust: Option<PathBuf>,
    /// Trust any certificate, such as a new exchange's own; keeps eavesdroppers out, not impostors
    #[arg(long)]
    tls_trust_any: bool,
    /// What others see beside our address
    #[arg(long, value_name = "TEXT", default_value = "", visible_alias = "number")]
    display: String,
    /// Do not register; calls can be made, and come only from who knows our address
    #[arg(long)]
    no_register: bool,
    /// How long a registration lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(10..=86_400))]
    expires: u32,
    /// Call this number when registered, and end with the call
    #[arg(long, value_name = "NUMBER")]
    call: Option<String>,
    /// Take calls after so much ringing
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    answer_after: Option<Duration>,
    /// Say this file over and over: WAV, 16-bit PCM
    #[arg(long, value_name = "FILE.wav", conflicts_with = "tone")]
    play: Option<PathBuf>,
    /// Say a tone
    #[arg(long, value_name = "HERTZ", value_parser = tone)]
    tone: Option<f64>,
    /// Talk with a microphone and a loudspeaker, by the program `ringdown-headset` beside this one, or the one that is named
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, default_missing_value = HEADSET, conflicts_with_all = ["tone", "play"])]
    headset: Option<PathBuf>,
    /// The microphone of the headset, by its name or a part of it; `ringdown-headset --list` names them
    #[arg(long, value_name = "NAME", requires = "headset")]
    microphone: Option<String>,
    /// The loudspeaker of the headset, likewise
    #[arg(long, value_name = "NAME", requires = "headset")]
    speaker: Option<String>,
    /// Keep what is heard; the file can be played at any time
    #[arg(long, value_name = "FILE.wav")]
    record: Option<PathBuf>,
    /// What to speak, best first: opus, G722, PCMA, PCMU
    #[arg(long, value_delimiter = ',', value_name = "NAMES", default_value = "opus,G722,PCMA,PCMU", value_parser = codec)]
    codecs: Vec<Codec>,
    /// Hang up after so much talk
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    hang_up_after: Option<Duration>,
    /// Suggest after so many calls in vain to one number that the exchange keeps calling; 0 is never
    #[arg(long, value_name = "CALLS", default_value_t = 3)]
    suggest_after: u8,
    /// What the exchange wants before a number that it shall keep calling
    #[arg(long, value_name = "CODE", default_value = "*66")]
    keep_calling_code: String,
    /// Show the lamps of these numbers: idle, ringing, busy
    #[arg(long = "lamp", value_name = "NUMBERS", value_delimiter = ',', conflicts_with = "config")]
    lamps: Vec<String>,
    /// What the exchange wants before a number whose call is to be picked up
    #[arg(long, value_name = "CODE", default_value = "*85")]
    pick_up_code: String,
    /// Do not ask the exchange whether messages wait
    #[arg(long)]
    no_messages: bool,
    /// Take commands from a socket at this path instead of the terminal
    #[arg(long, value_name = "SOCKET")]
    control: Option<PathBuf>,
    /// Lines of words instead of a screen; also what is shown where there is no terminal
    #[arg(long)]
    plain: bool,
    #[command(flatten)]
    list: ListArguments,
    #[command(flatten)]
    app: AppArguments,
}

/// What the program of the headset is called.
const HEADSET: &str = "ringdown-headset";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    Udp,
    Tcp,
    Tls,
    Ws,
    Wss,
}

impl By {
    fn transport(self) -> Transport {
        match self {
            By::Udp => Transport::Udp,
            By::Tcp => Transport::Tcp,
            By::Tls => Transport::Tls,
            By::Ws => Transport::Ws,
            By::Wss => Transport::Wss,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    memory::keep_pages_small();
    crate::log::start("warn");
    let control = arguments.control.as_deref().map(Control::bind).transpose()?;
    if arguments.app.app.is_some() {
        return app::run(arguments, control);
    }
    let mut accounts = accounts::accounts(arguments)?;
    let (ear, heard) = hub::open();
    let settings = settings(arguments, Vec::new())?;
    let mut desk = Desk::open(&arguments.list, &mut accounts, settings.clock, ear.clone())?;
    let mut log = Log::open(&desk.folder(&arguments.list), settings.clock);
    let mut face = Face::open(arguments, &accounts, control, &desk, ear.clone())?;
    face.recall(&log.look(Some(Face::CALLS), false), false);
    let mut errand = Errand::new(arguments, &accounts);
    let hand = hub::listen(Phone::start(Settings { accounts, ..settings })?, ear.clone())?;
    signals::quit_when_told(ear)?;
    desk.begin();
    loop {
        let patience = face.patience(desk.patience(errand.patience()));
        match heard.recv_timeout(patience) {
            Ok(Heard::Event(account, event)) => {
                // What must be on the disk is there before anybody is told.
                desk.hear(&account, &event);
                face.event(&account, &event)?;
                if let Some(recalled) = log.hear(&account, &event) {
                    face.recall(&recalled, true);
                }
                errand.note(&hand, &account, &event);
            }
            Ok(Heard::Said(said)) => carry_out(said, &hand, &mut desk, &mut log, &mut face),
            Ok(Heard::Key(key)) => {
                for said in face.press(key) {
                    carry_out(said, &hand, &mut desk, &mut log, &mut face);
                }
            }
            Ok(Heard::Fetched(what, answer)) => desk.fetched(what, answer),
            Ok(Heard::Uploaded(link, answer)) => desk.uploaded(&link, answer),
            // An app is one from its beginning.
            Ok(Heard::Cloud(_) | Heard::Resized) | Err(RecvTimeoutError::Timeout) => {}
            Ok(Heard::Gone) | Err(RecvTimeoutError::Disconnected) => {
                drop(face);
                return errand.outcome();
            }
        }
        errand.run_timer(&hand);
        desk.turn(&hand, |news| face.news(news));
        if face.wants_queue() {
            desk.wish(Wish::Queue);
            desk.turn(&hand, |news| face.news(news));
        }
        face.draw()?;
    }
}

fn carry_out(said: Said, hand: &Hand, desk: &mut Desk, log: &mut Log, face: &mut Face) {
    match said {
        Said::Phone(Command::Quit) => desk.quit(hand),
        Said::Phone(command) => hand.tell(command),
        Said::Look(Look::History { limit, seen }) => face.recall(&log.look(limit, seen), true),
        Said::List(wish) => {
            if let Some(refused) = desk.wish(wish) {
                face.news(&refused);
            }
        }
    }
}

/// What the command line asked for.
struct Errand {
    number: Option<String>,
    called: bool,
    call: Option<CallId>,
    answered: bool,
    failed: Option<String>,
    hang_up_after: Option<Duration>,
    hang_up_at: Option<(Instant, CallId)>,
    /// By whom the number is called.
    account: String,
}

impl Errand {
    fn new(arguments: &Arguments, accounts: &[Account]) -> Errand {
        Errand {
            number: arguments.call.clone(),
            called: false,
            call: None,
            answered: false,
            failed: None,
            hang_up_after: arguments.hang_up_after,
            hang_up_at: None,
            account: accounts.first().map(|account| account.name.clone()).unwrap_or_default(),
        }
    }

    fn patience(&self) -> Duration {
        let most = Duration::from_secs(1);
        self.hang_up_at.map_or(most, |(at, _)| at.saturating_duration_since(Instant::now()).min(most))
    }

    fn note(&mut self, phone: &Hand, account: &str, event: &Event) {
        let ours = account == self.account;
        match event {
            Event::Registered { .. } | Event::Connected if ours => self.dial(phone),
            Event::NotRegistered { status, reason, .. } if ours && self.number.is_some() && !self.called => {
                let status = if *status == 0 { String::new() } else { format!("{status} ") };
                self.fail(phone, format!("not registered: {status}{reason}"));
            }
            Event::Calling { call, .. } if self.called && self.call.is_none() => self.call = Some(*call),
            Event::Refused { why } if self.called && self.call.is_none() => self.fail(phone, why.clone()),
            Event::Answered { call, .. } => {
                self.answered |= self.call == Some(*call);
                self.hang_up_at = self.hang_up_after.map(|wait| (Instant::now() + wait, *call));
            }
            Event::Ended { call, cause: Ended { words, .. } } => {
                self.hang_up_at = self.hang_up_at.filter(|(_, due)| due != call);
                if self.call == Some(*call) {
                    let failed = (!self.answered).then(|| format!("no call: {words}"));
                    self.failed = failed;
                    phone.tell(Command::Quit);
                }
            }
            _ => {}
        }
    }

    fn run_timer(&mut self, phone: &Hand) {
        if let Some((_, call)) = self.hang_up_at.filter(|(at, _)| *at <= Instant::now()) {
            self.hang_up_at = None;
            phone.tell(Command::HangUp { call: Some(call) });
        }
    }

    fn dial(&mut self, phone: &Hand) {
        if let (Some(number), false) = (&self.number, self.called) {
            self.called = true;
            phone.tell(Command::call(number.clone()));
        }
    }

    fn fail(&mut self, phone: &Hand, why: String) {
        self.failed = Some(why);
        phone.tell(Command::Quit);
    }

    fn outcome(self) -> Result<(), Failure> {
        match (self.failed, self.number) {
            (Some(why), _) => Err(why.into()),
            (None, Some(number)) if !self.answered => Err(format!("{number} was not reached").into()),
            _ => Ok(()),
        }
    }
}

fn settings(arguments: &Arguments, accounts: Vec<Account>) -> Result<Settings, Failure> {
    Ok(Settings {
        accounts,
        answer_after: arguments.answer_after,
        first_call: CallId(1),
        source: sound(arguments)?,
        headset: headset(arguments),
        record: arguments.record.clone(),
        clock: Clock::start(),
    })
}

/// A bare name is looked for beside this program first.
fn headset(arguments: &Arguments) -> Option<HeadsetProgram> {
    let named = arguments.headset.as_ref()?;
    let bare = named.components().count() == 1;
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name(named));
    let program = beside.filter(|path| bare && path.exists()).unwrap_or_else(|| named.clone());
    let devices = [("--microphone", &arguments.microphone), ("--speaker", &arguments.speaker)];
    let given = devices.into_iter().filter_map(|(name, device)| Some([name.to_owned(), device.clone()?]));
    Some(HeadsetProgram { program, arguments: given.flatten().collect() })
}

/// What the far side hears.
fn sound(arguments: &Arguments) -> Result<Source, Failure> {
    Ok(match (&arguments.play, arguments.tone) {
        (Some(path), _) => {
            let fail = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
            let file = std::fs::read(path).map_err(|error| fail(&error))?;
            Source::wav(&file).map_err(|error| fail(&error))?
        }
        (None, Some(hertz)) => Source::Tone(hertz),
        (None, None) => Source::Silence,
    })
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if (0.0..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("0 to 86400".to_owned())
    }
}

fn tone(text: &str) -> Result<f64, String> {
    let hertz: f64 = text.parse().map_err(|_| "not a number of hertz".to_owned())?;
    if (50.0..=7_000.0).contains(&hertz) { Ok(hertz) } else { Err("50 to 7000".to_owned()) }
}

fn codec(text: &str) -> Result<Codec, String> {
    let name = CodecName::parse(text.trim());
    Codec::OURS
        .into_iter()
        .find(|codec| codec.name == name)
        .ok_or_else(|| format!("\"{text}\" is none of opus, G722, PCMA, PCMU"))
}
