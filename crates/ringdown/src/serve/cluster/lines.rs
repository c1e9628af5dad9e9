//! What exchanges over one store say to each other: one line of text a message.
//!
//! ```text
//! in TRANSPORT LOCAL REMOTE BASE64     came by the sender's door, and is for us
//! out TRANSPORT LOCAL REMOTE BASE64    is for somebody at our door
//! gone TRANSPORT LOCAL REMOTE          nobody is there any more, at the sender's door
//! calls JSON                           what happened to the sender's calls
//! all                                  the sender wants to know all calls of ours
//! name JSON                            a phone that watches there may answer a call of ours by this name
//! take JSON                            somebody is at a phone: what rings for them at ours, or their talk, comes there
//! end JSON                             a call of ours is to end
//! web JSON                             web phones at the sender
//! look                                 the store has something of the sender: a hint, which may be lost
//! stands JSON                          how the sender is, for a map of the office
//! copy JWS                             the directory's copy; the sender has the connection to it
//! health JSON                          how all exchanges of the directory are, by its word
//! listen, silent                       users of the sender hear live events, or none do
//! event JSON, missed                   a live event that only the sender knows; or that some were lost
//! ask N JSON                           something for what ours keeps
//! answer N JSON                        what became of a question of ours
//! ping, pong                           each second, to find out that a network is split
//! ```

use super::{Relayed, Told};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use calls::{Cause, Party};
use clock::Wall;
use exchange::cluster::{
    CallNews, CallPlace, ClusterInput, Standing, ToldCall, ToldEnd, ToldSide, ToldWebPhone,
};
use exchange::{CallName, CallState, Means};
use serde::{Deserialize, Serialize};
use sip::subscription::DialogState;
use sip::{Flow, Transport};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::num::NonZeroU8;
use std::sync::Arc;

/// A message by a flow.
pub(super) fn message(what: &str, flow: Flow, bytes: &[u8]) -> String {
    format!("{what} {} {} {} {}", flow.transport.name(), flow.local, flow.remote, BASE64.encode(bytes))
}

/// Nobody is there any more.
pub(super) fn gone(flow: Flow) -> String {
    format!("gone {} {} {}", flow.transport.name(), flow.local, flow.remote)
}

/// What happened to our calls.
pub(super) fn calls(news: &CallNews) -> String {
    said("calls", &News::of(news))
}

/// The store has something of ours.
pub(super) fn look() -> String {
    "look".into()
}

/// All calls are asked for.
pub(super) fn all() -> String {
    "all".into()
}

/// A phone may answer a call by this name.
pub(super) fn name(call: u64, watch: u64, device: &str, name: &str) -> String {
    said("name", &Name { call, watch, device: device.into(), name: name.into() })
}

/// Somebody is at a phone.
pub(super) fn take(account: &str, device: &str, means: Means) -> String {
    said("take", &Take { account: account.into(), device: device.into(), means: means.name().into() })
}

/// Something is asked that the other keeps.
pub(super) fn ask(number: u64, text: &str) -> String {
    format!("ask {number} {text}")
}

/// What became of that.
pub(super) fn answer(number: u64, text: &str) -> String {
    format!("answer {number} {text}")
}

/// Web phones here, and perhaps the names of all.
pub(super) fn web(all: Option<&Vec<Box<str>>>, phones: &[ToldWebPhone]) -> String {
    said("web", &Web { all: all.cloned(), phones: phones.iter().map(WebPhone::of).collect() })
}

/// How this one is.
pub(super) fn stands(standing: &Standing) -> String {
    said("stands", &Stands::of(standing))
}

/// What the directory told us.
pub(super) fn relayed(relayed: &Relayed) -> String {
    match relayed {
        Relayed::Copy(text) => format!("copy {text}"),
        Relayed::Health(health) => said("health", health),
    }
}

/// Somebody hears live events here, or nobody does.
pub(super) fn listens(on: bool) -> String {
    if on { "listen" } else { "silent" }.into()
}

/// A live event; without one, that some were missed.
pub(super) fn event(event: Option<&str>) -> String {
    event.map_or_else(|| "missed".into(), |event| format!("event {event}"))
}

/// A call is to end.
pub(super) fn end(call: &CallName, who: &str) -> String {
    said("end", &End { call: call.to_string(), who: who.into() })
}

fn said(what: &str, shape: &impl Serialize) -> String {
    // Strings, numbers and lists of them: there is nothing that JSON cannot hold.
    format!("{what} {}", serde_json::to_string(shape).unwrap_or_default())
}

/// What a line says that came from one; `None` for what makes no sense.
pub(super) fn read(from: NonZeroU8, line: &str) -> Option<Told> {
    let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
    let said = match what {
        "calls" => ClusterInput::Calls { from, news: serde_json::from_str::<News>(rest).ok()?.news()? },
        "all" => ClusterInput::TellAll(from),
        "name" => {
            let Name { call, watch, device, name } = serde_json::from_str(rest).ok()?;
            ClusterInput::MayPickUp { from, call, watch, device, name }
        }
        "take" => {
            let Take { account, device, means } = serde_json::from_str(rest).ok()?;
            let means = Means::ALL.into_iter().find(|known| known.name() == means)?;
            ClusterInput::Take { account, device, means }
        }
        "end" => {
            let End { call, who } = serde_json::from_str(rest).ok()?;
            ClusterInput::HangUp { call: call.parse().ok()?, who: who.into() }
        }
        "web" => {
            let Web { all, phones } = serde_json::from_str(rest).ok()?;
            let phones = phones.into_iter().map(WebPhone::phone).collect::<Option<_>>()?;
            ClusterInput::WebPhones { from, all, phones }
        }
        "stands" => {
            ClusterInput::Stands { of: from, standing: serde_json::from_str::<Stands>(rest).ok()?.standing() }
        }
        "listen" | "silent" => return Some(Told::Listens(from, what == "listen")),
        "look" => return Some(Told::Look),
        "copy" => return Some(Told::Relayed(Relayed::Copy(rest.into()))),
        "health" => return Some(Told::Relayed(Relayed::Health(serde_json::from_str(rest).ok()?))),
        "missed" => return Some(Told::Heard(None)),
        "event" => return Some(Told::Heard(Some(rest.to_owned()))),
        "ask" | "answer" => {
            let (number, text) = rest.split_once(' ')?;
            let (number, text) = (number.parse().ok()?, text.to_owned());
            return Some(match what {
                "ask" => Told::Asked(from, number, text),
                _ => Told::Answered(from, number, text),
            });
        }
        _ => return read_message(from, what, rest),
    };
    Some(Told::Said(said))
}

fn read_message(from: NonZeroU8, what: &str, rest: &str) -> Option<Told> {
    let mut words = rest.split(' ');
    let name = words.next()?;
    let transport = Transport::ALL.into_iter().find(|known| known.name() == name)?;
    let (local, remote) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let flow = Flow { transport, local, remote, connection: 0 };
    let bytes = words.next().map(|text| BASE64.decode(text));
    match (what, bytes, words.next()) {
        ("in", Some(Ok(bytes)), None) => {
            Some(Told::Said(ClusterInput::Carried { flow, bytes: Arc::from(bytes) }))
        }
        ("out", Some(Ok(bytes)), None) => Some(Told::Out(from, flow, bytes.into())),
        ("gone", None, None) => Some(Told::Said(ClusterInput::Gone(flow))),
        _ => None,
    }
}

#[derive(Serialize, Deserialize)]
struct Name {
    call: u64,
    watch: u64,
    device: Box<str>,
    name: Box<str>,
}

#[derive(Serialize, Deserialize)]
struct Take {
    account: Box<str>,
    device: Box<str>,
    means: String,
}

#[derive(Serialize, Deserialize)]
struct End {
    call: String,
    who: String,
}

#[derive(Serialize, Deserialize)]
struct Web {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    all: Option<Vec<Box<str>>>,
    phones: Vec<WebPhone>,
}

#[derive(Serialize, Deserialize)]
struct WebPhone {
    device: Box<str>,
    account: Option<Box<str>>,
    way: Option<Way>,
}

#[derive(Serialize, Deserialize)]
struct Way {
    contact: Box<str>,
    transport: String,
    local: SocketAddr,
    remote: SocketAddr,
    expires: i64,
}

impl WebPhone {
    fn of(phone: &ToldWebPhone) -> WebPhone {
        let ToldWebPhone { device, account, way } = phone.clone();
        let way = way.map(|(contact, flow, expires)| Way {
            contact,
            transport: flow.transport.name().into(),
            local: flow.local,
            remote: flow.remote,
            expires: expires.0,
        });
        WebPhone { device, account, way }
    }

    fn phone(self) -> Option<ToldWebPhone> {
        let WebPhone { device, account, way } = self;
        let way = match way {
            Some(Way { contact, transport, local, remote, expires }) => {
                let transport = Transport::ALL.into_iter().find(|known| known.name() == transport)?;
                Some((contact, Flow { transport, local, remote, connection: 0 }, Wall(expires)))
            }
            None => None,
        };
        Some(ToldWebPhone { device, account, way })
    }
}

#[derive(Serialize, Deserialize)]
struct Stands {
    name: Box<str>,
    address: Box<str>,
    version: Box<str>,
    load: u16,
    draining: bool,
    phones: u32,
    calls: BTreeMap<Box<str>, u32>,
    #[serde(default)]
    registered: BTreeSet<Box<str>>,
}

impl Stands {
    fn of(standing: &Standing) -> Stands {
        let Standing { name, address, version, load, draining, phones, calls, registered, .. } =
            standing.clone();
        Stands { name, address, version, load, draining, phones, calls, registered }
    }

    fn standing(self) -> Standing {
        let Stands { name, address, version, load, draining, phones, calls, registered } = self;
        let between_sites = BTreeMap::new();
        Standing { name, address, version, load, draining, phones, calls, registered, between_sites }
    }
}

#[derive(Serialize, Deserialize)]
struct News {
    number: u64,
    whole: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changed: Vec<Call>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ended: Vec<Over>,
}

#[derive(Serialize, Deserialize)]
struct Call {
    number: u64,
    session_id: String,
    state: String,
    dialog: String,
    caller: Side,
    callee: Side,
    started: i64,
    answered: Option<i64>,
    emergency: bool,
    trunk: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payer: Option<Box<str>>,
    at: String,
    /// The group, the queue, or the number at which it waits.
    within: Option<Box<str>>,
    rings_for: Vec<Box<str>>,
}

#[derive(Serialize, Deserialize)]
struct Side {
    number: String,
    name: String,
    account: Option<Box<str>>,
    device: Option<Box<str>>,
}

#[derive(Serialize, Deserialize)]
struct Over {
    number: u64,
    ended: i64,
    cause: String,
    blame: String,
    status: u16,
}

impl News {
    fn of(news: &CallNews) -> News {
        News {
            number: news.number,
            whole: news.whole,
            changed: news.changed.iter().map(Call::of).collect(),
            ended: news.ended.iter().map(Over::of).collect(),
        }
    }

    fn news(self) -> Option<CallNews> {
        Some(CallNews {
            number: self.number,
            whole: self.whole,
            changed: self.changed.into_iter().map(Call::call).collect::<Option<_>>()?,
            ended: self.ended.into_iter().map(Over::end).collect::<Option<_>>()?,
        })
    }
}

impl Call {
    fn of(call: &ToldCall) -> Call {
        let (at, within) = match &call.at {
            CallPlace::Service => ("service", None),
            CallPlace::Person => ("person", None),
            CallPlace::Group(name) => ("group", Some(name.clone())),
            CallPlace::Queue(name) => ("queue", Some(name.clone())),
            CallPlace::Parked(number) => ("parked", Some(number.clone())),
        };
        Call {
            number: call.number,
            session_id: call.session_id.to_string(),
            state: call.state.name().into(),
            dialog: call.dialog.name().into(),
            caller: Side::of(&call.caller),
            callee: Side::of(&call.callee),
            started: call.started.0,
            answered: call.answered.map(|answered| answered.0),
            emergency: call.emergency,
            trunk: call.trunk.clone(),
            payer: call.payer.clone(),
            at: at.into(),
            within,
            rings_for: call.rings_for.clone(),
        }
    }

    fn call(self) -> Option<ToldCall> {
        Some(ToldCall {
            number: self.number,
            session_id: self.session_id.into(),
            state: CallState::ALL.into_iter().find(|known| known.name() == self.state)?,
            dialog: DialogState::ALL.into_iter().find(|known| known.name() == self.dialog)?,
            caller: self.caller.side(),
            callee: self.callee.side(),
            started: Wall(self.started),
            answered: self.answered.map(Wall),
            emergency: self.emergency,
            trunk: self.trunk,
            payer: self.payer,
            at: match (&*self.at, self.within) {
                ("service", None) => CallPlace::Service,
                ("person", None) => CallPlace::Person,
                ("group", Some(name)) => CallPlace::Group(name),
                ("queue", Some(name)) => CallPlace::Queue(name),
                ("parked", Some(number)) => CallPlace::Parked(number),
                _ => return None,
            },
            rings_for: self.rings_for,
        })
    }
}

impl Side {
    fn of(side: &ToldSide) -> Side {
        let (number, name) = (side.party.number.to_string(), side.party.name.to_string());
        Side { number, name, account: side.account.clone(), device: side.device.clone() }
    }

    fn side(self) -> ToldSide {
        let party = Party { number: self.number.into(), name: self.name.into() };
        ToldSide { party, account: self.account, device: self.device }
    }
}

impl Over {
    fn of(end: &ToldEnd) -> Over {
        let (cause, blame) = (end.cause.name().into(), end.cause.blame().name().into());
        Over { number: end.number, ended: end.ended.0, cause, blame, status: end.status }
    }

    fn end(self) -> Option<ToldEnd> {
        let same = |cause: &Cause| cause.name() == self.cause && cause.blame().name() == self.blame;
        let cause = Cause::ALL.into_iter().find(same)?;
        Some(ToldEnd { number: self.number, ended: Wall(self.ended), cause, status: self.status })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::directory::{ExchangeName, Health, Named as _, SiteHealth};
    use calls::CallId;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let flow = Flow {
            transport: Transport::Tls,
            local: "192.0.2.1:5061".parse().expect("an address"),
            remote: "[2001:db8::7]:40000".parse().expect("an address"),
            connection: 0,
        };
        let from = NonZeroU8::MIN;
        match read(from, &message("out", flow, b"OPTIONS\r\n\xff")) {
            Some(Told::Out(by, at, bytes)) => {
                assert_eq!((by, at, &*bytes), (from, flow, &b"OPTIONS\r\n\xff"[..]));
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(
            read(from, "gone udp 192.0.2.1:5060 192.0.2.7:5060"),
            Some(Told::Said(ClusterInput::Gone(_)))
        ));
        for wrong in [
            "",
            "in",
            "calls",
            "calls {}",
            "name {}",
            "end {\"call\":\"x\",\"who\":\"y\"}",
            "in udp 192.0.2.1:5060 192.0.2.7:5060",
            "in smoke 192.0.2.1:5060 192.0.2.7:5060 AAAA",
            "in udp 192.0.2.1 192.0.2.7:5060 AAAA",
            "in udp 192.0.2.1:5060 192.0.2.7:5060 %%%%",
            "in udp 192.0.2.1:5060 192.0.2.7:5060 AAAA more",
            "gone udp 192.0.2.1:5060 192.0.2.7:5060 AAAA",
        ] {
            assert!(read(from, wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn calls_are_read_as_they_were_told() {
        let side = |account: Option<&str>| ToldSide {
            party: Party::new("2001", "Ada \"of\"\n the\u{7} north"),
            account: account.map(Box::from),
            device: account.map(|account| format!("{account}-desk").into()),
        };
        let places = [
            CallPlace::Service,
            CallPlace::Person,
            CallPlace::Group("sales".into()),
            CallPlace::Queue("help".into()),
            CallPlace::Parked("7001".into()),
        ];
        let changed = places.into_iter().enumerate().map(|(place, at)| ToldCall {
            number: 1 << 32 | place as u64,
            session_id: "0a".repeat(16).into(),
            state: CallState::ALL[place % 3],
            dialog: DialogState::ALL[place % 4],
            caller: side(Some("ada")),
            callee: side(None),
            started: Wall(1_796_004_000_123),
            answered: (place == 2).then_some(Wall(1_796_004_001_000)),
            emergency: place == 3,
            trunk: (place == 1).then(|| "city".into()),
            payer: (place == 1).then(|| "cleo".into()),
            at,
            rings_for: vec!["bela".into(), "cleo".into()],
        });
        let ended =
            Cause::ALL.into_iter().map(|cause| ToldEnd { number: 7, ended: Wall(9), cause, status: 487 });
        let news = CallNews { number: 3, whole: true, changed: changed.collect(), ended: ended.collect() };
        match read(NonZeroU8::MIN, &calls(&news)) {
            Some(Told::Said(ClusterInput::Calls { from, news: heard })) => {
                assert_eq!((from, heard), (NonZeroU8::MIN, news));
            }
            other => panic!("{other:?}"),
        }
        let call = CallName { session_id: "0a".repeat(16).into(), call: CallId::of_number(1 << 32 | 5) };
        match read(NonZeroU8::MIN, &end(&call, "the admin")) {
            Some(Told::Said(ClusterInput::HangUp { call: heard, who })) => {
                assert_eq!((heard, &*who), (call, "the admin"));
            }
            other => panic!("{other:?}"),
        }
        match read(NonZeroU8::MIN, &name(1, 2, "desk", "a b")) {
            Some(Told::Said(ClusterInput::MayPickUp { call: 1, watch: 2, device, name, .. })) => {
                assert_eq!((&*device, &*name), ("desk", "a b"));
            }
            other => panic!("{other:?}"),
        }
        match (read(NonZeroU8::MIN, &ask(7, "{\"a\": 1}")), read(NonZeroU8::MIN, &answer(8, "x y"))) {
            (Some(Told::Asked(_, 7, asked)), Some(Told::Answered(_, 8, answered))) => {
                assert_eq!((&*asked, &*answered), ("{\"a\": 1}", "x y"));
            }
            other => panic!("{other:?}"),
        }
        let flow = Flow {
            transport: Transport::Wss,
            local: "192.0.2.1:443".parse().expect("an address"),
            remote: "192.0.2.9:50000".parse().expect("an address"),
            connection: 0,
        };
        let phones = vec![
            ToldWebPhone {
                device: "web-1".into(),
                account: Some("ada".into()),
                way: Some(("sip:x@y.invalid;transport=ws".into(), flow, Wall(7))),
            },
            ToldWebPhone { device: "web-2".into(), account: None, way: None },
        ];
        for all in [None, Some(vec!["web-1".into()])] {
            match read(NonZeroU8::MIN, &web(all.as_ref(), &phones)) {
                Some(Told::Said(ClusterInput::WebPhones { all: heard_all, phones: heard, .. })) => {
                    assert_eq!((heard_all, heard), (all, phones.clone()));
                }
                other => panic!("{other:?}"),
            }
        }
        let standing = Standing {
            name: "north".into(),
            address: "192.0.2.1:5070".into(),
            version: "1".into(),
            load: 7,
            draining: true,
            phones: 9,
            calls: [("south".into(), 3)].into(),
            registered: ["city".into()].into(),
            between_sites: BTreeMap::new(),
        };
        match read(NonZeroU8::MIN, &stands(&standing)) {
            Some(Told::Said(ClusterInput::Stands { of, standing: heard })) => {
                assert_eq!((of, heard), (NonZeroU8::MIN, standing));
            }
            other => panic!("{other:?}"),
        }
        let up = SiteHealth {
            exchange: ExchangeName::parse("coast").expect("a name"),
            health: Health::Up,
            region: "the sea".into(),
            version: "1".into(),
            load: 7,
            calls: [].into(),
        };
        for relayed in [Relayed::Copy("a.b.c".into()), Relayed::Health(vec![up]), Relayed::Health(vec![])] {
            match read(NonZeroU8::MIN, &super::relayed(&relayed)) {
                Some(Told::Relayed(heard)) => assert_eq!(heard, relayed),
                other => panic!("{other:?}"),
            }
        }
        for on in [true, false] {
            let heard = read(NonZeroU8::MIN, &listens(on));
            assert!(matches!(heard, Some(Told::Listens(NonZeroU8::MIN, told)) if told == on), "{heard:?}");
        }
        assert!(matches!(read(NonZeroU8::MIN, &event(None)), Some(Told::Heard(None))));
        match read(NonZeroU8::MIN, &event(Some("{\"a\": \"b c\"}"))) {
            Some(Told::Heard(Some(heard))) => assert_eq!(heard, "{\"a\": \"b c\"}"),
            other => panic!("{other:?}"),
        }
        for means in Means::ALL {
            match read(NonZeroU8::MIN, &take("ada", "desk", means)) {
                Some(Told::Said(ClusterInput::Take { account, device, means: heard })) => {
                    assert_eq!((&*account, &*device, heard), ("ada", "desk", means));
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(matches!(read(NonZeroU8::MIN, &all()), Some(Told::Said(ClusterInput::TellAll(_)))));
    }
}
