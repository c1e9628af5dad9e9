//! MQTT 5 packets, those that a client needs that publishes and hears one kind of topic: bytes to values and back. No
//! byte of a broker can panic (OASIS MQTT 5.0; sections stand where they are kept).

/// Octets of a packet that we take; a broker is told so.
pub(super) const PACKET: usize = 8 << 10;
/// Publishes that a broker may send before we acknowledge one.
const RECEIVE: u16 = 32;

/// What a broker says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// CONNACK.
    Connected {
        /// 0 is success (3.2.2.2).
        reason: u8,
        limits: Limits,
    },
    /// PUBLISH.
    Published { topic: String, payload: Vec<u8>, quality: u8, id: u16 },
    /// PUBACK: 128 and more are refusals (3.4.2.1).
    Acknowledged { id: u16, reason: u8 },
    /// SUBACK: 128 and more are refusals (3.9.3).
    Subscribed { reason: u8 },
    /// PINGRESP.
    Alive,
    /// DISCONNECT.
    Disconnected { reason: u8 },
    /// Something that means nothing to us.
    Other,
}

/// What a broker allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Publishes under way (3.2.2.3.3).
    pub(super) receive: u16,
    /// The highest QoS (3.2.2.3.4).
    pub(super) quality: u8,
    /// Octets of a packet (3.2.2.3.6).
    pub(super) packet: u32,
    /// Seconds in which it wants to hear something, if not ours (3.2.2.3.14).
    pub(super) keep_alive: Option<u16>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { receive: u16::MAX, quality: 2, packet: u32::MAX, keep_alive: None }
    }
}

/// Who connects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hello<'a> {
    pub(super) client: &'a str,
    pub(super) keep_alive: u16,
    pub(super) user: Option<&'a str>,
    pub(super) password: Option<&'a str>,
}

/// CONNECT, with a clean start: what a broker kept of us is worth nothing (3.1).
pub(super) fn connect(hello: Hello<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    text(&mut body, "MQTT");
    let flags = 0x02 | u8::from(hello.user.is_some()) << 7 | u8::from(hello.password.is_some()) << 6;
    body.extend([5, flags]);
    body.extend(hello.keep_alive.to_be_bytes());
    let mut properties = vec![0x21];
    properties.extend(RECEIVE.to_be_bytes());
    properties.push(0x27);
    properties.extend(u32::try_from(PACKET).unwrap_or(u32::MAX).to_be_bytes());
    block(&mut body, &properties);
    text(&mut body, hello.client);
    for part in [hello.user, hello.password].into_iter().flatten() {
        text(&mut body, part);
    }
    packet(0x10, &body)
}

/// PUBLISH with QoS 1, not retained, forgotten by the broker after so many seconds (3.3).
pub(super) fn publish(id: u16, topic: &str, payload: &[u8], expires: u32) -> Vec<u8> {
    let mut body = Vec::new();
    text(&mut body, topic);
    body.extend(id.to_be_bytes());
    // 3.3.2.3.2 the payload is text, 3.3.2.3.3 message expiry.
    let mut properties = vec![0x01, 1, 0x02];
    properties.extend(expires.to_be_bytes());
    properties.push(0x03);
    text(&mut properties, "application/json");
    block(&mut body, &properties);
    body.extend(payload);
    packet(0x32, &body)
}

/// SUBSCRIBE with QoS 1, without what was retained (3.8).
pub(super) fn subscribe(id: u16, filter: &str) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    block(&mut body, &[]);
    text(&mut body, filter);
    // 3.8.3.1: retain handling 2, QoS 1.
    body.push(0x21);
    packet(0x82, &body)
}

/// PUBACK (3.4).
pub(super) fn acknowledge(id: u16) -> Vec<u8> {
    packet(0x40, &id.to_be_bytes())
}

/// PINGREQ (3.12).
pub(super) fn ping() -> Vec<u8> {
    packet(0xC0, &[])
}

/// DISCONNECT, normally (3.14).
pub(super) fn disconnect() -> Vec<u8> {
    packet(0xE0, &[])
}

/// The first packet of what came: its octets, and what it says; `None` when more has to come.
///
/// # Errors
/// In words, what is no MQTT.
pub(super) fn next(bytes: &[u8]) -> Result<Option<(usize, Heard)>, &'static str> {
    let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
    let mut rest = Reader(rest);
    let length = match rest.number() {
        Ok(length) => length,
        Err(Short::More) => return Ok(None),
        Err(Short::Wrong) => return Err("a length of more than four octets"),
    };
    if length > PACKET {
        return Err("a packet that is longer than what we said we take");
    }
    let Some(body) = rest.0.get(..length) else { return Ok(None) };
    let whole = bytes.len() - rest.0.len() + length;
    let heard = read(first, Reader(body)).map_err(|_| "a packet that ends too early")?;
    Ok(Some((whole, heard)))
}

fn read(first: u8, mut body: Reader<'_>) -> Result<Heard, Short> {
    Ok(match first >> 4 {
        2 => {
            let (_, reason) = (body.octet()?, body.octet()?);
            Heard::Connected { reason, limits: limits(body.block()?)? }
        }
        3 => {
            let quality = first >> 1 & 3;
            let topic = body.text()?;
            let id = if quality > 0 { body.short()? } else { 0 };
            body.block()?;
            Heard::Published { topic, payload: body.0.to_vec(), quality, id }
        }
        // 3.4.2.1: without a reason, it is success.
        4 => Heard::Acknowledged { id: body.short()?, reason: body.octet().unwrap_or(0) },
        9 => {
            body.short()?;
            body.block()?;
            Heard::Subscribed { reason: body.octet()? }
        }
        13 => Heard::Alive,
        14 => Heard::Disconnected { reason: body.octet().unwrap_or(0) },
        _ => Heard::Other,
    })
}

/// The properties of a CONNACK (2.2.2.2).
fn limits(mut properties: Reader<'_>) -> Result<Limits, Short> {
    let mut limits = Limits::default();
    while let Ok(name) = properties.octet() {
        match name {
            0x21 => limits.receive = properties.short()?.max(1),
            0x24 => limits.quality = properties.octet()?,
            0x27 => limits.packet = properties.long()?,
            0x13 => limits.keep_alive = Some(properties.short()?),
            0x11 | 0x02 | 0x18 => drop(properties.long()?),
            0x22 | 0x23 => drop(properties.short()?),
            0x01 | 0x17 | 0x19 | 0x25 | 0x28 | 0x29 | 0x2A => drop(properties.octet()?),
            0x26 => drop((properties.text()?, properties.text()?)),
            0x12 | 0x15 | 0x16 | 0x1A | 0x1C | 0x1F => drop(properties.text()?),
            _ => return Err(Short::Wrong),
        }
    }
    Ok(limits)
}

/// Why something cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Short {
    More,
    Wrong,
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Short> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Short::More)?;
        self.0 = rest;
        Ok(taken)
    }

    fn octet(&mut self) -> Result<u8, Short> {
        self.take(1)?.first().copied().ok_or(Short::More)
    }

    fn short(&mut self) -> Result<u16, Short> {
        Ok(u16::from_be_bytes([self.octet()?, self.octet()?]))
    }

    fn long(&mut self) -> Result<u32, Short> {
        Ok(u32::from(self.short()?) << 16 | u32::from(self.short()?))
    }

    /// 1.5.4
    fn text(&mut self) -> Result<String, Short> {
        let length = self.short()?;
        let bytes = self.take(usize::from(length))?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Short::Wrong)
    }

    /// 1.5.5: seven bits an octet, the least first, at most four octets.
    fn number(&mut self) -> Result<usize, Short> {
        let mut value = 0;
        for place in 0..4 {
            let octet = self.octet()?;
            value |= usize::from(octet & 0x7F) << (7 * place);
            if octet & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Short::Wrong)
    }

    /// Something with its length before it; nothing at the end of a packet that leaves it out.
    fn block(&mut self) -> Result<Reader<'a>, Short> {
        if self.0.is_empty() {
            return Ok(Reader(&[]));
        }
        let length = self.number()?;
        self.take(length).map(Reader)
    }
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut whole = vec![first];
    block(&mut whole, body);
    whole
}

fn block(out: &mut Vec<u8>, content: &[u8]) {
    let mut length = content.len();
    loop {
        // Seven bits at a time.
        let octet = (length & 0x7F) as u8;
        length >>= 7;
        out.push(if length > 0 { octet | 0x80 } else { octet });
        if length == 0 {
            break;
        }
    }
    out.extend(content);
}

/// A text, cut where it would be too long for its length: ours never are.
fn text(out: &mut Vec<u8>, content: &str) {
    let content = &content[..content.floor_char_boundary(usize::from(u16::MAX))];
    out.extend(u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(content.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_written_as_the_standard_says() {
        let hello = Hello { client: "r", keep_alive: 30, user: Some("u"), password: Some("p") };
        let expected =
            b"\x10\x1c\x00\x04MQTT\x05\xc2\x00\x1e\x08\x21\x00\x20\x27\x00\x00\x20\x00\x00\x01r\x00\x01u\x00\x01p";
        assert_eq!(connect(hello), expected);
        assert_eq!(subscribe(7, "a/+"), b"\x82\x09\x00\x07\x00\x00\x03a/+\x21");
        assert_eq!((acknowledge(258), ping()), (b"\x40\x02\x01\x02".to_vec(), b"\xc0\x00".to_vec()));
        let sent = publish(1, "a", b"{}", 60);
        assert_eq!(sent[..7], *b"\x32\x22\x00\x01a\x00\x01");
        assert!(sent.ends_with(b"{}") && sent.windows(5).any(|part| part == b"\x02\x00\x00\x00\x3c"));
        let long = publish(1, "a", &[b'x'; 300], 60);
        assert_eq!((long[1], long[2]), (0x80 | (332 & 0x7F) as u8, 2), "a length of two octets");
    }

    #[test]
    fn what_a_broker_says_is_read_packet_by_packet() {
        let connack = b"\x20\x0c\x00\x00\x09\x21\x00\x14\x24\x01\x13\x00\x0a\x28\x01";
        assert!(next(connack).is_err(), "a property that ends before its value");
        let connack = b"\x20\x0d\x00\x00\x0a\x21\x00\x14\x24\x01\x13\x00\x0a\x28\x01";
        let limits = Limits { receive: 20, quality: 1, packet: u32::MAX, keep_alive: Some(10) };
        assert_eq!(next(connack), Ok(Some((15, Heard::Connected { reason: 0, limits }))));
        assert_eq!(next(&connack[..14]), Ok(None));
        assert_eq!(
            next(b"\x32\x08\x00\x01t\x00\x09\x00{}\xd0\x00"),
            Ok(Some((
                10,
                Heard::Published { topic: "t".into(), payload: b"{}".to_vec(), quality: 1, id: 9 }
            )))
        );
        assert_eq!(next(b"\x40\x02\x00\x05"), Ok(Some((4, Heard::Acknowledged { id: 5, reason: 0 }))));
        assert_eq!(next(b"\x40\x03\x00\x05\x87"), Ok(Some((5, Heard::Acknowledged { id: 5, reason: 0x87 }))));
        assert_eq!(next(b"\x90\x04\x00\x01\x00\x01"), Ok(Some((6, Heard::Subscribed { reason: 1 }))));
        assert_eq!(next(b"\xe0\x01\x8e"), Ok(Some((3, Heard::Disconnected { reason: 0x8E }))));
        assert!(next(b"\x30\xff\xff\xff\xff\x01").is_err(), "five octets of length");
        assert!(next(b"\x30\xff\xff\x7f").is_err(), "longer than we take");
        assert!(next(b"\x30\x01\x00").is_err(), "a topic that ends too early");
    }

    /// Octets changed, left out and put in, 200,000 times: nothing panics, nothing is read beyond its packet.
    #[test]
    fn sec_01_no_octet_of_a_broker_panics() {
        let samples: [&[u8]; 5] = [
            b"\x20\x0d\x00\x00\x0a\x21\x00\x14\x24\x01\x13\x00\x0a\x28\x01",
            b"\x32\x08\x00\x01t\x00\x09\x00{}",
            b"\x90\x04\x00\x01\x00\x01",
            b"\x40\x03\x00\x05\x87",
            b"\x20\x0a\x00\x00\x07\x26\x00\x01a\x00\x01b",
        ];
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
        let mut dice = move |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed % below.max(1) as u64) as usize
        };
        for _ in 0..200_000 {
            let mut bytes = samples[dice(samples.len())].to_vec();
            for _ in 0..=dice(4) {
                let place = dice(bytes.len() + 1);
                match dice(3) {
                    0 if place < bytes.len() => bytes[place] = dice(256) as u8,
                    1 if place < bytes.len() => drop(bytes.remove(place)),
                    _ => bytes.insert(place, dice(256) as u8),
                }
            }
            if let Ok(Some((whole, _))) = next(&bytes) {
                assert!(whole >= 2 && whole <= bytes.len());
            }
        }
    }
}
