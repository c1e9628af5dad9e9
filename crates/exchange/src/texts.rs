//! Short texts from phone to phone (RFC 3428): each is made anew for all devices of the one it is for.
//!
//! The sender is told of the first device that takes it; when none does, of the best refusal. Nothing is kept for
//! later, and nothing in a text is ever carried out (lesson 2: a text can never reach an interpreter).

use crate::admission::Sender;
use crate::exchange::Exchange;
use crate::limits;
use calls::{Owner, Party};
use clock::Now;
use sip::bindings::Binding;
use sip::{Dialog, Flow, ServerKey};
use std::collections::BTreeMap;
use wire::sip::{Message, Method, Uri};

/// Marks the requests of texts among those of the office.
const MARK: u64 = 1 << 63;
/// The longest text: a whole request still fits a datagram (RFC 3428 section 8).
const OCTETS: usize = 1_024;

/// A text that waits for the first device to take it.
#[derive(Debug)]
struct Text {
    server: ServerKey,
    /// Devices that have not answered.
    waiting: usize,
    /// The most telling refusal so far.
    refusal: u16,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    texts: BTreeMap<u64, Text>,
    next: u64,
}

impl Exchange {
    /// A MESSAGE outside of any dialog.
    pub(crate) fn text(&mut self, now: Now, flow: Flow, message: &Message<'_>, uri: &Uri<'_>) {
        let Some(sender) = self.sender(now, flow, message) else { return };
        let Sender::Device(device) = &sender else { return self.refuse(flow, message, 403) };
        if !message.is_content_type("text/plain") {
            return self.refuse(flow, message, 415);
        }
        let (body, full) = (message.body(), self.texts.texts.len() >= limits::TEXTS);
        let Ok(text) = std::str::from_utf8(body) else { return self.refuse(flow, message, 400) };
        if text.len() > OCTETS || full {
            return self.refuse(flow, message, if full { 503 } else { 413 });
        }
        let named = uri.user_decoded().unwrap_or_default();
        let Some((name, account)) = self.people.account_of(&named) else {
            return self.refuse(flow, message, 404);
        };
        let callee = Party::new(&named, &account.display);
        let phones = self.phones_of(name);
        let others = phones.iter().filter(|other| *other != device);
        let targets: Vec<(Box<str>, Flow, Vec<Box<str>>)> = others
            .flat_map(|other| self.registrar.targets(other))
            .filter_map(|ways| ways.first().copied())
            .take(limits::BRANCHES)
            .map(|binding| (binding.contact.clone(), binding.flow, binding.path.clone()))
            .collect();
        if targets.is_empty() {
            return self.refuse(flow, message, 480);
        }
        let (caller, _) = self.caller(&sender, message, false);
        let server = self.switch.endpoint().accept(flow, message, Owner::Above(0));
        self.texts.next += 1;
        let id = MARK | self.texts.next;
        self.texts.texts.insert(id, Text { server, waiting: targets.len(), refusal: 480 });
        for (contact, flow, path) in targets {
            self.send_text(now, id, flow, &contact, path, (&caller, &callee), text);
        }
    }

    /// Shows a text of the exchange's own at a phone; nobody waits for what becomes of it.
    pub(crate) fn show_at(&mut self, now: Now, device: &str, text: &str) {
        let first = |ways: Vec<&Binding>| {
            ways.first().map(|binding| (binding.contact.clone(), binding.flow, binding.path.clone()))
        };
        let targets: Vec<_> = self.registrar.targets(device).into_iter().filter_map(first).collect();
        let (caller, callee) = (Party::new("ringdown", "Ringdown"), Party::new(device, ""));
        for (contact, flow, path) in targets {
            self.texts.next += 1;
            let id = MARK | self.texts.next;
            self.send_text(now, id, flow, &contact, path, (&caller, &callee), text);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "each is a part of the one message that is made")]
    fn send_text(
        &mut self,
        now: Now,
        id: u64,
        flow: Flow,
        contact: &str,
        path: Vec<Box<str>>,
        (caller, callee): (&Party, &Party),
        text: &str,
    ) {
        let domain = self.domain(flow);
        let endpoint = self.switch.endpoint();
        let call_id = format!("{:016x}{:016x}", endpoint.random(), endpoint.random());
        let tag = format!("{:016x}", endpoint.random());
        let (from, to) = (calls::name_addr(caller, &domain), calls::name_addr(callee, &domain));
        let mut dialog = Dialog::calling(&call_id, &from, &tag, &to, contact);
        dialog.routes = path;
        endpoint.request(now.mono, flow, Owner::Above(id), Method::Message, contact, 70, |mut writer| {
            dialog.write(&mut writer, Method::Message, 1);
            writer.body("text/plain;charset=utf-8", text.as_bytes())
        });
    }

    /// A device has answered a text, or never will (`status` 408). False when the request was no text.
    pub(crate) fn text_answered(&mut self, now: Now, id: u64, status: u16) -> bool {
        if id & MARK == 0 {
            return false;
        }
        let Some(text) = self.texts.texts.get_mut(&id) else { return true };
        text.waiting = text.waiting.saturating_sub(1);
        if (400..500).contains(&status) && status != 408 {
            text.refusal = status;
        }
        let (server, refusal, done) = (text.server, text.refusal, text.waiting == 0);
        if status < 300 || done {
            self.texts.texts.remove(&id);
            let answer = if status < 300 { 200 } else { refusal };
            self.refuse_accepted(now, server, answer);
        }
        true
    }
}

const _: () = assert!(OCTETS < 1_300, "R13: a request over 1,300 octets wants a stream");
