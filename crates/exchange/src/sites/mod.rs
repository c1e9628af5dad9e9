//! Other exchanges of the same office (S4): calls that leave for one of them, calls that come from one, and what the directory
//! is told. The directory designates and steps aside: no call goes through it.
//!
//! ```text
//! a number that is not ours --> Tell(Call) --> Designated --> a way to that exchange --> INVITE with the ticket
//! an INVITE by the connection of an exchange --> its ticket, its digest --> rings like a call of ours
//! an app is to be let in --> Ask --> Tell(Said), its place in the line --> its INVITE with our ticket --> rings in its turn
//! a badge that nobody knows here --> asked for at the others --> the one that knows it calls the phone, with a ticket of ours
//! whom we call has an app that sleeps --> Tell(Call) --> Woken --> its REGISTER with the ticket --> INVITE by that connection
//! ```

mod apps;
pub(crate) mod ask;
mod callee_claims;
mod come;
mod free;
mod ladder;
mod leave;
mod line;
mod map;
mod pickup;
mod tell;
mod tie;
mod values;
mod visit;
mod wake;
mod when_free;

pub use ladder::LadderElsewhere;
pub use map::{ExchangeOnMap, OfficeMap};
pub use values::{Membership, SiteInput, SiteOutput, SiteWord, Tie};
pub(crate) use visit::{Guest, PhoneElsewhere};

use crate::exchange::Exchange;
use crate::input::Output;
use crate::limits;
use ask::Asks;
use callee_claims::CalleeClaims;
use calls::CallId;
use clock::{Mono, Now, Wall};
use directory::{
    AccountName, Copy, DeviceId, ExchangeName, Fingerprint, Issuer, IssuerKeys, Named as _, Redeemer,
    SiteHealth, Ticket, TicketKey,
};
use line::Line;
use sip::Flow;
use std::collections::{BTreeMap, BTreeSet};
use visit::Visits;
use wake::Waking;
use when_free::WhenFree;

/// The name under which the directory signs.
pub const DIRECTORY: &str = "directory";

/// What is known of other exchanges.
#[derive(Debug, Default)]
pub(crate) struct Sites {
    /// Nothing of all this, while this exchange has joined no directory.
    joined: Option<Joined>,
    /// Whom each connection to or from an exchange proved to be.
    peers: BTreeMap<Flow, Fingerprint>,
    /// An open connection to each, and the address at which it was.
    ways: BTreeMap<ExchangeName, (Flow, Box<str>)>,
    /// Calls that wait for the directory's word, and until when.
    asked: BTreeMap<u64, CallId>,
    until: BTreeSet<(Mono, u64)>,
    /// Calls that wait for a connection.
    reaching: BTreeMap<ExchangeName, Vec<(CallId, Box<Designation>)>>,
    /// Calls for which apps are woken, and until when.
    waking: BTreeMap<CallId, Waking>,
    waking_until: BTreeSet<(Mono, CallId)>,
    /// Apps that came with a ticket, by their connections.
    apps: BTreeMap<Flow, DeviceId>,
    /// Apps whose people want to be called when somebody is free, until that is written down.
    when_free: WhenFree,
    /// Calls of apps that were let in, and who waits for whom (S4.18).
    pub(crate) line: Line,
    /// Numbers that are called by themselves.
    callees: CalleeClaims,
    /// People of ours who were called in vain from another exchange, and whether they could not be reached at all.
    missed: BTreeMap<Box<str>, bool>,
    /// What others are asked directly.
    asks: Asks,
    /// Phones of ours that they may call once.
    visits: Visits,
    /// The phone of another exchange at which one of ours stands.
    standing_at: Option<PhoneElsewhere>,
    /// Calls that leave to pick up what rings elsewhere.
    pub(crate) picking_up: BTreeSet<CallId>,
    next: u64,
}

/// As a member of an office of several exchanges.
#[derive(Debug)]
struct Joined {
    name: ExchangeName,
    fingerprint: Fingerprint,
    redeemer: Redeemer,
    /// What it issues tickets with for calls to itself, while the directory is away.
    issuer: Issuer,
    own_key: TicketKey,
    /// By our own clock.
    started: Wall,
    /// The directory's clock less ours, in milliseconds.
    offset: i64,
    connected: bool,
    /// Whose the connection is.
    tie: Tie,
    /// How all exchanges are, by the directory's last word.
    health: Vec<SiteHealth>,
    copy: Option<Box<Copy>>,
    /// Whose certificate is which exchange's, and which number is whose, by the copy.
    by_fingerprint: BTreeMap<Fingerprint, ExchangeName>,
    homes: BTreeMap<Box<str>, ExchangeName>,
    /// Accounts that have apps, by the copy.
    with_apps: BTreeSet<Box<str>>,
}

/// Where a call goes, and what lets it in.
#[derive(Debug)]
struct Designation {
    address: Box<str>,
    fingerprint: Fingerprint,
    /// None while the directory is away: that exchange issues one itself.
    ticket: Option<Ticket>,
}

impl Sites {
    /// As a member, or as nobody's.
    pub(crate) fn new(now: Now, membership: Option<Membership>, tie: Tie) -> Sites {
        let mut joined = membership.map(|member| {
            let mut redeemer = Redeemer::new(member.name.clone(), now.wall);
            let keys = IssuerKeys { public: member.directory, key: member.ticket_key };
            redeemer.believe(DIRECTORY, keys);
            let (issuer, own_key) = (Issuer::new(&member.seed), TicketKey(member.own_key));
            redeemer
                .believe(member.name.as_str(), IssuerKeys { public: issuer.public(), key: own_key.clone() });
            Joined {
                name: member.name,
                fingerprint: member.fingerprint,
                redeemer,
                issuer,
                own_key,
                started: now.wall,
                offset: 0,
                connected: false,
                tie,
                health: Vec::new(),
                copy: None,
                by_fingerprint: BTreeMap::new(),
                homes: BTreeMap::new(),
                with_apps: BTreeSet::new(),
            }
        });
        if let Some(joined) = &mut joined {
            joined.judge_tickets();
        }
        Sites { joined, ..Sites::default() }
    }

    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        let (asked, waking) = (self.until.first(), self.waking_until.first());
        let (line, callees) = (self.line.next_deadline(), self.callees.next_deadline());
        let asks = self.asks.next_deadline();
        let all = [asked.map(|(at, _)| *at), waking.map(|(at, _)| *at), line, callees, asks];
        all.into_iter().flatten().min()
    }

    /// Whether a number has its home at another exchange, as far as we know.
    pub(crate) fn lists(&self, number: &str) -> bool {
        let Some(joined) = &self.joined else { return false };
        joined.homes.get(number).is_some_and(|home| *home != joined.name)
    }

    /// Whether somebody can be asked whose a number is that we do not know (S4.11).
    pub(crate) fn asks(&self) -> bool {
        self.joined.as_ref().is_some_and(|joined| joined.connected)
    }

    /// Whether a number is that of a queue of another exchange, as far as we know.
    pub(crate) fn lists_queue(&self, number: &str) -> bool {
        let copy = self.joined.as_ref().and_then(|joined| joined.copy.as_deref());
        copy.is_some_and(|copy| {
            let mut queues = copy.accounts.iter().filter(|(name, _)| name.as_str().starts_with("queue/"));
            queues.any(|(_, entry)| entry.numbers.iter().any(|own| own.as_str() == number))
        })
    }

    /// Whose connection this is; `None` for one that proved to be no exchange of the office.
    pub(crate) fn exchange_at(&self, flow: Flow) -> Option<&ExchangeName> {
        let fingerprint = self.peers.get(&flow)?;
        self.joined.as_ref()?.by_fingerprint.get(fingerprint)
    }

    /// Whether an exchange of this name is another of the office.
    pub(crate) fn is_exchange(&self, name: &ExchangeName) -> bool {
        let Some(joined) = &self.joined else { return false };
        *name != joined.name && joined.copy.as_ref().is_some_and(|copy| copy.exchanges.contains_key(name))
    }

    /// Whether an account has apps that can be woken.
    pub(crate) fn has_apps(&self, account: &str) -> bool {
        let joined = self.joined.as_ref().filter(|joined| joined.connected);
        joined.is_some_and(|joined| joined.with_apps.contains(account))
    }

    /// A number of an account that has its home elsewhere.
    pub(crate) fn number_of(&self, account: &str) -> Option<Box<str>> {
        let account = AccountName::parse(account).ok()?;
        let entry = self.joined.as_ref()?.copy.as_ref()?.accounts.get(&account)?;
        entry.numbers.first().map(|number| number.as_str().into())
    }

    /// The app at the other end of a connection.
    pub(crate) fn app_at(&self, flow: Flow) -> Option<&DeviceId> {
        self.apps.get(&flow)
    }

    /// Whether a connection proved to have any certificate: it is an exchange's, or nobody's.
    pub(crate) fn is_proved(&self, flow: Flow) -> bool {
        self.peers.contains_key(&flow)
    }
}

impl Joined {
    /// The directory's time.
    fn time(&self, now: Now) -> Wall {
        Wall(now.wall.0.saturating_add(self.offset))
    }

    /// The copy, while it may be believed.
    fn copy(&self, now: Now) -> Option<&Copy> {
        self.copy.as_deref().filter(|copy| copy.exp >= self.time(now).0)
    }
}

impl Exchange {
    /// Something about other exchanges.
    pub(crate) fn site_said(&mut self, now: Now, said: SiteInput) {
        match said {
            SiteInput::Connected => self.directory_is_back(now),
            SiteInput::Clock(offset) => self.directory_clock(offset),
            SiteInput::Renewed(fingerprint) => self.site_renewed(fingerprint),
            SiteInput::Disconnected { why } => self.directory_is_away(now, &why),
            SiteInput::Copy(copy) => self.site_copy(copy),
            SiteInput::Health(health) => self.sites_are(now, health),
            SiteInput::Said(message) => self.directory_said(now, *message),
            SiteInput::Proved { flow, fingerprint } => {
                if self.sites.peers.len() < limits::SITE_CONNECTIONS {
                    self.sites.peers.insert(flow, fingerprint);
                }
            }
            SiteInput::Reached { exchange, way } => self.site_reached(now, &exchange, way),
        }
    }

    fn directory_is_back(&mut self, now: Now) {
        let Some(joined) = &mut self.sites.joined else { return };
        joined.connected = true;
        self.claim_again(now);
        self.tell_everything();
        self.map_changed(now);
    }

    fn directory_clock(&mut self, offset: i64) {
        let Some(joined) = &mut self.sites.joined else { return };
        joined.offset = offset;
        joined.judge_tickets();
    }

    /// Whoever waits for its word goes by the copy.
    fn directory_is_away(&mut self, now: Now, why: &str) {
        let Some(joined) = &mut self.sites.joined else { return };
        joined.connected = false;
        self.sites.until.clear();
        for (_, call) in std::mem::take(&mut self.sites.asked) {
            self.directory_is_silent(now, call, why);
        }
        self.claims_are_lost(now, why);
        self.map_changed(now);
    }

    fn site_copy(&mut self, copy: Box<Copy>) {
        let Some(joined) = &mut self.sites.joined else { return };
        // An older one that comes late tells nothing new.
        if joined.copy.as_ref().is_some_and(|known| known.version > copy.version && known.iss == copy.iss) {
            return;
        }
        let listed = copy.exchanges.iter().map(|(name, listed)| (listed.fingerprint, name.clone()));
        joined.by_fingerprint = listed.collect();
        let homes = copy.accounts.values();
        let homes = homes.flat_map(|entry| entry.numbers.iter().map(|number| (number, &entry.home)));
        joined.homes = homes.map(|(number, home)| (number.to_string().into(), home.clone())).collect();
        let apps = copy.accounts.iter().filter(|(_, entry)| entry.apps);
        joined.with_apps = apps.map(|(name, _)| name.as_str().into()).collect();
        joined.copy = Some(copy);
    }

    /// Connections of ours show the last certificate, and tickets from now on name the newer one: calls open others.
    fn site_renewed(&mut self, fingerprint: Fingerprint) {
        if let Some(joined) = &mut self.sites.joined {
            joined.fingerprint = fingerprint;
            self.sites.ways.clear();
        }
    }

    /// A connection is gone.
    pub(crate) fn site_flow_closed(&mut self, flow: Flow) {
        self.sites.apps.remove(&flow);
        self.switch.unpin(flow);
        if self.sites.peers.remove(&flow).is_some() {
            self.sites.ways.retain(|_, (way, _)| *way != flow);
        }
    }

    fn ask_shell(&mut self, output: SiteOutput) {
        self.outputs.push_back(Output::Site(Box::new(output)));
    }
}

#[cfg(test)]
mod tests;
