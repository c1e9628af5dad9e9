//! The parts of messages that the transaction layer itself writes: request line and Via, CANCEL and ACK made from an
//! INVITE, the head of a response, and where a response goes.

use crate::branch;
use crate::flow::Flow;
use std::net::SocketAddr;
use wire::sip::{HeaderName, Message, Method, Writer};
use wire::text::address;

pub(crate) fn write_request(
    buffer: &mut Vec<u8>,
    (flow, nameless): (Flow, Option<&str>),
    method: Method<'_>,
    uri: &str,
    hops: u8,
    branch: &str,
    fill: impl FnOnce(Writer<'_>) -> usize,
) {
    let mut writer = Writer::request(buffer, method, uri);
    let own = address(flow.local);
    let sent_by = nameless.filter(|_| flow.transport.is_websocket()).unwrap_or(&own);
    // RFC 3581 section 3: always ask for the source port.
    let parts = ["SIP/2.0/", flow.transport.via_name(), " ", sent_by, ";rport;branch=", branch];
    writer.header_strs(HeaderName::Via, &parts);
    writer.header_number(HeaderName::MaxForwards, hops.into());
    fill(writer);
}

/// CANCEL (RFC 3261 9.1) and the ACK of a failure (17.1.1.3): the INVITE's own identity, no body.
pub(crate) fn write_derived(
    buffer: &mut Vec<u8>,
    invite: &Message<'_>,
    method: Method<'_>,
    response: Option<&Message<'_>>,
    reason: Option<&str>,
) {
    let Some(uri) = invite.request_uri() else { return };
    let mut writer = Writer::request(buffer, method, uri);
    writer.copy(invite, HeaderName::Via);
    writer.header(HeaderName::MaxForwards, "70");
    writer.copy(invite, HeaderName::Route);
    writer.copy(invite, HeaderName::From);
    match response {
        Some(response) => writer.copy(response, HeaderName::To),
        None => writer.copy(invite, HeaderName::To),
    };
    writer.copy(invite, HeaderName::CallId);
    if let Ok(cseq) = invite.cseq() {
        writer.cseq(cseq.number, method);
    }
    if let Some(reason) = reason {
        writer.header(HeaderName::Reason, reason);
    }
    writer.finish();
}

/// What all responses to one request have in common, written when the request comes: Via, From, To, Call-ID, CSeq and
/// Record-Route. Nothing else of the request is needed for its answers.
#[derive(Debug)]
pub(crate) struct Head {
    /// `Via From | value of To | Call-ID CSeq | Record-Route`, lines but for To.
    text: Box<[u8]>,
    to_at: usize,
    ids_at: usize,
    routes_at: usize,
    /// To has a tag already.
    tagged: bool,
}

impl Head {
    /// `buffer` is only lent.
    pub(crate) fn of(request: &Message<'_>, source: SocketAddr, buffer: &mut Vec<u8>) -> Head {
        buffer.clear();
        let mut writer = Writer::fragment(buffer);
        write_vias(&mut writer, request, source);
        writer.copy(request, HeaderName::From);
        let to_at = writer.end_fragment();
        buffer.extend_from_slice(request.value(HeaderName::To).unwrap_or_default());
        let ids_at = buffer.len();
        Writer::fragment(buffer).copy(request, HeaderName::CallId).copy(request, HeaderName::CSeq);
        let routes_at = buffer.len();
        Writer::fragment(buffer).copy(request, HeaderName::RecordRoute);
        let tagged = !request.to().is_ok_and(|to| to.tag().is_none());
        Head { text: buffer.as_slice().into(), to_at, ids_at, routes_at, tagged }
    }

    /// One response.
    pub(crate) fn respond(
        &self,
        buffer: &mut Vec<u8>,
        status: u16,
        tag: Option<&str>,
        fill: impl FnOnce(Writer<'_>) -> usize,
    ) {
        buffer.clear();
        let mut writer = Writer::response(buffer, status, wire::sip::default_reason(status));
        writer.lines(&self.text[..self.to_at]);
        let to = &self.text[self.to_at..self.ids_at];
        match tag {
            Some(tag) if !self.tagged && status > 100 => {
                writer.header_parts(HeaderName::To, &[to, b";tag=", tag.as_bytes()]);
            }
            _ => {
                writer.header(HeaderName::To, to);
            }
        }
        // RFC 3261 12.1.1: all Record-Route values of a request that makes a dialog.
        let end = if status < 300 && status > 100 { self.text.len() } else { self.routes_at };
        writer.lines(&self.text[self.ids_at..end]);
        fill(writer);
    }
}

/// The Via lines as they came, the topmost with where it really came from (RFC 3261 18.2.1, RFC 3581 4).
fn write_vias(writer: &mut Writer<'_>, request: &Message<'_>, source: SocketAddr) {
    let mut values = request.values(HeaderName::Via);
    let Some(top) = values.next() else { return };
    match request.via() {
        Ok(via) => {
            writer.header(HeaderName::Via, branch::stamp_via(&via, source));
        }
        Err(_) => {
            writer.header(HeaderName::Via, top);
        }
    }
    for value in values {
        writer.header(HeaderName::Via, value);
    }
}

/// Where a response goes (RFC 3261 18.2.2, RFC 3581 4). Without rport the port of the sent-by is right, unless a
/// NAT stands between: then only the source can be reached.
#[must_use]
pub fn reply_flow(flow: Flow, request: &Message<'_>) -> Flow {
    if flow.transport.reliable() {
        return flow;
    }
    let Ok(via) = request.via() else { return flow };
    let sent_by = via.host.ip();
    if via.rport.is_some() || sent_by != Some(flow.remote.ip()) {
        return flow;
    }
    let port = via.port.unwrap_or_else(|| flow.transport.default_port());
    Flow { remote: SocketAddr::new(flow.remote.ip(), port), ..flow }
}
