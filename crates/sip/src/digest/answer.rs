//! The client's side: credentials for a challenge of somebody else's (RFC 7616 3.4, RFC 3261 22).

use super::{Algorithm, Secret, Sent, parameter, quote, response};
use wire::sip::{HeaderName, Message, Method};

/// Who we are to the challenger.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The user name.
    pub user: &'a str,
    /// Its password.
    pub password: &'a str,
    /// Answer only this realm, so that nobody else collects our responses (sec_09); `None` answers any.
    pub realm: Option<&'a str>,
}

/// The header for the next try of a request that was answered with 401 or 407, and its value; `None` when no
/// challenge can be answered. The strongest algorithm wins. `count` is the number of requests sent with this nonce,
/// this one included.
#[must_use]
pub fn answer(
    challenge: &Message<'_>,
    login: Login<'_>,
    method: Method<'_>,
    uri: &str,
    count: u32,
    random: u64,
) -> Option<(HeaderName, String)> {
    let (asks, answers) = match challenge.status()? {
        401 => (HeaderName::WwwAuthenticate, HeaderName::Authorization),
        407 => (HeaderName::ProxyAuthenticate, HeaderName::ProxyAuthorization),
        _ => return None,
    };
    let mut best = None;
    for offered in challenge.challenges(asks).flatten().filter(wire::sip::DigestParams::is_digest) {
        let Some(algorithm) = Algorithm::parse(offered.get("algorithm").as_deref()) else { continue };
        let known = login.realm.is_none() || login.realm == offered.get("realm").as_deref();
        let stronger =
            best.as_ref().is_none_or(|(known, _)| *known == Algorithm::Md5 && algorithm == Algorithm::Sha256);
        if known && stronger {
            best = Some((algorithm, offered));
        }
    }
    let (algorithm, offered) = best?;
    let (realm, nonce) = (offered.get("realm")?, offered.get("nonce")?);
    let qop = match offered.get("qop") {
        None => false,
        Some(list) if list.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")) => true,
        Some(_) => return None,
    };
    let (nc, cnonce) = (format!("{count:08x}"), format!("{random:016x}"));
    let secret = Secret::new(login.user, &realm, login.password);
    let sent = Sent { nonce: &nonce, qop: qop.then_some((&*nc, &*cnonce)) };
    let made = response(algorithm, secret.ha1(algorithm), method.as_str(), uri, &sent);
    let mut text = String::from("Digest username=");
    quote(&mut text, login.user);
    parameter(&mut text, "realm", &realm);
    parameter(&mut text, "nonce", &nonce);
    parameter(&mut text, "uri", uri);
    parameter(&mut text, "response", made.as_str());
    text.push_str(", algorithm=");
    text.push_str(algorithm.name());
    if qop {
        text.push_str(", qop=auth, nc=");
        text.push_str(&nc);
        parameter(&mut text, "cnonce", &cnonce);
    }
    if let Some(opaque) = offered.get("opaque") {
        parameter(&mut text, "opaque", &opaque);
    }
    Some((answers, text))
}
