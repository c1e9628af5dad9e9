//! A small office for stories: one exchange, a few people, phones on cables; everybody is registered when it opens.

use crate::net::Link;
use crate::observed::{OfficeId, PhoneId};
use crate::phone::{Attempt, Mischief, Note, Plan, Reaction, Ring, Then};
use crate::world::{Act, World, office_config};
use exchange::{Change, Config, Device, PeopleChange, Secret, Snapshot};
use media::Codec;
use sip::Transport;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// An office in the making.
#[derive(Debug)]
pub struct Stage {
    /// The exchange's configuration.
    pub config: Config,
    seed: u64,
    whole: bool,
    plans: Vec<Plan>,
    changes: Vec<PeopleChange>,
}

/// The exchange's address in stories.
#[must_use]
pub fn exchange_address() -> SocketAddr {
    SocketAddr::new(Ipv4Addr::new(192, 0, 2, 1).into(), 5060)
}

/// A reaction that rings and answers after so many seconds.
#[must_use]
pub fn answers_after(seconds: u64) -> Reaction {
    Reaction {
        ring: Ring::Plain,
        after: Duration::from_secs(seconds),
        then: Then::Answer,
        talk: None,
        mischief: Mischief::Nothing,
    }
}

/// A device's entry in the directory; the password is its name.
#[must_use]
pub fn put_device(name: &str, account: &str) -> PeopleChange {
    let secret = Secret::new(name, "office", name);
    PeopleChange::PutDevice { name: name.into(), device: Device::new(account, secret) }
}

/// A phone on a cable, at this address and this exchange; its password is its name.
#[must_use]
pub fn desk_phone(office: OfficeId, device: &str, host: Ipv4Addr, reaction: Reaction) -> Plan {
    Plan {
        device: device.into(),
        password: device.into(),
        office,
        address: SocketAddr::new(host.into(), 5060),
        nat: None,
        transport: Transport::Udp,
        link: Link::cable(),
        codecs: vec![Codec::PCMA, Codec::PCMU],
        reg_id: 0,
        expires: 300,
        keep_alive: None,
        reliable: false,
        session_timer: None,
        reaction,
    }
}

impl Stage {
    /// An empty office.
    #[must_use]
    pub fn new(seed: u64) -> Stage {
        Stage {
            config: office_config(exchange_address()),
            seed,
            whole: true,
            plans: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Whether the whole trace is kept, or only its end.
    #[must_use]
    pub fn keeping(mut self, whole: bool) -> Stage {
        self.whole = whole;
        self
    }

    /// Something else that the directory has.
    #[must_use]
    pub fn change(mut self, change: PeopleChange) -> Stage {
        self.changes.push(change);
        self
    }

    /// A person with a number.
    #[must_use]
    pub fn person(mut self, account: &str, number: &str) -> Stage {
        self.changes.push(PeopleChange::PutAccount {
            name: account.into(),
            display: account.into(),
            settings: Box::default(),
        });
        self.changes.push(PeopleChange::PutNumber { number: number.into(), account: account.into() });
        self
    }

    /// A phone of the last person; phones are numbered in the order they are added.
    #[must_use]
    pub fn phone(mut self, device: &str, reaction: Reaction) -> Stage {
        let account = self.changes.iter().rev().find_map(|change| match change {
            PeopleChange::PutAccount { name, .. } => Some(name.clone()),
            _ => None,
        });
        self.changes.push(put_device(device, &account.unwrap_or_default()));
        let host = Ipv4Addr::new(10, 0, 0, 10 + self.plans.len() as u8);
        self.plans.push(desk_phone(0, device, host, reaction));
        self
    }

    /// Changes the plan of the last phone.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Plan)) -> Stage {
        if let Some(plan) = self.plans.last_mut() {
            change(plan);
        }
        self
    }

    /// The world, with everybody registered.
    #[must_use]
    pub fn open(self) -> World {
        let mut world = World::new(self.seed, self.whole);
        let changes = self.changes.into_iter().map(Change::People).collect();
        world.add_office(exchange_address(), self.config, Snapshot { changes, sequence: 0 });
        for plan in self.plans {
            let phone = world.add_phone(plan);
            world.after(Duration::ZERO, Act::Boot { phone, moved: false });
        }
        world.run_for(Duration::from_secs(5));
        world
    }
}

impl World {
    /// A phone calls now.
    pub fn call(&mut self, phone: PhoneId, attempt: Attempt) {
        self.after(Duration::ZERO, Act::Call { phone, attempt });
    }

    /// The final status of the last call of a phone.
    #[must_use]
    pub fn final_status(&self, phone: PhoneId) -> Option<u16> {
        self.notes_of(phone)
            .filter_map(|note| match note {
                Note::Final { status, .. } => Some(*status),
                _ => None,
            })
            .last()
    }

    /// All phones go away; after a long quiet time nothing may be left. Panics with the trace when something was
    /// broken on the way.
    pub fn close(&mut self) {
        for phone in 0..self.phones.len() {
            self.after(Duration::ZERO, Act::PowerOff { phone });
        }
        self.run_for(Duration::from_secs(7_200));
        self.end();
        self.assert_sound();
    }

    /// Panics with the trace when a checker is broken.
    pub fn assert_sound(&self) {
        if let Some(broken) = &self.broken {
            panic!("seed {}: {broken}\n{}", self.seed(), self.trace.lines().join("\n"));
        }
    }
}
