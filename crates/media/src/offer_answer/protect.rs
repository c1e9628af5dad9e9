//! How a stream is protected: what we may offer and take, what the remote said, and the keys of ours (R14, R15).
//!
//! ```text
//! signalling   our offers            what we take
//! in clear     RTP/AVP               RTP/AVP(F)                       keys would be read on the way
//! under TLS    RTP/SAVP a=crypto     RTP/SAVP(F), else RTP/AVP(F)
//! of browsers  UDP/TLS/RTP/SAVPF     the same                         fingerprint, ICE
//! ```

use super::{MediaError, Profile};
use crate::srtp::{MasterKey, SrtpKeys, Suite};
use crate::webrtc::{Credentials, Fingerprint, WebrtcLink};
use crate::{LocalMedia, Protection};
use aws_lc_rs::hmac;
use std::net::IpAddr;
use wire::sdp::{Attribute, Crypto, Media, write_crypto};

/// What a leg's signalling allows, and what its device is offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// Only packets in clear: signalling that can be read must carry no key.
    #[default]
    Clear,
    /// Signalling is encrypted, so keys may stand in it (RFC 4568).
    Sdes,
    /// A browser.
    Webrtc {
        /// Of the certificate that our workers have.
        fingerprint: Fingerprint,
        /// Of the certificate that it must show, where that is known beforehand (S4.25).
        theirs: Option<Fingerprint>,
    },
}

impl Security {
    /// The profile of an offer of ours before anything is agreed.
    pub(super) fn offered(self) -> Profile {
        match self {
            Security::Clear => Profile::Avp,
            Security::Sdes => Profile::Savp,
            Security::Webrtc { .. } => Profile::Dtls,
        }
    }

    /// Whether a remote description names the certificate that it must.
    pub(super) fn admits(self, remote: &RemoteSecurity) -> bool {
        match self {
            Security::Webrtc { theirs: Some(theirs), .. } => remote.fingerprint == Some(theirs),
            _ => true,
        }
    }

    /// How gladly a profile is taken: less is better; `None` refuses it.
    pub(super) fn rank(self, profile: Profile) -> Option<u8> {
        match (self, profile) {
            (Security::Clear, Profile::Avp | Profile::Avpf) => Some(0),
            (Security::Sdes, Profile::Savp | Profile::Savpf) => Some(0),
            (Security::Sdes, Profile::Avp | Profile::Avpf) => Some(1),
            (Security::Webrtc { .. }, Profile::Dtls) => Some(0),
            _ => None,
        }
    }
}

/// Who begins the DTLS handshake (RFC 8842 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// The one who says so.
    Active,
    /// The other.
    Passive,
    /// Whom the answer names.
    ActPass,
}

/// What a remote description says about protection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteSecurity {
    /// The `a=crypto` lines that we can use, with their tags.
    pub keys: Vec<(u32, MasterKey)>,
    /// ICE user fragment and password.
    pub credentials: Option<Credentials>,
    /// Of the certificate that it will show.
    pub fingerprint: Option<Fingerprint>,
    /// Who begins the handshake.
    pub setup: Option<Setup>,
    /// The name of the stream (RFC 9143).
    pub mid: Option<Box<str>>,
    /// The sources that it will send from.
    pub sources: Vec<u32>,
}

impl RemoteSecurity {
    pub(super) fn read(media: &Media<'_, '_>) -> RemoteSecurity {
        let text =
            |name| media.inherited(name).and_then(|value| std::str::from_utf8(value).ok()).map(str::trim);
        let line = |value| Crypto::parse(value).and_then(|line| Some((line.tag, MasterKey::of(&line)?)));
        let mut sources = Vec::new();
        for source in media.ssrcs() {
            if !sources.contains(&source.ssrc) && sources.len() < 4 {
                sources.push(source.ssrc);
            }
        }
        RemoteSecurity {
            keys: media.attributes("crypto").filter_map(line).collect(),
            credentials: text("ice-ufrag")
                .zip(text("ice-pwd"))
                .and_then(|(fragment, password)| Credentials::parse(fragment, password)),
            fingerprint: text("fingerprint").and_then(Fingerprint::parse),
            setup: text("setup").and_then(|setup| match setup {
                "active" => Some(Setup::Active),
                "passive" => Some(Setup::Passive),
                "actpass" => Some(Setup::ActPass),
                _ => None,
            }),
            mid: text("mid").filter(|mid| is_token(mid)).map(Box::from),
            sources,
        }
    }
}

/// RFC 8866 section 9, and no longer than any that was ever seen.
fn is_token(text: &str) -> bool {
    let sign = |byte| b"!#$%&'*+-.^_`{|}~".contains(&byte);
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || sign(byte))
}

/// What a description of ours says about protection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OurSecurity {
    Clear,
    Sdes { tag: u32, key: MasterKey },
    Webrtc { credentials: Credentials, fingerprint: Fingerprint, setup: Setup, mid: Box<str> },
}

/// Draws keys, one after the other, from a seed that the owner of the leg drew.
#[derive(Clone)]
pub(super) struct Drawer {
    seed: [u8; 32],
    drawn: u32,
}

// A seed in a log would give all keys away.
impl std::fmt::Debug for Drawer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Drawer").field("drawn", &self.drawn).finish_non_exhaustive()
    }
}

/// 64 characters of RFC 8839's `ice-char`, so that six random bits make one.
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Drawer {
    pub(super) fn new(seed: [u8; 32]) -> Drawer {
        Drawer { seed, drawn: 0 }
    }

    fn draw(&mut self) -> [u8; 32] {
        self.drawn = self.drawn.wrapping_add(1);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.seed);
        let mut block = [0; 32];
        block.copy_from_slice(hmac::sign(&key, &self.drawn.to_be_bytes()).as_ref());
        block
    }

    pub(super) fn key(&mut self, suite: Suite) -> MasterKey {
        let block = self.draw();
        let mut bytes = [0; MasterKey::LEN];
        bytes.copy_from_slice(&block[..MasterKey::LEN]);
        MasterKey::new(suite, bytes)
    }

    /// 48 random bits of name and 144 of password: RFC 8445 section 5.3 wants 24 and 128.
    pub(super) fn credentials(&mut self) -> Credentials {
        let text: String =
            self.draw().iter().map(|byte| char::from(ICE_CHARS[usize::from(byte & 63)])).collect();
        let (fragment, password) = text.split_at(8);
        Credentials { fragment: fragment.into(), password: password.into() }
    }
}

impl OurSecurity {
    /// For an offer of ours: a new key each time (R14), the same ICE credentials while nothing restarts.
    pub(super) fn offer(
        security: Security,
        profile: Profile,
        in_force: Option<&OurSecurity>,
        drawer: &mut Drawer,
    ) -> OurSecurity {
        match (profile, security) {
            (Profile::Savp | Profile::Savpf, _) => {
                OurSecurity::Sdes { tag: 1, key: drawer.key(Suite::Sha1Tag80) }
            }
            (Profile::Dtls, Security::Webrtc { fingerprint, .. }) => {
                let (credentials, mid) = match in_force {
                    Some(OurSecurity::Webrtc { credentials, mid, .. }) => (credentials.clone(), mid.clone()),
                    _ => (drawer.credentials(), "0".into()),
                };
                OurSecurity::Webrtc { credentials, fingerprint, setup: Setup::ActPass, mid }
            }
            _ => OurSecurity::Clear,
        }
    }

    /// For an answer of ours to `remote`; `before` is what both said last.
    pub(super) fn answer(
        security: Security,
        profile: Profile,
        remote: &RemoteSecurity,
        before: Option<(&OurSecurity, &RemoteSecurity, bool)>,
        drawer: &mut Drawer,
    ) -> Result<OurSecurity, MediaError> {
        match (profile, security) {
            (Profile::Avp | Profile::Avpf, _) => Ok(OurSecurity::Clear),
            (Profile::Savp | Profile::Savpf, Security::Sdes) => {
                let (tag, theirs) = remote.keys.first().ok_or(MediaError::Profile)?;
                let key = match before {
                    // Our key goes on, and its rollover counter with it.
                    Some((OurSecurity::Sdes { key, .. }, ..)) if key.suite == theirs.suite => key.clone(),
                    _ => drawer.key(theirs.suite),
                };
                Ok(OurSecurity::Sdes { tag: *tag, key })
            }
            (Profile::Dtls, Security::Webrtc { fingerprint, .. }) => {
                let usable = remote.credentials.is_some() && remote.fingerprint.is_some();
                if !usable {
                    return Err(MediaError::Profile);
                }
                let mid = remote.mid.clone().unwrap_or_else(|| "0".into());
                // RFC 8842 section 5.5: while the association stays, so do the roles.
                let same = before.filter(|(_, last, _)| last.fingerprint == remote.fingerprint);
                let setup = match (remote.setup, same) {
                    (Some(Setup::ActPass), Some((.., true))) | (Some(Setup::Passive), _) => Setup::Active,
                    _ => Setup::Passive,
                };
                // RFC 8839 section 4.4.1.1.1: who is asked to restart answers with new credentials.
                let credentials = match before {
                    Some((OurSecurity::Webrtc { credentials, .. }, last, _))
                        if last.credentials == remote.credentials =>
                    {
                        credentials.clone()
                    }
                    _ => drawer.credentials(),
                };
                Ok(OurSecurity::Webrtc { credentials, fingerprint, setup, mid })
            }
            _ => Err(MediaError::Profile),
        }
    }

    /// What both descriptions come to.
    pub(super) fn agree(&self, remote: &RemoteSecurity) -> Result<Protection, MediaError> {
        match self {
            OurSecurity::Clear => Ok(Protection::Clear),
            OurSecurity::Sdes { tag, key } => {
                let theirs =
                    remote.keys.iter().find(|(known, theirs)| known == tag && theirs.suite == key.suite);
                let (_, theirs) = theirs.ok_or(MediaError::Profile)?;
                Ok(Protection::Srtp(Box::new(SrtpKeys { send: key.clone(), receive: theirs.clone() })))
            }
            OurSecurity::Webrtc { credentials, setup, .. } => {
                let (Some(theirs), Some(fingerprint)) = (&remote.credentials, remote.fingerprint) else {
                    return Err(MediaError::Profile);
                };
                let active = match setup {
                    Setup::Active => true,
                    Setup::Passive => false,
                    Setup::ActPass => remote.setup == Some(Setup::Passive),
                };
                Ok(Protection::Webrtc(Box::new(WebrtcLink {
                    local: credentials.clone(),
                    remote: theirs.clone(),
                    fingerprint,
                    active,
                    sources: remote.sources.clone(),
                })))
            }
        }
    }

    /// The attributes of the stream.
    pub(super) fn write(&self, local: &LocalMedia, out: &mut Vec<Attribute>) {
        match self {
            OurSecurity::Clear => {}
            OurSecurity::Sdes { tag, key } => {
                out.push(Attribute::new("crypto", write_crypto(*tag, key.suite.as_str(), key.bytes())));
            }
            OurSecurity::Webrtc { credentials, fingerprint, setup, mid } => {
                let setup = match setup {
                    Setup::Active => "active",
                    Setup::Passive => "passive",
                    Setup::ActPass => "actpass",
                };
                out.push(Attribute::new("mid", mid.to_string()));
                // One stream of one source, so that the browser makes one stream object of it.
                out.push(Attribute::new("msid", "ringdown audio"));
                out.push(Attribute::new("ice-ufrag", credentials.fragment.to_string()));
                out.push(Attribute::new("ice-pwd", credentials.password.to_string()));
                out.push(Attribute::new("fingerprint", fingerprint.to_string()));
                out.push(Attribute::new("setup", setup));
                // RFC 8445 section 5.1.2.1: a host candidate of the first component.
                let candidate = format!("1 1 udp 2130706431 {} {} typ host", local.address, local.port);
                out.push(Attribute::new("candidate", candidate));
                out.push(Attribute::flag("end-of-candidates"));
            }
        }
    }

    /// The attributes of the session.
    pub(super) fn session(&self) -> Vec<Attribute> {
        match self {
            OurSecurity::Webrtc { mid, .. } => {
                vec![Attribute::new("group", format!("BUNDLE {mid}")), Attribute::flag("ice-lite")]
            }
            OurSecurity::Clear | OurSecurity::Sdes { .. } => Vec::new(),
        }
    }
}

/// Whether an address says that nothing is to be sent: not under ICE, where candidates say where to (RFC 8839 4.3.1).
pub(super) fn is_zero(address: IpAddr, profile: Profile) -> bool {
    address.is_unspecified() && profile != Profile::Dtls
}
