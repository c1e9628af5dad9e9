//! The scripted phones of `loadgen pure`: each step is asserted, so that what is counted is the whole of a call.

use crate::Failure;
use crate::callee::description;
use crate::login::{Login, number};
use crate::pure::{Office, desks, office};
use std::net::{Ipv4Addr, SocketAddr};
use wire::sip::{Contact, HeaderName, Message, Method, Writer};

/// The port of the phones that are called.
pub(crate) const DESKS: u16 = 5080;
const CALLERS: u16 = 5070;

/// All phones.
pub(crate) struct Phones {
    logins: Vec<Login>,
    turns: u32,
}

impl Phones {
    pub(crate) fn new(count: u32) -> Phones {
        Phones { logins: (0..count).map(|_| Login::default()).collect(), turns: 0 }
    }

    /// REGISTER, 401, REGISTER with credentials, 200.
    pub(crate) fn register(&mut self, office_: &mut Office, user: u32) -> Result<(), Failure> {
        self.turns += 1;
        let (name, address) = (number(user), desks());
        let uri = format!("sip:{}", office());
        let mut login = Login::default();
        for (cseq, wanted) in [(1, 401), (2, 200)] {
            let credentials = login.line(&name, Method::Register, &uri);
            let text = format!(
                "REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bKr{}.{cseq};rport\r\n\
                 Max-Forwards: 70\r\nUser-Agent: bench\r\nFrom: <sip:{name}@{}>;tag=r{}\r\nTo: <sip:{name}@{}>\r\n\
                 Call-ID: r{}-{user}\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:{name}@{address}>\r\nExpires: 600\r\n\
                 {credentials}Content-Length: 0\r\n\r\n",
                self.turns,
                office(),
                self.turns,
                office(),
                self.turns
            );
            office_.datagram(address, text.as_bytes());
            let answer = expect(office_, address, wanted)?;
            login.challenged(&answer);
        }
        Ok(())
    }

    /// INVITE, 401, ACK, INVITE, 100, 180, 200, ACK, BYE, 200, with all that the called phone has to do with it.
    pub(crate) fn call(&mut self, office_: &mut Office, from: u32, to: u32) -> Result<(), Failure> {
        self.turns += 1;
        let script = Script { turn: self.turns, from: number(from), to: number(to) };
        let login = &mut self.logins[from as usize];
        login.forget();
        office_.datagram(callers(), script.invite(1, "").as_bytes());
        let challenge = expect(office_, callers(), 401)?;
        login.challenged(&challenge);
        office_.datagram(callers(), script.acknowledge(&challenge, 1).as_bytes());
        let credentials = login.line(&script.from, Method::Invite, &script.uri());
        office_.datagram(callers(), script.invite(2, &credentials).as_bytes());
        expect(office_, callers(), 100)?;
        let invite = expect_request(office_, Method::Invite)?;
        office_.datagram(desks(), &answer(&invite, 180, self.turns, false)?);
        expect(office_, callers(), 180)?;
        office_.datagram(desks(), &answer(&invite, 200, self.turns, true)?);
        expect_request(office_, Method::Ack)?;
        let ok = expect(office_, callers(), 200)?;
        office_.datagram(callers(), script.in_dialog(&ok, "ACK", 2)?.as_bytes());
        office_.datagram(callers(), script.in_dialog(&ok, "BYE", 3)?.as_bytes());
        expect(office_, callers(), 200)?;
        let bye = expect_request(office_, Method::Bye)?;
        office_.datagram(desks(), &answer(&bye, 200, self.turns, false)?);
        match office_.take() {
            None => Ok(()),
            Some(more) => Err(format!("unexpected: {}", String::from_utf8_lossy(&more.bytes)).into()),
        }
    }
}

fn callers() -> SocketAddr {
    SocketAddr::new(Ipv4Addr::new(192, 0, 2, 2).into(), CALLERS)
}

/// The next message must be this response to this phone.
fn expect(office: &mut Office, phone: SocketAddr, status: u16) -> Result<Vec<u8>, Failure> {
    let sent = office.take().ok_or_else(|| format!("no answer where {status} was due"))?;
    let is = Message::parse(&sent.bytes).ok().and_then(|message| message.status());
    if is != Some(status) || sent.flow.remote != phone {
        return Err(format!("not {status}: {}", String::from_utf8_lossy(&sent.bytes)).into());
    }
    Ok(sent.bytes.to_vec())
}

fn expect_request(office: &mut Office, method: Method<'_>) -> Result<Vec<u8>, Failure> {
    let sent = office.take().ok_or_else(|| format!("no {method} where one was due"))?;
    let fits =
        Message::parse(&sent.bytes).is_ok_and(|message| message.is_request() && message.method() == method);
    if !fits || sent.flow.remote != desks() {
        return Err(format!("not {method}: {}", String::from_utf8_lossy(&sent.bytes)).into());
    }
    Ok(sent.bytes.to_vec())
}

/// The called phone's response.
fn answer(request: &[u8], status: u16, turn: u32, sdp: bool) -> Result<Vec<u8>, Failure> {
    let request = Message::parse(request).map_err(|_| "the exchange sent what nobody can read")?;
    let mut bytes = Vec::new();
    let mut writer = Writer::response(&mut bytes, status, "");
    writer.copy(&request, HeaderName::Via).copy(&request, HeaderName::From);
    let to = request.value(HeaderName::To).unwrap_or_default();
    let tag = format!(";tag=d{turn}");
    let known = request.to().is_ok_and(|to| to.tag().is_some());
    writer.header_parts(HeaderName::To, &[to, if known { b"" } else { tag.as_bytes() }]);
    writer.copy(&request, HeaderName::CallId).copy(&request, HeaderName::CSeq);
    writer.header_fmt(HeaderName::Contact, format_args!("<sip:bench@{}>", desks()));
    if sdp {
        writer.body("application/sdp", description(desks(), 9, None).as_bytes());
    } else {
        writer.finish();
    }
    Ok(bytes)
}

/// What a caller says in one call.
struct Script {
    turn: u32,
    from: String,
    to: String,
}

impl Script {
    fn uri(&self) -> String {
        format!("sip:{}@{}", self.to, office())
    }

    fn head(&self, method: &str, uri: &str, to: &str, cseq: u32, branch: &str) -> String {
        let (turn, from, address) = (self.turn, &self.from, callers());
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bK{turn}.{branch};rport\r\n\
             Max-Forwards: 70\r\nUser-Agent: bench\r\nFrom: <sip:{from}@{}>;tag={turn}x1\r\nTo: {to}\r\n\
             Call-ID: {turn}-{from}\r\nCSeq: {cseq} {method}\r\n",
            office()
        )
    }

    fn invite(&self, cseq: u32, credentials: &str) -> String {
        let (uri, body, address) = (self.uri(), description(callers(), 9, None), callers());
        let head = self.head("INVITE", &uri, &format!("<{uri}>"), cseq, &cseq.to_string());
        format!(
            "{head}Contact: <sip:{}@{address}>\r\n{credentials}Content-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.from,
            body.len()
        )
    }

    /// The ACK to a refusal (RFC 3261 17.1.1.3).
    fn acknowledge(&self, refusal: &[u8], cseq: u32) -> String {
        let head = self.head("ACK", &self.uri(), &to_of(refusal), cseq, &cseq.to_string());
        format!("{head}Content-Length: 0\r\n\r\n")
    }

    fn in_dialog(&self, ok: &[u8], method: &str, cseq: u32) -> Result<String, Failure> {
        let message = Message::parse(ok).map_err(|_| "a 200 that nobody can read")?;
        let Some(Ok(Contact::Addr(contact))) = message.contacts().next() else {
            return Err("a 200 without Contact".into());
        };
        let head = self.head(method, contact.uri, &to_of(ok), cseq, method);
        Ok(format!("{head}Content-Length: 0\r\n\r\n"))
    }
}

fn to_of(message: &[u8]) -> String {
    let message = Message::parse(message).ok();
    let to = message.as_ref().and_then(|message| message.value(HeaderName::To)).unwrap_or_default();
    String::from_utf8_lossy(to).into_owned()
}
