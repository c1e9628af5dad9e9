//! The server's side: challenges without state, checks with next to none.

use super::counts::{Count, Counts};
use super::{Algorithm, Secret, Sent, parameter, response, same};
use clock::Mono;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use std::net::IpAddr;
use std::time::Duration;
use wire::sip::{HeaderName, Message, Writer};
use wire::text::Short;

/// How long a nonce is good for.
const NONCE_LIFE: Duration = Duration::from_secs(300);

/// Which algorithms a listener asks for; the same for known and unknown users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChallengePolicy {
    /// MD5 alone: what every phone can do.
    #[default]
    Md5,
    /// SHA-256 alone.
    Sha256,
    /// SHA-256 first, then MD5; some phones fail at the first that they do not know.
    Both,
}

impl ChallengePolicy {
    fn algorithms(self) -> &'static [Algorithm] {
        match self {
            ChallengePolicy::Md5 => &[Algorithm::Md5],
            ChallengePolicy::Sha256 => &[Algorithm::Sha256],
            ChallengePolicy::Both => &[Algorithm::Sha256, Algorithm::Md5],
        }
    }
}

/// What a request's credentials are worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There are none for our realm: challenge.
    Missing,
    /// They are for an old nonce or a spent count: challenge with `stale=true`; no strike.
    Stale,
    /// The response is wrong, or the user unknown: challenge; a strike against the source.
    Wrong,
    /// They are right.
    Right {
        /// The user name.
        user: Box<str>,
    },
}

/// Credentials that stand in a request, before anybody knows their user.
#[derive(Debug)]
pub struct Credentials<'a> {
    user: std::borrow::Cow<'a, str>,
    nonce: std::borrow::Cow<'a, str>,
    uri: std::borrow::Cow<'a, str>,
    response: std::borrow::Cow<'a, str>,
    qop: Option<(std::borrow::Cow<'a, str>, std::borrow::Cow<'a, str>)>,
    algorithm: Algorithm,
}

impl Credentials<'_> {
    /// The user that they claim to be of.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }
}

/// Makes challenges and checks what comes back.
#[derive(Debug)]
pub struct Verifier {
    realm: Box<str>,
    policy: ChallengePolicy,
    keys: (u64, u64),
    rng: ChaCha8Rng,
    counts: Counts,
    /// Stands in for the secret of a user that does not exist, so that the work is the same (sec_24).
    nobody: Secret,
}

impl Verifier {
    /// For one realm. Nonces of another seed, as before a restart, are old ones (R18).
    #[must_use]
    pub fn new(realm: &str, policy: ChallengePolicy, seed: [u8; 32]) -> Verifier {
        let mut rng = ChaCha8Rng::from_seed(seed);
        let keys = (rng.next_u64(), rng.next_u64());
        let nobody = Secret::new("nobody", realm, &format!("{:x}{:x}", rng.next_u64(), rng.next_u64()));
        Verifier { realm: realm.into(), policy, keys, rng, counts: Counts::new(), nobody }
    }

    /// Asks for other algorithms from now on.
    pub fn set_policy(&mut self, policy: ChallengePolicy) {
        self.policy = policy;
    }

    /// The realm.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// Writes the challenge into a 401. The nonce is good for `source` alone, so nobody can answer wrong in another's
    /// name (sec_24).
    pub fn challenge(&mut self, now: Mono, source: IpAddr, writer: &mut Writer<'_>, stale: bool) {
        let nonce = self.nonce(now, source);
        for algorithm in self.policy.algorithms() {
            let mut text = String::with_capacity(160);
            text.push_str("Digest realm=");
            super::quote(&mut text, &self.realm);
            parameter(&mut text, "nonce", &nonce);
            text.push_str(", algorithm=");
            text.push_str(algorithm.name());
            text.push_str(", qop=\"auth\"");
            if stale {
                text.push_str(", stale=true");
            }
            writer.header(HeaderName::WwwAuthenticate, &text);
        }
    }

    /// The credentials for our realm in a request, if there are any that we asked for.
    #[must_use]
    pub fn credentials<'a>(&self, request: &Message<'a>) -> Option<Credentials<'a>> {
        let ours = |sent: &wire::sip::DigestParams<'a>| {
            sent.is_digest() && sent.get("realm").as_deref() == Some(&*self.realm)
        };
        let sent = request.credentials(HeaderName::Authorization).flatten().find(ours)?;
        let names = ["username", "nonce", "uri", "response", "algorithm", "qop", "nc", "cnonce"];
        let [user, nonce, uri, response, algorithm, qop, nc, cnonce] = sent.several(names);
        let algorithm = Algorithm::parse(algorithm.as_deref())?;
        if !self.policy.algorithms().contains(&algorithm) {
            return None;
        }
        let qop = match qop {
            Some(qop) if qop.eq_ignore_ascii_case("auth") => Some((nc?, cnonce?)),
            _ => None,
        };
        Some(Credentials { user: user?, nonce: nonce?, uri: uri?, response: response?, qop, algorithm })
    }

    /// Checks credentials that came from `source` against the secret of their user; `None` for a user that does not
    /// exist.
    pub fn check(
        &mut self,
        now: Mono,
        source: IpAddr,
        request: &Message<'_>,
        credentials: &Credentials<'_>,
        secret: Option<&Secret>,
    ) -> Verdict {
        let Some(nonce) = self.read_nonce(now, source, &credentials.nonce) else { return Verdict::Stale };
        // We asked for qop; without it a response could be replayed (sec_09).
        let Some((nc, cnonce)) = &credentials.qop else { return Verdict::Wrong };
        let Some(count) = parse_count(nc) else { return Verdict::Wrong };
        let ha1 = secret.unwrap_or(&self.nobody).ha1(credentials.algorithm);
        let sent = Sent { nonce: &credentials.nonce, qop: Some((nc, cnonce)) };
        let method = request.method();
        let expected = response(credentials.algorithm, ha1, method.as_str(), &credentials.uri, &sent);
        let lower = credentials.response.to_ascii_lowercase();
        if !same(expected.as_bytes(), lower.as_bytes()) || secret.is_none() {
            return Verdict::Wrong;
        }
        match self.counts.note(nonce, count) {
            Count::New => Verdict::Right { user: credentials.user.as_ref().into() },
            Count::Spent => Verdict::Stale,
        }
    }

    /// `tttttttttttttttt rrrrrrrrrrrrrrrr mmmmmmmmmmmmmmmm`: microseconds, random, MAC; 48 hexadecimal digits.
    fn nonce(&mut self, now: Mono, source: IpAddr) -> Short<48> {
        let random = self.rng.next_u64();
        let mut nonce = Short::new();
        nonce.push_hex(now.0);
        nonce.push_hex(random);
        nonce.push_hex(self.mac(now.0, random, source));
        nonce
    }

    fn mac(&self, time: u64, random: u64, source: IpAddr) -> u64 {
        let mut hasher = SipHasher24::new_with_keys(self.keys.0, self.keys.1);
        hasher.write_u64(time);
        hasher.write_u64(random);
        match source.to_canonical() {
            IpAddr::V4(address) => hasher.write(&address.octets()),
            IpAddr::V6(address) => hasher.write(&address.octets()),
        }
        hasher.finish128().h1
    }

    /// The identity of a nonce of ours for this source that is not too old.
    fn read_nonce(&self, now: Mono, source: IpAddr, text: &str) -> Option<u128> {
        let part = |from: usize| u64::from_str_radix(text.get(from..from + 16)?, 16).ok();
        let (time, random, mac) = (part(0)?, part(16)?, part(32)?);
        let right =
            text.len() == 48 && same(&mac.to_ne_bytes(), &self.mac(time, random, source).to_ne_bytes());
        let young = now.since(Mono(time)) <= NONCE_LIFE;
        (right && young).then_some(u128::from(time) << 64 | u128::from(random))
    }
}

/// Eight hexadecimal digits; some phones send fewer.
fn parse_count(text: &str) -> Option<u32> {
    let count = u32::from_str_radix(text, 16).ok()?;
    (count > 0 && text.len() <= 8).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::super::{Login, answer};
    use super::*;
    use wire::sip::Method;

    const REALM: &str = "office";
    const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    fn challenge(verifier: &mut Verifier, now: Mono) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::response(&mut bytes, 401, "");
        writer.header(HeaderName::Via, "SIP/2.0/UDP h;branch=z9hG4bK1");
        writer.header(HeaderName::From, "<sip:a@b>;tag=1").header(HeaderName::To, "<sip:a@b>;tag=2");
        writer.header(HeaderName::CallId, "x").header(HeaderName::CSeq, "1 REGISTER");
        verifier.challenge(now, SOURCE, &mut writer, false);
        writer.finish();
        bytes
    }

    fn request(authorization: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::request(&mut bytes, Method::Register, "sip:office");
        writer.header(HeaderName::Via, "SIP/2.0/UDP h;branch=z9hG4bK1");
        writer.header(HeaderName::From, "<sip:a@b>;tag=1").header(HeaderName::To, "<sip:a@b>");
        writer.header(HeaderName::CallId, "x").header(HeaderName::CSeq, "2 REGISTER");
        writer.header(HeaderName::Authorization, authorization);
        writer.finish();
        bytes
    }

    fn credentials(challenge: &[u8], user: &str, password: &str, count: u32) -> Vec<u8> {
        let challenge = Message::parse(challenge).expect("a response");
        let login = Login { user, password, realm: Some(REALM) };
        let (name, value) =
            answer(&challenge, login, Method::Register, "sip:office", count, 5).expect("an answer");
        assert_eq!(name, HeaderName::Authorization);
        request(&value)
    }

    fn check(verifier: &mut Verifier, now: Mono, bytes: &[u8], secret: Option<&Secret>) -> Verdict {
        let message = Message::parse(bytes).expect("a request");
        match verifier.credentials(&message) {
            None => Verdict::Missing,
            Some(credentials) => verifier.check(now, SOURCE, &message, &credentials, secret),
        }
    }

    #[test]
    fn r10_right_wrong_stale_and_replayed() {
        let secret = Secret::new("u7", REALM, "pass");
        for policy in [ChallengePolicy::Md5, ChallengePolicy::Sha256, ChallengePolicy::Both] {
            let mut verifier = Verifier::new(REALM, policy, [3; 32]);
            let now = Mono(1_000_000);
            let asked = challenge(&mut verifier, now);
            let good = credentials(&asked, "u7", "pass", 1);
            let right = Verdict::Right { user: "u7".into() };
            assert_eq!(check(&mut verifier, now, &request("Digest realm=\"x\""), None), Verdict::Missing);
            assert_eq!(check(&mut verifier, now, &good, Some(&secret)), right);
            assert_eq!(
                check(&mut verifier, now, &good, Some(&secret)),
                Verdict::Stale,
                "a replay is no strike"
            );
            let next = credentials(&asked, "u7", "pass", 2);
            assert_eq!(check(&mut verifier, now, &next, Some(&secret)), right);
            let wrong = credentials(&asked, "u7", "guess", 3);
            assert_eq!(check(&mut verifier, now, &wrong, Some(&secret)), Verdict::Wrong);
            let later = now + NONCE_LIFE + Duration::from_secs(1);
            let old = credentials(&asked, "u7", "pass", 4);
            assert_eq!(check(&mut verifier, later, &old, Some(&secret)), Verdict::Stale);
            let mut restarted = Verifier::new(REALM, policy, [4; 32]);
            assert_eq!(check(&mut restarted, now, &old, Some(&secret)), Verdict::Stale);
        }
    }

    #[test]
    fn sec_24_an_unknown_user_looks_like_a_wrong_secret() {
        let mut verifier = Verifier::new(REALM, ChallengePolicy::Md5, [3; 32]);
        let now = Mono(1_000_000);
        let asked = challenge(&mut verifier, now);
        let stranger = credentials(&asked, "nobody", "pass", 1);
        assert_eq!(check(&mut verifier, now, &stranger, None), Verdict::Wrong);
    }

    #[test]
    fn sec_24_a_nonce_is_good_only_where_it_was_asked_for() {
        let mut verifier = Verifier::new(REALM, ChallengePolicy::Md5, [3; 32]);
        let now = Mono(1_000_000);
        let asked = challenge(&mut verifier, now);
        let secret = Secret::new("u7", REALM, "pass");
        let elsewhere = "192.0.2.8".parse().expect("an address");
        for password in ["pass", "guess"] {
            let bytes = credentials(&asked, "u7", password, 1);
            let message = Message::parse(&bytes).expect("a request");
            let sent = verifier.credentials(&message).expect("credentials");
            let verdict = verifier.check(now, elsewhere, &message, &sent, Some(&secret));
            assert_eq!(verdict, Verdict::Stale, "no strike, and no word about the secret");
        }
    }

    #[test]
    fn sec_09_a_response_without_qop_is_refused_and_foreign_realms_get_no_answer() {
        let mut verifier = Verifier::new(REALM, ChallengePolicy::Md5, [3; 32]);
        let now = Mono(1_000_000);
        let asked = challenge(&mut verifier, now);
        let secret = Secret::new("u7", REALM, "pass");
        let text = String::from_utf8(credentials(&asked, "u7", "pass", 1)).expect("text");
        let stripped = text.replace(", qop=auth, nc=00000001", "");
        assert_eq!(check(&mut verifier, now, stripped.as_bytes(), Some(&secret)), Verdict::Wrong);
        let asked = Message::parse(&asked).expect("a response");
        let login = Login { user: "u7", password: "pass", realm: Some("elsewhere") };
        assert!(answer(&asked, login, Method::Register, "sip:office", 1, 5).is_none());
    }
}
