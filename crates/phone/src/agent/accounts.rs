//! Several accounts in one phone: each an [`Agent`] of its own, so that what one server does is felt by no other.
//!
//! Calls have one numbering, and whoever names none means the newest that fits, whatever account it is of.

use super::{Agent, Due, Input, Output};
use crate::words::{CallId, Command, Event};
use clock::{Mono, Now};
use std::collections::VecDeque;

/// One account.
#[derive(Debug)]
pub struct Named {
    /// What people call it.
    pub name: Box<str>,
    /// Its phone.
    pub agent: Agent,
}

/// All accounts of a phone; each is known by its place.
#[derive(Debug)]
pub struct Accounts {
    list: Vec<Named>,
    /// The one that calls go out by.
    used: usize,
    next_call: u32,
    /// Whose suggestion is the newest.
    suggested: usize,
    outputs: VecDeque<(usize, Output)>,
    finished: bool,
}

impl Accounts {
    /// None is connected yet; calls go out by the first.
    ///
    /// # Panics
    /// Without an account.
    #[must_use]
    pub fn new(list: Vec<Named>) -> Accounts {
        assert!(!list.is_empty(), "a phone has an account");
        let next_call = list.iter().map(|named| named.agent.next_call).max().unwrap_or(1);
        let mut accounts =
            Accounts { list, used: 0, next_call, suggested: 0, outputs: VecDeque::new(), finished: false };
        (0..accounts.list.len()).for_each(|place| accounts.collect(place));
        accounts
    }

    /// What an account is called.
    #[must_use]
    pub fn name(&self, place: usize) -> &str {
        self.list.get(place).map_or("", |named| &named.name)
    }

    /// Takes one input for one account; drain [`Accounts::next_output`] afterwards.
    pub fn handle(&mut self, now: Now, place: usize, input: Input<'_>) {
        let Some(named) = self.list.get_mut(place) else { return };
        named.agent.next_call = self.next_call;
        named.agent.handle(now, input);
        self.next_call = named.agent.next_call;
        self.collect(place);
    }

    /// What a person does with the phone.
    pub fn command(&mut self, now: Now, command: Command) {
        if let Command::Quit | Command::Status = command {
            (0..self.list.len()).for_each(|place| self.handle(now, place, Input::Command(command.clone())));
            return;
        }
        match self.meant(&command) {
            Ok(place) => {
                if let Command::Use { .. } = command {
                    self.used = place;
                }
                self.handle(now, place, Input::Command(command));
            }
            Err(why) => self.outputs.push_back((self.used, Output::Event(Event::Refused { why }))),
        }
    }

    /// Runs what is due.
    pub fn run_timers(&mut self, now: Now) {
        for place in 0..self.list.len() {
            let due = self.list.get(place).and_then(|named| named.agent.next_deadline());
            if due.is_some_and(|(at, _)| at <= now.mono) {
                self.handle(now, place, Input::Timeout);
            }
        }
    }

    /// When [`Accounts::run_timers`] is due next, and why.
    #[must_use]
    pub fn next_deadline(&self) -> Option<(Mono, Due)> {
        self.list.iter().filter_map(|named| named.agent.next_deadline()).min()
    }

    /// The next thing to do, and for which account.
    pub fn next_output(&mut self) -> Option<(usize, Output)> {
        self.outputs.pop_front()
    }

    /// Which account a command is for.
    fn meant(&self, command: &Command) -> Result<usize, String> {
        match command {
            Command::Call { account: Some(name), .. } | Command::Use { account: name } => self
                .list
                .iter()
                .position(|named| *named.name == **name)
                .ok_or_else(|| format!("there is no account \"{name}\"")),
            Command::KeepCalling { .. } => Ok(self.suggested),
            _ => {
                let fits = self
                    .list
                    .iter()
                    .enumerate()
                    .filter_map(|(place, named)| named.agent.meant_by(command).map(|call| (call, place)));
                Ok(fits.max().map_or(self.used, |(_, place)| place))
            }
        }
    }

    fn collect(&mut self, place: usize) {
        let Some(named) = self.list.get_mut(place) else { return };
        while let Some(output) = named.agent.next_output() {
            match output {
                // The phone stops when all have.
                Output::Event(Event::Stopped) | Output::Finished => {}
                output => {
                    if let Output::Event(Event::Suggested { .. }) = output {
                        self.suggested = place;
                    }
                    self.outputs.push_back((place, output));
                }
            }
        }
        if !self.finished && self.list.iter().all(|named| named.agent.finished) {
            self.finished = true;
            self.outputs.push_back((place, Output::Event(Event::Stopped)));
            self.outputs.push_back((place, Output::Finished));
        }
    }
}

impl Agent {
    /// The call that a command would change here: the one that it names, else the newest that fits.
    fn meant_by(&self, command: &Command) -> Option<CallId> {
        use super::call::Stage;
        let alerts = |stage: &Stage| matches!(stage, Stage::Alerting(_));
        let talks = |stage: &Stage| matches!(stage, Stage::Talking(_));
        match command {
            Command::Answer { call } | Command::Reject { call, .. } => self.find(*call, alerts),
            Command::Hold { call }
            | Command::Resume { call }
            | Command::Dtmf { call, .. }
            | Command::Transfer { call, .. }
            | Command::Join { call, .. } => self.find(*call, talks),
            Command::HangUp { call } => self.find(*call, |stage| !matches!(stage, Stage::Leaving)),
            Command::Call { .. }
            | Command::Use { .. }
            | Command::KeepCalling { .. }
            | Command::Status
            | Command::Quit => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{config, invite, sound};
    use super::*;
    use clock::Wall;
    use sip::Flow;
    use std::net::SocketAddr;

    struct House {
        now: Now,
        accounts: Accounts,
        flows: Vec<Flow>,
        told: Vec<(usize, Event)>,
        sent: Vec<(usize, String)>,
    }

    fn house() -> House {
        let servers: [SocketAddr; 2] = ["192.0.2.9:5060".parse().unwrap(), "192.0.2.8:5060".parse().unwrap()];
        let named =
            |name: &str, server| Named { name: name.into(), agent: Agent::new(config("a", server), [3; 32]) };
        let list = vec![named("office", servers[0]), named("home", servers[1])];
        let own = |port| SocketAddr::new("192.0.2.1".parse().unwrap(), port);
        let mut house = House {
            now: Now { mono: Mono(1_000_000), wall: Wall(0) },
            accounts: Accounts::new(list),
            flows: vec![Flow::udp(own(5_060), servers[0]), Flow::udp(own(5_062), servers[1])],
            told: Vec::new(),
            sent: Vec::new(),
        };
        for place in 0..2 {
            house.input(place, sound("192.0.2.1".parse().unwrap()));
            house.input(place, Input::Connected(house.flows[place]));
        }
        house
    }

    impl House {
        fn input(&mut self, place: usize, input: Input<'_>) {
            self.accounts.handle(self.now, place, input);
            self.drain();
        }

        fn tell(&mut self, command: Command) {
            self.accounts.command(self.now, command);
            self.drain();
        }

        fn drain(&mut self) {
            while let Some((place, output)) = self.accounts.next_output() {
                match output {
                    Output::Event(event) => self.told.push((place, event)),
                    Output::Transmit(sent) => {
                        let text = String::from_utf8_lossy(&sent.bytes);
                        self.sent.push((place, text.lines().next().unwrap_or_default().to_owned()));
                    }
                    _ => {}
                }
            }
        }

        fn rings(&mut self, place: usize, name: &str) {
            let flow = self.flows[place];
            self.input(place, Input::Message { flow, bytes: invite(name).as_bytes() });
        }
    }

    #[test]
    fn s3_11_a_command_is_for_the_account_with_the_newest_call_that_fits() {
        let mut house = house();
        house.rings(1, "x");
        house.rings(0, "y");
        let ids: Vec<(usize, u32)> = house
            .told
            .iter()
            .filter_map(|(place, event)| match event {
                Event::Incoming { call, .. } => Some((*place, call.0)),
                _ => None,
            })
            .collect();
        assert_eq!(ids, [(1, 1), (0, 2)], "one numbering");
        house.tell(Command::Reject { call: Some(CallId(1)), status: None });
        house.tell(Command::Reject { call: None, status: Some(603) });
        let refused: Vec<_> = house.sent.iter().filter(|(_, line)| !line.contains("180")).cloned().collect();
        assert_eq!(refused, [(1, "SIP/2.0 486 Busy Here".into()), (0, "SIP/2.0 603 Decline".into())]);
    }

    #[test]
    fn s3_11_calls_go_out_by_the_account_that_is_named_or_used() {
        let mut house = house();
        let by = |name: &str| Command::Call { number: "9".into(), account: Some(name.into()) };
        house.tell(Command::call("9"));
        house.tell(by("home"));
        house.tell(by("nobody"));
        assert!(matches!(house.told.last(), Some((0, Event::Refused { why })) if why.contains("nobody")));
        house.tell(Command::Use { account: "home".into() });
        house.tell(Command::call("9"));
        let places: Vec<usize> = house
            .sent
            .iter()
            .filter(|(_, line)| line.starts_with("INVITE"))
            .map(|(place, _)| *place)
            .collect();
        assert_eq!(places, [0, 1, 1]);
    }

    #[test]
    fn s3_11_a_server_that_is_away_harms_no_other_and_all_stop_together() {
        let mut house = house();
        house.input(0, Input::Disconnected("away"));
        house.rings(1, "x");
        house.tell(Command::Answer { call: None });
        assert!(house.sent.contains(&(1, "SIP/2.0 200 OK".into())), "{:?}", house.sent);
        house.tell(Command::Quit);
        for _ in 0..10 {
            house.now = house.now.after(std::time::Duration::from_secs(1));
            house.accounts.run_timers(house.now);
            house.drain();
        }
        let stopped = house.told.iter().filter(|(_, event)| *event == Event::Stopped).count();
        assert_eq!((stopped, house.told.last().map(|(_, event)| event.clone())), (1, Some(Event::Stopped)));
    }
}
