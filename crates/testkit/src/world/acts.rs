//! What a script may want to happen.

use super::World;
use crate::observed::{Observed, OfficeId, PhoneId};
use crate::phone::{Attempt, Deed, Reaction, Vexation};
use exchange::{CallState, Command};
use sip::Transport;
use std::net::SocketAddr;
use std::time::Duration;

/// One act.
#[derive(Clone, Debug)]
pub enum Act {
    /// A phone calls.
    Call {
        /// Which.
        phone: PhoneId,
        /// Whom and how.
        attempt: Attempt,
    },
    /// A phone does something in the call that it has.
    Do {
        /// Which.
        phone: PhoneId,
        /// What.
        deed: Deed,
    },
    /// A phone sends what it should not.
    Vex {
        /// Which.
        phone: PhoneId,
        /// What.
        vexation: Vexation,
    },
    /// From now on a phone reacts so.
    React {
        /// Which.
        phone: PhoneId,
        /// How.
        reaction: Reaction,
    },
    /// Power comes; with another port when the phone picks a new one.
    Boot {
        /// Which.
        phone: PhoneId,
        /// With a new port.
        moved: bool,
    },
    /// Power goes.
    PowerOff {
        /// Which.
        phone: PhoneId,
    },
    /// A phone's stream is set up again.
    Reconnect {
        /// Which.
        phone: PhoneId,
    },
    /// A phone's stream breaks.
    BreakStream {
        /// Which.
        phone: PhoneId,
    },
    /// Nothing passes between a phone and its exchange.
    Cut {
        /// Which.
        phone: PhoneId,
        /// For so long.
        time: Duration,
    },
    /// Nothing passes between the exchanges.
    CutTrunk {
        /// For so long.
        time: Duration,
    },
    /// The wall clocks of all exchanges are set anew (R18).
    ClockJump {
        /// By so many milliseconds, back when negative.
        milliseconds: i64,
    },
    /// The store takes nothing.
    StoreAway {
        /// Where.
        office: OfficeId,
        /// For so long.
        time: Duration,
    },
    /// Somebody ends the first of the live calls from outside.
    EndCall {
        /// Where.
        office: OfficeId,
    },
    /// Somebody wants their phones to be silent for the first call that rings for them.
    Dismiss {
        /// Where.
        office: OfficeId,
        /// Who.
        account: Box<str>,
    },
    /// Another exchange begins where one died.
    Begin {
        /// Where.
        office: OfficeId,
    },
    /// An administrator wants something.
    Command {
        /// Where.
        office: OfficeId,
        /// What.
        command: Command,
    },
}

impl World {
    fn dismiss(&mut self, office: OfficeId, account: Box<str>) {
        let calls = self.offices[office].exchange.live_calls();
        let first = calls.into_iter().find(|call| call.state == CallState::Ringing);
        if let Some(call) = first {
            self.fault(format!("{account} dismisses {}", call.name));
            self.command(office, Command::Dismiss { account, call: call.name });
        }
    }

    pub(super) fn act(&mut self, act: Act) {
        let now = self.now.mono;
        match act {
            Act::Call { phone, attempt } => {
                self.phones[phone].call(now, attempt);
                self.settle_phone(phone);
            }
            Act::Do { phone, deed } => {
                self.phones[phone].deed_in_first_call(now, deed);
                self.settle_phone(phone);
            }
            Act::Vex { phone, vexation } => {
                self.phones[phone].vex(now, vexation);
                self.settle_phone(phone);
            }
            Act::React { phone, reaction } => self.phones[phone].plan.reaction = reaction,
            Act::Boot { phone, moved } => self.boot(phone, moved),
            Act::PowerOff { phone } => {
                self.fault(format!("phone {phone} loses power"));
                self.phones[phone].off();
                self.break_streams_of(phone);
            }
            Act::Reconnect { phone } => {
                if self.phones[phone].on && self.phones[phone].flow.transport != Transport::Udp {
                    let flow = self.connect(phone);
                    self.phones[phone].reconnected(now, flow);
                    self.settle_phone(phone);
                }
            }
            Act::BreakStream { phone } => {
                self.fault(format!("the stream of phone {phone} breaks"));
                self.break_streams_of(phone);
            }
            Act::Cut { phone, time } => {
                self.fault(format!("phone {phone} is cut off for {time:?}"));
                self.phones[phone].plan.link.cut_until = now + time;
            }
            Act::CutTrunk { time } => {
                self.fault(format!("the trunk is cut for {time:?}"));
                self.trunk.cut_until = now + time;
            }
            Act::ClockJump { milliseconds } => {
                self.fault(format!("the clocks jump by {milliseconds} ms"));
                self.now.wall.0 += milliseconds;
            }
            Act::StoreAway { office, time } => {
                self.fault(format!("the store of office {office} is away for {time:?}"));
                self.offices[office].store_away_until = now + time;
            }
            Act::EndCall { office } => {
                let first = self.offices[office].exchange.live_calls().into_iter().next();
                if let Some(call) = first {
                    self.fault(format!("somebody ends {}", call.name));
                    self.command(office, Command::HangUp { call: call.name, who: "somebody".into() });
                }
            }
            Act::Dismiss { office, account } => self.dismiss(office, account),
            Act::Begin { office } => {
                self.fault(format!("office {office} begins anew"));
                self.begin_anew(office);
            }
            Act::Command { office, command } => {
                self.fault(format!("office {office} is told {command:?}"));
                if let Command::Take { account, device, .. } = &command {
                    self.reference.is_at(office, account, device);
                }
                self.command(office, command);
            }
        }
    }

    fn boot(&mut self, phone: PhoneId, moved: bool) {
        self.break_streams_of(phone);
        if moved {
            let old = self.phones[phone].plan.address;
            let port = 40_000 + self.dice.within(0..20_000) as u16;
            let new = SocketAddr::new(old.ip(), port);
            if !self.by_address.contains_key(&new) {
                self.by_address.remove(&old);
                self.by_address.insert(new, phone);
                self.phones[phone].plan.address = new;
            }
        }
        let flow = self.connect(phone);
        self.phones[phone].boot(self.now.mono, flow);
        self.settle_phone(phone);
    }

    fn break_streams_of(&mut self, phone: PhoneId) {
        let open: Vec<usize> = (0..self.streams.len())
            .filter(|&number| self.streams[number].phone == phone && self.streams[number].open)
            .collect();
        for number in open {
            self.break_stream(number);
        }
    }

    pub(super) fn fault(&mut self, words: String) {
        self.see(&Observed::Fault { words });
    }
}
