//! Requests of ours inside a dialog: sent, answered to challenges, and their outcome sent to who asked.

use super::call::{Call, Stage};
use super::{AGENT, ALLOW, Agent, Owner, SDP, SUPPORTED};
use crate::limits::TRIES;
use crate::words::{CallId, Cause};
use clock::Now;
use media::Direction;
use sip::session_timer::{Agreement, Refresher};
use sip::{ClientKey, Dialog, Flow, Transport};
use std::net::SocketAddr;
use wire::sip::{HeaderName, Message, Method, Uri, Writer};

/// What a request of ours is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A re-INVITE that holds, or ends a hold.
    Hold(bool),
    /// A re-INVITE that changes nothing: a sign of life (RFC 4028).
    Refresh,
    /// The end.
    Bye,
    /// A key press (INFO).
    Key(char),
    /// The far side shall go on elsewhere (REFER).
    Refer,
}

/// A request that waits for its answer.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) client: ClientKey,
    pub(super) purpose: Purpose,
    body: Option<Vec<u8>>,
    tries: u8,
}

impl Purpose {
    pub(super) fn is_invite(self) -> bool {
        matches!(self, Purpose::Hold(_) | Purpose::Refresh)
    }

    fn method(self) -> Method<'static> {
        match self {
            Purpose::Hold(_) | Purpose::Refresh => Method::Invite,
            Purpose::Bye => Method::Bye,
            Purpose::Key(_) => Method::Info,
            Purpose::Refer => Method::Refer,
        }
    }

    fn content_type(self) -> &'static str {
        if let Purpose::Key(_) = self { "application/dtmf-relay" } else { SDP }
    }
}

impl Agent {
    /// Sends a request inside the dialog of a call.
    pub(super) fn ask(&mut self, now: Now, id: CallId, purpose: Purpose) {
        let codecs = self.config.codecs.clone();
        let Some(call) = self.calls.get_mut(&id) else { return };
        let body = match purpose {
            Purpose::Hold(hold) => Some(call.media.offer(&codecs, direction(hold))),
            // RFC 4028 7.4: unchanged, the o= version too.
            Purpose::Refresh => call.media.current_sdp().map(<[u8]>::to_vec),
            Purpose::Bye | Purpose::Refer => None,
            Purpose::Key(key) => Some(format!("Signal={key}\r\nDuration=160\r\n").into_bytes()),
        };
        self.send(now, id, purpose, body, None, 0);
    }

    fn send(
        &mut self,
        now: Now,
        id: CallId,
        purpose: Purpose,
        body: Option<Vec<u8>>,
        credentials: Option<(HeaderName, String)>,
        tries: u8,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let sequence = call.dialog.next_sequence();
        let (dialog, flow, agreement) =
            (call.dialog.clone(), next_hop(&call.dialog, call.flow), call.agreement);
        let refer_to = call.refer_to(purpose, sequence);
        let contact = self.contact(flow);
        let method = purpose.method();
        let client = self.endpoint.request(
            now.mono,
            flow,
            Owner::Call(id),
            method,
            &dialog.target,
            70,
            |mut writer| {
                dialog.write(&mut writer, method, sequence);
                if let Some((name, value)) = &credentials {
                    writer.header(*name, &**value);
                }
                writer.header(HeaderName::UserAgent, AGENT);
                if let Some(refer_to) = &refer_to {
                    // RFC 3515 2.4.1: a REFER makes a subscription, so that it has a Contact.
                    writer.header(HeaderName::Contact, &*contact);
                    writer.header(HeaderName::ReferTo, &**refer_to);
                }
                if purpose.is_invite() {
                    writer.header(HeaderName::Contact, &*contact);
                    writer.header(HeaderName::Allow, ALLOW);
                    writer.header(HeaderName::Supported, SUPPORTED);
                    write_session(&mut writer, agreement, true);
                }
                match &body {
                    Some(body) => writer.body(purpose.content_type(), body),
                    None => writer.finish(),
                }
            },
        );
        if let Some(call) = self.calls.get_mut(&id) {
            if purpose.is_invite() {
                call.credentials = credentials;
            }
            call.pending.push(Pending { client, purpose, body, tries });
        }
    }

    /// A response to anything that a call sent.
    pub(super) fn response_to_call(
        &mut self,
        now: Now,
        id: CallId,
        client: ClientKey,
        response: &Message<'_>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let status = response.status().unwrap_or(500);
        if let Some(place) = call.pending.iter().position(|pending| pending.client == client) {
            if status >= 200 {
                let pending = call.pending.remove(place);
                self.answered(now, id, pending, response);
            }
            return;
        }
        match (&call.stage, response.method()) {
            (Stage::Dialling(dialling), Method::Invite) if dialling.invite == client => {
                self.response_to_invite(now, id, response);
            }
            (Stage::Leaving, Method::Invite) if status >= 300 => self.forget(id),
            (_, Method::Invite) if (200..300).contains(&status) => self.late_2xx(now, id, response),
            _ => {}
        }
    }

    fn answered(&mut self, now: Now, id: CallId, pending: Pending, response: &Message<'_>) {
        let status = response.status().unwrap_or(500);
        let Pending { purpose, body, tries, .. } = pending;
        if matches!(status, 401 | 407) && tries < TRIES {
            let target = self.calls.get(&id).map(|call| call.dialog.target.clone()).unwrap_or_default();
            if let Some(made) = self.credentials(response, purpose.method(), &target) {
                return self.send(now, id, purpose, body, Some(made), tries + 1);
            }
        }
        match purpose {
            Purpose::Bye => self.forget(id),
            Purpose::Key(_) => self.next_key(now, id),
            Purpose::Refer => self.referral_answered(id, response),
            Purpose::Hold(_) | Purpose::Refresh if status < 300 => {
                self.change_accepted(now, id, purpose, response);
            }
            Purpose::Hold(_) | Purpose::Refresh => self.change_refused(now, id, purpose, status),
        }
        // RFC 3261 12.2.1.2: the far side does not know the dialog any more.
        if matches!(status, 408 | 481) && purpose != Purpose::Bye {
            self.end_answered(now, id, Cause::Lost);
        }
    }

    /// Nobody answered, or the stream broke.
    pub(super) fn call_unanswered(&mut self, now: Now, id: CallId, client: ClientKey, cause: Cause) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(place) = call.pending.iter().position(|pending| pending.client == client) {
            let pending = call.pending.remove(place);
            if pending.purpose == Purpose::Bye {
                return self.forget(id);
            }
            return self.end_answered(now, id, Cause::Lost);
        }
        match &call.stage {
            Stage::Dialling(dialling) if dialling.invite == client => self.over(id, cause),
            Stage::Leaving if call.pending.is_empty() => self.forget(id),
            _ => {}
        }
    }

    /// The 2xx of an INVITE of ours wants an ACK each time it comes; another branch of a fork wants its BYE too.
    pub(super) fn late_2xx(&mut self, now: Now, id: CallId, response: &Message<'_>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let tag = response.to().ok().and_then(|to| to.tag());
        let sequence = response.cseq().map_or(0, |cseq| cseq.number);
        let flow = call.flow;
        if call.dialog.remote_tag.is_some() && call.dialog.remote_tag.as_deref() == tag {
            let known = call.talking().and_then(|talking| talking.ack.clone());
            if let Some((_, bytes)) = known.filter(|(number, _)| *number == sequence) {
                let flow = next_hop(&call.dialog, flow);
                self.endpoint.transmit(flow, bytes);
            }
            return;
        }
        // RFC 3261 13.2.2.4: each 2xx is a session; we want one.
        let leaving = matches!(call.stage, Stage::Leaving);
        let mut dialog = call.dialog.established(response);
        self.send_ack(id, &dialog, flow, sequence);
        if leaving {
            if let Some(call) = self.calls.get_mut(&id) {
                call.dialog = dialog;
            }
            return self.ask(now, id, Purpose::Bye);
        }
        let number = dialog.next_sequence();
        let flow = next_hop(&dialog, flow);
        self.endpoint.request(
            now.mono,
            flow,
            Owner::Nobody,
            Method::Bye,
            &dialog.target,
            70,
            |mut writer| {
                dialog.write(&mut writer, Method::Bye, number);
                writer.finish()
            },
        );
    }

    /// The ACK of a 2xx.
    pub(super) fn send_ack(&mut self, id: CallId, dialog: &Dialog, flow: Flow, sequence: u32) {
        let credentials = self.calls.get(&id).and_then(|call| call.credentials.clone());
        let flow = next_hop(dialog, flow);
        let bytes = self.endpoint.ack(flow, &dialog.target, |mut writer| {
            dialog.write(&mut writer, Method::Ack, sequence);
            if let Some((name, value)) = &credentials {
                writer.header(*name, &**value);
            }
            writer.finish()
        });
        if let Some(talking) = self.calls.get_mut(&id).and_then(Call::talking) {
            talking.ack = Some((sequence, bytes));
        }
    }
}

/// What we say of the sound's direction.
pub(super) fn direction(hold: bool) -> Direction {
    if hold { Direction::SendOnly } else { Direction::SendRecv }
}

/// Where a request inside a dialog goes: the first Route, else the far side's Contact (RFC 3261 8.1.2). Names, and
/// streams that we have not opened, are left to the server that we came by.
pub(super) fn next_hop(dialog: &Dialog, flow: Flow) -> Flow {
    if flow.transport != Transport::Udp {
        return flow;
    }
    let route = dialog.routes.first().and_then(|route| {
        let start = route.find('<')? + 1;
        let end = start + route[start..].find('>')?;
        Some(&route[start..end])
    });
    let uri = route.unwrap_or(&dialog.target);
    let Ok(uri) = Uri::parse(uri) else { return flow };
    let other = uri.param("transport").flatten().is_some_and(|name| !name.eq_ignore_ascii_case("udp"));
    match uri.host.ip() {
        Some(ip) if !other && ip.is_ipv6() == flow.remote.is_ipv6() => {
            Flow { remote: SocketAddr::new(ip, uri.port.unwrap_or(5_060)), ..flow }
        }
        _ => flow,
    }
}

/// Session-Expires of a message of ours (RFC 4028 section 7); `request` tells whether we are the UAC of it.
pub(super) fn write_session(writer: &mut Writer<'_>, agreement: Option<Agreement>, request: bool) {
    let Some(agreement) = agreement else { return };
    let refresher = if (agreement.refresher == Refresher::Us) == request { "uac" } else { "uas" };
    if !request {
        writer.header(HeaderName::Require, "timer");
    }
    writer
        .header_fmt(HeaderName::SessionExpires, format_args!("{};refresher={refresher}", agreement.interval));
}
