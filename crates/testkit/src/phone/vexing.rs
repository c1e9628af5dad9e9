//! What broken and hostile phones send outside of calls.

use super::{Phone, Task, Vexation};
use clock::Mono;
use sip::Transmit;
use std::sync::Arc;
use wire::sip::{HeaderName, Method, Writer};

impl Phone {
    /// Sends something that an exchange must bear.
    pub fn vex(&mut self, now: Mono, vexation: Vexation) {
        if !self.on {
            return;
        }
        let mut bytes = Vec::new();
        let random = self.dice.roll();
        match vexation {
            Vexation::Garbage => {
                let length = self.dice.within(1..300);
                bytes.extend((0..length).map(|_| self.dice.roll() as u8));
            }
            Vexation::Huge(kilobytes) => {
                let filler = "x".repeat(usize::from(kilobytes) * 1_024);
                self.stray(&mut bytes, Method::Invite, random, &[(HeaderName::Subject, &filler)]);
            }
            Vexation::WrongSecret => return self.register_wrongly(now, random, true),
            Vexation::Replay => return self.register_wrongly(now, random, false),
            Vexation::StrayBye => self.stray(&mut bytes, Method::Bye, random, &[]),
            Vexation::StrayAck => self.stray(&mut bytes, Method::Ack, random, &[]),
            Vexation::Options => self.stray(&mut bytes, Method::Options, random, &[]),
            Vexation::UnknownMethod => self.stray(&mut bytes, Method::Other("TELEPORT"), random, &[]),
            Vexation::Subscribe => {
                self.stray(&mut bytes, Method::Subscribe, random, &[(HeaderName::Event, "presence")]);
            }
            Vexation::StrayResponse => {
                let writer = &mut Writer::response(&mut bytes, 200, "OK");
                writer.header_fmt(
                    HeaderName::Via,
                    format_args!("SIP/2.0/UDP {};branch=z9hG4bK{random:016x}{random:016x}", self.flow.remote),
                );
                writer.header(HeaderName::From, "<sip:a@b>;tag=1").header(HeaderName::To, "<sip:a@b>;tag=2");
                writer.header_fmt(HeaderName::CallId, format_args!("{random:x}"));
                writer.header(HeaderName::CSeq, "1 INVITE").header(HeaderName::ContentLength, "0");
                bytes.extend_from_slice(b"\r\n");
            }
        }
        self.raw.push_back(Transmit { flow: self.flow, bytes: Arc::from(bytes) });
    }

    fn stray(&self, bytes: &mut Vec<u8>, method: Method<'_>, random: u64, more: &[(HeaderName, &str)]) {
        let uri = format!("sip:9999@{}", self.flow.remote);
        let mut writer = Writer::request(bytes, method, &uri);
        let transport = self.flow.transport.via_name();
        writer.header_fmt(
            HeaderName::Via,
            format_args!("SIP/2.0/{transport} {};rport;branch=z9hG4bK{random:x}", self.flow.local),
        );
        writer.header(HeaderName::MaxForwards, "70");
        writer.header_fmt(HeaderName::From, format_args!("<sip:stranger@{}>;tag=s", self.flow.local));
        let in_dialog = matches!(method, Method::Bye | Method::Ack);
        let tag = if in_dialog { format!(";tag={random:032x}") } else { String::new() };
        writer.header_fmt(HeaderName::To, format_args!("<{uri}>{tag}"));
        writer.header_fmt(HeaderName::CallId, format_args!("stray{random:x}"));
        writer.header_fmt(HeaderName::CSeq, format_args!("1 {}", method.as_str()));
        for (name, value) in more {
            writer.header(*name, *value);
        }
        writer.finish();
    }

    /// A REGISTER with a wrong secret, or with credentials that were used before; nobody waits for the answer.
    fn register_wrongly(&mut self, now: Mono, random: u64, wrong: bool) {
        let uri = format!("sip:{}", self.flow.remote);
        if !wrong && let Some((_, count)) = &mut self.challenge {
            *count = count.saturating_sub(1);
        }
        let credentials = self.credentials(Method::Register, &uri, wrong);
        let record = format!("<sip:{}@{}>", self.plan.device, self.flow.remote);
        self.endpoint.request(now, self.flow, Task::Nothing, Method::Register, &uri, 70, |mut writer| {
            writer.header_parts(HeaderName::From, &[record.as_bytes(), b";tag=w1"]);
            writer.header(HeaderName::To, &record);
            writer.header_fmt(HeaderName::CallId, format_args!("w{random:x}"));
            writer.header(HeaderName::CSeq, "1 REGISTER");
            if let Some((name, value)) = &credentials {
                writer.header(*name, value);
            }
            writer.finish()
        });
    }
}
