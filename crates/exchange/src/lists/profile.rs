//! `ua-profile` (RFC 6080): a phone at this exchange is told for whom it works, where their rows are and where results go. Who
//! signs in at it, by whatever means, sends a new assignment, a sign-out an empty one, other rows the same once more.

use super::{ListAnswer, ListAsking, ListChange, Session};
use crate::exchange::Exchange;
use clock::Now;
use lists::Assignment;

impl Exchange {
    /// Agents who came or went: the phones that may be theirs are looked at.
    pub(crate) fn lists_follow_agents(&mut self, now: Now) {
        for account in self.agents.take_moved() {
            self.lists.desks.stir(&account);
            let mut devices = self.phones_of(&account);
            devices.extend(self.lists.current(&account).map(|session| session.device.clone()));
            devices.sort();
            devices.dedup();
            for device in devices {
                self.serve_profile(now, &device);
            }
        }
    }

    /// A phone that asked for its profile is given the one of whoever works at it now.
    pub(crate) fn serve_profile(&mut self, now: Now, device: &str) {
        if self.watchers.profile_of(device).is_some() {
            self.ask_lists(now, None, ListAsking::Serve(device.into()));
        }
    }

    /// The link of whoever works at a phone.
    pub(super) fn serve(&mut self, now: Now, device: &str) -> (Vec<ListChange>, ListAnswer) {
        let served = ListAnswer::Served(device.into());
        let agent = self.works_at(device);
        let at_it = |session: &&Session| *session.device == *device && session.over.is_none();
        if let Some(session) = self.lists.sessions.values().find(at_it) {
            let same = agent.as_deref() == Some(&*session.agent) && session.until > now.wall;
            if same && self.lists.tokens.contains_key(&session.id) {
                return (Vec::new(), served);
            }
            if agent.is_none() {
                return (self.close_link(now, &session.agent.clone()), served);
            }
        }
        match agent {
            // Whoever lets the exchange call does so until they say otherwise.
            Some(agent) if self.lists.desk_session(&agent).is_some() => (Vec::new(), served),
            Some(agent) => (self.open_link(now, &agent, device).0, served),
            None => (Vec::new(), served),
        }
    }

    /// Who is signed in to work at a phone; one phone at a time where the agent named none.
    fn works_at(&self, device: &str) -> Option<Box<str>> {
        let seat = self.seats.at(device).map(|seat| seat.account.clone());
        let owner = self.people.device(device).map(|device| device.account.clone());
        seat.into_iter().chain(owner).find(|account| {
            let Some(agent) = self.agents.agent(account) else { return false };
            match &agent.sign_in.device {
                Some(named) => **named == *device,
                None => {
                    let phones = self.phones_of(account);
                    let offered = |phone: &str| self.watchers.profile_of(phone).is_some();
                    let current = self.lists.current(account).map(|session| &session.device);
                    let known = current.filter(|known| phones.contains(known) && offered(known));
                    known
                        .or_else(|| phones.iter().find(|phone| offered(phone)))
                        .is_some_and(|first| **first == *device)
                }
            }
        })
    }

    /// The document of a phone: an assignment, empty while nobody works at it.
    pub(crate) fn profile_document(&self, device: &str) -> String {
        let at_it = |session: &&Session| *session.device == *device && session.over.is_none();
        let session = self.lists.sessions.values().find(at_it);
        let token = session.and_then(|session| Some((session, self.lists.tokens.get(&session.id)?)));
        let assignment = token.map(|(session, token)| self.assignment(&session.agent, token.to_string()));
        assignment.unwrap_or_else(|| Assignment { emergency: Vec::new(), ..Assignment::default() }).written()
    }

    /// Rows were dealt out: phones that have others now are told so.
    pub(super) fn tell_profiles(&mut self, now: Now) {
        let stale = |session: &&Session| self.lists.live.get(&session.id).is_some_and(|live| live.stale);
        let of_phones = self
            .lists
            .sessions
            .values()
            .filter(|session| session.over.is_none() && !session.device.is_empty());
        let devices: Vec<Box<str>> = of_phones.filter(stale).map(|session| session.device.clone()).collect();
        for device in devices {
            self.notify_profile(now, &device);
        }
    }
}
