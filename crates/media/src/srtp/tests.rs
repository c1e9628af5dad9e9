//! Both directions against known answers and against another implementation.

use super::*;
use webrtc_srtp::context::Context;
use webrtc_srtp::protection_profile::ProtectionProfile;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The master key of RFC 3711 B.3.
fn key(suite: Suite) -> MasterKey {
    let master = bytes("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
    MasterKey::new(suite, master.try_into().unwrap())
}

fn packet(sequence: u16, length: usize) -> Vec<u8> {
    let mut packet = vec![0x80, 0x0f, 0, 0, 0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe, 0xba, 0xbe];
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet.resize(12 + length, 0xab);
    packet
}

fn protect(sender: &mut Sender, packet: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + OVERHEAD_MAX, 0);
    let length = sender.protect(&mut buffer, packet.len())?;
    buffer.truncate(length);
    Some(buffer)
}

fn open(receiver: &mut Receiver, packet: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut buffer = packet.to_vec();
    let (length, _) = receiver.open(&mut buffer)?;
    buffer.truncate(length);
    Ok(buffer)
}

/// The packets with which libsrtp checks itself, under the same master key.
#[test]
fn r14_known_answers() {
    let mut sender = Sender::new(&key(Suite::Sha1Tag80));
    let protected = protect(&mut sender, &packet(0x1234, 16)).unwrap();
    let expected = bytes("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
    assert_eq!(protected, expected);
    let mut rtcp = bytes("81c8000bcafebabe abababababababababababababababab");
    let mut sender = Sender::new(&key(Suite::Sha1Tag80));
    sender.protect_rtcp(&mut rtcp);
    let expected = bytes("81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798");
    assert_eq!(rtcp, expected);
    let mut receiver = Receiver::new(&key(Suite::Sha1Tag80));
    assert_eq!(receiver.open_rtcp(&mut rtcp), Ok(24));
    assert_eq!(rtcp[8..24], [0xab; 16]);
}

fn oracle(suite: Suite) -> Context {
    let profile = match suite {
        Suite::Sha1Tag80 => ProtectionProfile::Aes128CmHmacSha1_80,
        Suite::Sha1Tag32 => ProtectionProfile::Aes128CmHmacSha1_32,
    };
    let key = key(suite);
    Context::new(&key.bytes()[..16], &key.bytes()[16..], profile, None, None).unwrap()
}

/// 70,000 packets pass the wrap of the numbering; some are lost, some overtake each other, some have extensions.
#[test]
fn r14_another_implementation_understands_us_and_we_it() {
    for suite in [Suite::Sha1Tag80, Suite::Sha1Tag32] {
        let (mut sender, mut receiver) = (Sender::new(&key(suite)), Receiver::new(&key(suite)));
        let (mut theirs_out, mut theirs_in) = (oracle(suite), oracle(suite));
        for count in 0..70_000_u32 {
            if count % 97 == 3 {
                continue;
            }
            // Pairs overtake each other.
            let number = if count % 50 < 2 { count ^ 1 } else { count };
            let mut plain = packet(number.wrapping_add(60_000) as u16, 20 + (count % 170) as usize);
            if count % 31 == 0 {
                plain[0] |= 0x10;
                plain.splice(12..12, bytes("bede0001 10220000"));
            }
            let protected = protect(&mut sender, &plain).unwrap();
            if count % 64 < 2 || count > 69_000 {
                assert_eq!(theirs_in.decrypt_rtp(&protected).unwrap(), plain, "{count}");
                let protected = theirs_out.encrypt_rtp(&plain).unwrap();
                assert_eq!(open(&mut receiver, &protected).unwrap(), plain, "{count}");
            } else {
                assert_eq!(open(&mut receiver, &protected).unwrap(), plain, "{count}");
                theirs_in.decrypt_rtp(&protected).unwrap();
                theirs_out.encrypt_rtp(&plain).unwrap();
            }
        }
        let mut compound = bytes("80c80006 00000001 0000000000000000 00000000 00000000 00000000");
        let plain = compound.clone();
        sender.protect_rtcp(&mut compound);
        assert_eq!(theirs_in.decrypt_rtcp(&compound).unwrap(), plain);
        let mut compound = theirs_out.encrypt_rtcp(&plain).unwrap().to_vec();
        let length = receiver.open_rtcp(&mut compound).unwrap();
        assert_eq!(compound[..length], plain);
    }
}

#[test]
fn sec_06_replayed_and_forged_packets_are_refused() {
    let (mut sender, mut receiver) =
        (Sender::new(&key(Suite::Sha1Tag80)), Receiver::new(&key(Suite::Sha1Tag80)));
    let first = protect(&mut sender, &packet(1, 160)).unwrap();
    let second = protect(&mut sender, &packet(2, 160)).unwrap();
    assert!(open(&mut receiver, &second).is_ok());
    assert!(open(&mut receiver, &first).is_ok(), "late, but new");
    assert_eq!(open(&mut receiver, &first), Err(Fault::Replayed));
    for place in 0..first.len() {
        let mut forged = protect(&mut Sender::new(&key(Suite::Sha1Tag80)), &packet(3, 20)).unwrap();
        let Some(byte) = forged.get_mut(place) else { break };
        *byte ^= 1;
        let before = forged.clone();
        assert!(receiver.open(&mut forged).is_err(), "byte {place}");
        assert_eq!(forged, before, "a refused packet is left as it came");
    }
    for length in 0..40 {
        assert!(receiver.open(&mut vec![0x80; length]).is_err());
        assert!(receiver.open_rtcp(&mut vec![0x80; length]).is_err());
    }
    let mut report = bytes("80c90001 00000007");
    sender.protect_rtcp(&mut report);
    assert!(receiver.open_rtcp(&mut report.clone()).is_ok());
    assert_eq!(receiver.open_rtcp(&mut report), Err(Fault::Replayed));
    *report.last_mut().unwrap() ^= 1;
    let mut other = Receiver::new(&key(Suite::Sha1Tag80));
    assert_eq!(other.open_rtcp(&mut report), Err(Fault::Forged));
}

#[test]
fn a_forger_cannot_move_the_numbering() {
    let (mut sender, mut receiver) =
        (Sender::new(&key(Suite::Sha1Tag32)), Receiver::new(&key(Suite::Sha1Tag32)));
    for sequence in 1..50_u16 {
        let mut forged = packet(sequence.wrapping_mul(1300), 160);
        assert_eq!(receiver.open(&mut forged).unwrap_err(), Fault::Forged);
        let protected = protect(&mut sender, &packet(sequence, 160)).unwrap();
        assert!(open(&mut receiver, &protected).is_ok());
    }
}

#[test]
fn one_number_is_never_sent_twice_under_one_key() {
    let mut sender = Sender::new(&key(Suite::Sha1Tag80));
    assert!(protect(&mut sender, &packet(7, 160)).is_some());
    assert!(protect(&mut sender, &packet(7, 20)).is_none());
    assert!(protect(&mut sender, &packet(6, 160)).is_some(), "late, but new");
    let mut short = packet(8, 160);
    let length = short.len();
    assert_eq!(sender.protect(&mut short, length), None, "no room for the tag");
}

#[test]
fn a_key_identifier_stands_before_the_tag() {
    let line = "1 AES_CM_128_HMAC_SHA1_80 inline:4fl6DT4Bi+DWT6MsBt5BOQ7Gda1Jiv7rtpYLOqvm|1:4";
    let parsed = wire::sdp::Crypto::parse(line.as_bytes());
    let theirs = MasterKey::of(&parsed.unwrap()).unwrap();
    let mut sender = Sender::new(&theirs);
    let mut protected = protect(&mut sender, &packet(9, 40)).unwrap();
    protected.splice(52..52, [0, 0, 0, 1]);
    assert_eq!(open(&mut Receiver::new(&theirs), &protected).unwrap(), packet(9, 40));
}
