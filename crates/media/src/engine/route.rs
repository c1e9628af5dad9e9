//! Which payload number of a source leaves a leg as which (R2): by codec, never by number.

use crate::codec::{CodecName, Payload, Voice};
use crate::order::SendTo;

/// What we say to a leg when we make the sound ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spoken {
    pub(super) number: u8,
    pub(super) voice: Voice,
    pub(super) packet_ms: u32,
}

impl Spoken {
    /// The codec that was chosen, or, where that is none of ours, another one that the remote takes.
    pub(super) fn to(send: &SendTo) -> Option<Spoken> {
        let mut taken = std::iter::once(&send.payload).chain(&send.also);
        taken.find_map(|payload| {
            let voice = Voice::of(&payload.codec.name)?;
            Some(Spoken { number: payload.number & 0x7f, voice, packet_ms: voice.packet_ms(send.ptime_ms) })
        })
    }
}

/// What happens to a packet of a source, by its payload number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// It leaves under this number.
    Relay(u8),
    /// It is decoded and encoded.
    Transcode,
    /// A key press: it ends here and is made anew.
    Event,
    /// It cannot be heard on this leg.
    Drop,
}

const TRANSCODE: u8 = 0xfe;
const EVENT: u8 = 0xfd;
const DROP: u8 = 0xff;

/// The routes of all 128 numbers.
#[derive(Clone, Debug)]
pub(super) struct Routes([u8; 128]);

impl Routes {
    pub(super) const NONE: Routes = Routes([DROP; 128]);

    /// Routes from a leg that receives `received` to one that is sent to as `send` says.
    pub(super) fn new(received: &[Payload], send: &SendTo) -> Routes {
        let mut routes = Routes::NONE;
        for payload in received {
            if let Some(place) = routes.0.get_mut(usize::from(payload.number)) {
                *place = route(payload, send);
            }
        }
        routes
    }

    #[inline]
    pub(super) fn of(&self, number: u8) -> Route {
        match self.0[usize::from(number & 0x7f)] {
            number if number < 128 => Route::Relay(number),
            TRANSCODE => Route::Transcode,
            EVENT => Route::Event,
            _ => Route::Drop,
        }
    }
}

fn route(payload: &Payload, send: &SendTo) -> u8 {
    let codec = &payload.codec;
    if codec.name == CodecName::TelephoneEvent {
        return EVENT;
    }
    let mut taken = std::iter::once(&send.payload).chain(&send.also);
    match taken.find(|known| known.codec.matches(codec)) {
        Some(known) => known.number & 0x7f,
        None if codec.is_ours() && Spoken::to(send).is_some() => TRANSCODE,
        None => DROP,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Codec;

    fn payload(number: u8, codec: Codec) -> Payload {
        Payload { number, codec }
    }

    #[test]
    fn routes_go_by_codec() {
        let g729 = || Codec::new(CodecName::Other("G729".into()), 8000, 1);
        let send = SendTo {
            remote: "192.0.2.1:4000".parse().unwrap(),
            rtcp: None,
            rtcp_mux: false,
            payload: payload(111, Codec::OPUS),
            also: vec![payload(0, Codec::PCMU)],
            telephone_event: None,
            ptime_ms: 20,
        };
        let received = [
            payload(96, Codec::OPUS),
            payload(0, Codec::PCMU),
            payload(8, Codec::PCMA),
            payload(18, g729()),
            payload(101, Codec::TELEPHONE_EVENT),
        ];
        let routes = Routes::new(&received, &send);
        let table = [
            (96, Route::Relay(111)),
            (0, Route::Relay(0)),
            (8, Route::Transcode),
            (18, Route::Drop),
            (101, Route::Event),
            (111, Route::Drop),
        ];
        for (number, expected) in table {
            assert_eq!(routes.of(number), expected, "{number}");
        }
        let to_g729 = SendTo { payload: payload(18, g729()), also: vec![], ..send };
        assert_eq!(Routes::new(&received, &to_g729).of(8), Route::Drop, "nobody here can encode it");
    }
}
