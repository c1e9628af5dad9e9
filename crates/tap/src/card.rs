//! The conversation with a card: its UID, and the NDEF file of a type 4 tag (NFC Forum Type 4 Tag 1.2, ISO/IEC 7816-4).

use crate::{Reading, hex, ndef};

/// Asks the reader for the UID (PC/SC part 3, 3.2.2.1.3).
const UID: [u8; 5] = [0xFF, 0xCA, 0x00, 0x00, 0x00];
/// Selects the NDEF application by its name.
const APPLICATION: [u8; 13] = [0x00, 0xA4, 0x04, 0x00, 0x07, 0xD2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01, 0x00];
/// The capability container.
const CONTAINER: u16 = 0xE103;
/// Octets of it up to the end of the first file's entry.
const CONTAINER_LENGTH: u8 = 15;
/// The tag of that entry, and the length of what follows.
const FILE_CONTROL: [u8; 2] = [0x04, 0x06];
/// Octets of an NDEF message that are read; a badge's has some eighty.
const MESSAGE: usize = 1_024;
/// Octets that one answer holds at most, whatever a card says it can.
const ANSWER: u16 = 0xF6;

/// Reads a card by `transmit`, which carries one command APDU and returns the answer with its status.
///
/// # Errors
/// What `transmit` says: the card is gone. A card that only cannot do something is read without it.
pub fn read<E>(mut transmit: impl FnMut(&[u8]) -> Result<Vec<u8>, E>) -> Result<Reading, E> {
    let uid = granted(transmit(&UID)?).filter(|uid| matches!(uid.len(), 4 | 7 | 10));
    let message = read_message(&mut transmit)?;
    let ndef = message.and_then(|message| ndef::first_text(&message));
    Ok(Reading { uid: uid.map(|uid| hex(&uid)), ndef })
}

/// The NDEF message, if the card is a type 4 tag that holds one for everybody.
fn read_message<E>(transmit: &mut impl FnMut(&[u8]) -> Result<Vec<u8>, E>) -> Result<Option<Vec<u8>>, E> {
    if granted(transmit(&APPLICATION)?).is_none() || !select(transmit, CONTAINER)? {
        return Ok(None);
    }
    let container = granted(transmit(&read_binary(0, CONTAINER_LENGTH))?);
    let Some(file) = container.as_deref().and_then(File::of) else { return Ok(None) };
    if !select(transmit, file.id)? {
        return Ok(None);
    }
    let Some(length) = granted(transmit(&read_binary(0, 2))?) else { return Ok(None) };
    let [high, low] = *length.as_slice() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > MESSAGE.min(file.size.saturating_sub(2)) {
        return Ok(None);
    }
    let mut message = Vec::new();
    while message.len() < length {
        let offset = u16::try_from(2 + message.len()).unwrap_or(u16::MAX);
        let wanted = u8::try_from((length - message.len()).min(file.step)).unwrap_or(u8::MAX);
        match granted(transmit(&read_binary(offset, wanted))?) {
            Some(part) if !part.is_empty() && part.len() <= usize::from(wanted) => message.extend(part),
            _ => return Ok(None),
        }
    }
    Ok(Some(message))
}

/// The NDEF file, as the capability container describes it.
struct File {
    id: u16,
    size: usize,
    /// Octets of one answer.
    step: usize,
}

impl File {
    fn of(container: &[u8]) -> Option<File> {
        let [_, _, _, most_high, most_low, _, _, tag, length, id_high, id_low, size_high, size_low, read, _] =
            *<&[u8; 15]>::try_from(container).ok()?;
        // 0: everybody may read it.
        if [tag, length] != FILE_CONTROL || read != 0 {
            return None;
        }
        Some(File {
            id: u16::from_be_bytes([id_high, id_low]),
            size: u16::from_be_bytes([size_high, size_low]).into(),
            step: u16::from_be_bytes([most_high, most_low]).clamp(1, ANSWER).into(),
        })
    }
}

fn select<E>(transmit: &mut impl FnMut(&[u8]) -> Result<Vec<u8>, E>, file: u16) -> Result<bool, E> {
    let [high, low] = file.to_be_bytes();
    Ok(granted(transmit(&[0x00, 0xA4, 0x00, 0x0C, 0x02, high, low])?).is_some())
}

fn read_binary(offset: u16, length: u8) -> [u8; 5] {
    let [high, low] = offset.to_be_bytes();
    [0x00, 0xB0, high, low, length]
}

/// What the card says, if its status is 90 00.
fn granted(mut answer: Vec<u8>) -> Option<Vec<u8>> {
    let data = answer.len().checked_sub(2)?;
    let status = answer.split_off(data);
    (status == [0x90, 0x00]).then_some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    /// A card that answers as a table says, and 6A 82 to everything else.
    fn talk(table: &[(&str, &str)]) -> (Reading, Vec<String>) {
        let octets = |text: &str| {
            let plain: String = text.split_whitespace().collect();
            let pairs = plain.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
            pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect::<Vec<u8>>()
        };
        let mut asked = Vec::new();
        let reading = read::<Infallible>(|command| {
            asked.push(hex(command));
            let known = table.iter().find(|(wanted, _)| octets(wanted) == command);
            Ok(known.map_or(vec![0x6A, 0x82], |(_, answer)| octets(answer)))
        });
        (reading.unwrap(), asked)
    }

    const SELECT: (&str, &str) = ("00A4040007D276000085010100", "9000");
    const SELECT_CONTAINER: (&str, &str) = ("00A4000C02E103", "9000");
    const SELECT_FILE: (&str, &str) = ("00A4000C02E104", "9000");
    const CONTAINER: (&str, &str) = ("00B000000F", "0017 20 0100 00FF 04 06 E104 0100 00 00 9000");
    const UID: (&str, &str) = ("FFCA000000", "04DE5F1EACC0409000");

    #[test]
    fn a_card_with_nothing_but_a_uid() {
        let (reading, asked) = talk(&[("FFCA000000", "DEADBEEF 9000")]);
        assert_eq!(reading, Reading { uid: Some("DEADBEEF".into()), ndef: None });
        assert_eq!(asked, ["FFCA000000", "00A4040007D276000085010100"]);
        assert_eq!(talk(&[]).0, Reading::default());
        assert_eq!(talk(&[("FFCA000000", "9000")]).0, Reading::default(), "a reader without that command");
    }

    #[test]
    fn a_type_4_tag_with_a_text() {
        let (reading, _) = talk(&[
            UID,
            SELECT,
            SELECT_CONTAINER,
            CONTAINER,
            SELECT_FILE,
            ("00B0000002", "000A 9000"),
            // D1: one short record of a well-known type; 02 "en".
            ("00B000020A", "D1 01 06 54 02 65 6E 61 64 61 9000"),
        ]);
        assert_eq!(reading, Reading { uid: Some("04DE5F1EACC040".into()), ndef: Some("ada".into()) });
    }

    #[test]
    fn a_long_message_is_read_in_the_steps_that_the_card_can() {
        let small = ("00B000000F", "000F 20 0006 00FF 04 06 E104 0100 00 00 9000");
        let (reading, asked) = talk(&[
            SELECT,
            SELECT_CONTAINER,
            small,
            SELECT_FILE,
            ("00B0000002", "000A 9000"),
            ("00B0000206", "D1 01 06 54 02 65 9000"),
            ("00B0000804", "6E 61 64 61 9000"),
        ]);
        assert_eq!(reading.ndef.as_deref(), Some("ada"));
        assert_eq!(asked.last().map(String::as_str), Some("00B0000804"));
    }

    #[test]
    fn tags_that_lie_about_themselves_are_read_without_their_record() {
        for (why, container, length) in [
            ("cut short", "0017 20 0100 9000", "000A 9000"),
            ("another entry first", "0017 20 0100 00FF 05 06 E104 0100 00 00 9000", "000A 9000"),
            ("not for everybody", "0017 20 0100 00FF 04 06 E104 0100 80 00 9000", "000A 9000"),
            ("longer than its file", "0017 20 0100 00FF 04 06 E104 0008 00 00 9000", "000A 9000"),
            ("longer than any badge's", "0017 20 0100 00FF 04 06 E104 FFFF 00 00 9000", "FFFD 9000"),
            ("no length", "0017 20 0100 00FF 04 06 E104 0100 00 00 9000", "00 9000"),
            ("a part that is empty", "0017 20 0100 00FF 04 06 E104 0100 00 00 9000", "0003 9000"),
        ] {
            let table = [
                UID,
                SELECT,
                SELECT_CONTAINER,
                ("00B000000F", container),
                SELECT_FILE,
                ("00B0000002", length),
                ("00B000020A", "D1 01 06 54 02 65 6E 61 64 61 9000"),
                ("00B0000203", "9000"),
            ];
            let (reading, asked) = talk(&table);
            assert_eq!((reading.uid.is_some(), reading.ndef), (true, None), "{why}");
            assert!(asked.len() < 20, "{why}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_card_answers_the_conversation_ends(
            answers in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..60),
        ) {
            let mut answers = answers.into_iter();
            let mut count = 0;
            let reading = read::<()>(|_| {
                count += 1;
                answers.next().map(|mut answer| {
                    answer.extend([0x90, 0x00]);
                    answer
                }).ok_or(())
            });
            prop_assert!(count <= MESSAGE + 8);
            let _ = reading;
        }
    }
}
