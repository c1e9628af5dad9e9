//! NTAG 424 DNA secure dynamic messaging (NXP AN12196): what the chip mirrors into its NDEF record at each tap.
//!
//! ```text
//! PICCENCData = AES-128-CBC(K_SDMMetaRead, iv 0, C7 | UID (7) | SDMReadCtr (3, least octet first) | random (5))
//! SV2         = 3C C3 00 01 00 80 | UID | SDMReadCtr
//! SDMMAC      = the octets 1, 3, .. 15 of CMAC(CMAC(K_SDMFileRead, SV2), no octets)
//! ```
//!
//! The MAC is taken over nothing, as when the chip is set up with its MAC input and its MAC at the same offset: UID and
//! counter are in the session key already, and no other part of the record is believed.
//!
//! `K_SDMMetaRead` is one for the office, because it is what tells whose tap this is; who learns it from one chip can
//! follow badges, and forge none. `K_SDMFileRead` is another for each issue of a chip, made as NXP's AN10922 makes keys:
//! whoever breaks one chip open has that chip alone. AN10922 and not HKDF, because it needs nothing but the CMAC that is
//! here anyway, and the tools that write such chips know it.

use super::badge::Uid;
use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt as _, KeyInit as _};
use cmac::{Cmac, Mac as _};

/// What a chip told at one tap, decrypted and not yet proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) uid: Uid,
    /// Grows by one at each tap.
    pub(crate) counter: u32,
}

/// UID and counter are mirrored, and the UID has seven octets (AN12196, table 2).
const PICC_DATA_TAG: u8 = 0xC7;
const UID: usize = 7;

/// Who says that they tap. `None` for what is not encrypted with this key.
pub(crate) fn open(meta_read: &[u8; 16], picc_data: &[u8; 16]) -> Option<Told> {
    let mut block = Array::from(*picc_data);
    // One block with an IV of zeros: CBC is the cipher itself.
    Aes128::new(&Array::from(*meta_read)).decrypt_block(&mut block);
    let (tag, rest) = block.split_first()?;
    let (uid, rest) = rest.split_at_checked(UID)?;
    let [low, middle, high] = *rest.first_chunk::<3>()?;
    let uid = Uid::of(uid).filter(|_| *tag == PICC_DATA_TAG)?;
    Some(Told { uid, counter: u32::from_le_bytes([low, middle, high, 0]) })
}

/// Whether the chip with this key told it, in a time that says nothing.
pub(crate) fn is_proved(file_read: &[u8; 16], told: &Told, mac: &[u8; 8]) -> bool {
    sip::digest::same(&sign(file_read, told), mac)
}

/// What a chip with this key says beside what it tells.
pub(crate) fn sign(file_read: &[u8; 16], told: &Told) -> [u8; 8] {
    let [low, middle, high, _] = told.counter.to_le_bytes();
    let head = [0x3C, 0xC3, 0x00, 0x01, 0x00, 0x80];
    let vector = [&head, told.uid.octets(), &[low, middle, high]].concat();
    let session = cmac(file_read, &vector);
    let whole = cmac(&session, &[]);
    let mut mac = [0; 8];
    for (octet, from) in mac.iter_mut().zip(whole.iter().skip(1).step_by(2)) {
        *octet = *from;
    }
    mac
}

/// A key for `input`, of 16 to 31 octets (AN10922, 2.2).
pub(crate) fn diversify(master: &[u8; 16], input: &[u8]) -> [u8; 16] {
    // Below 16 octets AN10922 pads further than CMAC does.
    debug_assert!((16..=31).contains(&input.len()), "UID and issue have 20 to 26 octets");
    cmac(master, &[&[0x01], input].concat())
}

fn cmac(key: &[u8; 16], message: &[u8]) -> [u8; 16] {
    let mut mac = <Cmac<Aes128> as cmac::KeyInit>::new(&Array::from(*key));
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::super::badge::hex;
    use super::*;
    use proptest::prelude::*;

    fn octets<const N: usize>(text: &str) -> [u8; N] {
        hex(text, 2 * N).unwrap().try_into().unwrap()
    }

    fn told(uid: &str, counter: u32) -> Told {
        Told { uid: Uid::parse(uid).unwrap(), counter }
    }

    /// RFC 4493, section 4.
    #[test]
    fn cmac_is_that_of_rfc_4493() {
        let key = octets("2b7e151628aed2a6abf7158809cf4f3c");
        let message =
            hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411", 80);
        for (length, mac) in [
            (0, "bb1d6929e95937287fa37d129b756746"),
            (16, "070a16b46b4d4144f79bdd9dd04a287c"),
            (40, "dfa66747de9ae63030ca32611497c827"),
        ] {
            assert_eq!(cmac(&key, &message.as_ref().unwrap()[..length]), octets::<16>(mac), "{length}");
        }
    }

    /// AN12196: table 1 (session key), table 2 (PICCData), table 4 (SDMMAC).
    #[test]
    fn the_examples_of_an12196_are_opened_and_proved() {
        let factory = [0; 16];
        let opened = open(&factory, &octets("EF963FF7828658A599F3041510671E88"));
        assert_eq!(opened, Some(told("04DE5F1EACC040", 0x3D)));
        let mac = octets("94EED9EE65337086");
        assert_eq!(sign(&factory, &opened.unwrap()), mac);
        assert!(is_proved(&factory, &opened.unwrap(), &mac));
        // The session key alone.
        let vector = hex("3CC300010080 04C767F2066180 010000".replace(' ', "").as_str(), 64).unwrap();
        let session = cmac(&octets("5ACE7E50AB65D5D51FD5BF5A16B8205B"), &vector);
        assert_eq!(session, octets("3A3E8110E05311F7A3FCF0D969BF2B48"));
    }

    /// AN10922, 2.2.1: an AES-128 key made of a UID, an application and a system.
    #[test]
    fn the_example_of_an10922_gives_its_key() {
        let master = octets("00112233445566778899AABBCCDDEEFF");
        let input = hex("04782E21801D803042F54E585020416275", 64).unwrap();
        assert_eq!(diversify(&master, &input), octets("A8DD63A3B89D54B37CA802473FDA9175"));
    }

    #[test]
    fn sec_09_another_counter_chip_key_or_mac_proves_nothing() {
        let key = octets("5ACE7E50AB65D5D51FD5BF5A16B8205B");
        let said = told("04DE5F1EACC040", 61);
        let mac = sign(&key, &said);
        assert!(is_proved(&key, &said, &mac));
        for other in [told("04DE5F1EACC040", 62), told("04DE5F1EACC041", 61), told("04DE5F1EACC040", 61 << 8)]
        {
            assert!(!is_proved(&key, &other, &mac), "{other:?}");
        }
        assert!(!is_proved(&[0; 16], &said, &mac));
        for bit in 0..64 {
            let mut wrong = mac;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_proved(&key, &said, &wrong), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_opened_or_not_and_never_proved(
            meta: [u8; 16], key: [u8; 16], picc: [u8; 16], mac: [u8; 8],
        ) {
            if let Some(told) = open(&meta, &picc) {
                prop_assert!(told.counter < 1 << 24);
                prop_assert!(!is_proved(&key, &told, &mac));
            }
        }
    }
}
