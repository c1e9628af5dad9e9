//! The directory as one machine: values in, values out.

use crate::book::{Account, Book, Device, Health, Refused, Report, Way};
use crate::callee_claims::{Attempted, CalleeClaims};
use crate::copy::{self, Copy};
use crate::designate::{Decision, Form, Invalid, Origin, Request, RequestId, designate};
use crate::limits;
use crate::names::{AccountName, DeviceId, ExchangeName, Fingerprint, Number, SessionHalf};
use crate::push::Push;
use crate::ticket::{Claims, Confirmation, Issuer, Ticket, TicketId, TicketKey};
use crate::wake::Woken;
use clock::{Mono, Now, Wall};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Everything that can wake a directory.
#[derive(Debug)]
pub enum Input {
    /// An exchange joined with its one-time key, or renewed its certificate.
    Joined {
        /// Its name.
        exchange: ExchangeName,
        /// SHA-256 of its certificate.
        fingerprint: Fingerprint,
        /// What it shares with us.
        key: TicketKey,
    },
    /// An exchange says how it is.
    Report(ExchangeName, Report),
    /// An exchange tells of an account that has its home there; `None`: it is gone.
    Account(ExchangeName, AccountName, Option<Account>),
    /// An exchange has told of all accounts that have their home there: whoever else had is gone.
    Everybody(ExchangeName, BTreeSet<AccountName>),
    /// Pages of the office's web app come from these origins.
    WebApp(Vec<Box<str>>),
    /// A device enrolled, or says anew how it is woken.
    Device(DeviceId, Device),
    /// A device is one of the office no more.
    DeviceGone(DeviceId),
    /// A device has its flow at this exchange, or has it no longer.
    Placed(ExchangeName, DeviceId, bool),
    /// A device has a connection to us, or has it no longer.
    Connected(DeviceId, bool),
    /// A device that was woken with this ticket does not come.
    Declined(DeviceId, TicketId),
    /// A call is asked for (S4.2).
    Asked(Request),
    /// A device wants to be called when somebody is free, instead of waiting for them (C13).
    WhenFree {
        /// Which device.
        caller: DeviceId,
        /// Its name for this.
        id: RequestId,
        /// Whom it wants to talk to.
        callee: Number,
    },
    /// An exchange answers what it was asked for a device (C12, S4.17).
    Said {
        /// Which exchange.
        exchange: ExchangeName,
        /// Whose request.
        caller: DeviceId,
        /// Its name.
        id: RequestId,
        /// What it says.
        said: Said,
    },
    /// Who asked wants no call any more.
    Cancelled(Origin, RequestId),
    /// An exchange wants to call a number by itself (R26), or has begun to, and is connected anew.
    Claim {
        /// Which exchange.
        exchange: ExchangeName,
        /// Its name for this; 0 if it had it before, and waits for no answer.
        id: RequestId,
        /// Whom.
        number: Number,
    },
    /// It has called, or has not after all.
    Attempted(ExchangeName, Number, Option<Attempted>),
    /// Somebody at this exchange is free, with this number, who was called in vain from another.
    Free(ExchangeName, Number),
    /// The deadline of [`Directory::next_deadline`] has come.
    Timeout,
}

/// What an exchange says of a request of the cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// Its device accepts, and this lets the caller in (S4.17, S4.19).
    Accepted(Ticket),
    /// The device is taken; the caller waits at this place (S4.18).
    Waiting(u32),
    /// It does not, for this reason.
    Refused(Box<str>),
    /// The exchange keeps calling, and has written that down.
    Kept,
}

/// What goes to an exchange or to a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Message {
    /// The call goes to this exchange (S4.14, S4.20).
    Designated {
        /// Whose request.
        id: RequestId,
        /// The exchange.
        exchange: ExchangeName,
        /// Where it is: `host:port`, or the address of a WebSocket for a browser.
        address: Box<str>,
        /// Who it must prove to be (S4.25).
        fingerprint: Fingerprint,
        /// What lets the call in.
        ticket: Ticket,
        /// The candidates, and why this one: for an exchange, so that its operator can read it; empty for a device.
        why: Box<str>,
    },
    /// The callee is at the exchange that asked.
    Yours {
        /// Whose request.
        id: RequestId,
    },
    /// These devices were woken, and will come (S4.15, S4.24).
    Woken {
        /// Whose request.
        id: RequestId,
        /// Each with who it must prove to be.
        devices: Vec<(DeviceId, Confirmation)>,
    },
    /// An exchange is asked whether the callee's device accepts (C11, S4.16).
    Ask {
        /// Whose request.
        id: RequestId,
        /// The device that calls.
        caller: DeviceId,
        /// Whose it is.
        account: AccountName,
        /// Who is called.
        callee: Number,
        /// The Session-ID half of the call.
        session: SessionHalf,
        /// Whose key will be at the other end.
        cnf: Confirmation,
    },
    /// An exchange is asked to keep calling somebody for one of its people, who asks by a device of the cloud (S2.1).
    WhenFree {
        /// Whose request.
        id: RequestId,
        /// The device that asks.
        caller: DeviceId,
        /// Whose it is: somebody who has their home there.
        account: AccountName,
        /// Who is to be reached.
        callee: Number,
    },
    /// It keeps calling.
    Kept {
        /// Whose request.
        id: RequestId,
    },
    /// A caller waits in an exchange's queue, at this place.
    Place {
        /// Whose request.
        id: RequestId,
        /// 1 is next.
        place: u32,
    },
    /// There is no call (S4.12, S4.17). It never says where anybody is.
    Refused {
        /// Whose request.
        id: RequestId,
        /// In words.
        why: Box<str>,
    },
    /// One that was woken does not come.
    Declined {
        /// For whose request.
        id: RequestId,
        /// Which.
        device: DeviceId,
    },
    /// The number that an exchange wants to call is its own to call, unless it is held.
    Claimed {
        /// Its claim.
        id: RequestId,
        /// Until when somebody else may be calling it, in milliseconds since 1970 by our clock.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held: Option<i64>,
        /// What others' attempts came to of which it has not been told. If there are any it is not its own yet: it may claim
        /// the number again, if its rules allow that after all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attempts: Vec<Attempted>,
    },
    /// A number that was held is in nobody's hand any more.
    Released {
        /// Which.
        number: Number,
        /// As in [`Message::Claimed`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attempts: Vec<Attempted>,
    },
    /// Somebody whom the exchange has called in vain by itself is free now.
    Free {
        /// Their number.
        number: Number,
    },
    /// Whoever waits in a queue for this request waits no longer.
    Withdrawn {
        /// Whose request.
        id: RequestId,
        /// The device that called.
        caller: DeviceId,
    },
}

/// What the shell is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Tell an exchange.
    ToExchange(ExchangeName, Message),
    /// Tell a device that is connected.
    ToDevice(DeviceId, Message),
    /// Tell a device that may sleep: over its connection if it has one, else by the first of its ways that works.
    Push {
        /// Which.
        device: DeviceId,
        /// Whether it has a connection.
        connected: bool,
        /// How else.
        ways: Vec<Way>,
        /// What it says.
        push: Push,
        /// What is sent.
        signed: Box<str>,
    },
    /// What was decided, to be kept for whoever asks why.
    Decided(Request, Result<Decision, Invalid>),
    /// What an exchange told was refused: its operator should know.
    Complained(ExchangeName, Refused),
    /// An exchange has another health than before.
    Changed(ExchangeName),
}

/// A request of the cloud that an exchange has not answered for good.
#[derive(Debug)]
struct Pending {
    exchange: ExchangeName,
    until: Mono,
}

/// The machine.
#[derive(Debug)]
pub struct Directory {
    name: Box<str>,
    book: Book,
    issuer: Issuer,
    rng: ChaCha8Rng,
    pending: BTreeMap<(DeviceId, RequestId), Pending>,
    until: BTreeSet<(Mono, DeviceId, RequestId)>,
    pub(crate) woken: Woken,
    claims: CalleeClaims,
    origins: Vec<Box<str>>,
    version: u64,
    outputs: VecDeque<Output>,
}

impl Directory {
    /// A directory of this name, which signs with this key; it knows of nobody.
    #[must_use]
    pub fn new(name: &str, issuer: Issuer, seed: [u8; 32]) -> Directory {
        Directory {
            name: name.into(),
            book: Book::default(),
            issuer,
            rng: ChaCha8Rng::from_seed(seed),
            pending: BTreeMap::new(),
            until: BTreeSet::new(),
            woken: Woken::default(),
            claims: CalleeClaims::default(),
            origins: Vec::new(),
            version: 0,
            outputs: VecDeque::new(),
        }
    }

    /// What it knows.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// What others verify its signatures with.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.issuer.public()
    }

    /// A signed copy for the exchanges, and its version.
    #[must_use]
    pub fn copy(&self, now: Wall) -> String {
        copy::seal(&self.issuer, &Copy::of(&self.name, self.version, now, &self.book, &self.origins))
    }

    /// Which copy is the newest.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What the shell is to do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When it wants to be woken.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        let asked = self.until.first().map(|(at, ..)| *at);
        asked.into_iter().chain(self.book.next_silence()).chain(self.woken.next_deadline()).min()
    }

    /// The one way in.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.claims.begin(now.wall);
        match input {
            Input::Joined { exchange, fingerprint, key } => {
                let joined = self.book.join(now.mono, exchange.clone(), fingerprint, key);
                self.told(exchange, joined);
            }
            Input::Report(exchange, report) => match self.book.report(now.mono, &exchange, report) {
                Ok(true) => self.changed(exchange),
                Ok(false) => {}
                Err(refused) => self.outputs.push_back(Output::Complained(exchange, refused)),
            },
            Input::Account(exchange, name, account) => self.account(exchange, name, account),
            Input::Everybody(exchange, these) => {
                for gone in self.book.others_at(&exchange, &these) {
                    self.account(exchange.clone(), gone, None);
                }
            }
            Input::WebApp(origins) => {
                self.origins = origins;
                self.version += 1;
            }
            Input::Device(id, device) => {
                let home = self.book.account(&device.account).map(|account| account.home.clone());
                match (self.book.put_device(id, device), home) {
                    (Ok(()), _) => self.version += 1,
                    (Err(refused), Some(home)) => self.outputs.push_back(Output::Complained(home, refused)),
                    // Whose home nobody knows is told of to nobody.
                    (Err(_), None) => {}
                }
            }
            Input::DeviceGone(device) => {
                self.book.remove_device(&device);
                self.version += 1;
            }
            Input::Placed(exchange, device, here) => {
                let placed = self.book.place(&device, &exchange, here);
                self.told(exchange, placed);
            }
            Input::Connected(device, connected) => {
                // One that is not enrolled has proven nothing, and is not connected.
                let _ = self.book.connected(&device, connected);
            }
            Input::Declined(device, ticket) => self.declined(&device, ticket),
            Input::Asked(request) => self.asked(now, request),
            Input::WhenFree { caller, id, callee } => self.when_free(now, caller, id, callee),
            Input::Said { exchange, caller, id, said } => self.said(now, &exchange, caller, id, said),
            Input::Cancelled(origin, id) => self.cancelled(now, origin, id),
            Input::Claim { exchange, id, number } => self.claim(now, exchange, id, &number),
            Input::Attempted(exchange, number, attempted) => {
                for (waits, attempts) in self.claims.attempted(&exchange, &number, attempted) {
                    let message = Message::Released { number: number.clone(), attempts };
                    self.outputs.push_back(Output::ToExchange(waits, message));
                }
            }
            Input::Free(exchange, number) => self.free(&exchange, &number),
            Input::Timeout => self.timeout(now),
        }
    }

    fn claim(&mut self, now: Now, exchange: ExchangeName, id: RequestId, number: &Number) {
        let again = id == RequestId(0);
        let claimed = self.claims.claim(now.wall, &exchange, number, again);
        if !again {
            let held = claimed.held.map(|until| until.0);
            let message = Message::Claimed { id, held, attempts: claimed.attempts };
            self.outputs.push_back(Output::ToExchange(exchange, message));
        }
    }

    /// Only their home knows.
    fn free(&mut self, exchange: &ExchangeName, number: &Number) {
        if self.book.owner(number).is_some_and(|(_, account)| account.home == *exchange) {
            for other in self.claims.who_tried(number) {
                let message = Message::Free { number: number.clone() };
                self.outputs.push_back(Output::ToExchange(other, message));
            }
        }
    }

    fn account(&mut self, exchange: ExchangeName, name: AccountName, account: Option<Account>) {
        let told = match account {
            Some(account) => self.book.put_account(name, Account { home: exchange.clone(), ..account }),
            None => {
                // Only its home takes an account away.
                if self.book.account(&name).is_some_and(|known| known.home == exchange) {
                    self.book.remove_account(&name);
                }
                Ok(())
            }
        };
        self.told(exchange, told);
    }

    fn told(&mut self, exchange: ExchangeName, result: Result<(), Refused>) {
        match result {
            Ok(()) => self.version += 1,
            Err(refused) => self.outputs.push_back(Output::Complained(exchange, refused)),
        }
    }

    fn changed(&mut self, exchange: ExchangeName) {
        self.version += 1;
        self.outputs.push_back(Output::Changed(exchange));
    }

    // ---- a request

    fn asked(&mut self, now: Now, request: Request) {
        let decided = designate(&self.book, &request);
        self.outputs.push_back(Output::Decided(request.clone(), decided.clone()));
        match decided {
            Ok(decision) => self.designated(now, &request, &decision),
            Err(invalid) => self.answer(&request.origin, refused(request.id, &invalid.to_string())),
        }
    }

    fn designated(&mut self, now: Now, request: &Request, decision: &Decision) {
        match &decision.form {
            Form::Yours => self.answer(&request.origin, Message::Yours { id: request.id }),
            Form::Direct => {
                let dest = request.callee.clone();
                let message = match self.ticket(now.wall, &decision.exchange, request, dest, request.cnf) {
                    Some((address, fingerprint, ticket)) => Message::Designated {
                        id: request.id,
                        exchange: decision.exchange.clone(),
                        address,
                        fingerprint,
                        ticket,
                        why: decision.to_string().into(),
                    },
                    None => refused(request.id, &Invalid::NoExchange.to_string()),
                };
                self.answer(&request.origin, message);
            }
            Form::Wake(devices) => self.wake(now, request, &decision.exchange, devices),
            Form::AskFirst => self.ask(now, request, &decision.exchange),
        }
    }

    /// C11 (S4.16).
    fn ask(&mut self, now: Now, request: &Request, exchange: &ExchangeName) {
        let Origin::Cloud(caller) = &request.origin else { return };
        if self.address(exchange, request.cnf).is_none() {
            return self.answer(
                &request.origin,
                refused(request.id, "the exchange for this call takes no browsers"),
            );
        }
        let Some(account) = self.book.device(caller).map(|device| device.account.clone()) else { return };
        if let Err(why) = self.await_word(now, caller, request.id, exchange) {
            return self.answer(&request.origin, refused(request.id, why));
        }
        let ask = Message::Ask {
            id: request.id,
            caller: caller.clone(),
            account,
            callee: request.callee.clone(),
            session: request.session,
            cnf: request.cnf,
        };
        self.outputs.push_back(Output::ToExchange(exchange.clone(), ask));
    }

    /// What an exchange is asked for a device is not answered yet.
    fn await_word(
        &mut self,
        now: Now,
        caller: &DeviceId,
        id: RequestId,
        exchange: &ExchangeName,
    ) -> Result<(), &'static str> {
        let first = (caller.clone(), RequestId(0));
        let of_caller = self.pending.range(first..).take_while(|((device, _), _)| device == caller).count();
        let key = (caller.clone(), id);
        if of_caller >= limits::ASKED_BY_ONE
            || self.pending.len() >= limits::ASKED
            || self.pending.contains_key(&key)
        {
            return Err("too many calls are asked for");
        }
        let until = now.mono + limits::ASK_PATIENCE;
        self.pending.insert(key, Pending { exchange: exchange.clone(), until });
        self.until.insert((until, caller.clone(), id));
        Ok(())
    }

    /// "Call me when free": whoever has the app is called by their home, where their background calls are kept (S2.1). Nobody
    /// learns where that is.
    fn when_free(&mut self, now: Now, caller: DeviceId, id: RequestId, callee: Number) {
        let asked = self.home_of(&caller, &callee).and_then(|(account, home)| {
            self.await_word(now, &caller, id, &home)?;
            Ok((account, home))
        });
        let output = match asked {
            Ok((account, home)) => {
                Output::ToExchange(home, Message::WhenFree { id, caller, account, callee })
            }
            Err(why) => Output::ToDevice(caller, refused(id, why)),
        };
        self.outputs.push_back(output);
    }

    /// Whose a device is, and the exchange that keeps calling for them.
    fn home_of(
        &self,
        caller: &DeviceId,
        callee: &Number,
    ) -> Result<(AccountName, ExchangeName), &'static str> {
        let account = self.book.device(caller).map(|device| device.account.clone());
        let account = account.ok_or("who asks is no device of this office")?;
        self.book.owner(callee).ok_or("nobody has this number")?;
        let home = self.book.account(&account).map(|known| known.home.clone());
        let home = home.ok_or("nobody keeps calling for whoever has no home in this office")?;
        match self.book.exchange(&home).is_some_and(|known| known.health != Health::Down) {
            true => Ok((account, home)),
            false => Err("the exchange that would keep calling is away"),
        }
    }

    /// C12, C13 (S4.17 to S4.20). Only who was asked answers.
    fn said(&mut self, now: Now, exchange: &ExchangeName, caller: DeviceId, id: RequestId, said: Said) {
        let key = (caller, id);
        let Some(pending) = self.pending.get(&key).filter(|pending| pending.exchange == *exchange) else {
            return;
        };
        self.until.remove(&(pending.until, key.0.clone(), id));
        let to_caller = |message| Output::ToDevice(key.0.clone(), message);
        let message = match said {
            Said::Waiting(place) => {
                let until = now.mono + limits::WAIT_PATIENCE;
                self.until.insert((until, key.0.clone(), id));
                self.outputs.push_back(to_caller(Message::Place { id, place }));
                self.pending.insert(key, Pending { exchange: exchange.clone(), until });
                return;
            }
            Said::Refused(why) => refused(id, &why),
            Said::Kept => Message::Kept { id },
            Said::Accepted(ticket) => match self.address_for_device(exchange, &key.0) {
                Some((address, fingerprint)) => Message::Designated {
                    id,
                    exchange: exchange.clone(),
                    address,
                    fingerprint,
                    ticket,
                    why: "".into(),
                },
                None => refused(id, &Invalid::NoExchange.to_string()),
            },
        };
        self.outputs.push_back(to_caller(message));
        self.pending.remove(&key);
    }

    fn cancelled(&mut self, now: Now, origin: Origin, id: RequestId) {
        let caller = match origin {
            Origin::Cloud(caller) => caller,
            Origin::Exchange(exchange) => return self.let_sleep(now, exchange, id),
        };
        if let Some(pending) = self.pending.remove(&(caller.clone(), id)) {
            self.until.remove(&(pending.until, caller.clone(), id));
            self.outputs.push_back(Output::ToExchange(pending.exchange, Message::Withdrawn { id, caller }));
        }
    }

    fn timeout(&mut self, now: Now) {
        for exchange in self.book.silent(now.mono) {
            self.changed(exchange);
        }
        self.woken.forget(now.mono);
        while let Some((_, caller, id)) = self.until.first().filter(|(at, ..)| *at <= now.mono).cloned() {
            self.cancelled(now, Origin::Cloud(caller.clone()), id);
            self.outputs.push_back(Output::ToDevice(caller, refused(id, "nobody answered in time")));
        }
    }

    // ---- answers

    pub(crate) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    pub(crate) fn answer(&mut self, to: &Origin, message: Message) {
        self.outputs.push_back(match to {
            Origin::Exchange(exchange) => Output::ToExchange(exchange.clone(), message),
            Origin::Cloud(device) => Output::ToDevice(device.clone(), message),
        });
    }

    /// Where an exchange takes who proves so, and who that must prove to be.
    fn address(&self, exchange: &ExchangeName, cnf: Confirmation) -> Option<(Box<str>, Fingerprint)> {
        let known = self.book.exchange(exchange)?;
        let report = known.report.as_ref()?;
        let address = match cnf {
            Confirmation::Tls(_) => &report.address,
            Confirmation::Media(_) if report.web.is_empty() => return None,
            Confirmation::Media(_) => &report.web,
        };
        Some((address.clone(), known.fingerprint))
    }

    fn address_for_device(
        &self,
        exchange: &ExchangeName,
        device: &DeviceId,
    ) -> Option<(Box<str>, Fingerprint)> {
        self.address(exchange, self.book.device(device)?.key?)
    }

    /// A ticket to an exchange, with its address and who it must prove to be.
    pub(crate) fn ticket(
        &mut self,
        now: Wall,
        exchange: &ExchangeName,
        request: &Request,
        dest: Number,
        cnf: Confirmation,
    ) -> Option<(Box<str>, Fingerprint, Ticket)> {
        let (address, fingerprint) = self.address(exchange, cnf)?;
        let mut jti = [0; 16];
        self.rng.fill_bytes(&mut jti);
        let life = i64::try_from(limits::TICKET_LIFE.as_millis()).unwrap_or(i64::MAX);
        let claims = Claims {
            iss: self.name.clone(),
            aud: exchange.clone(),
            jti: TicketId(jti),
            iat: now,
            exp: Wall(now.0.saturating_add(life)),
            orig: request.caller.clone(),
            dest,
            sid: request.session,
            cnf,
        };
        let key = &self.book.exchange(exchange)?.key;
        Some((address, fingerprint, self.issuer.issue(&claims, key)))
    }
}

pub(crate) fn refused(id: RequestId, why: &str) -> Message {
    Message::Refused { id, why: why.into() }
}
