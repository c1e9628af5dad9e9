//! Registration bindings of one device: what a REGISTER does to them (RFC 3261 10.3, 3327, 5626).
//!
//! One device is registered by itself, under its own secret, and may hold several bindings: a phone with two
//! flows, a phone that moved and did not clean up. Whose device it is, and who calls it, is not known here.

use crate::flow::{Flow, Transport};
use clock::{Mono, Now, Wall};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use wire::sip::{Contact, HeaderName, Message, NameAddr, Uri};

/// Bindings of one device.
pub const BINDINGS_PER_DEVICE: usize = 8;
/// Bytes of a Contact URI, an instance or the Path values together that are kept.
const TEXT_BYTES: usize = 512;

/// How long registrations live.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// What a phone gets that does not ask.
    pub default: u32,
    /// The shortest; less is refused with 423 and Min-Expires.
    pub least: u32,
    /// The longest; more is cut.
    pub most: u32,
}

impl Default for Lifetimes {
    fn default() -> Lifetimes {
        Lifetimes { default: 300, least: 30, most: 3_600 }
    }
}

/// One binding; `L` says how long it lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding<L = Life> {
    /// The Contact's URI, for the Request-URI of what we send.
    pub contact: Box<str>,
    /// The phone's own name for itself (`+sip.instance`), for replacing instead of adding.
    pub instance: Option<Box<str>>,
    /// Which of the phone's flows this is (RFC 5626); zero without outbound.
    pub reg_id: u32,
    /// Preference in thousandths, 0 to 1000.
    pub q: u16,
    /// Path values, the first hop first (RFC 3327).
    pub path: Vec<Box<str>>,
    /// Where what we send goes.
    pub flow: Flow,
    /// Whether a NAT stands between.
    pub behind_nat: bool,
    /// Lives until.
    pub expires: L,
    /// The last REGISTER's Call-ID and CSeq: an older one of the same call changes nothing.
    pub call_id: Box<str>,
    /// See `call_id`.
    pub sequence: u32,
}

/// A binding as it is kept: until a time of day, padded by half its life because refreshes are written late (R12).
pub type StoredBinding = Binding<Wall>;

/// How long a binding lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Life {
    /// Until then.
    pub until: Mono,
    /// What the store was told; later is told again only by half-life (R12).
    stored_until: Mono,
}

impl<L> Binding<L> {
    /// The same binding with another life.
    fn living<M>(self, expires: M) -> Binding<M> {
        Binding {
            contact: self.contact,
            instance: self.instance,
            reg_id: self.reg_id,
            q: self.q,
            path: self.path,
            flow: self.flow,
            behind_nat: self.behind_nat,
            expires,
            call_id: self.call_id,
            sequence: self.sequence,
        }
    }
}

/// What a REGISTER did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Registered {
    /// It only asked, or repeated what is known and stored: answer at once.
    Unchanged,
    /// It repeated what is known, and what is stored of it runs out soon: answer at once, and store it then (R12).
    Refreshed,
    /// A binding is new, changed or gone: commit before the answer (R12).
    Changed,
}

/// Why a REGISTER is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The request cannot be read: 400.
    Malformed,
    /// Too short a life: 423 with Min-Expires.
    TooBrief,
    /// The contact points at us, at this machine, or at no SIP address: 403.
    Contact,
    /// Too many bindings: 403.
    TooMany,
    /// An older request of the same Call-ID: 500 (RFC 3261 10.3 step 7).
    OutOfOrder,
}

impl Refused {
    /// The response that says so.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Refused::Malformed => 400,
            Refused::TooBrief => 423,
            Refused::Contact | Refused::TooMany => 403,
            Refused::OutOfOrder => 500,
        }
    }
}

/// The bindings of one device.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    list: Vec<Binding>,
}

impl Bindings {
    /// All that live.
    #[must_use]
    pub fn list(&self) -> &[Binding] {
        &self.list
    }

    /// The earliest end of one.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Mono> {
        self.list.iter().map(|binding| binding.expires.until).min()
    }

    /// Drops what has ended; true when something did.
    pub fn expire(&mut self, now: Mono) -> bool {
        let before = self.list.len();
        self.list.retain(|binding| binding.expires.until > now);
        self.list.len() != before
    }

    /// A stream is gone: what was reached by it can be reached no more; true when something was.
    pub fn flow_closed(&mut self, flow: Flow) -> bool {
        let before = self.list.len();
        self.list.retain(|binding| binding.flow != flow);
        self.list.len() != before
    }

    /// Does what a REGISTER asks, all of it or nothing. `ours` are the addresses that we listen on; of streams any transport will do.
    ///
    /// # Errors
    /// [`Refused`]; nothing has changed then.
    pub fn register(
        &mut self,
        now: Now,
        flow: Flow,
        request: &Message<'_>,
        lifetimes: Lifetimes,
        ours: &[(Transport, SocketAddr)],
    ) -> Result<Registered, Refused> {
        let call_id = request.call_id().map_err(|_| Refused::Malformed)?;
        let sequence = request.cseq().map_err(|_| Refused::Malformed)?.number;
        let path = read_path(request)?;
        let mut next = self.list.clone();
        next.retain(|binding| binding.expires.until > now.mono);
        let mut done =
            if next.len() == self.list.len() { Registered::Unchanged } else { Registered::Refreshed };
        for contact in request.contacts() {
            match contact.map_err(|_| Refused::Malformed)? {
                Contact::Star => {
                    // RFC 3261 10.2.2: only together with Expires: 0, and alone.
                    if request.expires() != Some(0) || request.contacts().count() != 1 {
                        return Err(Refused::Malformed);
                    }
                    if !next.is_empty() {
                        done = Registered::Changed;
                    }
                    next.clear();
                }
                Contact::Addr(addr) => {
                    let asked = Asked { now, flow, request, call_id, sequence, path: &path, lifetimes, ours };
                    done = done.max(asked.apply(&mut next, &addr)?);
                }
            }
        }
        if next.len() > BINDINGS_PER_DEVICE {
            return Err(Refused::TooMany);
        }
        // One binding is the rule, and a list that grows takes room for four.
        next.shrink_to_fit();
        self.list = next;
        Ok(done)
    }

    /// Leaves only what is reached by one flow, if something is; true when something went.
    pub fn keep_only(&mut self, flow: Flow) -> bool {
        let before = self.list.len();
        if self.list.iter().any(|binding| binding.flow == flow) {
            self.list.retain(|binding| binding.flow == flow);
        }
        self.list.len() != before
    }

    /// What is to be stored now of what is `ours`; notes that it was.
    pub fn to_store(&mut self, now: Now, ours: impl Fn(Flow) -> bool) -> Vec<StoredBinding> {
        let stored = self.list.iter_mut().filter(|binding| ours(binding.flow)).map(|binding| {
            let left = binding.expires.until.since(now.mono);
            binding.expires.stored_until = binding.expires.until;
            binding.clone().living(now.after(left + left / 2).wall)
        });
        stored.collect()
    }

    /// What is at others from now on, where several elements hold flows of one device. What is `ours` stays, unless the phone
    /// has registered the same with one of them since; returns whether something went so.
    pub fn merge(&mut self, now: Now, others: Vec<StoredBinding>, ours: impl Fn(Flow) -> bool) -> bool {
        self.list.retain(|binding| ours(binding.flow));
        let before = self.list.len();
        let same = |one: &Binding, other: &StoredBinding| match (&one.instance, &other.instance) {
            (Some(one_instance), Some(instance)) => one_instance == instance && one.reg_id == other.reg_id,
            _ => one.contact == other.contact,
        };
        self.list.retain(|binding| !others.iter().any(|other| same(binding, other)));
        let went = self.list.len() != before;
        let room = BINDINGS_PER_DEVICE.saturating_sub(self.list.len());
        self.list.extend(living(now, others).take(room));
        went
    }

    /// What was stored, after a restart. Streams are gone with the process; what was registered by UDP rings at
    /// once (R12).
    #[must_use]
    pub fn restored(now: Now, stored: Vec<StoredBinding>) -> Bindings {
        let datagrams = stored.into_iter().filter(|binding| binding.flow.transport == Transport::Udp);
        Bindings { list: living(now, datagrams.collect()).take(BINDINGS_PER_DEVICE).collect() }
    }
}

/// What still lives of what was stored.
fn living(now: Now, stored: Vec<StoredBinding>) -> impl Iterator<Item = Binding> {
    stored.into_iter().filter(move |binding| binding.expires.0 > now.wall.0).map(move |binding| {
        let left = u64::try_from(binding.expires.0 - now.wall.0).unwrap_or(0);
        let until = now.mono + Duration::from_millis(left);
        binding.living(Life { until, stored_until: until })
    })
}

/// One Contact of a REGISTER, and what it stands in.
struct Asked<'a, 'm> {
    now: Now,
    flow: Flow,
    request: &'a Message<'m>,
    call_id: &'a str,
    sequence: u32,
    path: &'a [Box<str>],
    lifetimes: Lifetimes,
    ours: &'a [(Transport, SocketAddr)],
}

impl Asked<'_, '_> {
    fn apply(&self, list: &mut Vec<Binding>, addr: &NameAddr<'_>) -> Result<Registered, Refused> {
        let uri = addr.uri().map_err(|_| Refused::Malformed)?;
        let instance = addr.param("+sip.instance").flatten().map(unquoted);
        let reg_id = addr.param("reg-id").flatten().and_then(|text| text.parse().ok()).unwrap_or(0);
        let position = list.iter().position(|known| same_binding(known, &uri, instance, reg_id));
        if let Some(known) = position.map(|position| &list[position])
            && *known.call_id == *self.call_id
            && self.sequence <= known.sequence
        {
            return Err(Refused::OutOfOrder);
        }
        let asked = addr.expires().or(self.request.expires()).unwrap_or(self.lifetimes.default);
        if asked == 0 {
            let Some(position) = position else { return Ok(Registered::Unchanged) };
            list.remove(position);
            return Ok(Registered::Changed);
        }
        if asked < self.lifetimes.least {
            return Err(Refused::TooBrief);
        }
        let made = self.binding(addr, &uri, instance, reg_id, asked.min(self.lifetimes.most))?;
        let Some(position) = position else {
            list.push(made);
            return Ok(Registered::Changed);
        };
        let known = &mut list[position];
        let same = known.contact == made.contact && known.flow == made.flow && known.path == made.path;
        // What is stored is padded by half a life, so a refresh in the first half is covered.
        let half = Duration::from_secs(u64::from(asked.min(self.lifetimes.most)) / 2);
        let stored_until = known.expires.stored_until;
        let covered = self.now.mono + half <= stored_until;
        *known = made;
        known.expires.stored_until = stored_until;
        Ok(match (same, covered) {
            (true, true) => Registered::Unchanged,
            (true, false) => Registered::Refreshed,
            (false, _) => Registered::Changed,
        })
    }

    fn binding(
        &self,
        addr: &NameAddr<'_>,
        uri: &Uri<'_>,
        instance: Option<&str>,
        reg_id: u32,
        seconds: u32,
    ) -> Result<Binding, Refused> {
        if !uri.is_sip()
            || addr.uri.len() > TEXT_BYTES
            || instance.is_some_and(|text| text.len() > TEXT_BYTES)
        {
            return Err(Refused::Contact);
        }
        let (flow, behind_nat) = reach(self.flow, self.request, uri, !self.path.is_empty() || reg_id > 0);
        if self.points_at_us(uri, flow) {
            return Err(Refused::Contact);
        }
        Ok(Binding {
            contact: addr.uri.into(),
            instance: instance.map(Box::from),
            reg_id,
            q: addr.q().unwrap_or(1_000),
            path: self.path.to_vec(),
            flow,
            behind_nat,
            expires: Life {
                until: self.now.mono + Duration::from_secs(u64::from(seconds)),
                stored_until: self.now.mono,
            },
            call_id: self.call_id.into(),
            sequence: self.sequence,
        })
    }

    /// R12: a contact at one of our own listeners would make calls loop, one at loopback from outside would reach
    /// whatever runs beside us.
    fn points_at_us(&self, uri: &Uri<'_>, flow: Flow) -> bool {
        let port = uri.port.unwrap_or_else(|| flow.transport.default_port());
        let contact = uri.host.ip().map(|ip| SocketAddr::new(ip, port));
        // A phone beside us may have a port for datagrams whose number is that of a port of ours for streams.
        let ours = |(transport, address): &(Transport, SocketAddr)| {
            let local = |ip: IpAddr| {
                address.ip() == ip
                    || (address.ip().is_unspecified() && (ip == self.flow.local.ip() || ip.is_loopback()))
            };
            let there = |at: SocketAddr| at.port() == address.port() && local(at.ip());
            transport.reliable() == flow.transport.reliable()
                && (contact.is_some_and(there) || there(flow.remote))
        };
        let loopback =
            uri.host.ip().is_some_and(|ip| ip.is_loopback()) && !self.flow.remote.ip().is_loopback();
        loopback || self.ours.iter().any(ours)
    }
}

/// Where requests for a contact go. Streams and flows that the phone keeps open (RFC 5626) are used again; a
/// datagram goes to the contact's address if that is where the phone is, else to where its packets come from.
fn reach(flow: Flow, request: &Message<'_>, uri: &Uri<'_>, keep: bool) -> (Flow, bool) {
    let via_says = request.via().ok().map(|via| {
        let port = via.port.unwrap_or_else(|| flow.transport.default_port());
        (via.host.ip(), port)
    });
    let moved = match via_says {
        Some((Some(ip), port)) => ip != flow.remote.ip() || port != flow.remote.port(),
        _ => false,
    };
    let elsewhere = uri.host.ip() != Some(flow.remote.ip());
    if flow.transport.reliable() {
        let nat = elsewhere && uri.host.ip().is_some();
        return (flow, nat);
    }
    if keep || moved || elsewhere {
        return (flow, moved || (elsewhere && uri.host.ip().is_some()));
    }
    let port = uri.port.unwrap_or_else(|| flow.transport.default_port());
    (Flow { remote: SocketAddr::new(flow.remote.ip(), port), ..flow }, false)
}

/// RFC 5626 5.2: the same instance and reg-id, else the same URI (RFC 3261 10.2.4). A phone with an instance that
/// comes back with a new address replaces its old binding.
fn same_binding(known: &Binding, uri: &Uri<'_>, instance: Option<&str>, reg_id: u32) -> bool {
    match (&known.instance, instance) {
        (Some(known_instance), Some(instance)) => **known_instance == *instance && known.reg_id == reg_id,
        _ => Uri::parse(&known.contact).is_ok_and(|known| known.equivalent(uri)),
    }
}

fn read_path(request: &Message<'_>) -> Result<Vec<Box<str>>, Refused> {
    let mut path = Vec::new();
    let mut bytes = 0;
    for value in request.values(HeaderName::Path) {
        let text = std::str::from_utf8(value).map_err(|_| Refused::Malformed)?;
        NameAddr::parse(HeaderName::Path, value).map_err(|_| Refused::Malformed)?;
        bytes += text.len();
        path.push(Box::from(text));
    }
    if bytes > TEXT_BYTES { Err(Refused::Malformed) } else { Ok(path) }
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "192.0.2.1:5060";
    const STREAMS: &str = "192.0.2.1:5062";

    fn now(seconds: u64) -> Now {
        Now::default().after(Duration::from_secs(1_000 + seconds))
    }

    fn flow(remote: &str) -> Flow {
        Flow::udp(OURS.parse().expect("ours"), remote.parse().expect("an address"))
    }

    struct Phone {
        bindings: Bindings,
        sequence: u32,
    }

    impl Phone {
        fn new() -> Phone {
            Phone { bindings: Bindings::default(), sequence: 0 }
        }

        fn send(&mut self, at: u64, via: &str, from: Flow, lines: &str) -> Result<Registered, Refused> {
            self.sequence += 1;
            let text = format!(
                "REGISTER sip:office SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bK1;rport\r\n\
                 From: <sip:u7@office>;tag=1\r\nTo: <sip:u7@office>\r\nCall-ID: c\r\nCSeq: {} REGISTER\r\n\
                 {lines}Content-Length: 0\r\n\r\n",
                self.sequence
            );
            let message = Message::parse(text.as_bytes()).expect("a request");
            let ours = [
                (Transport::Udp, OURS.parse().expect("ours")),
                (Transport::Tcp, STREAMS.parse().expect("ours")),
            ];
            self.bindings.register(now(at), from, &message, Lifetimes::default(), &ours)
        }
    }

    #[test]
    fn r12_a_refresh_is_free_until_half_life() {
        let mut phone = Phone::new();
        let home = flow("192.0.2.7:5060");
        let lines = "Contact: <sip:u7@192.0.2.7:5060>\r\nExpires: 100\r\n";
        assert_eq!(phone.send(0, "192.0.2.7:5060", home, lines), Ok(Registered::Changed));
        phone.bindings.to_store(now(0), |_| true);
        assert_eq!(phone.send(40, "192.0.2.7:5060", home, lines), Ok(Registered::Unchanged));
        assert_eq!(phone.send(90, "192.0.2.7:5060", home, lines), Ok(Registered::Refreshed));
        assert_eq!(phone.send(91, "192.0.2.7:5060", home, ""), Ok(Registered::Unchanged), "only asked");
    }

    #[test]
    fn a_contact_is_added_replaced_and_removed() {
        let mut phone = Phone::new();
        let home = flow("192.0.2.7:5060");
        let one = "Contact: <sip:u7@192.0.2.7>;+sip.instance=\"<urn:uuid:1>\"\r\n";
        assert_eq!(phone.send(0, "192.0.2.7", home, one), Ok(Registered::Changed));
        let moved = "Contact: <sip:u7@192.0.2.7:5999>;+sip.instance=\"<urn:uuid:1>\"\r\n";
        assert_eq!(phone.send(1, "192.0.2.7", home, moved), Ok(Registered::Changed));
        assert_eq!(phone.bindings.list().len(), 1);
        assert_eq!(phone.bindings.list()[0].flow.remote.port(), 5999, "a contact may name another port");
        let two = "Contact: <sip:u7@192.0.2.7:6000>, <sip:u7@192.0.2.7:6001>;q=0.5\r\n";
        assert_eq!(phone.send(2, "192.0.2.7", home, two), Ok(Registered::Changed));
        assert_eq!(phone.bindings.list().len(), 3);
        let all = "Contact: *\r\nExpires: 0\r\n";
        assert_eq!(phone.send(3, "192.0.2.7", home, "Contact: *\r\n"), Err(Refused::Malformed));
        assert_eq!(phone.send(4, "192.0.2.7", home, all), Ok(Registered::Changed));
        assert!(phone.bindings.list().is_empty());
    }

    #[test]
    fn behind_a_nat_the_way_back_is_where_packets_come_from() {
        let mut phone = Phone::new();
        let outside = flow("198.51.100.9:40001");
        let lines = "Contact: <sip:u7@10.0.0.7:5060>\r\n";
        phone.send(0, "10.0.0.7:5060", outside, lines).expect("registered");
        let binding = &phone.bindings.list()[0];
        assert_eq!((binding.flow.remote, binding.behind_nat), (outside.remote, true));
        // A NAT that keeps the address but not the port.
        let lines = "Contact: <sip:u7@198.51.100.9:5060>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n";
        phone.send(1, "198.51.100.9:5060", outside, lines).expect("registered");
        assert_eq!(phone.bindings.list()[1].flow.remote, outside.remote);
    }

    #[test]
    fn r12_contacts_at_us_or_at_our_loopback_are_refused() {
        let mut phone = Phone::new();
        let outside = flow("192.0.2.7:5060");
        for contact in
            ["sip:x@192.0.2.1:5060", "sip:x@192.0.2.1", "sip:x@127.0.0.1:9", "tel:+123", "mailto:a@b"]
        {
            let lines = format!("Contact: <{contact}>\r\n");
            assert_eq!(phone.send(0, "192.0.2.7", outside, &lines), Err(Refused::Contact), "{contact}");
        }
        let spoofed = flow("192.0.2.1:5060");
        let lines = "Contact: <sip:x@192.0.2.9>\r\n";
        assert_eq!(phone.send(0, "192.0.2.7", spoofed, lines), Err(Refused::Contact));
        assert!(phone.bindings.list().is_empty());
        // A phone on this machine, whose port for datagrams has the number of one of ours for streams.
        let beside = format!("Contact: <sip:u7@{STREAMS}>\r\n");
        assert!(phone.send(0, STREAMS, flow(STREAMS), &beside).is_ok());
        let stream = Flow { transport: Transport::Tcp, ..outside };
        assert_eq!(phone.send(1, "192.0.2.7", stream, &beside), Err(Refused::Contact));
    }

    #[test]
    fn bounds_order_and_expiry() {
        let mut phone = Phone::new();
        let home = flow("192.0.2.7:5060");
        let many: String = (0..9).map(|n| format!("Contact: <sip:u7@192.0.2.7:{}>\r\n", 6_000 + n)).collect();
        assert_eq!(phone.send(0, "192.0.2.7", home, &many), Err(Refused::TooMany));
        let brief = "Contact: <sip:u7@192.0.2.7>\r\nExpires: 5\r\n";
        assert_eq!(phone.send(0, "192.0.2.7", home, brief), Err(Refused::TooBrief));
        let one = "Contact: <sip:u7@192.0.2.7>;expires=60\r\n";
        phone.send(0, "192.0.2.7", home, one).expect("registered");
        phone.sequence = 1;
        assert_eq!(phone.send(1, "192.0.2.7", home, one), Err(Refused::OutOfOrder));
        let stored = phone.bindings.to_store(now(0), |_| true);
        assert_eq!(Bindings::restored(now(80), stored.clone()).list().len(), 1, "padded by half a life");
        assert_eq!(Bindings::restored(now(91), stored).list().len(), 0);
        assert!(!phone.bindings.expire(now(59).mono));
        assert!(phone.bindings.expire(now(60).mono));
    }

    /// R24, R28: two flows of one phone, each by another element's door; and one that moved from ours to another's.
    #[test]
    fn what_is_at_others_comes_to_what_is_ours() {
        let mut phone = Phone::new();
        let home = flow("192.0.2.7:5060");
        let first = "Contact: <sip:u7@192.0.2.7>;+sip.instance=\"<urn:x>\";reg-id=1;expires=60\r\n";
        phone.send(0, "192.0.2.7", home, first).expect("registered");
        let ours = |other: Flow| other == home;
        let stored = phone.bindings.to_store(now(0), ours);
        let at = |reg_id: u32| {
            let flow = Flow { transport: Transport::Tcp, ..flow("192.0.2.7:40000") };
            StoredBinding { reg_id, flow, ..stored[0].clone() }
        };
        assert!(!phone.bindings.merge(now(1), vec![at(2)], ours), "another flow takes nothing from ours");
        assert_eq!(phone.bindings.list().len(), 2);
        assert_eq!(phone.bindings.to_store(now(1), ours).len(), 1, "theirs is theirs to store");
        assert!(!phone.bindings.merge(now(1), Vec::new(), ours));
        assert_eq!(phone.bindings.list().len(), 1, "it left there");
        assert!(phone.bindings.merge(now(1), vec![at(1)], ours), "the same flow, at another's door now");
        assert_eq!(
            phone.bindings.list().iter().map(|binding| binding.flow).collect::<Vec<_>>(),
            [at(1).flow]
        );
        assert!(!phone.bindings.merge(now(3_600), vec![at(1)], ours));
        assert!(phone.bindings.list().is_empty(), "what is over is not taken");
    }
}
