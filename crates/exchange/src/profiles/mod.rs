//! Start-up by a profile (S0.4 to S0.7): a terminal says who, where and in which office it is, gets the profile that the
//! rule picks, and reports what it loaded; only then its start-up is complete.
//!
//! ```text
//! terminal --Start--> rule --> profile n --> terminal applies it --Loaded n--> complete
//! file changes --Put--> Happened::ProfileChanged --> the same terminal applies it --Loaded n+1--> complete again
//! ```
//! A start is of this life of the exchange alone, as web phones are.

mod book;
mod profile;
mod started;

pub use book::conflict;
pub use profile::{Audio, Instruction, Look, Profile, Selector};
pub use started::Started;

pub(crate) use started::Profiles;

use crate::agents::SignIn;
use crate::command::Answer;
use crate::events::{Audience, Happened};
use crate::exchange::Exchange;
use crate::facts::FactKind;
use crate::input::CommandId;
use crate::people::Refusal;
use book::Book;
use clock::Now;
use std::time::Duration;

/// What can be asked of profiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileAsking {
    /// These are all from now on; answered by [`Answer::Done`].
    Put(Vec<Profile>),
    /// A phone starts; answered by [`Answer::Profile`].
    Start {
        /// The phone.
        device: Box<str>,
        /// Whose it is, and where.
        instruction: Instruction,
    },
    /// A phone has loaded this version; answered by [`Answer::Done`].
    Loaded {
        /// The phone.
        device: Box<str>,
        /// The version.
        version: Box<str>,
    },
}

impl Exchange {
    /// With the profiles that there are at the start.
    #[must_use]
    pub fn with_profiles(mut self, profiles: Vec<Profile>) -> Exchange {
        self.profiles.book = Book::new(profiles);
        self
    }

    pub(crate) fn ask_profiles(&mut self, now: Now, id: CommandId, asking: ProfileAsking) {
        let answer = match asking {
            ProfileAsking::Put(profiles) => {
                self.put_profiles(now, profiles);
                Answer::Done
            }
            ProfileAsking::Start { device, instruction } => match self.people.device(&device) {
                Some(_) => Answer::Profile(Box::new(self.start_phone(now, &device, instruction))),
                None => Answer::Refused(Refusal::Unknown("device", device)),
            },
            ProfileAsking::Loaded { device, version } => match self.phone_loaded(now, &device, version) {
                Ok(()) => Answer::Done,
                Err(refusal) => Answer::Refused(refusal),
            },
        };
        self.answer(id, answer);
    }

    fn start_phone(&mut self, now: Now, device: &str, instruction: Instruction) -> Profile {
        let profile = self.profiles.book.choose(&instruction).clone();
        // A page that renews what it has stays complete until it is given something else.
        let loaded = self.profiles.started(device).and_then(|told| told.loaded.clone());
        let told = Started { profile: profile.name.clone(), version: profile.version.clone(), loaded };
        let account = instruction.user.clone();
        self.profiles.begin(device, instruction, told);
        self.start_changed(now, device, &account);
        profile
    }

    fn phone_loaded(&mut self, now: Now, device: &str, version: Box<str>) -> Result<(), Refusal> {
        let Some(start) = self.profiles.start_mut(device) else {
            let words = format!("{device} was not started");
            return Err(Refusal::Rule { rule: "profiles.not-started", words: words.into() });
        };
        if start.told.version != version {
            let words = format!("version {} is wanted, not {version}", start.told.version);
            return Err(Refusal::Rule { rule: "profiles.other-version", words: words.into() });
        }
        if !start.told.is_complete() {
            let words = format!("{device} loaded profile {}, version {version}", start.told.profile);
            start.told.loaded = Some((version, now.wall));
            let account = start.instruction.user.clone();
            self.note(now, FactKind::Agent, &account, "profiles.loaded", words);
            self.start_changed(now, device, &account);
        }
        Ok(())
    }

    /// Whoever looks at the phone, or at the agent there, sees what it was started with.
    fn start_changed(&mut self, now: Now, device: &str, account: &str) {
        self.listening.touch_device(device);
        if self.agents.has(account)
            && let Some(row) = self.agent_row(now, account)
        {
            self.tell_agent(now, row);
        }
    }

    /// Phones whose profile is another now are told.
    fn put_profiles(&mut self, now: Now, profiles: Vec<Profile>) {
        let before = std::mem::replace(&mut self.profiles.book, Book::new(profiles));
        for device in self.profiles.touched(&before) {
            let Some(start) = self.profiles.start(&device) else { continue };
            let profile = self.profiles.book.choose(&start.instruction).clone();
            if (&start.told.profile, &start.told.version) == (&profile.name, &profile.version) {
                continue;
            }
            let account = start.instruction.user.clone();
            self.profiles.give(&device, &profile);
            self.start_changed(now, &device, &account);
            let told = Happened::ProfileChanged { device, profile: Box::new(profile) };
            self.tell_if_heard(now, Audience::all(vec![account]), told);
        }
    }

    /// The profile of somebody at a phone: what it was started with, else what the rule says of the two. It is looked up
    /// whenever it is needed, so that a change of the file reaches those who work at a desk phone, too.
    pub(crate) fn profile_at(&self, account: &str, device: Option<&str>) -> &Profile {
        match self.profiles.start_of(account, device) {
            Some(start) => self.profiles.book.choose(&start.instruction),
            None => self.profiles.book.choose(&Instruction {
                user: account.into(),
                terminals: device.into_iter().map(Into::into).collect(),
                office: None,
            }),
        }
    }

    /// What a sign-in does not say, its profile does: the queues, as far as the person is a member.
    pub(crate) fn profiled(&self, account: &str, sign_in: SignIn) -> SignIn {
        if !sign_in.queues.is_empty() {
            return sign_in;
        }
        let profile = self.profile_at(account, sign_in.device.as_deref());
        let queues = profile.queues.iter().filter(|name| self.people.priority_in(name, account).is_some());
        let queues = queues.cloned().collect();
        SignIn { queues, ..sign_in }
    }

    /// The wrap-up of an agent's profile; what the sign-in named itself takes its place.
    pub(crate) fn profile_interval(&self, account: &str) -> Option<Duration> {
        let sign_in = &self.agents.agent(account)?.sign_in;
        sign_in.interval.or_else(|| self.profile_at(account, sign_in.device.as_deref()).wrap_up)
    }

    /// What an agent's phone was started with.
    pub(crate) fn started_by(&self, account: &str) -> Option<Started> {
        let device = self.agents.agent(account).and_then(|agent| agent.sign_in.device.as_deref());
        self.profiles.start_of(account, device).map(|start| start.told.clone())
    }

    /// Somebody sat down at a phone: with a profile that joins the two, whoever works for a queue is signed in to work
    /// there and ready. Whoever is signed in already stays as they are.
    pub(crate) fn join_seat(&mut self, now: Now, account: &str, device: &str) {
        let works = self.people.queues_with(account).next().is_some();
        if !works || self.agents.has(account) || !self.profile_at(account, Some(device)).join_seat {
            return;
        }
        let sign_in = SignIn { device: Some(device.into()), ..SignIn::default() };
        if let Err(refusal) = self.sign_agent_in(now, account, sign_in) {
            self.note(now, FactKind::Agent, account, "profiles.join-seat", refusal.to_string());
        }
    }
}
