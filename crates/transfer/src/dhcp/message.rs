//! Messages of DHCP (RFC 2131) by which who has an address asks for more than that. No I/O.
//!
//! ```text
//! | op htype hlen hops | xid | secs flags | ciaddr | yiaddr | siaddr | giaddr | chaddr 16 | sname 64 | file 128 | options
//! 0                    4     8            12       16       20       24       28          44         108        236
//! ```

use crate::link::Link;
use std::net::Ipv4Addr;

/// What stands before options (RFC 2131 3).
const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// Where options begin.
const OPTIONS: usize = 240;
/// Octets of a message of ours: BOOTP relays drop shorter ones.
const LEAST: usize = 300;
/// Links are asked for by these options: of makers (160, 43, 125), and of TFTP (66, 67), in which links are put as well.
const WANTED: [u8; 5] = [66, 67, 43, 160, 125];

const OVERLOAD: u8 = 52;
const KIND: u8 = 53;
const ACKNOWLEDGED: u8 = 5;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    /// Tells answers to this question from others.
    pub(super) transaction: u32,
    pub(super) hardware: [u8; 6],
    pub(super) address: Ipv4Addr,
}

impl Asker {
    /// `DHCPINFORM` (RFC 2131 4.4.3).
    pub(super) fn inform(&self) -> Vec<u8> {
        let mut message = vec![0; OPTIONS - COOKIE.len()];
        message[..3].copy_from_slice(&[1, 1, 6]);
        message[4..8].copy_from_slice(&self.transaction.to_be_bytes());
        message[12..16].copy_from_slice(&self.address.octets());
        message[28..34].copy_from_slice(&self.hardware);
        message.extend(COOKIE);
        message.extend([KIND, 1, 8]);
        message.extend([57, 2, 5, 220]);
        message.extend([60, 8]);
        message.extend(b"ringdown");
        message.extend([55, 5]);
        message.extend(WANTED);
        message.push(255);
        message.resize(message.len().max(LEAST), 0);
        message
    }

    /// The options of an answer, if it is one to us.
    pub(super) fn answer(&self, message: &[u8]) -> Option<Options> {
        let head = message.get(..OPTIONS)?;
        let is_ours = head[0] == 2
            && head[4..8] == self.transaction.to_be_bytes()
            && head[28..34] == self.hardware
            && head[236..] == COOKIE;
        let options = Options::read(message);
        (is_ours && options.of(KIND) == [ACKNOWLEDGED]).then_some(options)
    }
}

/// Options, each with all that stands under its number, in its order: one may be cut into several (RFC 3396).
#[derive(Debug, Default)]
pub(super) struct Options(Vec<(u8, Vec<u8>)>);

impl Options {
    fn read(message: &[u8]) -> Options {
        let mut options = Options::default();
        options.gather(message.get(OPTIONS..).unwrap_or_default());
        // RFC 2131 4.1: what does not fit stands in fields that were made for something else.
        let overload = options.of(OVERLOAD).first().copied().unwrap_or(0);
        for (bit, field) in [(1, 108..236), (2, 44..108)] {
            if overload & bit != 0 {
                options.gather(message.get(field).unwrap_or_default());
            }
        }
        options
    }

    fn gather(&mut self, mut rest: &[u8]) {
        while let [number, after @ ..] = rest {
            rest = match (*number, after) {
                (0, _) => after,
                (255, _) | (_, []) => return,
                (number, [length, after @ ..]) => {
                    let Some((value, after)) = after.split_at_checked(usize::from(*length)) else { return };
                    match self.0.iter_mut().find(|(known, _)| *known == number) {
                        Some((_, known)) => known.extend_from_slice(value),
                        None => self.0.push((number, value.to_vec())),
                    }
                    after
                }
            };
        }
    }

    fn of(&self, number: u8) -> &[u8] {
        self.0.iter().find(|(known, _)| *known == number).map_or(&[], |(_, value)| value)
    }

    /// The link that they name: by the option that is there for links, then by those that others put them in.
    pub(super) fn link(&self) -> Option<String> {
        let text = |number| text_of(self.of(number));
        let joined = || match (text(66)?, text(67)) {
            (folder, Some(file)) if folder.ends_with('/') => Some(format!("{folder}{file}")),
            (link, _) => Some(link),
        };
        let of_makers = || {
            let encapsulated = self.of(43);
            text_of(encapsulated).filter(|text| is_link(text)).or_else(|| link_among(encapsulated))
        };
        let is_good = |link: &String| is_link(link);
        text(160)
            .filter(is_good)
            .or_else(|| joined().filter(is_good))
            .or_else(|| text(67).filter(is_good))
            .or_else(of_makers)
            .or_else(|| self.identified())
    }

    /// RFC 3925 4: an enterprise, a length, options of its own; then the next.
    fn identified(&self) -> Option<String> {
        let mut rest = self.of(125);
        while let Some((&[_, _, _, _, length], after)) = rest.split_first_chunk() {
            let (value, after) = after.split_at_checked(usize::from(length))?;
            if let Some(link) = link_among(value) {
                return Some(link);
            }
            rest = after;
        }
        None
    }
}

/// The first link among options within an option.
fn link_among(octets: &[u8]) -> Option<String> {
    let mut inner = Options::default();
    inner.gather(octets);
    inner.0.iter().filter_map(|(_, value)| text_of(value)).find(|text| is_link(text))
}

/// A text; some servers put an octet of zero behind it.
fn text_of(octets: &[u8]) -> Option<String> {
    let end = octets.iter().rposition(|octet| *octet != 0)? + 1;
    let text = std::str::from_utf8(&octets[..end]).ok()?.trim();
    (!text.is_empty() && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// Whether a text is a link to another machine: nobody on the network names files of ours.
fn is_link(text: &str) -> bool {
    matches!(text.parse(), Ok(link) if !matches!(link, Link::Local(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ASKER: Asker = Asker {
        transaction: 0x0102_0304,
        hardware: [2, 0, 0, 0, 0, 9],
        address: Ipv4Addr::new(192, 0, 2, 7),
    };
    const LINK: &str = "https://h/a.csv";

    fn option(number: u8, value: &[u8]) -> Vec<u8> {
        [&[number, u8::try_from(value.len()).unwrap()], value].concat()
    }

    fn message(options: &[Vec<u8>]) -> Vec<u8> {
        let mut message = ASKER.inform();
        message.truncate(OPTIONS);
        message[0] = 2;
        message.extend(option(KIND, &[ACKNOWLEDGED]));
        message.extend(options.concat());
        message.push(255);
        message
    }

    fn link(options: &[Vec<u8>]) -> Option<String> {
        ASKER.answer(&message(options))?.link()
    }

    #[test]
    fn rfc_2131_a_question_says_who_asks_and_what_for() {
        let inform = ASKER.inform();
        assert_eq!(inform.len(), LEAST);
        assert_eq!(inform[12..16], [192, 0, 2, 7]);
        let options = Options::read(&inform);
        assert_eq!((options.of(KIND), options.of(55)), (&[8][..], &WANTED[..]));
        assert!(ASKER.answer(&inform).is_none(), "a question is no answer");
    }

    #[test]
    fn a_link_is_found_in_each_option_with_and_without_a_zero() {
        let zero = format!("{LINK}\0");
        let inner = option(5, LINK.as_bytes());
        let identified = [&[0, 0, 0x0D, 0xE9, u8::try_from(inner.len()).unwrap()], &inner[..]].concat();
        for options in [
            vec![option(160, zero.as_bytes())],
            vec![option(66, LINK.as_bytes())],
            vec![option(66, zero.as_bytes()), option(67, b"boot.bin")],
            vec![option(66, b"https://h/\0"), option(67, b"a.csv\0")],
            vec![option(66, b"192.0.2.1"), option(67, LINK.as_bytes())],
            vec![option(43, LINK.as_bytes())],
            vec![option(43, &[option(1, b"x"), inner.clone()].concat())],
            vec![option(125, &[&[0, 0, 0, 1, 2, 9, 0], &identified[..]].concat())],
            // Two of them, as dnsmasq sends them.
            vec![option(125, &[0, 0, 0, 1, 3, 9, 1, 0]), option(125, &identified)],
            // RFC 3396: one that is cut in two.
            vec![option(160, b"https://h"), option(1, &[0; 4]), option(160, b"/a.csv")],
        ] {
            assert_eq!(link(&options).as_deref(), Some(LINK), "{options:?}");
        }
        assert_eq!(link(&[option(66, b"192.0.2.1"), option(67, b"boot.bin")]), None);
        assert_eq!(link(&[option(160, b"file:///etc/passwd"), option(66, b"/etc/passwd")]), None);
        let order = [option(66, LINK.as_bytes()), option(160, b"https://first/a")];
        assert_eq!(link(&order).as_deref(), Some("https://first/a"));
    }

    #[test]
    fn rfc_2131_options_go_on_in_other_fields() {
        let mut message = message(&[option(OVERLOAD, &[3])]);
        let file = [option(160, b"https://h"), vec![255]].concat();
        message[108..108 + file.len()].copy_from_slice(&file);
        let name = [option(160, b"/a.csv"), vec![255]].concat();
        message[44..44 + name.len()].copy_from_slice(&name);
        assert_eq!(ASKER.answer(&message).unwrap().link().as_deref(), Some(LINK));
    }

    #[test]
    fn answers_to_others_are_none() {
        let good = message(&[option(160, LINK.as_bytes())]);
        for index in [0, 4, 28, 236] {
            let mut other = good.clone();
            other[index] ^= 1;
            assert!(ASKER.answer(&other).is_none(), "{index}");
        }
        assert!(ASKER.answer(&good[..OPTIONS - 1]).is_none());
    }

    proptest! {
        #[test]
        fn no_octets_panic(options in proptest::collection::vec(any::<u8>(), 0..300), overload in 0..4_u8) {
            let mut message = message(&[option(OVERLOAD, &[overload])]);
            message.pop();
            let middle = options.len() / 2;
            let field = &options[..middle.min(190)];
            message[44..44 + field.len()].copy_from_slice(field);
            message.extend(&options);
            if let Some(options) = ASKER.answer(&message) {
                let _ = options.link();
            }
        }
    }
}
