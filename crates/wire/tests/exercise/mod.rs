//! What every parser must keep whatever the bytes: shared by the fuzz targets, the replay of their corpora,
//! the mutation test, and the tests of torture messages and samples.

mod rtp;
mod sdp;
mod sip;
mod smpp;

pub(crate) use rtp::{rtcp, rtp, telephone_event};
pub(crate) use sdp::sdp;
pub(crate) use sip::{header, message, stream, uri};
pub(crate) use smpp::smpp;

/// One parser's entry: the name of its fuzz target and what to do with bytes.
pub(crate) type Entry = (&'static str, fn(&[u8]));

/// Every target; a corpus folder of the same name stands in `fuzz/corpus`.
pub(crate) const ENTRIES: [Entry; 9] = [
    ("sip_message", message),
    ("sip_frame", stream),
    ("sip_uri", uri),
    ("sip_header", header),
    ("sdp", sdp),
    ("rtp", rtp),
    ("rtcp", rtcp),
    ("telephone_event", telephone_event),
    ("smpp", smpp),
];
