//! What an NTAG 424 DNA tells at a tap (NXP AN12196), so that the exchange has something to judge.

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt as _, KeyInit as _};
use cmac::{Cmac, Mac as _};

type Key = [u8; 16];

/// A chip with the keys that the exchange gave.
pub(crate) struct Chip {
    uid: [u8; 7],
    meta_read: Aes128,
    file_read: Key,
    counter: u32,
}

impl Chip {
    /// Of hexadecimal digits; `None` if they are none.
    pub(crate) fn of(uid: &str, meta_read: &str, file_read: &str) -> Option<Chip> {
        let key: Key = octets(meta_read)?;
        let meta_read = Aes128::new(&Array::from(key));
        Some(Chip { uid: octets(uid)?, meta_read, file_read: octets(file_read)?, counter: 0 })
    }

    /// What its record says at the next tap.
    pub(crate) fn tap(&mut self) -> String {
        self.counter += 1;
        let [low, middle, high, _] = self.counter.to_le_bytes();
        let mut block = [0; 16];
        let mut plain = vec![0xC7];
        plain.extend(self.uid);
        plain.extend([low, middle, high]);
        block[..plain.len()].copy_from_slice(&plain);
        let mut block = Array::from(block);
        self.meta_read.encrypt_block(&mut block);
        let vector = [&[0x3C, 0xC3, 0x00, 0x01, 0x00, 0x80][..], &plain[1..]].concat();
        let whole = cmac(&cmac(&self.file_read, &vector), &[]);
        let mac: String = whole.iter().skip(1).step_by(2).map(|octet| format!("{octet:02X}")).collect();
        let picc_data: String = block.iter().map(|octet| format!("{octet:02X}")).collect();
        format!("https://x.example/badge?picc_data={picc_data}&cmac={mac}")
    }
}

fn cmac(key: &Key, message: &[u8]) -> Key {
    let mut mac = <Cmac<Aes128> as cmac::KeyInit>::new(&Array::from(*key));
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn octets<const N: usize>(text: &str) -> Option<[u8; N]> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.as_bytes().chunks(2).map(pair).collect::<Option<Vec<u8>>>()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The MAC of AN12196, table 4: keys of zeros, counter 61.
    #[test]
    fn it_tells_what_the_example_tells() {
        let mut chip = Chip::of("04DE5F1EACC040", &"0".repeat(32), &"0".repeat(32)).expect("digits");
        chip.counter = 60;
        assert!(chip.tap().ends_with("&cmac=94EED9EE65337086"));
    }
}
