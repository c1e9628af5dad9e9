//! The parts of messages that the transaction layer itself writes: request line and Via, CANCEL and ACK made from an
//! INVITE, the copied head of a response, and where a response goes.

use crate::branch;
use crate::flow::Flow;
use std::net::SocketAddr;
use wire::sip::{HeaderName, Message, Method, Writer};

pub(crate) fn write_request(
    buffer: &mut Vec<u8>,
    flow: Flow,
    method: Method<'_>,
    uri: &str,
    hops: u8,
    branch: &str,
    fill: impl FnOnce(Writer<'_>) -> usize,
) {
    let mut writer = Writer::request(buffer, method, uri);
    // RFC 3581 section 3: always ask for the source port.
    writer.header_fmt(
        HeaderName::Via,
        format_args!("SIP/2.0/{} {};rport;branch={branch}", flow.transport.via_name(), flow.local),
    );
    writer.header_fmt(HeaderName::MaxForwards, format_args!("{hops}"));
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
    writer.copy(response.unwrap_or(invite), HeaderName::To);
    writer.copy(invite, HeaderName::CallId);
    if let Ok(cseq) = invite.cseq() {
        writer.header_fmt(HeaderName::CSeq, format_args!("{} {}", cseq.number, method.as_str()));
    }
    if let Some(reason) = reason {
        writer.header(HeaderName::Reason, reason);
    }
    writer.finish();
}

pub(crate) fn write_response(
    buffer: &mut Vec<u8>,
    request: &Message<'_>,
    flow: Flow,
    status: u16,
    tag: Option<&str>,
    fill: impl FnOnce(Writer<'_>) -> usize,
) {
    let mut writer = Writer::response(buffer, status, wire::sip::default_reason(status));
    write_vias(&mut writer, request, flow.remote);
    writer.copy(request, HeaderName::From);
    match (request.to(), tag) {
        (Ok(to), Some(tag)) if to.tag().is_none() && status > 100 => {
            let value = request.value(HeaderName::To).unwrap_or_default();
            writer.header_parts(HeaderName::To, &[value, b";tag=", tag.as_bytes()]);
        }
        _ => {
            writer.copy(request, HeaderName::To);
        }
    }
    writer.copy(request, HeaderName::CallId);
    writer.copy(request, HeaderName::CSeq);
    // RFC 3261 12.1.1: all Record-Route values of a request that makes a dialog.
    if status < 300 && status > 100 {
        writer.copy(request, HeaderName::RecordRoute);
    }
    fill(writer);
}

/// The Via lines as they came, the topmost with where it really came from (RFC 3261 18.2.1, RFC 3581 4).
fn write_vias(writer: &mut Writer<'_>, request: &Message<'_>, source: SocketAddr) {
    let mut values = request.values(HeaderName::Via);
    let Some(top) = values.next() else { return };
    match request.via() {
        Ok(via) => {
            let text = String::from_utf8_lossy(top);
            writer.header(HeaderName::Via, branch::stamp_via(&text, &via, source));
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
