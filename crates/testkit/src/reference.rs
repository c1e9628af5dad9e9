//! The reference office: what the requirements say that each call may come to (S1.1 to S1.4, S1.10, S1.12 to S1.14).
//!
//! It is told the directory as the store keeps it, and what the phones do; it knows nothing of the exchange's code.
//!
//! * A number belongs to one account; a call to it may ring every device of that account but the one that calls,
//!   and no other device (S1.1, S1.3). It is looked up late: what the directory says while the call is under way
//!   counts as well as what it said at the start (S1.10).
//! * In a calm world, one without faults, every such device that is registered does ring (S1.4).
//! * Nobody is answered whom nobody answered, nobody is busy whom nobody called busy, and a number that always had
//!   an account is never unknown.

use crate::observed::{OfficeId, PhoneId};
use crate::phone::Note;
use clock::Mono;
use exchange::PeopleChange;
use std::collections::{BTreeMap, BTreeSet};

/// The number that answers by itself in every simulated office.
pub const ECHO: &str = "600";
/// What the phones of every simulated office may dial beside numbers; the second kind with a number behind it, too.
const CODES: [&str; 24] = [
    "*40", "*41", "*42", "*44", "*45", "*46", "*47", "*60", "*61", "*63", "*64", "*65", "*67", "*68", "*73",
    "*78", "*79", "*82", "*83", "*84", "*86", "*91", "*93", "*95",
];
const CODES_WITH_NUMBER: [&str; 11] =
    ["*43", "*48", "*49", "*62", "*66", "*72", "*80", "*85", "*90", "*92", "*94"];
/// Those by which somebody answers what rings for another, or elsewhere.
const TAKES: [&str; 5] = ["*63", "*65", "*84", "*85", PARKED];
/// What the numbers begin with at which parked calls wait.
const PARKED: &str = "70";
/// The one that rings the number behind it.
const INTERCOM: &str = "*80";

/// Whether the exchange itself answers.
fn is_service(number: &str) -> bool {
    number == ECHO
        || number.starts_with(PARKED)
        || CODES.contains(&number)
        || CODES_WITH_NUMBER.iter().any(|code| number.starts_with(code))
}

#[derive(Debug, Default)]
struct Directory {
    numbers: BTreeMap<Box<str>, Box<str>>,
    /// Devices at which somebody ever sat, or took a call: calls to them may ring there.
    guests: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    devices: BTreeMap<Box<str>, Box<str>>,
    /// Hunt groups by name: the number, and the members.
    groups: BTreeMap<Box<str>, Members>,
    /// Queues likewise; which of the members rings, and when, is for other checkers.
    queues: BTreeMap<Box<str>, Members>,
    /// Where the calls of a queue's number go that it does not take.
    overflows: BTreeMap<Box<str>, Box<str>>,
}

/// The number of a hunt group or queue, and its members.
type Members = (Box<str>, Vec<Box<str>>);

impl Directory {
    /// Whom a number is for.
    fn owners(&self, number: &str) -> Vec<&str> {
        let shared = || self.groups.values().chain(self.queues.values());
        let group = || shared().find(|(of, _)| **of == *number).map(|(_, members)| members);
        match self.numbers.get(number) {
            Some(account) => vec![account],
            None => {
                let overflow = self.overflows.get(number).and_then(|to| self.numbers.get(to));
                group().into_iter().flatten().chain(overflow).map(|member| &**member).collect()
            }
        }
    }

    fn is_queue(&self, number: &str) -> bool {
        self.queues.values().any(|(of, _)| **of == *number)
    }
}

#[derive(Debug)]
struct Expected {
    office: OfficeId,
    number: Box<str>,
    caller: Box<str>,
    may_ring: BTreeSet<PhoneId>,
    must_ring: BTreeSet<PhoneId>,
    /// The number had no account at some time.
    was_unknown: bool,
    rang: BTreeSet<PhoneId>,
    answered: bool,
    refusals: BTreeSet<u16>,
    ended: bool,
}

/// The reference office.
#[derive(Debug, Default)]
pub struct Reference {
    /// Nothing is lost or broken in this world, and no phone misbehaves.
    pub calm: bool,
    directories: BTreeMap<OfficeId, Directory>,
    /// What one exchange does not have, another may (S4).
    shared: bool,
    phones: BTreeMap<PhoneId, (OfficeId, Box<str>)>,
    registered: BTreeSet<PhoneId>,
    /// Devices that are lines to another exchange.
    lines: BTreeMap<(OfficeId, Box<str>), OfficeId>,
    /// Somebody dialled a code by which calls are taken; such a dialogue may be older than what it takes.
    takes: bool,
    calls: BTreeMap<Box<str>, Expected>,
    /// Calls that an exchange makes by itself, by their session; [`crate::check::Tasks`] looks at them.
    own: BTreeSet<Box<str>>,
    finals: BTreeMap<u16, u64>,
}

impl Reference {
    /// From now on all exchanges are one office.
    pub(crate) fn share_numbers(&mut self) {
        self.shared = true;
    }

    /// A phone stands at an exchange as this device.
    pub fn add_phone(&mut self, phone: PhoneId, office: OfficeId, device: &str) {
        self.phones.insert(phone, (office, device.into()));
    }

    /// A device of one exchange leads to another exchange.
    pub fn add_line(&mut self, office: OfficeId, device: &str, to: OfficeId) {
        self.lines.insert((office, device.into()), to);
    }

    /// How many calls came to which final status.
    #[must_use]
    pub fn finals(&self) -> &BTreeMap<u16, u64> {
        &self.finals
    }

    /// The directory of an exchange changed.
    pub fn directory_changed(&mut self, office: OfficeId, change: &PeopleChange) {
        let directory = self.directories.entry(office).or_default();
        match change {
            PeopleChange::PutNumber { number, account } => {
                directory.numbers.insert(number.clone(), account.clone());
            }
            PeopleChange::RemoveNumber { number } => {
                directory.numbers.remove(number);
            }
            PeopleChange::PutGroup { name, group } => {
                let known = (group.number.clone(), group.members.clone());
                directory.groups.insert(name.clone(), known);
            }
            PeopleChange::RemoveGroup { name } => {
                directory.groups.remove(name);
            }
            PeopleChange::PutQueue { name, queue } => {
                let members = queue.members.iter().map(|member| member.account.clone()).collect();
                directory.queues.insert(name.clone(), (queue.number.clone(), members));
                if let Some(to) = &queue.overflow {
                    directory.overflows.insert(queue.number.clone(), to.clone());
                }
            }
            PeopleChange::RemoveQueue { name } => {
                directory.queues.remove(name);
            }
            PeopleChange::PutDevice { name, device } => {
                directory.devices.insert(name.clone(), device.account.clone());
            }
            PeopleChange::RemoveDevice { name } => {
                directory.devices.remove(name);
                self.registered.retain(|phone| self.phones.get(phone) != Some(&(office, name.clone())));
            }
            _ => return,
        }
        self.look_again();
    }

    /// An exchange makes a call by itself.
    pub fn calls_itself(&mut self, session: &str) {
        self.own.insert(session.into());
    }

    /// Somebody is at a device that may not be their own.
    pub fn is_at(&mut self, office: OfficeId, account: &str, device: &str) {
        let directory = self.directories.entry(office).or_default();
        directory.guests.entry(account.into()).or_default().insert(device.into());
        // Whose talk comes there may be of a number that is another's by now.
        let phones: Vec<PhoneId> = self.phones_at(office, device).collect();
        for call in self.calls.values_mut().filter(|call| call.office == office) {
            call.may_ring.extend(&phones);
        }
        self.look_again();
    }

    /// Somebody of another exchange is at a device: whatever goes on may come there.
    pub fn is_visited(&mut self, office: OfficeId, device: &str) {
        let phones: Vec<PhoneId> = self.phones_at(office, device).collect();
        self.calls.values_mut().for_each(|call| call.may_ring.extend(&phones));
    }

    /// Calls that go on follow the directory (S1.10).
    fn look_again(&mut self) {
        let mut calls = std::mem::take(&mut self.calls);
        // Ended ones too: an INVITE that was lost on the way is repeated until a CANCEL may follow (RFC 3261 9.1).
        for call in calls.values_mut() {
            let (reach, known) = self.reach(call.office, &call.number, &call.caller, 0);
            call.was_unknown |= !known;
            call.must_ring.retain(|phone| reach.contains(phone));
            call.may_ring.extend(reach);
        }
        self.calls = calls;
    }

    /// Whom a call to a number may ring, and whether the number has an account wherever it leads.
    fn reach(&self, office: OfficeId, number: &str, caller: &str, depth: u8) -> (BTreeSet<PhoneId>, bool) {
        if let Some(rest) = number.strip_prefix(INTERCOM) {
            return (self.reach(office, rest, caller, depth).0, true);
        }
        let mut reach = BTreeSet::new();
        let directory = self.directories.get(&office);
        let Some(directory) = directory else { return (reach, is_service(number)) };
        let owners = directory.owners(number);
        if owners.is_empty() {
            let elsewhere = self
                .directories
                .iter()
                .find(|(at, other)| **at != office && !other.owners(number).is_empty());
            return match elsewhere.filter(|_| self.shared && depth == 0) {
                Some((at, _)) => self.reach(*at, number, "", 1),
                None => (reach, is_service(number)),
            };
        }
        let mut known = true;
        for (device, _) in directory.devices.iter().filter(|(_, owner)| owners.contains(&&***owner)) {
            if let Some(&to) = self.lines.get(&(office, device.clone())) {
                if depth < 3 {
                    let (further, known_there) = self.reach(to, number, "", depth + 1);
                    reach.extend(further);
                    known &= known_there;
                }
            } else if **device != *caller || depth > 0 {
                reach.extend(self.phones_at(office, device));
            }
        }
        // A talk comes to phones of either side.
        let calling = directory.devices.get(caller);
        let sides = owners.into_iter().chain(calling.map(|account| &**account));
        for device in sides.filter_map(|of| directory.guests.get(of)).flatten() {
            reach.extend(self.phones_at(office, device));
        }
        (reach, known)
    }

    fn phones_at(&self, office: OfficeId, device: &str) -> impl Iterator<Item = PhoneId> {
        let here = self.phones.iter().filter(move |(_, at)| at.0 == office && *at.1 == *device);
        here.map(|(phone, _)| *phone)
    }

    /// How many lines an exchange has to others.
    #[must_use]
    pub fn lines_of(&self, office: OfficeId) -> usize {
        self.lines.keys().filter(|(at, _)| *at == office).count()
    }

    /// A phone says what it did.
    ///
    /// # Errors
    /// In words, when that may not be.
    pub fn hear(&mut self, at: Mono, phone: PhoneId, note: &Note) -> Result<(), String> {
        let _ = at;
        match note {
            Note::Registered { status } => {
                if *status == 200 {
                    self.registered.insert(phone);
                } else {
                    self.registered.remove(&phone);
                }
                Ok(())
            }
            Note::Calls { session, number } => {
                self.begins(phone, session, number);
                Ok(())
            }
            Note::Rings { session } => self.rings(phone, session),
            Note::Answers { session } => {
                if let Some(call) = self.calls.get_mut(session) {
                    call.answered = true;
                }
                Ok(())
            }
            Note::Refuses { session, status } => {
                if let Some(call) = self.calls.get_mut(session) {
                    call.refusals.insert(*status);
                }
                Ok(())
            }
            Note::Refers { session, number } => {
                self.refers(session, number);
                Ok(())
            }
            Note::Final { session, status } => self.ends(session, *status),
            _ => Ok(()),
        }
    }

    /// A call is sent on: it may ring there as well.
    fn refers(&mut self, session: &str, number: &str) {
        let Some(call) = self.calls.get(session) else { return };
        let (reach, _) = self.reach(call.office, number, "", 0);
        if let Some(call) = self.calls.get_mut(session) {
            call.may_ring.extend(reach);
        }
    }

    fn begins(&mut self, phone: PhoneId, session: &str, number: &str) {
        let Some((office, caller)) = self.phones.get(&phone).cloned() else { return };
        let (may_ring, known) = self.reach(office, number, &caller, 0);
        let was_unknown = !known;
        let queue = self.directories.get(&office).is_some_and(|directory| directory.is_queue(number));
        let must_ring = may_ring.iter().filter(|phone| !queue && self.registered.contains(phone));
        let must_ring = must_ring.copied().collect();
        let call = Expected {
            office,
            number: number.into(),
            caller,
            may_ring,
            must_ring,
            was_unknown,
            rang: BTreeSet::new(),
            // A queue answers whoever waits.
            answered: self.takes || queue,
            refusals: BTreeSet::new(),
            ended: false,
        };
        self.calls.entry(session.into()).or_insert(call);
        if TAKES.iter().any(|code| number.starts_with(code)) {
            self.takes = true;
            // Which of them it takes is for another checker; here it may be any.
            self.calls.values_mut().for_each(|call| call.answered = true);
        }
    }

    fn rings(&mut self, phone: PhoneId, session: &str) -> Result<(), String> {
        if self.own.contains(session) {
            return Ok(());
        }
        let Some(call) = self.calls.get_mut(session) else {
            return Err(format!("phone {phone} rings for a call that nobody made ({session})"));
        };
        call.rang.insert(phone);
        if call.may_ring.contains(&phone) {
            return Ok(());
        }
        Err(format!("phone {phone} rings for number {}, which is not its own (S1.3)", call.number))
    }

    fn ends(&mut self, session: &str, status: u16) -> Result<(), String> {
        *self.finals.entry(status).or_default() += 1;
        let calm = self.calm;
        let Some(call) = self.calls.get_mut(session) else { return Ok(()) };
        call.ended = true;
        let refused = |list: &[u16]| call.refusals.iter().any(|status| list.contains(status));
        let allowed = match status {
            200..300 => call.answered || is_service(&call.number),
            404 => call.was_unknown || refused(&[404, 410, 484, 604]),
            486 => refused(&[486, 600]),
            603 => refused(&[603, 403, 607, 608]),
            488 => refused(&[415, 488, 606]),
            480 => !calm || !call.was_unknown,
            400 | 416 | 420 => false,
            408 => !calm,
            _ => true,
        };
        if !allowed {
            return Err(format!(
                "the call to {} ended in {status}, which nobody said: {call:?}",
                call.number
            ));
        }
        let missed = call.must_ring.difference(&call.rang).next();
        match missed {
            Some(phone) if calm && status != 401 => {
                Err(format!("phone {phone} is registered and did not ring for {} (S1.4)", call.number))
            }
            _ => Ok(()),
        }
    }

    /// The last word.
    ///
    /// # Errors
    /// In words, when a call of a calm world has no end.
    pub fn end(&self) -> Result<(), String> {
        match self.calls.values().find(|call| self.calm && !call.ended) {
            Some(call) => Err(format!("the call to {} never ended", call.number)),
            None => Ok(()),
        }
    }
}
