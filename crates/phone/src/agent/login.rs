//! Answers to challenges (RFC 7616); a nonce that comes again is counted, so that the server takes it again.

use super::Agent;
use sip::digest;
use wire::sip::{HeaderName, Message, Method};

/// The last nonce and how often it was used.
#[derive(Debug, Default)]
pub(super) struct Login {
    nonce: String,
    count: u32,
}

impl Agent {
    /// Credentials for the next try of a request that was answered with 401 or 407.
    pub(super) fn credentials(
        &mut self,
        challenge: &Message<'_>,
        method: Method<'_>,
        uri: &str,
    ) -> Option<(HeaderName, String)> {
        let asks = match challenge.status()? {
            401 => HeaderName::WwwAuthenticate,
            407 => HeaderName::ProxyAuthenticate,
            _ => return None,
        };
        let nonce = challenge.challenges(asks).flatten().find_map(|offered| offered.get("nonce"))?;
        if *self.login.nonce == *nonce {
            self.login.count += 1;
        } else {
            self.login = Login { nonce: nonce.into_owned(), count: 1 };
        }
        let random = self.endpoint.random();
        let (user, password) = match &self.config.pass {
            Some(pass) => (&pass.user, &pass.secret),
            None => (&self.config.user, &self.config.password),
        };
        let login = digest::Login { user, password, realm: None };
        digest::answer(challenge, login, method, uri, self.login.count, random)
    }
}
