//! Codec identity: name, clock rate, channels and compatible `fmtp` (R2), and the static payload numbers.

use std::fmt;
use std::sync::Arc;
use wire::sdp::{Rtpmap, parameter};

/// The encoding name of an `rtpmap`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CodecName {
    /// G.711 mu-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722 at 64 kbit/s; its RTP clock runs at 8000 although it samples at 16000 (RFC 3551 4.5.2).
    G722,
    /// RFC 6716, RFC 7587.
    Opus,
    /// Key presses (RFC 4733).
    TelephoneEvent,
    /// Any other, as it was written; relayed, never encoded here.
    Other(Box<str>),
}

impl CodecName {
    /// The known name, whatever its case, or the name as it is.
    #[must_use]
    pub fn parse(name: &str) -> CodecName {
        const KNOWN: [(&str, CodecName); 5] = [
            ("PCMU", CodecName::Pcmu),
            ("PCMA", CodecName::Pcma),
            ("G722", CodecName::G722),
            ("opus", CodecName::Opus),
            ("telephone-event", CodecName::TelephoneEvent),
        ];
        let known = KNOWN.into_iter().find(|(text, _)| text.eq_ignore_ascii_case(name));
        known.map_or_else(|| CodecName::Other(name.into()), |(_, codec)| codec)
    }

    /// As written in an `rtpmap`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            CodecName::Pcmu => "PCMU",
            CodecName::Pcma => "PCMA",
            CodecName::G722 => "G722",
            CodecName::Opus => "opus",
            CodecName::TelephoneEvent => "telephone-event",
            CodecName::Other(name) => name,
        }
    }
}

/// A codec with its parameters; compare with [`Codec::matches`], not `==`, to ask whether two ends share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Codec {
    /// The encoding name.
    pub name: CodecName,
    /// Of the RTP timestamps, in Hz.
    pub clock_rate: u32,
    /// As in the `rtpmap`; 2 for Opus, whatever it carries (RFC 7587 section 7).
    pub channels: u8,
    /// Format parameters as written.
    pub fmtp: Option<Arc<str>>,
}

impl Codec {
    /// G.711 mu-law.
    pub const PCMU: Codec = Codec::new(CodecName::Pcmu, 8000, 1);
    /// G.711 A-law.
    pub const PCMA: Codec = Codec::new(CodecName::Pcma, 8000, 1);
    /// G.722.
    pub const G722: Codec = Codec::new(CodecName::G722, 8000, 1);
    /// Opus.
    pub const OPUS: Codec = Codec::new(CodecName::Opus, 48_000, 2);
    /// Key presses on an 8000 Hz clock.
    pub const TELEPHONE_EVENT: Codec = Codec::new(CodecName::TelephoneEvent, 8000, 1);
    /// The four that we can speak (R3), best sound first.
    pub const OURS: [Codec; 4] = [Codec::OPUS, Codec::G722, Codec::PCMA, Codec::PCMU];

    /// A codec without parameters.
    #[must_use]
    pub const fn new(name: CodecName, clock_rate: u32, channels: u8) -> Codec {
        Codec { name, clock_rate, channels, fmtp: None }
    }

    /// The codec of an `rtpmap` and its `fmtp`.
    #[must_use]
    pub fn from_rtpmap(map: &Rtpmap<'_>, fmtp: Option<&str>) -> Codec {
        let name = CodecName::parse(map.name);
        let mut codec = Codec::new(name, map.clock_rate, map.channels);
        // Some phones write G722/16000, as one would expect; RFC 3551 4.5.2 keeps the historic 8000.
        if codec.name == CodecName::G722 {
            codec.clock_rate = 8000;
        }
        codec.fmtp = fmtp.map(Arc::from);
        codec
    }

    /// The codec that a number means without an `rtpmap` (RFC 3551 section 6, audio).
    #[must_use]
    pub fn of_static_number(number: u8) -> Option<Codec> {
        let (name, clock_rate, channels) = STATIC
            .iter()
            .find(|entry| entry.0 == number)
            .map(|&(_, name, rate, channels)| (name, rate, channels))?;
        Some(Codec::new(CodecName::parse(name), clock_rate, channels))
    }

    /// The number that RFC 3551 gave this codec.
    #[must_use]
    pub fn static_number(&self) -> Option<u8> {
        let same = |entry: &&(u8, &str, u32, u8)| {
            (entry.2, entry.3) == (self.clock_rate, self.channels)
                && entry.1.eq_ignore_ascii_case(self.name.as_str())
        };
        STATIC.iter().find(same).map(|entry| entry.0)
    }

    /// Whether two ends mean the same codec, so that packets of one can be relayed to the other.
    #[must_use]
    pub fn matches(&self, other: &Codec) -> bool {
        self.clock_rate == other.clock_rate
            && self.channels == other.channels
            && (self.name == other.name || self.name.as_str().eq_ignore_ascii_case(other.name.as_str()))
            && self.fmtp_matches(other)
    }

    fn fmtp_matches(&self, other: &Codec) -> bool {
        let CodecName::Other(name) = &self.name else {
            // Receiver preferences only (RFC 7587 7.1, RFC 4733 2.4.1): nothing that breaks decoding.
            return true;
        };
        let decisive = DECISIVE.iter().find(|(codec, _)| codec.eq_ignore_ascii_case(name));
        let (left, right) = (self.fmtp.as_deref().unwrap_or(""), other.fmtp.as_deref().unwrap_or(""));
        let Some((_, parameters)) = decisive else { return true };
        parameters.iter().all(|&(key, default)| {
            let value = |text| parameter(text, key).unwrap_or(default);
            value(left).eq_ignore_ascii_case(value(right))
        })
    }

    /// Whether we can encode and decode it (R3).
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self.name, CodecName::Pcmu | CodecName::Pcma | CodecName::G722 | CodecName::Opus)
    }

    /// Whether it carries speech, unlike key presses and comfort noise.
    #[must_use]
    pub fn is_voice(&self) -> bool {
        match &self.name {
            CodecName::TelephoneEvent => false,
            CodecName::Other(name) => !name.eq_ignore_ascii_case("CN"),
            _ => true,
        }
    }

    /// Whether it wraps other payload numbers (RFC 2198, 4588, 5109), which no rewrite of ours reaches.
    #[must_use]
    pub fn is_wrapper(&self) -> bool {
        let name = self.name.as_str();
        ["red", "ulpfec", "parityfec", "flexfec", "rtx"]
            .iter()
            .any(|wrapper| wrapper.eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name.as_str(), self.clock_rate)?;
        if self.channels > 1 { write!(f, "/{}", self.channels) } else { Ok(()) }
    }
}

/// A payload number bound to a codec, in one direction of one leg.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Payload {
    /// 0 to 127.
    pub number: u8,
    /// What it means.
    pub codec: Codec,
}

/// Number, name, clock rate, channels (RFC 3551 table 4).
const STATIC: [(u8, &str, u32, u8); 17] = [
    (0, "PCMU", 8000, 1),
    (3, "GSM", 8000, 1),
    (4, "G723", 8000, 1),
    (5, "DVI4", 8000, 1),
    (6, "DVI4", 16_000, 1),
    (7, "LPC", 8000, 1),
    (8, "PCMA", 8000, 1),
    (9, "G722", 8000, 1),
    (10, "L16", 44_100, 2),
    (11, "L16", 44_100, 1),
    (12, "QCELP", 8000, 1),
    (13, "CN", 8000, 1),
    (14, "MPA", 90_000, 1),
    (15, "G728", 8000, 1),
    (16, "DVI4", 11_025, 1),
    (17, "DVI4", 22_050, 1),
    (18, "G729", 8000, 1),
];

/// Parameters with their defaults that change the bits, so that both ends must agree on them.
/// Codecs that are not listed have none that we know of.
const DECISIVE: [(&str, &[(&str, &str)]); 6] = [
    // RFC 4867 8.1 and 8.2
    ("AMR", &[("octet-align", "0"), ("crc", "0"), ("robust-sorting", "0"), ("interleaving", "")]),
    ("AMR-WB", &[("octet-align", "0"), ("crc", "0"), ("robust-sorting", "0"), ("interleaving", "")]),
    // RFC 3952 section 5
    ("iLBC", &[("mode", "30")]),
    // RFC 5577 3.1
    ("G7221", &[("bitrate", "")]),
    // RFC 3016
    ("MP4A-LATM", &[("config", ""), ("cpresent", "1")]),
    ("mpeg4-generic", &[("config", ""), ("mode", "")]),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(name: &str, rate: u32, fmtp: &str) -> Codec {
        let map = Rtpmap { number: 96, name, clock_rate: rate, channels: 1 };
        Codec::from_rtpmap(&map, (!fmtp.is_empty()).then_some(fmtp))
    }

    #[test]
    fn which_codecs_are_the_same() {
        let table = [
            (codec("pcmu", 8000, ""), Codec::PCMU, true),
            (codec("PCMU", 16_000, ""), Codec::PCMU, false),
            (codec("G722", 16_000, ""), Codec::G722, true),
            (codec("g729", 8000, "annexb=no"), codec("G729", 8000, ""), true),
            (codec("iLBC", 8000, "mode=20"), codec("ilbc", 8000, ""), false),
            (codec("iLBC", 8000, "mode=30"), codec("ilbc", 8000, ""), true),
            (codec("AMR", 8000, "octet-align=1; mode-set=7"), codec("AMR", 8000, ""), false),
            (codec("AMR", 8000, "mode-set=7"), codec("AMR", 8000, "octet-align=0"), true),
            (codec("telephone-event", 8000, "0-15"), Codec::TELEPHONE_EVENT, true),
            (codec("telephone-event", 48_000, "0-15"), Codec::TELEPHONE_EVENT, false),
            (codec("opus", 48_000, ""), Codec::OPUS, false),
        ];
        for (left, right, same) in table {
            assert_eq!((left.matches(&right), right.matches(&left)), (same, same), "{left} {right}");
        }
    }

    #[test]
    fn static_numbers_go_both_ways() {
        for (number, ..) in STATIC {
            assert_eq!(Codec::of_static_number(number).unwrap().static_number(), Some(number));
        }
        assert_eq!(Codec::of_static_number(96), None);
        assert_eq!(Codec::OPUS.static_number(), None);
    }
}
