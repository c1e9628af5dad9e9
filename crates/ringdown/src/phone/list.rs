//! `--list`: the phone works through a list for its agent.

use super::courier::Courier;
use super::hub::Ear;
use super::links::{self, LinkArguments};
use crate::Failure;
use ::phone::work::{Assignment, Fetched, News, Want, What, Wish, Worker};
use ::phone::{Account, Command, Event, Hand, Trust};
use clock::Now;
use lists::work::Presence;
use net::Clock;
use std::path::PathBuf;
use std::time::Duration;

/// How long who quits waits for his results to arrive; what has not is sent at the next start.
const FAREWELL: Duration = Duration::from_secs(10);

/// What the command line says of a list.
#[derive(clap::Args)]
#[command(next_help_heading = "Work through a call list")]
pub(crate) struct ListArguments {
    /// Call the people of this list, one after another: a file, a link to one, dhcp for the link that the network names, or exchange for what the exchange sends to whoever signs in at this phone
    #[arg(long, value_name = "LINK")]
    list: Option<String>,
    /// The account that calls them, of several [default: the one that calls go out by]
    #[arg(long, value_name = "NAME", requires = "config")]
    list_account: Option<String>,
    /// Whose list it is; rows for others are refused [default: the user name]
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// The folder that results go to [default: that of the list]
    #[arg(long, value_name = "LINK")]
    results: Option<String>,
    /// What the list is worked through by: a file of JSON, described in docs/call-lists.md; what stands beside it on the command line counts more
    #[arg(long, value_name = "FILE.json")]
    assignment: Option<PathBuf>,
    /// The order of the calls, as in priority,slot,-city [default: that of the file]
    #[arg(long, value_name = "KEYS")]
    order: Option<String>,
    /// Seconds between two calls
    #[arg(long, value_name = "SECONDS")]
    gap: Option<u32>,
    /// Where journals, unsent results, and what an app has since it enrolled are kept [default: ringdown-phone in the user's state folder]
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// Begin to call as soon as the list is loaded; else after "online"
    #[arg(long)]
    online: bool,
    /// Quit when nothing is left to be called and the results have arrived
    #[arg(long)]
    quit_when_done: bool,
    #[command(flatten)]
    links: LinkArguments,
}

/// In place of a link: the exchange that the phone registers at says for whom it works.
const ASK: &str = "exchange";

impl ListArguments {
    /// Whether the exchange says for whom the phone works.
    pub(crate) fn asks_the_exchange(&self) -> bool {
        self.list.as_deref() == Some(ASK)
    }
}

/// The agent's desk: a list, or none.
pub(crate) struct Desk {
    worker: Option<Worker>,
    courier: Courier,
    clock: Clock,
    online: bool,
    quit_when_done: bool,
    /// Since when who quits waits.
    leaving: Option<clock::Mono>,
    /// Nothing is left to be called.
    done: bool,
    /// The exchange says for whom this phone works.
    asks: bool,
    /// Why what it said last is not done.
    refused: Option<String>,
    /// Whose calls the list's are.
    account: String,
    user: String,
}

impl ListArguments {
    /// Whose account calls for the list.
    fn account<'a>(&self, accounts: &'a mut [Account]) -> Result<Option<&'a mut Account>, Failure> {
        let Some(name) = &self.list_account else { return Ok(accounts.first_mut()) };
        let found = accounts.iter_mut().find(|account| account.name == *name);
        found.map(Some).ok_or_else(|| format!("--list-account: there is no account \"{name}\"").into())
    }

    /// Where a phone keeps what it must not forget.
    pub(super) fn folder(&self, user: &str) -> PathBuf {
        self.state.clone().unwrap_or_else(|| state_folder(user))
    }
}

impl Desk {
    /// Takes a seat; one of the accounts, if there is any, calls for the list.
    pub(crate) fn open(
        arguments: &ListArguments,
        accounts: &mut [Account],
        clock: Clock,
        ear: Ear,
    ) -> Result<Desk, Failure> {
        let asks = arguments.asks_the_exchange();
        let mut account = arguments.account(accounts)?;
        if let Some(account) = &mut account {
            account.profile = asks;
        }
        let user = account.as_ref().map(|account| account.user.as_str()).unwrap_or_default();
        let register = account.as_ref().is_some_and(|account| account.register);
        let trust = &account.as_ref().map(|account| account.trust.clone()).unwrap_or_default();
        let given = if asks {
            // Nothing to do until the exchange says what.
            Some(Assignment::default())
        } else {
            assignment(arguments, user, trust)?
        };
        let worker = match given {
            None => None,
            Some(assignment) => {
                let folder = arguments.folder(user);
                let told = |error: std::io::Error| format!("{}: {error}", folder.display());
                Some(Worker::new(assignment, folder.clone(), register).map_err(told)?)
            }
        };
        let courier = Courier::start(arguments.links.rules(trust, "")?, ear)?;
        Ok(Desk {
            worker,
            courier,
            clock,
            online: arguments.online,
            quit_when_done: arguments.quit_when_done,
            leaving: None,
            done: false,
            user: user.to_owned(),
            asks,
            refused: None,
            account: account.map(|account| account.name.clone()).unwrap_or_default(),
        })
    }

    /// Where the phone keeps what it must not forget.
    pub(crate) fn folder(&self, arguments: &ListArguments) -> PathBuf {
        arguments.folder(&self.user)
    }

    /// Signs in, if there is a list.
    pub(crate) fn begin(&mut self) {
        if self.worker.is_some() && !self.asks {
            self.wish(Wish::SignIn);
        }
    }

    /// Whether there is a list to work through.
    pub(crate) fn has_list(&self) -> bool {
        self.worker.is_some()
    }

    /// Results that one key gives.
    pub(crate) fn results(&self) -> Vec<(char, String)> {
        self.worker.as_ref().map(Worker::result_keys).unwrap_or_default()
    }

    pub(crate) fn patience(&self, most: Duration) -> Duration {
        let now = self.clock.now().mono;
        let deadline = self.worker.as_ref().and_then(Worker::next_deadline);
        deadline.map_or(most, |at| at.since(now).min(most))
    }

    pub(crate) fn wish(&mut self, wish: Wish) -> Option<News> {
        let now = self.clock.now();
        match &mut self.worker {
            Some(worker) => {
                worker.wish(now, wish);
                None
            }
            None => Some(News::WishRefused {
                why: "this phone has no list; start it with --list LINK".to_owned(),
            }),
        }
    }

    /// Something happened: calls of every account stand in the list's way, but only its own server is its server.
    pub(crate) fn hear(&mut self, account: &str, event: &Event) {
        let of_server = matches!(
            event,
            Event::Registered { .. }
                | Event::NotRegistered { .. }
                | Event::Unregistered
                | Event::Refused { .. }
        );
        if of_server && account != self.account {
            return;
        }
        match event {
            Event::Profile { assignment } => match assigned(assignment) {
                Ok(assignment) => self.with(|worker, now| worker.assign(now, assignment)),
                Err(why) => self.refused = Some(why),
            },
            Event::NoProfile { why } => self.refused = Some(why.clone()),
            _ => {}
        }
        self.with(|worker, now| worker.hear(now, event));
    }

    pub(crate) fn fetched(&mut self, what: What, answer: Result<Fetched, String>) {
        self.with(|worker, now| worker.fetched(now, what, answer));
    }

    pub(crate) fn uploaded(&mut self, link: &str, answer: Result<(), String>) {
        self.with(|worker, now| worker.uploaded(now, link, answer));
    }

    fn with(&mut self, give: impl FnOnce(&mut Worker, Now)) {
        let now = self.clock.now();
        if let Some(worker) = &mut self.worker {
            give(worker, now);
        }
    }

    /// Who quits signs out first: results and the rest of the list are sent (S3.19).
    pub(crate) fn quit(&mut self, hand: &Hand) {
        let now = self.clock.now();
        match &mut self.worker {
            Some(worker) if self.leaving.is_none() && !worker.is_at_rest() => {
                self.leaving = Some(now.mono);
                if worker.presence() != Presence::SignedOut || worker.has_list() {
                    // A call of the list is ended, as hanging up would.
                    hand.tell(Command::HangUp { call: None });
                    worker.wish(now, Wish::SignOut);
                }
            }
            _ => hand.tell(Command::Quit),
        }
    }

    /// Does what is due; tells what happened.
    pub(crate) fn turn(&mut self, hand: &Hand, mut tell: impl FnMut(&News)) {
        let now = self.clock.now();
        let Some(worker) = &mut self.worker else { return };
        if let Some(why) = self.refused.take() {
            tell(&News::ListRefused { link: ASK.to_owned(), why, again_s: None });
        }
        worker.turn(now);
        while let Some(want) = worker.next_want() {
            match want {
                Want::Tell(Command::Call { number, account: None }) => {
                    hand.tell(Command::Call { number, account: Some(self.account.clone()) });
                }
                Want::Tell(command) => hand.tell(command),
                Want::Fetch { link, what, tag } => {
                    self.courier.fetch(link, what, tag, worker.token().to_owned());
                }
                Want::Put { link, file } => self.courier.put(link, file, worker.token().to_owned()),
                Want::News(news) => {
                    match &news {
                        News::ListLoaded { .. } if self.online => worker.wish(now, Wish::Online),
                        News::ListDone => self.done = true,
                        _ => {}
                    }
                    tell(&without_secrets(news));
                }
            }
        }
        if self.done && self.quit_when_done && self.leaving.is_none() {
            self.quit(hand);
            return self.turn(hand, tell);
        }
        if let Some(since) = self.leaving {
            let late = now.mono.since(since) >= FAREWELL;
            if late || self.worker.as_ref().is_none_or(Worker::is_at_rest) {
                hand.tell(Command::Quit);
            }
        }
    }
}

/// Passwords of links are told to nobody.
fn without_secrets(mut news: News) -> News {
    if let News::ListRefused { link, .. } | News::Uploaded { link } | News::NotUploaded { link, .. } =
        &mut news
    {
        *link = transfer::shown(link);
    }
    news
}

/// What an exchange sent: links alone, no files of this machine.
fn assigned(text: &str) -> Result<Assignment, String> {
    let assignment = Assignment::read(text.as_bytes())?;
    links::only_links(&assignment)?;
    links::check(&assignment).map_err(|why| why.to_string())?;
    Ok(assignment)
}

/// What the list is worked through by, if there is one.
fn assignment(arguments: &ListArguments, user: &str, trust: &Trust) -> Result<Option<Assignment>, Failure> {
    let mut assignment = match &arguments.assignment {
        None if arguments.list.is_none() => return Ok(None),
        None => Assignment::default(),
        Some(path) => {
            let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let text = std::fs::read(path).map_err(|error| told(&error))?;
            Assignment::read(&text).map_err(|error| told(&error))?
        }
    };
    if let Some(list) = &arguments.list {
        assignment.list.clone_from(list);
    }
    if let Some(interface) = links::by_dhcp(&assignment.list) {
        assignment = arguments.links.assignment_by_dhcp(interface, &assignment, trust)?;
    }
    let said = |into: &mut String, given: &Option<String>| {
        if let Some(text) = given {
            into.clone_from(text);
        }
    };
    said(&mut assignment.agent, &arguments.agent);
    said(&mut assignment.results, &arguments.results);
    said(&mut assignment.order, &arguments.order);
    assignment.gap_s = arguments.gap.unwrap_or(assignment.gap_s);
    if assignment.agent.is_empty() {
        user.clone_into(&mut assignment.agent);
    }
    assignment.check().map_err(|wrong| wrong.to_string())?;
    links::check(&assignment)?;
    Ok(Some(assignment))
}

/// XDG base directories; beside us where the system names none.
fn state_folder(user: &str) -> PathBuf {
    let from = |name: &str| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let base = from("XDG_STATE_HOME").or_else(|| from("HOME").map(|home| home.join(".local/state")));
    let user: String =
        user.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '_' }).collect();
    base.unwrap_or_default().join("ringdown-phone").join(user)
}
