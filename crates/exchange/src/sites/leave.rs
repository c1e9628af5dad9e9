//! A call that leaves for another exchange: the directory is asked, and the call goes straight there (C2).

use super::{Designation, SiteOutput, SiteWord, visit};
use crate::exchange::Exchange;
use crate::limits;
use crate::ongoing::Reach;
use calls::{Account, CallId, Cause, Line, Party, Pass, Target};
use clock::Now;
use directory::{
    Confirmation, DeviceId, ExchangeName, Message, Named as _, Number, Origin, Request, RequestId,
    SessionHalf, Waiter,
};
use sip::Flow;
use std::sync::Arc;

/// Why the directory was not asked.
pub(super) enum Unasked {
    /// There is no connection to it.
    Away,
    /// What is called cannot be a number of anybody's.
    NoNumber,
    /// Too many calls wait for it.
    Full,
}

impl Exchange {
    /// A number that is not ours: who may be asked is asked (B2, S4.11).
    pub(crate) fn call_elsewhere(&mut self, now: Now, call: CallId, number: &str) {
        let Some(ongoing) = self.ongoing.call_mut(call) else { return };
        ongoing.reach = Reach::Elsewhere { number: number.into(), exchange: None };
        match self.ask_directory(now, call, number) {
            Ok(_) => {}
            Err(Unasked::Away) if self.is_tie_anothers() => self.goes_by_the_copy(now, call),
            Err(Unasked::Away) => self.nobody_designates(now, call, "there is no connection to it"),
            Err(Unasked::NoNumber) => {
                self.fail(now, call, Cause::UnknownNumber, "it is no number of any exchange");
            }
            Err(Unasked::Full) => {
                self.fail(now, call, Cause::Overload, "too many calls wait for the directory");
            }
        }
    }

    /// Asks where a call goes; the name of the question.
    pub(super) fn ask_directory(&mut self, now: Now, call: CallId, number: &str) -> Result<u64, Unasked> {
        let ongoing = self.ongoing.call(call).ok_or(Unasked::NoNumber)?;
        let session = SessionHalf::parse(&ongoing.session_id);
        let caller = ongoing.device.as_deref().or(ongoing.entry.as_deref()).unwrap_or(&ongoing.caller.number);
        // Whoever is called back by the exchange sees who is at the other end.
        let shown = self.rung_owner(call).map_or(&ongoing.caller, |_| &ongoing.callee);
        let (caller, callee) = (DeviceId::parse(caller), Number::parse(number));
        let shown = shown_to_wake(shown);
        let joined = self.sites.joined.as_ref().filter(|joined| joined.connected).ok_or(Unasked::Away)?;
        let (Ok(caller), Ok(callee), Some(session)) = (caller, callee, session) else {
            return Err(Unasked::NoNumber);
        };
        if self.sites.asked.len() >= limits::SITE_CALLS {
            return Err(Unasked::Full);
        }
        self.sites.next += 1;
        let id = self.sites.next;
        let request = Request {
            origin: Origin::Exchange(joined.name.clone()),
            id: RequestId(id),
            caller,
            callee,
            session,
            cnf: Confirmation::Tls(joined.fingerprint),
            shown,
        };
        self.sites.asked.insert(id, call);
        self.sites.until.insert((now.mono + limits::SITE_PATIENCE, id));
        self.ask_shell(SiteOutput::Tell(SiteWord::Call(request)));
        Ok(id)
    }

    /// What the directory says.
    pub(super) fn directory_said(&mut self, now: Now, message: Message) {
        match message {
            Message::Designated { id, exchange, address, fingerprint, ticket, why } => {
                let Some(call) = self.answered(id) else { return };
                self.note_call(now, call, "designated", format!("exchange {exchange} at {address}: {why}"));
                let to = Designation { address, fingerprint, ticket: Some(ticket) };
                match self.goes_elsewhere(call) {
                    true => self.go_to(now, call, exchange, Box::new(to)),
                    false => self.apps_stay_away(now, call, "the directory names another exchange"),
                }
            }
            Message::Refused { id, why } => {
                let Some(call) = self.answered(id) else { return };
                let words = format!("the directory designates no exchange: {why}");
                self.note_call(now, call, "designated", words);
                self.nobody_there(now, call, &why);
            }
            // The number is ours by its book, and not by ours: what we told of it is on its way.
            Message::Yours { id } => {
                let Some(call) = self.answered(id) else { return };
                self.nobody_there(now, call, "no app of theirs can be woken");
            }
            Message::Woken { id, devices } => {
                let Some(call) = self.answered(id) else { return };
                self.apps_were_woken(now, call, id, devices);
            }
            Message::Declined { id, device } => self.app_declined(now, id, &device),
            Message::Ask { id, caller, account, callee, session, cnf } => {
                self.app_asks(now, Waiter { caller, id, account, callee, session, cnf });
            }
            Message::WhenFree { id, caller, account, callee } => {
                self.app_waits_at_home(now, caller, id, &account, &callee);
            }
            Message::Withdrawn { id, caller } => self.app_gave_up(now, &caller, id),
            Message::Claimed { id, held, attempts } => self.number_claimed(now, id, held, attempts),
            Message::Released { number, attempts } => self.number_released(now, &number, &attempts),
            Message::Free { number } => self.free_elsewhere(now, &number),
            // For callers of the cloud.
            Message::Place { .. } | Message::Kept { .. } => {}
        }
    }

    /// The directory knows nobody who could take the call.
    fn nobody_there(&mut self, now: Now, call: CallId, why: &str) {
        match self.goes_elsewhere(call) {
            true => self.fail(now, call, Cause::UnknownNumber, "directory"),
            false => self.apps_stay_away(now, call, why),
        }
    }

    /// Whether a call waits for the word where it goes; else somebody of ours is called, whose apps are to be woken.
    pub(super) fn goes_elsewhere(&self, call: CallId) -> bool {
        self.ongoing.call(call).is_some_and(|ongoing| matches!(ongoing.reach, Reach::Elsewhere { .. }))
    }

    /// The call that waited for this answer.
    fn answered(&mut self, id: RequestId) -> Option<CallId> {
        let call = self.sites.asked.remove(&id.0)?;
        self.sites.until.retain(|(_, other)| *other != id.0);
        self.ongoing.call(call).map(|_| call)
    }

    /// It says nothing, or cannot be asked.
    pub(super) fn directory_is_silent(&mut self, now: Now, call: CallId, why: &str) {
        match self.goes_elsewhere(call) {
            true => self.nobody_designates(now, call, why),
            false => self.apps_stay_away(now, call, why),
        }
    }

    /// By a connection that is open, or by one that is opened now.
    pub(super) fn go_to(
        &mut self,
        now: Now,
        call: CallId,
        exchange: ExchangeName,
        designation: Box<Designation>,
    ) {
        // Several over one store are at the address of one of them, and at another's when that one dies.
        let is_there = |(flow, address): &&(Flow, Box<str>)| {
            self.sites.peers.get(flow) == Some(&designation.fingerprint) && *address == designation.address
        };
        if let Some((flow, _)) = self.sites.ways.get(&exchange).filter(is_there).cloned() {
            return self.ring_elsewhere(now, call, &exchange, flow, &designation);
        }
        let reach = SiteOutput::Reach {
            exchange: exchange.clone(),
            address: designation.address.clone(),
            fingerprint: designation.fingerprint,
        };
        let waiting = self.sites.reaching.entry(exchange).or_default();
        waiting.push((call, designation));
        if waiting.len() == 1 {
            self.ask_shell(reach);
        }
    }

    /// There is a connection to another exchange, or none.
    pub(super) fn site_reached(&mut self, now: Now, exchange: &ExchangeName, way: Result<Flow, String>) {
        self.ask_at(now, exchange, &way);
        let waiting = self.sites.reaching.remove(exchange).unwrap_or_default();
        if let (Ok(flow), Some((_, designation))) = (&way, waiting.first()) {
            self.sites.peers.insert(*flow, designation.fingerprint);
            self.sites.ways.insert(exchange.clone(), (*flow, designation.address.clone()));
        }
        let tried = waiting.first().map(|(_, designation)| designation.address.clone());
        for (call, designation) in waiting {
            // It has moved since, and whoever calls now is told where to.
            if tried.as_ref() != Some(&designation.address) {
                self.go_to(now, call, exchange.clone(), designation);
                continue;
            }
            match &way {
                Ok(flow) => self.ring_elsewhere(now, call, exchange, *flow, &designation),
                Err(why) => {
                    let words =
                        format!("exchange {exchange} at {} cannot be reached: {why}", designation.address);
                    self.note_call(now, call, "site.unreachable", words);
                    self.fail(now, call, Cause::NoLine, "site.unreachable");
                }
            }
        }
    }

    fn ring_elsewhere(
        &mut self,
        now: Now,
        call: CallId,
        exchange: &ExchangeName,
        flow: Flow,
        to: &Designation,
    ) {
        let Some(ongoing) = self.ongoing.call_mut(call) else { return };
        let Reach::Elsewhere { number, exchange: known } = &mut ongoing.reach else { return };
        *known = Some(exchange.clone());
        let number = number.clone();
        let line = match &to.ticket {
            Some(ticket) => {
                let (user, password) = (ticket.id.to_string().into(), ticket.secret.reveal().into());
                let login = Some(Arc::new(Account { user, password, realm: None }));
                Line { login, ..visit::line(Pass::Ticket(Arc::from(&*ticket.token))) }
            }
            None => visit::line(Pass::Asked),
        };
        let host = to.address.rsplit_once(':').map_or(&*to.address, |(host, _)| host);
        let asks = match (self.sites.picking_up.contains(&call), self.background.trying.contains_key(&call)) {
            (true, _) => format!(";{}", super::pickup::PARAMETER),
            (false, true) => format!(";{}", super::free::PARAMETER),
            (false, false) => String::new(),
        };
        let uri = format!("sip:{}@{};transport=tls{asks}", calls::escape_user(&number), to.address);
        let target = target(exchange.as_str(), flow, uri, Party::new(&number, ""), host, line);
        self.switch.try_anew(call);
        if self.switch.add_branch(now, call, target).is_none() {
            return self.fail(now, call, Cause::Overload, "");
        }
        // The exchange's own attempt rings as long as its rules say.
        let attempt = self.background.trying.get(&call).filter(|_| !self.switch.is_half_up(call));
        let limit = attempt.map_or(self.config.outside_limit, |trying| trying.ring);
        self.switch.limit_ringing(now, call, limit);
        self.call_progresses(now, call);
    }

    /// Nobody there took the call. One that says nothing at all is behind a network that is split, and its connection may stay
    /// silent for long after that: whoever calls next gets another. Calls that are up keep theirs.
    pub(crate) fn site_failed(&mut self, now: Now, call: CallId, cause: Cause, status: u16) {
        let Some(Reach::Elsewhere { exchange: Some(exchange), .. }) =
            self.ongoing.call(call).map(|ongoing| ongoing.reach.clone()).filter(|_| status == 408)
        else {
            return self.fail(now, call, cause, "");
        };
        self.sites.ways.remove(&exchange);
        self.note_call(now, call, "site.silent", format!("exchange {exchange} does not answer"));
        self.fail(now, call, Cause::NoLine, "site.silent");
    }

    /// The directory cannot be asked: the copy says where the number has its home, and that exchange issues the ticket.
    pub(super) fn nobody_designates(&mut self, now: Now, call: CallId, why: &str) {
        if let Some((exchange, designation)) = self.by_the_copy(now, call) {
            let words = format!(
                "the directory cannot be asked ({why}); by its copy the call goes to exchange {exchange}"
            );
            self.note_call(now, call, "directory.copy", words);
            return self.go_to(now, call, exchange, Box::new(designation));
        }
        self.note_call(now, call, "directory.away", format!("the directory cannot be asked: {why}"));
        self.fail(now, call, Cause::NoLine, "directory.away");
    }

    pub(super) fn by_the_copy(&self, now: Now, call: CallId) -> Option<(ExchangeName, Designation)> {
        let Reach::Elsewhere { number, .. } = &self.ongoing.call(call)?.reach else { return None };
        let joined = self.sites.joined.as_ref()?;
        let home = joined.homes.get(number)?;
        let listed = joined.copy(now)?.exchanges.get(home)?;
        let (address, fingerprint) = (listed.address.clone(), listed.fingerprint);
        Some((home.clone(), Designation { address, fingerprint, ticket: None }))
    }

    /// The directory has said nothing for too long.
    pub(crate) fn sites_due(&mut self, now: Now) {
        while let Some((_, id)) = self.sites.until.first().copied().filter(|(at, _)| *at <= now.mono) {
            self.ask_shell(SiteOutput::Tell(SiteWord::Cancelled(RequestId(id))));
            match self.answered(RequestId(id)) {
                Some(call) => self.directory_is_silent(now, call, "it does not answer"),
                None => {
                    self.sites.until.pop_first();
                }
            }
        }
        self.asks_due(now);
        self.wakes_due(now);
        self.line_due(now);
        self.claims_due(now);
    }
}

/// One branch to another exchange.
pub(super) fn target(
    label: &str,
    flow: Flow,
    uri: String,
    callee: Party,
    domain: &str,
    line: Line,
) -> Target {
    Target {
        label: label.into(),
        flow,
        uri: uri.into(),
        routes: Vec::new(),
        callee,
        domain: domain.into(),
        behind_nat: false,
        further: Vec::new(),
        line: Some(Box::new(line)),
        at_once: None,
        shown: None,
    }
}

/// How who sleeps is told who calls: as short as what wakes them, and not at all for a caller who wants it so (R32).
fn shown_to_wake(caller: &Party) -> Box<str> {
    let shown = match (caller.is_anonymous(), caller.name.is_empty()) {
        (true, _) => "",
        (false, true) => &caller.number,
        (false, false) => &caller.name,
    };
    shown[..shown.floor_char_boundary(directory::limits::SHOWN_OCTETS)].into()
}
