//! How a phone registers: digest, refresh, retry (RFC 3261 10.2).

use super::{Note, Phone, Task, Wake};
use clock::Mono;
use std::time::Duration;
use wire::sip::{HeaderName, Message, Method};

/// The state of a phone's registration.
#[derive(Debug, Default)]
pub(crate) struct Registration {
    pub(crate) done: bool,
    pub(crate) call_id: Option<Box<str>>,
    pub(crate) sequence: u32,
    pub(crate) tries: u8,
    pub(crate) pending: bool,
}

impl Phone {
    pub(crate) fn register(&mut self, now: Mono) {
        if self.registration.pending {
            return;
        }
        self.registration.tries = 0;
        self.send_register(now);
    }

    fn send_register(&mut self, now: Mono) {
        let uri = format!("sip:{}", self.flow.remote);
        let credentials = self.credentials(Method::Register, &uri, false);
        let random = self.dice.roll();
        let registration = &mut self.registration;
        registration.pending = true;
        registration.tries += 1;
        registration.sequence += 1;
        let sequence = registration.sequence;
        let call_id = registration.call_id.get_or_insert_with(|| format!("r{random:016x}").into()).clone();
        let record = format!("<sip:{}@{}>", self.plan.device, self.flow.remote);
        let flow = if self.plan.reg_id > 0 { format!(";reg-id={}", self.plan.reg_id) } else { String::new() };
        let contact = format!(
            "{}{flow};+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-{:012}>\";expires={}",
            self.contact(),
            self.plan.device.bytes().fold(7u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(b)))
                % 1_000_000_000_000,
            self.plan.expires
        );
        self.endpoint.request(now, self.flow, Task::Register, Method::Register, &uri, 70, |mut writer| {
            writer.header_parts(HeaderName::From, &[record.as_bytes(), b";tag=r1"]);
            writer.header(HeaderName::To, &record);
            writer.header(HeaderName::CallId, &*call_id);
            writer.header_fmt(HeaderName::CSeq, format_args!("{sequence} REGISTER"));
            writer.header(HeaderName::Contact, &contact);
            if let Some((name, value)) = &credentials {
                writer.header(*name, value);
            }
            writer.finish()
        });
    }

    pub(crate) fn register_answered(&mut self, now: Mono, response: &Message<'_>) {
        let status = response.status().unwrap_or(500);
        match status {
            0..200 => return,
            401 if self.registration.tries < 4 => {
                self.remember_challenge(response);
                return self.send_register(now);
            }
            200..300 => {
                self.registration.done = true;
                self.registration.pending = false;
                let share = self.dice.within(50..90);
                let wait = Duration::from_millis(u64::from(self.plan.expires) * 10 * share);
                self.timers.insert(now + wait, Wake::Register);
            }
            status => return self.register_failed(now, status),
        }
        self.notes.push_back(Note::Registered { status });
    }

    pub(crate) fn register_failed(&mut self, now: Mono, status: u16) {
        self.registration.pending = false;
        self.registration.done = false;
        self.notes.push_back(Note::Registered { status });
        let wait = self.dice.millis(3_000..20_000);
        self.timers.insert(now + wait, Wake::Register);
    }
}
