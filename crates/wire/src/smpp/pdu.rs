//! PDUs, there and back (SMPP 3.4 section 4).

use super::text::Part;

/// `command_id` (5.1.2.1): who we are, for both ways.
pub const BIND_TRANSCEIVER: u32 = 9;
/// A text for a telephone.
pub const SUBMIT_SM: u32 = 4;
/// A text from a telephone, or a receipt.
pub const DELIVER_SM: u32 = 5;
/// The end of a session.
pub const UNBIND: u32 = 6;
/// Whether the other side lives.
pub const ENQUIRE_LINK: u32 = 0x15;
/// The answer to what is not understood.
pub const GENERIC_NACK: u32 = 0x8000_0000;
/// Makes the answer of a command.
pub const RESPONSE: u32 = 0x8000_0000;

const HEAD: usize = 16;
/// Octets of a PDU; the longest that we ask for or hear has some 400, with a payload 64 KiB.
const MOST: usize = 70_000;
/// `interface_version` 3.4.
const VERSION: u8 = 0x34;
/// `registered_delivery`: tell in any case what becomes of it (5.2.17).
const TELL: u8 = 1;

/// A PDU that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// What it is.
    pub id: u32,
    /// Of an answer, whether it went well: 0.
    pub status: u32,
    /// Which answer belongs to which question.
    pub sequence: u32,
    /// The rest.
    pub body: &'a [u8],
}

/// What is no PDU: the connection is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bad;

impl<'a> Command<'a> {
    /// The first PDU of what was received, and how many octets it has; `None` if it is not all there.
    ///
    /// # Errors
    /// [`Bad`] when its length is none that a PDU can have.
    pub fn first(octets: &'a [u8]) -> Result<Option<(Command<'a>, usize)>, Bad> {
        let Some(length) = number(octets, 0) else { return Ok(None) };
        let length = usize::try_from(length).map_err(|_| Bad)?;
        if !(HEAD..=MOST).contains(&length) {
            return Err(Bad);
        }
        let (Some(whole), Some(id), Some(status), Some(sequence)) =
            (octets.get(..length), number(octets, 4), number(octets, 8), number(octets, 12))
        else {
            return Ok(None);
        };
        Ok(Some((Command { id, status, sequence, body: &whole[HEAD..] }, length)))
    }
}

fn number(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// An address and of what kind it is (5.2.5, 5.2.6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Type of number: 1 international, 5 letters.
    pub ton: u8,
    /// Numbering plan: 1 E.164, 0 unknown.
    pub npi: u8,
    /// Digits without a +, or a name.
    pub text: String,
}

/// A text message that is handed over.
#[derive(Clone, Copy, Debug)]
pub struct Submission<'a> {
    /// Who it comes from.
    pub source: &'a Address,
    /// Whom it is for.
    pub destination: &'a Address,
    /// What it says.
    pub part: &'a Part,
}

fn whole(id: u32, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEAD + body.len()).unwrap_or(u32::MAX);
    let mut octets = Vec::with_capacity(HEAD + body.len());
    for word in [length, id, status, sequence] {
        octets.extend(word.to_be_bytes());
    }
    octets.extend(body);
    octets
}

/// A C-Octet String of at most `most` octets with its end (3.1).
fn string(body: &mut Vec<u8>, text: &str, most: usize) {
    body.extend(text.bytes().filter(|octet| *octet != 0).take(most - 1));
    body.push(0);
}

fn address(body: &mut Vec<u8>, address: &Address) {
    body.extend([address.ton, address.npi]);
    string(body, &address.text, 21);
}

/// `bind_transceiver` (4.1.5).
#[must_use]
pub fn bind_transceiver(sequence: u32, system_id: &str, password: &str) -> Vec<u8> {
    let mut body = Vec::new();
    string(&mut body, system_id, 16);
    string(&mut body, password, 9);
    string(&mut body, "", 13);
    body.extend([VERSION, 0, 0, 0]);
    whole(BIND_TRANSCEIVER, 0, sequence, &body)
}

/// `submit_sm` (4.4.1), which asks for a receipt.
#[must_use]
pub fn submit_sm(sequence: u32, submission: Submission<'_>) -> Vec<u8> {
    let Submission { source, destination, part } = submission;
    let mut body = vec![0];
    address(&mut body, source);
    address(&mut body, destination);
    // No protocol of its own, no priority, at once, as long as the provider keeps it.
    body.extend([part.esm_class, 0, 0, 0, 0, TELL, 0, part.data_coding, 0]);
    let octets = &part.octets[..part.octets.len().min(254)];
    body.push(u8::try_from(octets.len()).unwrap_or_default());
    body.extend(octets);
    whole(SUBMIT_SM, 0, sequence, &body)
}

/// A PDU without a body: `enquire_link`, `unbind` and the answers to them, `generic_nack`.
#[must_use]
pub fn bodiless(id: u32, status: u32, sequence: u32) -> Vec<u8> {
    whole(id, status, sequence, &[])
}

/// The answer to a `deliver_sm`, whose body is an empty name (4.6.2).
#[must_use]
pub fn deliver_sm_response(status: u32, sequence: u32) -> Vec<u8> {
    whole(DELIVER_SM | RESPONSE, status, sequence, &[0])
}

/// The name that the provider gives a message, in the body of its answer to a `submit_sm` (4.4.2).
#[must_use]
pub fn message_id(body: &[u8]) -> Option<String> {
    let end = body.iter().position(|octet| *octet == 0).unwrap_or(body.len());
    let text = std::str::from_utf8(&body[..end]).ok()?;
    (!text.is_empty() && text.len() <= 64).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smpp::split;

    #[test]
    fn what_is_written_is_what_is_read() {
        let bind = bind_transceiver(7, "office", "secret");
        let (command, length) = Command::first(&bind).unwrap().unwrap();
        assert_eq!(
            (command.id, command.status, command.sequence, length),
            (BIND_TRANSCEIVER, 0, 7, bind.len())
        );
        assert_eq!(command.body, b"office\0secret\0\0\x34\0\0\0");
        let source = Address { ton: 5, npi: 0, text: "Office".into() };
        let destination = Address { ton: 1, npi: 1, text: "8613800138000".into() };
        let part = &split("Hi", 0)[0];
        let submit = submit_sm(8, Submission { source: &source, destination: &destination, part });
        let (command, _) = Command::first(&submit).unwrap().unwrap();
        assert_eq!(command.body, b"\0\x05\0Office\0\x01\x018613800138000\0\0\0\0\0\0\x01\0\0\0\x02Hi");
        assert_eq!(message_id(b"m-1\0"), Some("m-1".into()));
        assert_eq!((message_id(b"\0"), message_id(b"\xff\0"), message_id(b"")), (None, None, None));
    }

    #[test]
    fn what_is_not_all_there_is_waited_for_and_what_is_no_pdu_is_told() {
        let link = bodiless(ENQUIRE_LINK, 0, 1);
        for end in 0..link.len() {
            assert_eq!(Command::first(&link[..end]), Ok(None), "{end}");
        }
        for length in [0u32, 15, 70_001, u32::MAX] {
            assert_eq!(Command::first(&length.to_be_bytes()), Err(Bad), "{length}");
        }
    }
}
