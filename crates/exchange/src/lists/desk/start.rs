//! The exchange begins, and ends, to work through an agent's lists for them.

use super::super::{ListAnswer, ListAsking, ListChange, Session};
use super::DeskAsking;
use crate::agents::SignIn;
use crate::exchange::Exchange;
use crate::facts::FactKind;
use crate::people::Refusal;
use clock::{Now, Wall};

type Asked = Result<(Vec<ListChange>, ListAnswer), Refusal>;

impl Exchange {
    /// What is asked of the work at a desk.
    pub(in crate::lists) fn ask_desk(&mut self, now: Now, asking: DeskAsking) -> Asked {
        match asking {
            DeskAsking::Read(account) => Ok((Vec::new(), self.desk_answer(now, &account)?)),
            DeskAsking::Start { account, device } => self.start_desk(now, &account, device),
            DeskAsking::Stop(account) => {
                if self.lists.desk_session(&account).is_none() {
                    return Ok((Vec::new(), self.desk_answer(now, &account)?));
                }
                self.note(now, FactKind::Agent, &account, "lists.desk", format!("{account} stops the list"));
                Ok((self.close_link(now, &account), self.desk_answer(now, &account)?))
            }
            DeskAsking::Say { account, row, said } => {
                let changes = self.say_at_desk(now, &account, row, said)?;
                Ok((changes, self.desk_answer(now, &account)?))
            }
            DeskAsking::Refuse { account, row, end, why } => {
                Ok((self.refuse_at_desk(now, &account, row, end, &why), ListAnswer::Done))
            }
            DeskAsking::Talked { row, run, seconds } => {
                Ok((self.talked_at_desk(now, row, run, seconds), ListAnswer::Done))
            }
        }
    }

    /// Somebody signed in whose profile has their list called, if there is anything to call.
    pub(crate) fn list_by_profile(&mut self, now: Now, account: &str) {
        let device = self.agents.agent(account).and_then(|agent| agent.sign_in.device.clone());
        let wants = self.profile_at(account, device.as_deref()).call_list;
        let by_itself = |phone: &str| self.watchers.profile_of(phone).is_some();
        if wants
            && self.lists.desk_session(account).is_none()
            && self.counts_of(account).left > 0
            && !self.phones_of(account).iter().any(|phone| by_itself(phone))
        {
            let asking = DeskAsking::Start { account: account.into(), device };
            self.ask_lists(now, None, ListAsking::Desk(asking));
        }
    }

    /// Somebody sits at another phone now: their list goes on there, if it was worked at one phone.
    pub(crate) fn list_moves(&mut self, now: Now, account: &str, device: &str) {
        let elsewhere = |session: &&Session| !session.device.is_empty() && *session.device != *device;
        let dials = self.watchers.profile_of(device).is_some();
        if !dials && self.lists.desk_session(account).filter(elsewhere).is_some() {
            let asking = DeskAsking::Start { account: account.into(), device: Some(device.into()) };
            self.ask_lists(now, None, ListAsking::Desk(asking));
        }
    }

    fn desk_answer(&self, now: Now, account: &str) -> Result<ListAnswer, Refusal> {
        let work = self.desk_work(now, account);
        work.map(|work| ListAnswer::Desk(Box::new(work))).ok_or(Refusal::Unknown("account", account.into()))
    }

    fn start_desk(&mut self, now: Now, account: &str, device: Option<Box<str>>) -> Asked {
        if self.people.account(account).is_none() {
            return Err(Refusal::Unknown("account", account.into()));
        }
        let phones = self.phones_of(account);
        if let Some(device) = device.as_ref().filter(|device| !phones.contains(device)) {
            let words = format!("{device} is no phone of {account}, and they do not sit there");
            return Err(Refusal::Rule { rule: "agents.not-there", words: words.into() });
        }
        // A phone that has the list itself would call the same people.
        let dials = |phone: &str| self.watchers.profile_of(phone).is_some();
        if let Some(phone) = device.as_deref().filter(|phone| dials(phone)) {
            let words = format!("{phone} works through its list by itself");
            return Err(Refusal::Rule { rule: "lists.own-phone", words: words.into() });
        }
        if !self.agents.has(account) {
            self.begin_work(now, account, SignIn { device: device.clone(), ..SignIn::default() })?;
        }
        let known = self.lists.desk_session(account).filter(|session| session.until > now.wall);
        if known.is_some_and(|session| device.as_ref().is_none_or(|device| *session.device == **device)) {
            return Ok((Vec::new(), self.desk_answer(now, account)?));
        }
        let (mut changes, _) = self.open_link(now, account, &device.unwrap_or_default());
        let run = self.lists.last_run + 1;
        let made = changes.iter_mut().find_map(|change| match change {
            ListChange::Session(session) if session.over.is_none() => Some(session),
            _ => None,
        });
        let Some(session) = made else { return Err(Refusal::Nonsense("there is no link".into())) };
        // Nobody asks for its rows from outside, so it does not end by itself.
        **session = Session { desk: true, run, until: Wall(i64::MAX), ..(**session).clone() };
        let id = session.id;
        self.lists.tokens.remove(&id);
        changes.push(ListChange::Run { run, session: id, name: format!("{account}/desk-{id}").into() });
        self.note(now, FactKind::Agent, account, "lists.desk", format!("the exchange calls for {account}"));
        Ok((changes, self.desk_answer(now, account)?))
    }
}
