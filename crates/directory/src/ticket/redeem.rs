//! Redeeming: checked with nobody's help, and once (R27).

use super::{Claims, KIND, Secret, Shown, TicketId, TicketKey};
use crate::jws::{self, Fault};
use crate::limits::{LEEWAY, TICKET_LIFE, TICKET_OCTETS, USED_TICKETS};
use crate::names::{ExchangeName, Named as _, Number, SessionHalf};
use clock::Wall;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What an exchange needs of one issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerKeys {
    /// To verify signatures with.
    pub public: [u8; 32],
    /// To derive secrets with.
    pub key: TicketKey,
}

/// What comes with a ticket, and must be what it was issued for.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The Session-ID half of the request.
    pub session: SessionHalf,
    /// Whose key is really at the other end of the connection, or of the media.
    pub shown: Shown,
    /// Who is called.
    pub dest: &'a Number,
}

/// A good ticket, not used yet. Nothing else makes one.
#[derive(Debug)]
pub struct Checked {
    claims: Claims,
    secret: Secret,
}

impl Checked {
    /// What it is for.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The password of its digest, whose user is [`Claims::jti`].
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }
}

/// Why a ticket is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketRefusal {
    /// It is no ticket.
    Malformed,
    /// Nobody who may issue tickets here.
    UnknownIssuer,
    /// Signed by somebody else, or altered.
    Altered,
    /// For another exchange.
    OtherExchange,
    /// Too late.
    Expired,
    /// From the future: a clock is wrong.
    TooEarly,
    /// It would work for longer than tickets do.
    TooLong,
    /// Issued before this exchange began to remember which were used.
    BeforeOurStart,
    /// For another call.
    OtherSession,
    /// Presented by somebody else.
    OtherKey,
    /// For another callee.
    OtherCallee,
    /// It was used.
    Used,
    /// More tickets come than can be remembered.
    Full,
}

impl fmt::Display for TicketRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TicketRefusal::Malformed => "what was presented is no ticket",
            TicketRefusal::UnknownIssuer => "nobody that issues tickets for this exchange has issued it",
            TicketRefusal::Altered => "its signature is not its issuer's",
            TicketRefusal::OtherExchange => "it is for another exchange",
            TicketRefusal::Expired => "it has expired",
            TicketRefusal::TooEarly => "it was issued in the future",
            TicketRefusal::TooLong => "it works for longer than a ticket may",
            TicketRefusal::BeforeOurStart => "it was issued before this exchange started",
            TicketRefusal::OtherSession => "it is for another call",
            TicketRefusal::OtherKey => "it is somebody else's",
            TicketRefusal::OtherCallee => "it is for another callee",
            TicketRefusal::Used => "it was used before",
            TicketRefusal::Full => "too many tickets are in use",
        })
    }
}

/// One exchange's side: which issuers it believes, and which tickets were used.
///
/// All times are the directory's.
#[derive(Debug)]
pub struct Redeemer {
    name: ExchangeName,
    started: Wall,
    issuers: BTreeMap<Box<str>, IssuerKeys>,
    used: BTreeSet<TicketId>,
    expiring: BTreeSet<(Wall, TicketId)>,
}

impl Redeemer {
    /// An exchange that started now: it knows of no ticket that was used before.
    #[must_use]
    pub fn new(name: ExchangeName, started: Wall) -> Redeemer {
        Redeemer { name, started, issuers: BTreeMap::new(), used: BTreeSet::new(), expiring: BTreeSet::new() }
    }

    /// The directory's clock is known better than at the start: this is when we started, by it.
    pub fn started(&mut self, started: Wall) {
        self.started = started;
    }

    /// Believes an issuer, with these keys from now on.
    pub fn believe(&mut self, issuer: &str, keys: IssuerKeys) {
        self.issuers.insert(issuer.into(), keys);
    }

    /// Whether a ticket is good for what it is presented for. It is not used by this: the digest comes first.
    ///
    /// # Errors
    /// The first reason that is found; what is about its holder comes after the signature, so that a stranger learns nothing.
    pub fn check(&self, now: Wall, token: &str, presented: &Presented<'_>) -> Result<Checked, TicketRefusal> {
        if token.len() > TICKET_OCTETS {
            return Err(TicketRefusal::Malformed);
        }
        let claims: Claims = jws::peek(KIND, token).map_err(|_| TicketRefusal::Malformed)?;
        let keys = self.issuers.get(&claims.iss).ok_or(TicketRefusal::UnknownIssuer)?;
        jws::verify(&keys.public, token).map_err(|fault| match fault {
            Fault::Malformed => TicketRefusal::Malformed,
            Fault::Signature => TicketRefusal::Altered,
        })?;
        self.about_us(now, &claims)?;
        if claims.sid != presented.session {
            return Err(TicketRefusal::OtherSession);
        }
        if !presented.shown.is_of(claims.cnf) {
            return Err(TicketRefusal::OtherKey);
        }
        if claims.dest != *presented.dest {
            return Err(TicketRefusal::OtherCallee);
        }
        if self.used.contains(&claims.jti) {
            return Err(TicketRefusal::Used);
        }
        let secret = keys.key.secret(claims.jti);
        Ok(Checked { claims, secret })
    }

    fn about_us(&self, now: Wall, claims: &Claims) -> Result<(), TicketRefusal> {
        let leeway = millis(LEEWAY);
        if claims.aud != self.name {
            return Err(TicketRefusal::OtherExchange);
        }
        if now.0 > claims.exp.0.saturating_add(leeway) {
            return Err(TicketRefusal::Expired);
        }
        if claims.iat.0 > now.0.saturating_add(leeway) {
            return Err(TicketRefusal::TooEarly);
        }
        if claims.exp.0.saturating_sub(claims.iat.0) > millis(TICKET_LIFE) {
            return Err(TicketRefusal::TooLong);
        }
        // Whatever was used before the start was issued before it. Our clock may be behind by the leeway. Our own tickets are
        // signed with a key of this start.
        let own = *claims.iss == *self.name.as_str();
        if !own && claims.iat.0 < self.started.0.saturating_add(leeway) {
            return Err(TicketRefusal::BeforeOurStart);
        }
        Ok(())
    }

    /// Uses a ticket up; of many who present it one wins.
    ///
    /// # Errors
    /// When it was used, or more are remembered than there is room for: one that works is never forgotten.
    pub fn redeem(&mut self, now: Wall, ticket: &Checked) -> Result<(), TicketRefusal> {
        self.forget(now);
        if self.used.contains(&ticket.claims.jti) {
            return Err(TicketRefusal::Used);
        }
        if self.used.len() >= USED_TICKETS {
            return Err(TicketRefusal::Full);
        }
        self.used.insert(ticket.claims.jti);
        self.expiring.insert((ticket.claims.exp, ticket.claims.jti));
        Ok(())
    }

    /// Those that would be refused as expired need not be remembered. Our clock may go back by twice the leeway until then.
    fn forget(&mut self, now: Wall) {
        let gone = Wall(now.0.saturating_sub(4 * millis(LEEWAY)));
        while let Some(&(exp, id)) = self.expiring.first() {
            if exp >= gone {
                break;
            }
            self.expiring.remove(&(exp, id));
            self.used.remove(&id);
        }
    }
}

fn millis(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::{Confirmation, Issuer, Ticket};
    use super::*;
    use crate::names::{DeviceId, Fingerprint};

    const START: Wall = Wall(1_000_000);
    const NOW: Wall = Wall(1_060_000);

    struct Office {
        issuer: Issuer,
        key: TicketKey,
        redeemer: Redeemer,
        dest: Number,
    }

    fn office() -> Office {
        let (issuer, key) = (Issuer::new(&[7; 32]), TicketKey([9; 32]));
        let mut redeemer = Redeemer::new(ExchangeName::parse("y").unwrap(), START);
        redeemer.believe("directory", IssuerKeys { public: issuer.public(), key: key.clone() });
        Office { issuer, key, redeemer, dest: Number::parse("2041").unwrap() }
    }

    fn claims() -> Claims {
        Claims {
            iss: "directory".into(),
            aud: ExchangeName::parse("y").unwrap(),
            jti: TicketId([3; 16]),
            iat: NOW,
            exp: Wall(NOW.0 + 30_000),
            orig: DeviceId::parse("desk-1").unwrap(),
            dest: Number::parse("2041").unwrap(),
            sid: SessionHalf([5; 16]),
            cnf: Confirmation::Tls(Fingerprint([6; 32])),
        }
    }

    impl Office {
        fn ticket(&self, claims: &Claims) -> Ticket {
            self.issuer.issue(claims, &self.key)
        }

        fn check(&self, now: Wall, token: &str) -> Result<Checked, TicketRefusal> {
            self.check_as(token, now, Shown::Key(Confirmation::Tls(Fingerprint([6; 32]))))
        }

        fn check_as(&self, token: &str, now: Wall, shown: Shown) -> Result<Checked, TicketRefusal> {
            let presented = Presented { session: SessionHalf([5; 16]), shown, dest: &self.dest };
            self.redeemer.check(now, token, &presented)
        }
    }

    #[test]
    fn show_3_a_good_ticket_works_once_and_both_sides_know_its_secret() {
        let mut office = office();
        let ticket = office.ticket(&claims());
        let (first, second) =
            (office.check(NOW, &ticket.token).unwrap(), office.check(NOW, &ticket.token).unwrap());
        assert_eq!(first.secret(), &ticket.secret);
        assert!(!ticket.token.contains(ticket.secret.reveal()));
        // A hundred at once were checked before the first was used: one wins.
        assert_eq!(office.redeemer.redeem(NOW, &first), Ok(()));
        assert_eq!(office.redeemer.redeem(NOW, &second), Err(TicketRefusal::Used));
        assert_eq!(office.check(NOW, &ticket.token).unwrap_err(), TicketRefusal::Used);
    }

    #[test]
    fn show_3_late_early_long_and_older_than_our_start() {
        let office = office();
        let with = |iat: i64, exp: i64| {
            let claims = Claims { iat: Wall(iat), exp: Wall(exp), ..claims() };
            office.check(NOW, &office.ticket(&claims).token).map(|_| ()).unwrap_err()
        };
        assert_eq!(with(NOW.0 - 32_001, NOW.0 - 2_001), TicketRefusal::Expired);
        assert_eq!(with(NOW.0 + 2_001, NOW.0 + 20_000), TicketRefusal::TooEarly);
        assert_eq!(with(NOW.0, NOW.0 + 30_001), TicketRefusal::TooLong);
        assert_eq!(with(i64::MIN, i64::MAX), TicketRefusal::TooLong);
        let young = Redeemer {
            started: Wall(NOW.0 - 1_000),
            ..Redeemer::new(ExchangeName::parse("y").unwrap(), NOW)
        };
        assert_eq!(young.about_us(NOW, &claims()), Err(TicketRefusal::BeforeOurStart));
        assert_eq!(young.about_us(NOW, &Claims { iat: Wall(NOW.0 + 1_000), ..claims() }), Ok(()));
    }

    #[test]
    fn show_3_for_another_callee_exchange_session_or_key() {
        let office = office();
        let refused =
            |claims: Claims| office.check(NOW, &office.ticket(&claims).token).map(|_| ()).unwrap_err();
        let other = Number::parse("2042").unwrap();
        assert_eq!(refused(Claims { dest: other, ..claims() }), TicketRefusal::OtherCallee);
        let x = ExchangeName::parse("x").unwrap();
        assert_eq!(refused(Claims { aud: x, ..claims() }), TicketRefusal::OtherExchange);
        assert_eq!(refused(Claims { sid: SessionHalf([1; 16]), ..claims() }), TicketRefusal::OtherSession);
        let key = Confirmation::Tls(Fingerprint([1; 32]));
        assert_eq!(refused(Claims { cnf: key, ..claims() }), TicketRefusal::OtherKey);
        assert_eq!(refused(Claims { iss: "mallory".into(), ..claims() }), TicketRefusal::UnknownIssuer);
        let forged = Issuer::new(&[8; 32]).issue(&claims(), &office.key);
        assert_eq!(office.check(NOW, &forged.token).unwrap_err(), TicketRefusal::Altered);
        for text in ["", ".", "..", "a.b.c", &"x".repeat(TICKET_OCTETS + 1)] {
            assert_eq!(office.check(NOW, text).unwrap_err(), TicketRefusal::Malformed, "{text}");
        }
    }

    #[test]
    fn s4_25_a_ticket_of_a_browser_is_for_its_media_and_no_certificate_of_tls_stands_for_that() {
        let office = office();
        let print = Fingerprint([6; 32]);
        let (tls, media) = (Confirmation::Tls(print), Confirmation::Media(print));
        let check = |cnf, shown| {
            let ticket = office.ticket(&Claims { cnf, ..claims() });
            office.check_as(&ticket.token, NOW, shown).map(|_| ()).err()
        };
        let other = Some(TicketRefusal::OtherKey);
        assert_eq!(check(media, Shown::Key(media)), None);
        assert_eq!(check(media, Shown::WithItsAnswer), None);
        assert_eq!(check(media, Shown::Key(Confirmation::Media(Fingerprint([1; 32])))), other);
        assert_eq!(check(media, Shown::Key(tls)), other);
        assert_eq!(check(tls, Shown::Key(media)), other);
        assert_eq!(check(tls, Shown::WithItsAnswer), other, "who has a certificate of TLS shows it at once");
        let text = serde_json::to_string(&media).unwrap();
        assert_eq!(text, "{\"mky#S256\":\"BgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgY\"}");
    }

    #[test]
    fn what_was_used_is_remembered_as_long_as_it_could_work_and_no_longer() {
        let mut office = office();
        for place in 0..USED_TICKETS {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&place.to_be_bytes());
            let checked =
                Checked { claims: Claims { jti: TicketId(id), ..claims() }, secret: Secret::new("") };
            office.redeemer.redeem(NOW, &checked).unwrap();
        }
        let more = Checked { claims: claims(), secret: Secret::new("") };
        assert_eq!(office.redeemer.redeem(NOW, &more), Err(TicketRefusal::Full));
        let later = Wall(NOW.0 + 30_000 + 8_001);
        assert_eq!(office.redeemer.redeem(later, &more), Ok(()));
        assert_eq!(office.redeemer.used.len(), 1);
        assert_eq!(office.check(later, &office.ticket(&claims()).token).unwrap_err(), TicketRefusal::Expired);
    }
}
