//! Start-up by a profile (S0.4 to S0.7): a terminal says who, where and in which office it is, gets the profile that the
//! rule picks, and reports what it loaded; only then its start-up is complete.
//!
//! ```text
//! terminal --Start--> rule --> profile n --> terminal applies it --Loaded n--> complete
//! file changes --Put--> Happened::ProfileChanged --> the same terminal applies it --Loaded n+1--> complete again
//! ```
//! A start is of this life of the exchange alone, as web phones are.

mod profile;

pub use profile::{Audio, Instruction, Look, Profile, Selector, choose, conflict};

use crate::agents::{SignIn, Trigger};
use crate::command::Answer;
use crate::events::{Audience, Happened};
use crate::exchange::Exchange;
use crate::facts::FactKind;
use crate::input::CommandId;
use crate::people::Refusal;
use clock::{Now, Wall};
use std::collections::BTreeMap;

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

/// What a phone was started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The profile's name.
    pub profile: Box<str>,
    /// The version that it was given last.
    pub version: Box<str>,
    /// The version that it said it has loaded, and when; start-up is complete when it is the one above.
    pub loaded: Option<(Box<str>, Wall)>,
}

#[derive(Clone, Debug)]
struct Start {
    instruction: Instruction,
    told: Started,
}

/// All profiles, and the phones that were started by one.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    all: Vec<Profile>,
    /// By phone; none outlives its phone.
    started: BTreeMap<Box<str>, Start>,
}

impl Profiles {
    /// The profile that the rule picks.
    fn of(&self, instruction: &Instruction) -> Profile {
        choose(&self.all, instruction).cloned().unwrap_or_else(Profile::built_in)
    }

    pub(crate) fn started(&self, device: &str) -> Option<&Started> {
        self.started.get(device).map(|start| &start.told)
    }

    /// A phone left.
    pub(crate) fn device_gone(&mut self, device: &str) {
        self.started.remove(device);
    }
}

impl Exchange {
    /// With the profiles that there are at the start.
    #[must_use]
    pub fn with_profiles(mut self, profiles: Vec<Profile>) -> Exchange {
        self.profiles.all = profiles;
        self
    }

    pub(crate) fn ask_profiles(&mut self, now: Now, id: CommandId, asking: ProfileAsking) {
        let answer = match asking {
            ProfileAsking::Put(profiles) => {
                self.put_profiles(now, profiles);
                Answer::Done
            }
            ProfileAsking::Start { device, instruction } => match self.people.device(&device) {
                Some(_) => Answer::Profile(Box::new(self.start_phone(&device, instruction))),
                None => Answer::Refused(Refusal::Unknown("device", device)),
            },
            ProfileAsking::Loaded { device, version } => match self.phone_loaded(now, &device, version) {
                Ok(()) => Answer::Done,
                Err(refusal) => Answer::Refused(refusal),
            },
        };
        self.answer(id, answer);
    }

    fn start_phone(&mut self, device: &str, instruction: Instruction) -> Profile {
        let profile = self.profiles.of(&instruction);
        // A page that renews what it has stays complete until it is given something else.
        let loaded = self.profiles.started.get(device).and_then(|start| start.told.loaded.clone());
        let told = Started { profile: profile.name.clone(), version: profile.version.clone(), loaded };
        self.profiles.started.insert(device.into(), Start { instruction, told });
        self.listening.touch_device(device);
        profile
    }

    fn phone_loaded(&mut self, now: Now, device: &str, version: Box<str>) -> Result<(), Refusal> {
        let Some(start) = self.profiles.started.get_mut(device) else {
            let words = format!("{device} was not started");
            return Err(Refusal::Rule { rule: "profiles.not-started", words: words.into() });
        };
        if start.told.version != version {
            let words = format!("version {} is wanted, not {version}", start.told.version);
            return Err(Refusal::Rule { rule: "profiles.other-version", words: words.into() });
        }
        let known = start.told.loaded.as_ref().is_some_and(|(loaded, _)| *loaded == version);
        if !known {
            let words = format!("{device} loaded profile {}, version {version}", start.told.profile);
            start.told.loaded = Some((version, now.wall));
            let account = start.instruction.user.clone();
            self.note(now, FactKind::Agent, &account, "profiles.loaded", words);
            self.listening.touch_device(device);
        }
        Ok(())
    }

    /// Phones whose profile is another now are told, and the wrap-up of agents who signed in with one follows.
    fn put_profiles(&mut self, now: Now, profiles: Vec<Profile>) {
        let before = std::mem::replace(&mut self.profiles.all, profiles);
        let devices: Vec<(Box<str>, Instruction)> = self
            .profiles
            .started
            .iter()
            .map(|(device, start)| (device.clone(), start.instruction.clone()))
            .collect();
        for (device, instruction) in devices {
            let profile = self.profiles.of(&instruction);
            let Some(start) = self.profiles.started.get_mut(&device) else { continue };
            if (&start.told.profile, &start.told.version) == (&profile.name, &profile.version) {
                continue;
            }
            (start.told.profile, start.told.version) = (profile.name.clone(), profile.version.clone());
            self.listening.touch_device(&device);
            let old = choose(&before, &instruction).and_then(|old| old.wrap_up);
            self.agent_takes_interval(now, &instruction.user, old, profile.wrap_up);
            let audience = Audience::all(vec![instruction.user]);
            self.tell_if_heard(
                now,
                audience,
                Happened::ProfileChanged { device, profile: Box::new(profile) },
            );
        }
    }

    /// The profile of somebody at a phone: what it was started with, else what the rule says of the two.
    fn profile_at(&self, account: &str, device: Option<&str>) -> Profile {
        let started = |device: &str| {
            self.profiles.started.get(device).filter(|start| *start.instruction.user == *account)
        };
        // Without a phone, any that they started.
        let start = match device {
            Some(device) => started(device),
            None => self.profiles.started.values().find(|start| *start.instruction.user == *account),
        };
        match start {
            Some(start) => self.profiles.of(&start.instruction),
            None => self.profiles.of(&Instruction {
                user: account.into(),
                terminals: device.into_iter().map(Into::into).collect(),
                office: None,
            }),
        }
    }

    /// What a sign-in does not say, its profile does: the queues, as far as the person is a member, and the wrap-up.
    pub(crate) fn profiled(&self, account: &str, sign_in: SignIn) -> SignIn {
        let profile = self.profile_at(account, sign_in.device.as_deref());
        let mut queues = sign_in.queues;
        if queues.is_empty() {
            let member = |name: &Box<str>| self.people.priority_in(name, account).is_some();
            queues = profile.queues.into_iter().filter(member).collect();
        }
        let interval = sign_in.interval.or(profile.wrap_up);
        SignIn { queues, interval, ..sign_in }
    }

    /// Somebody sat down at a phone: with a profile that joins the two, they are signed in to work there and ready.
    /// Whoever is signed in already stays as they are.
    pub(crate) fn join_seat(&mut self, now: Now, account: &str, device: &str) {
        if self.agents.has(account) || !self.profile_at(account, Some(device)).join_seat {
            return;
        }
        let sign_in = SignIn { device: Some(device.into()), ..SignIn::default() };
        if let Err(refusal) = self.sign_agent_in(now, account, sign_in) {
            self.note(now, FactKind::Agent, account, "profiles.join-seat", refusal.to_string());
        }
    }

    fn agent_takes_interval(
        &mut self,
        now: Now,
        account: &str,
        old: Option<std::time::Duration>,
        new: Option<std::time::Duration>,
    ) {
        // An interval that the sign-in named itself stays.
        if self.agents.agent(account).is_some_and(|agent| agent.sign_in.interval == old) && old != new {
            self.agents.set_interval(account, new);
            self.agent_settles(now, account, Trigger::Phone);
        }
    }
}
