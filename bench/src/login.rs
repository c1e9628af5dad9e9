//! A phone's digest login: answers a challenge, and uses its nonce again as long as the server takes it.

use sip::digest::{Login as Digest, answer};
use std::sync::atomic::{AtomicU32, Ordering};
use wire::sip::{Message, Method};

/// The secret of every phone.
pub(crate) const SECRET: &str = "bench-secret";
/// The number of the first phone; the number is its user name too. Two loads of one office have phones of their own.
static FIRST: AtomicU32 = AtomicU32::new(100_000);

/// The number of the first phone is another.
pub(crate) fn begin_at(first: u32) {
    FIRST.store(first, Ordering::Relaxed);
}

/// One phone's way in.
#[derive(Default)]
pub(crate) struct Login {
    challenge: Vec<u8>,
    count: u32,
}

impl Login {
    /// Keeps the challenge that a 401 or 407 carries.
    pub(crate) fn challenged(&mut self, response: &[u8]) {
        self.challenge.clear();
        self.challenge.extend_from_slice(response);
        self.count = 0;
    }

    pub(crate) fn forget(&mut self) {
        self.challenge.clear();
    }

    /// The header line for a request, with its line end; nothing when nobody asked yet.
    pub(crate) fn line(&mut self, user: &str, method: Method<'_>, uri: &str) -> String {
        let Ok(challenge) = Message::parse(&self.challenge) else { return String::new() };
        self.count += 1;
        let login = Digest { user, password: SECRET, realm: None };
        let random = u64::from(self.count) << 32 | u64::from(std::process::id());
        match answer(&challenge, login, method, uri, self.count, random) {
            Some((name, value)) => format!("{}: {value}\r\n", name.as_str()),
            None => String::new(),
        }
    }
}

/// The number of a phone.
pub(crate) fn number(phone: u32) -> String {
    (FIRST.load(Ordering::Relaxed) + phone).to_string()
}

/// The phone of a number.
pub(crate) fn phone_of(number: &str) -> Option<u32> {
    number.parse::<u32>().ok()?.checked_sub(FIRST.load(Ordering::Relaxed))
}
