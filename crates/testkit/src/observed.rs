//! What happened at an exchange's doors, one value an event: the trace, and all that the checkers see.

use calls::{CallRecord, PortLease};
use dialing::TaskId;
use exchange::{OpenCall, PeopleChange, StoredBinding};
use media::{LegKey, Source};
use sip::Flow;
use std::fmt;
use wire::sip::{Contact, HeaderName, Message, Method};

/// Which exchange.
pub type OfficeId = usize;
/// Which phone.
pub type PhoneId = usize;

/// One event.
#[derive(Clone, Debug)]
pub enum Observed {
    /// A message that an exchange took or sent.
    Message(Box<Seen>),
    /// Bytes that are no message.
    Noise {
        /// Who took them.
        office: OfficeId,
        /// Their path.
        flow: Flow,
    },
    /// All that one input caused has been seen; with the legs that talk by the exchange's own word, in pairs.
    Settled {
        /// Where.
        office: OfficeId,
        /// The legs of talking calls.
        talking: Vec<(LegKey, LegKey)>,
    },
    /// The exchange tells what changed.
    Event {
        /// Where.
        office: OfficeId,
        /// What.
        event: Box<exchange::Event>,
    },
    /// All that one input caused has been told: the calls that go on, and how many the switch has.
    Live {
        /// Where.
        office: OfficeId,
        /// Calls that are up.
        up: usize,
        /// The list.
        calls: Vec<exchange::LiveCall>,
    },
    /// All that one input caused has been told: queues with a caller whom nobody rings for, beside an agent who is ready.
    Queues {
        /// Where.
        office: OfficeId,
        /// The queue and the agent.
        beside: Vec<(Box<str>, Box<str>)>,
        /// The agents who are reserved to call somebody back, each with the task.
        called_back: Vec<(Box<str>, TaskId)>,
    },
    /// What a leg hears from now on.
    Order {
        /// Where.
        office: OfficeId,
        /// The port of the leg.
        lease: PortLease,
        /// The leg.
        leg: LegKey,
        /// What it hears.
        source: Source,
    },
    /// A leg is gone.
    Released {
        /// Where.
        office: OfficeId,
        /// Its port.
        lease: PortLease,
        /// The leg.
        leg: LegKey,
    },
    /// The store keeps the bindings of a device.
    KeptBindings {
        /// Where.
        office: OfficeId,
        /// Whose.
        device: Box<str>,
        /// All of them.
        bindings: Vec<StoredBinding>,
    },
    /// Something was decided by itself; handed to the store.
    Fact {
        /// Where.
        office: OfficeId,
        /// What.
        fact: Box<exchange::Fact>,
    },
    /// The store keeps a row of a background call.
    KeptTask {
        /// Where.
        office: OfficeId,
        /// The row.
        change: Box<exchange::TaskChange>,
    },
    /// The store keeps a message that waits to be carried to a person.
    KeptMessage {
        /// Where.
        office: OfficeId,
        /// The message.
        message: Box<exchange::OutboxMessage>,
    },
    /// The store keeps who sits at a phone; nobody, if there is no seat.
    KeptSeat {
        /// Where.
        office: OfficeId,
        /// The phone.
        device: Box<str>,
        /// Who sits there.
        seat: Option<exchange::Seat>,
    },
    /// The store keeps a change of the directory.
    KeptPeople {
        /// Where.
        office: OfficeId,
        /// The change.
        change: PeopleChange,
    },
    /// The store knows of a call that goes on.
    KeptOpenCall {
        /// Where.
        office: OfficeId,
        /// The call.
        open: std::sync::Arc<OpenCall>,
    },
    /// A call is over; its record was handed to the store.
    Record {
        /// Where.
        office: OfficeId,
        /// The record.
        record: Box<CallRecord>,
    },
    /// The store keeps a record.
    KeptRecord {
        /// Where.
        office: OfficeId,
        /// The record.
        record: Box<CallRecord>,
    },
    /// There is a connection to another exchange, which proved to be it.
    Reached {
        /// From where.
        office: OfficeId,
        /// The connection.
        flow: Flow,
    },
    /// The store was asked to keep something and could not.
    StoreAway {
        /// Where.
        office: OfficeId,
        /// Commits without an answer.
        waiting: usize,
    },
    /// A phone did something that only it knows.
    Phone {
        /// Which.
        phone: PhoneId,
        /// In words.
        words: String,
    },
    /// An exchange died.
    Died {
        /// Where.
        office: OfficeId,
    },
    /// Chance did something.
    Fault {
        /// In words.
        words: String,
    },
    /// Everybody has been silent for long: what is left in an exchange.
    Quiet(Left),
}

/// What is left in an exchange after a quiet time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Where.
    pub office: OfficeId,
    /// Calls.
    pub calls: usize,
    /// Legs.
    pub legs: usize,
    /// Transactions.
    pub transactions: usize,
    /// Ports in use.
    pub ports: usize,
    /// Registered devices, without the lines to other exchanges.
    pub registered: usize,
    /// Promises without an answer of the store.
    pub promises: bool,
    /// A timer runs that is no registration's.
    pub timers: bool,
}

/// A message, reduced to what the checkers look at.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// At which exchange.
    pub office: OfficeId,
    /// Sent by it.
    pub outgoing: bool,
    /// Its path; `None` only in doctored traces.
    pub flow: Option<Flow>,
    /// The request's method, or that of the request which a response answers.
    pub method: Box<str>,
    /// Zero for requests.
    pub status: u16,
    /// The user of the Request-URI.
    pub user: Box<str>,
    /// Call-ID.
    pub call_id: Box<str>,
    /// From tag.
    pub from_tag: Box<str>,
    /// To tag; empty without one.
    pub to_tag: Box<str>,
    /// CSeq number.
    pub number: u32,
    /// The topmost Via's branch.
    pub branch: Box<str>,
    /// The sender's half of the Session-ID.
    pub session: Box<str>,
    /// Reason.
    pub reason: Box<str>,
    /// The contacts' URIs.
    pub contacts: Vec<Box<str>>,
    /// A hash of the SDP, if there is one.
    pub sdp: Option<u64>,
    /// Bytes.
    pub length: usize,
}

impl Seen {
    /// Reads a message; `None` when it is none.
    #[must_use]
    pub fn of(office: OfficeId, outgoing: bool, flow: Flow, bytes: &[u8]) -> Option<Seen> {
        let message = Message::parse(bytes).ok()?;
        let from = message.from().ok()?;
        let to = message.to().ok()?;
        let text = |name| {
            let value: &[u8] = message.value(name).unwrap_or_default();
            Box::from(String::from_utf8_lossy(value).as_ref())
        };
        let session: Box<str> = text(HeaderName::SessionId);
        let uri = message.request_uri().and_then(|uri| wire::sip::Uri::parse(uri).ok());
        let contacts = message.contacts().filter_map(|contact| match contact {
            Ok(Contact::Addr(addr)) => Some(Box::from(addr.uri)),
            _ => None,
        });
        Some(Seen {
            office,
            outgoing,
            flow: Some(flow),
            method: message.method().as_str().into(),
            status: message.status().unwrap_or(0),
            user: uri.and_then(|uri| uri.user_decoded().map(|user| user.as_ref().into())).unwrap_or_default(),
            call_id: message.call_id().ok()?.into(),
            from_tag: from.tag().unwrap_or_default().into(),
            to_tag: to.tag().unwrap_or_default().into(),
            number: message.cseq().ok()?.number,
            branch: message.via().ok()?.branch.unwrap_or_default().into(),
            session: session.split(';').next().unwrap_or_default().into(),
            reason: text(HeaderName::Reason),
            contacts: contacts.collect(),
            sdp: (!message.body().is_empty()).then(|| mix(0, message.body())),
            length: bytes.len(),
        })
    }

    /// A request with this method.
    #[must_use]
    pub fn is(&self, method: Method<'_>) -> bool {
        self.status == 0 && *self.method == *method.as_str()
    }

    /// A response to a request with this method.
    #[must_use]
    pub fn answers(&self, method: Method<'_>) -> bool {
        self.status != 0 && *self.method == *method.as_str()
    }

    /// An INVITE that begins a dialog.
    #[must_use]
    pub fn begins(&self) -> bool {
        self.is(Method::Invite) && self.to_tag.is_empty()
    }
}

/// Folds bytes into a hash, eight at a time; not for enemies.
#[must_use]
pub(crate) fn mix(hash: u64, bytes: &[u8]) -> u64 {
    let mut hash = hash ^ 0x9E37_79B9_7F4A_7C15;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x2545_F491_4F6C_DD1D).rotate_left(23);
    }
    hash ^ bytes.len() as u64
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = if self.outgoing { "->" } else { "<-" };
        write!(f, "office {} {arrow} ", self.office)?;
        if let Some(flow) = self.flow {
            write!(f, "{flow} ")?;
        }
        match self.status {
            0 => write!(f, "{} {}", self.method, self.user)?,
            status => write!(f, "{status} {}", self.method)?,
        }
        let short = |text: &str| text.chars().take(12).collect::<String>();
        write!(f, " n={} call={} tag={}", self.number, short(&self.call_id), short(&self.to_tag))?;
        if !self.session.is_empty() {
            write!(f, " session={}", short(&self.session))?;
        }
        if self.sdp.is_some() {
            f.write_str(" sdp")?;
        }
        if !self.reason.is_empty() {
            write!(f, " reason={}", self.reason)?;
        }
        Ok(())
    }
}

impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Observed::Message(seen) => seen.fmt(f),
            Observed::Noise { office, flow } => write!(f, "office {office} <- {flow} noise"),
            Observed::Settled { office, talking } => write!(f, "office {office} talking={}", talking.len()),
            Observed::Event { office, event } => {
                write!(f, "office {office} tells {} {}", event.what.kind(), event.what.subject())
            }
            Observed::Live { office, up, .. } => write!(f, "office {office} has {up} calls"),
            Observed::Queues { office, beside, .. } => write!(f, "office {office} lets wait {beside:?}"),
            Observed::Order { office, lease, leg, source } => {
                write!(f, "office {office} order leg={:x} port={} hears={source:?}", leg.0, lease.port)
            }
            Observed::Released { office, lease, leg } => {
                write!(f, "office {office} released leg={:x} port={}", leg.0, lease.port)
            }
            Observed::KeptBindings { office, device, bindings } => {
                write!(f, "office {office} kept bindings of {device}: {}", bindings.len())
            }
            Observed::Fact { office, fact } => {
                write!(f, "office {office} fact {} {}: {}", fact.rule, fact.subject, fact.words)
            }
            Observed::KeptSeat { office, device, seat } => {
                let who = seat.as_ref().map_or("nobody", |seat| &*seat.account);
                write!(f, "office {office} kept that {who} sits at {device}")
            }
            Observed::KeptTask { office, change } => write!(f, "office {office} kept {:?}", change.row),
            Observed::KeptMessage { office, message } => {
                write!(
                    f,
                    "office {office} kept the message {} to {}: {}",
                    message.key, message.account, message.text
                )
            }
            Observed::KeptOpenCall { office, open } => {
                write!(f, "office {office} knows of the call to {}", open.dialled)
            }
            Observed::KeptPeople { office, change } => write!(f, "office {office} kept {change:?}"),
            Observed::Record { office, record } => {
                write!(
                    f,
                    "office {office} record {} -> {}: {} ({}, {})",
                    record.caller.number, record.dialled, record.cause, record.blame, record.status
                )
            }
            Observed::KeptRecord { office, record } => {
                write!(f, "office {office} kept the record of {}", record.dialled)
            }
            Observed::Reached { office, flow } => {
                write!(f, "office {office} reached another exchange by {flow}")
            }
            Observed::StoreAway { office, waiting } => {
                write!(f, "office {office} store away, {waiting} waiting")
            }
            Observed::Phone { phone, words } => write!(f, "phone {phone} {words}"),
            Observed::Died { office } => write!(f, "office {office} died"),
            Observed::Fault { words } => write!(f, "fault {words}"),
            Observed::Quiet(left) => write!(f, "quiet {left:?}"),
        }
    }
}
