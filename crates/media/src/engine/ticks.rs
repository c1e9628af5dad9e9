//! From microseconds to ticks of an RTP clock.

use clock::Mono;

/// How many ticks of a clock of `rate` Hz lie between two instants, modulo 2^32 as RTP counts.
///
/// Exact for spans below 12 years at 48 kHz; longer ones wrap and are not reached by a call.
#[inline]
pub(super) fn between(earlier: Mono, later: Mono, rate: u32) -> u32 {
    let micros = later.0.saturating_sub(earlier.0);
    (micros.wrapping_mul(u64::from(rate)) / 1_000_000) as u32
}

/// How many ticks last `milliseconds`.
#[inline]
pub(super) fn of_ms(milliseconds: u32, rate: u32) -> u32 {
    (u64::from(milliseconds) * u64::from(rate) / 1000) as u32
}

/// How long `ticks` last, in milliseconds.
#[inline]
pub(super) fn to_ms(ticks: u32, rate: u32) -> f32 {
    if rate == 0 { 0.0 } else { ticks as f32 * 1000.0 / rate as f32 }
}
