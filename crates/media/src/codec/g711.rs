//! G.711: both laws, decoded by tables that are computed at build time, encoded without any.

/// Added before the segment of mu-law is sought, in 14 bits (G.711 table 2).
const BIAS: i32 = 33;
/// The largest magnitude of mu-law in 14 bits.
const CLIP: i32 = 8158;

const FROM_MU: [i16; 256] = table(true);
const FROM_A: [i16; 256] = table(false);

/// One sample to mu-law.
#[inline]
pub(super) fn to_mu(sample: i16) -> u8 {
    let sample = i32::from(sample) >> 2;
    // The one's complement halves the range evenly: -1 and 0 are the two smallest steps.
    let (magnitude, sign) = if sample < 0 { (!sample, 0x7f) } else { (sample, 0xff) };
    let biased = magnitude.min(CLIP) + BIAS;
    let segment = 26 - biased.leading_zeros();
    let step = (biased >> (segment + 1)) & 0x0f;
    ((segment << 4) as u8 | step as u8) ^ sign
}

/// One sample to A-law.
#[inline]
pub(super) fn to_a(sample: i16) -> u8 {
    let sample = i32::from(sample) >> 3;
    let (magnitude, sign) = if sample < 0 { (!sample, 0x55) } else { (sample, 0xd5) };
    // Segments 0 and 1 have the same step (G.711 table 1).
    let segment = (27_u32.saturating_sub((magnitude | 1).leading_zeros())).min(7);
    let step = (magnitude >> segment.max(1)) & 0x0f;
    ((segment << 4) as u8 | step as u8) ^ sign
}

/// One sample of mu-law.
#[inline]
pub(super) fn from_mu(code: u8) -> i16 {
    FROM_MU[usize::from(code)]
}

/// One sample of A-law.
#[inline]
pub(super) fn from_a(code: u8) -> i16 {
    FROM_A[usize::from(code)]
}

const fn table(mu: bool) -> [i16; 256] {
    let mut values = [0; 256];
    let mut code = 0;
    while code < 256 {
        values[code] = if mu { expand_mu(code as i32) } else { expand_a(code as i32) };
        code += 1;
    }
    values
}

const fn expand_mu(code: i32) -> i16 {
    let code = code ^ 0xff;
    let magnitude = ((((code & 0x0f) << 1) + BIAS) << ((code >> 4) & 7)) - BIAS;
    (if code & 0x80 != 0 { -magnitude << 2 } else { magnitude << 2 }) as i16
}

const fn expand_a(code: i32) -> i16 {
    let code = code ^ 0x55;
    let (segment, step) = ((code >> 4) & 7, code & 0x0f);
    let magnitude = if segment == 0 { (step << 1) + 1 } else { ((step << 1) + 33) << (segment - 1) };
    (if code & 0x80 == 0 { -magnitude << 3 } else { magnitude << 3 }) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_a_round_trip() {
        for code in 0..=255_u8 {
            assert_eq!(to_a(from_a(code)), code);
            // Mu-law has two zeros.
            assert_eq!(to_mu(from_mu(code)), if code == 0x7f { 0xff } else { code });
        }
    }

    #[test]
    fn known_values() {
        assert_eq!((from_mu(0x00), from_mu(0x80), from_mu(0xff)), (-32_124, 32_124, 0));
        assert_eq!((from_a(0xd5), from_a(0x55), from_a(0xaa), from_a(0x2a)), (8, -8, 32_256, -32_256));
        assert_eq!((to_mu(0), to_mu(i16::MAX), to_mu(i16::MIN)), (0xff, 0x80, 0x00));
        assert_eq!((to_a(0), to_a(i16::MAX), to_a(i16::MIN)), (0xd5, 0xaa, 0x2a));
    }

    #[test]
    fn the_error_is_a_small_part_of_the_sample() {
        for sample in (i16::MIN..=i16::MAX).step_by(7) {
            let allowed = i32::from(sample).abs() / 25 + 8;
            for decoded in [from_mu(to_mu(sample)), from_a(to_a(sample))] {
                let error = (i32::from(decoded) - i32::from(sample)).abs();
                // Above the highest step both laws clip.
                assert!(error <= allowed.max(i32::from(sample).abs() - 32_124), "{sample} {decoded}");
            }
        }
    }
}
