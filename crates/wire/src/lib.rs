//! Bytes to values and back: SIP, SDP, RTP, RTCP, telephone-event and SMPP.
//!
//! Everything is borrowed from the datagram, bounded, lossless, and never panics.
//! This crate knows nothing of time, sockets or transactions.

pub mod pcap;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod sip;
pub mod smpp;
pub mod stun;
pub mod telephone_event;
pub mod text;
