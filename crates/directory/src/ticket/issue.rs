//! Issuing: a signature and a secret.

use super::{Claims, KIND, Secret, TicketId, TicketKey};
use crate::jws;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whoever may issue tickets: the directory for all exchanges, each exchange for itself.
pub struct Issuer {
    key: Ed25519KeyPair,
    public: [u8; 32],
}

/// A ticket as its holder gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// Its name, which is the user of its digest.
    pub id: TicketId,
    /// What is sent: signed, and no secret.
    pub token: Box<str>,
    /// What is proven with, and never sent.
    pub secret: Secret,
}

impl Issuer {
    /// From the seed of a key (RFC 8032 5.1.5): 32 random octets that are kept.
    ///
    /// # Panics
    /// Never: each 32 octets are a seed.
    #[must_use]
    pub fn new(seed: &[u8; 32]) -> Issuer {
        let key = Ed25519KeyPair::from_seed_unchecked(seed).expect("each 32 octets are a seed");
        let mut public = [0; 32];
        public.copy_from_slice(key.public_key().as_ref());
        Issuer { key, public }
    }

    /// What others verify with.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.public
    }

    /// Signs a ticket; `key` is shared with its audience.
    #[must_use]
    pub fn issue(&self, claims: &Claims, key: &TicketKey) -> Ticket {
        Ticket { id: claims.jti, token: self.sign(KIND, claims).into(), secret: key.secret(claims.jti) }
    }

    /// Signs anything else that the same holder vouches for.
    pub(crate) fn sign(&self, kind: &str, payload: &impl Serialize) -> String {
        jws::sign(&self.key, kind, payload)
    }
}

/// Its public half.
impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Issuer").field(&crate::names::Fingerprint(self.public)).finish()
    }
}
