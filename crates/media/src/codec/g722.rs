//! G.722 at 64 kbit/s: a filter bank splits 16 kHz sound in two bands, each coded as ADPCM.
//!
//! ```text
//! 2 samples -> QMF -> low  -> 6 bits \  one octet: high in bits 7 and 6, low in 5 to 0
//!                  -> high -> 2 bits /
//! ```
//!
//! Names of tables and blocks are those of the recommendation, so that it can be read beside them.

/// Transmit and receive QMF, its even coefficients; the odd ones are these in reverse (G.722 table 11).
const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];
/// Decision levels of the 6-bit quantizer.
const Q6: [i32; 30] = [
    0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121,
    1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
const QM6: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360,
    -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688,
    -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856,
    7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136,
    -432, -136,
];
const QM4: [i32; 16] =
    [0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0];
const QM2: [i32; 4] = [-7408, -1616, 7408, 1616];
const WL: [i32; 8] = [-60, -30, 58, 172, 334, 538, 1198, 3042];
const RL42: [usize; 16] = [0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0];
const WH: [i32; 3] = [0, -214, 798];
const RH2: [usize; 4] = [2, 1, 2, 1];
const ILB: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896,
    2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

/// From 16 kHz sound to octets.
#[derive(Clone, Debug)]
pub(super) struct Encoder {
    qmf: [i32; 24],
    low: Band,
    high: Band,
}

impl Encoder {
    pub(super) fn new() -> Encoder {
        Encoder { qmf: [0; 24], low: Band::new(32), high: Band::new(8) }
    }

    /// Two samples.
    pub(super) fn encode(&mut self, first: i16, second: i16) -> u8 {
        self.qmf.copy_within(2.., 0);
        (self.qmf[22], self.qmf[23]) = (i32::from(first), i32::from(second));
        let (even, odd) = filter(&self.qmf);
        // XL = XA + XB and XH = XA - XB, where XA has the newest sample.
        let (low, high) = ((even + odd) >> 14, (odd - even) >> 14);
        let low = self.encode_low(low);
        self.encode_high(high) << 6 | low
    }

    fn encode_low(&mut self, sample: i32) -> u8 {
        let error = saturate(sample - self.low.s);
        let magnitude = if error >= 0 { error } else { !error };
        let det = self.low.det;
        // The interval among the decision levels, 1 to 30 (G.722 6.2.1.2, block 2L).
        let interval = Q6[1..].iter().position(|level| magnitude < (level * det) >> 12).map_or(30, |n| n + 1);
        let code = match (error < 0, interval) {
            (true, 1 | 2) => 64 - interval,
            (true, _) => 34 - interval,
            (false, _) => 62 - interval,
        };
        self.low.adapt_low(code >> 2);
        code as u8
    }

    fn encode_high(&mut self, sample: i32) -> u8 {
        let error = saturate(sample - self.high.s);
        let magnitude = if error >= 0 { error } else { !error };
        let outer = magnitude >= (564 * self.high.det) >> 12;
        let code = match (error < 0, outer) {
            (true, false) => 1,
            (true, true) => 0,
            (false, false) => 3,
            (false, true) => 2,
        };
        self.high.adapt_high(code);
        code as u8
    }
}

/// From octets to 16 kHz sound.
#[derive(Clone, Debug)]
pub(super) struct Decoder {
    qmf: [i32; 24],
    low: Band,
    high: Band,
}

impl Decoder {
    pub(super) fn new() -> Decoder {
        Decoder { qmf: [0; 24], low: Band::new(32), high: Band::new(8) }
    }

    /// Two samples.
    pub(super) fn decode(&mut self, octet: u8) -> [i16; 2] {
        let (low, high) = (usize::from(octet & 0x3f), usize::from(octet >> 6));
        let low_sound = limit(self.low.s + ((self.low.det * QM6[low]) >> 15));
        self.low.adapt_low(low >> 2);
        let high_sound = limit(self.high.s + ((self.high.det * QM2[high]) >> 15));
        self.high.adapt_high(high);
        self.qmf.copy_within(2.., 0);
        (self.qmf[22], self.qmf[23]) = (low_sound + high_sound, low_sound - high_sound);
        let (even, odd) = filter(&self.qmf);
        [saturate(odd >> 11) as i16, saturate(even >> 11) as i16]
    }
}

/// The two halves of the filter bank: even and odd taps.
fn filter(line: &[i32; 24]) -> (i32, i32) {
    let (mut even, mut odd) = (0, 0);
    for (n, pair) in line.as_chunks::<2>().0.iter().enumerate() {
        even += pair[0] * QMF[n];
        odd += pair[1] * QMF[11 - n];
    }
    (even, odd)
}

/// The adaptive predictor and quantizer of one band.
#[derive(Clone, Debug)]
struct Band {
    /// Predicted signal and its part from zeros.
    s: i32,
    sz: i32,
    /// Scale factor, logarithmic and linear.
    nb: i32,
    det: i32,
    /// Poles, zeros, and their histories, newest first.
    a: [i32; 2],
    b: [i32; 6],
    r: [i32; 2],
    p: [i32; 2],
    d: [i32; 6],
}

impl Band {
    fn new(det: i32) -> Band {
        Band { s: 0, sz: 0, nb: 0, det, a: [0; 2], b: [0; 6], r: [0; 2], p: [0; 2], d: [0; 6] }
    }

    fn adapt_low(&mut self, code: usize) {
        let difference = (self.det * QM4[code]) >> 15;
        self.nb = (((self.nb * 127) >> 7) + WL[RL42[code]]).clamp(0, 18_432);
        self.det = self.scale(8);
        self.predict(difference);
    }

    fn adapt_high(&mut self, code: usize) {
        let difference = (self.det * QM2[code]) >> 15;
        self.nb = (((self.nb * 127) >> 7) + WH[RH2[code]]).clamp(0, 22_528);
        self.det = self.scale(10);
        self.predict(difference);
    }

    /// SCALEL and SCALEH.
    fn scale(&self, base: i32) -> i32 {
        let mantissa = ILB[((self.nb >> 6) & 31) as usize];
        let shift = base - (self.nb >> 11);
        (if shift < 0 { mantissa << -shift } else { mantissa >> shift }) << 2
    }

    /// Block 4: reconstruction, both adaptations, and the next prediction.
    fn predict(&mut self, d: i32) {
        let r = saturate(self.s + d);
        let p = saturate(self.sz + d);
        self.adapt_poles(p);
        self.adapt_zeros(d);
        self.d.copy_within(..5, 1);
        self.d[0] = d;
        self.r = [r, self.r[0]];
        self.p = [p, self.p[0]];
        let poles = self.a.iter().zip(&self.r).map(|(a, r)| (a * saturate(r + r)) >> 15).sum();
        self.sz = saturate(self.b.iter().zip(&self.d).map(|(b, d)| (b * saturate(d + d)) >> 15).sum());
        self.s = saturate(saturate(poles) + self.sz);
    }

    /// UPPOL2, UPPOL1.
    fn adapt_poles(&mut self, p: i32) {
        let same = |other: i32| (p < 0) == (other < 0);
        let first = saturate(self.a[0] << 2);
        let turned = if same(self.p[0]) { -first } else { first }.min(i32::from(i16::MAX));
        let second = if same(self.p[1]) { 128 } else { -128 } + (turned >> 7) + ((self.a[1] * 32_512) >> 15);
        let second = second.clamp(-12_288, 12_288);
        let bound = saturate(15_360 - second);
        let first = saturate(if same(self.p[0]) { 192 } else { -192 } + ((self.a[0] * 32_640) >> 15));
        self.a = [first.clamp(-bound, bound), second];
    }

    /// UPZERO.
    fn adapt_zeros(&mut self, d: i32) {
        let step = if d == 0 { 0 } else { 128 };
        for (b, old) in self.b.iter_mut().zip(&self.d) {
            let signed = if (d < 0) == (*old < 0) { step } else { -step };
            *b = saturate(signed + ((*b * 32_640) >> 15));
        }
    }
}

fn saturate(value: i32) -> i32 {
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX))
}

/// Block 5 and 6: 15 bits.
fn limit(value: i32) -> i32 {
    value.clamp(-16_384, 16_383)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_in_each_band_comes_back() {
        for (hertz, allowed) in [(300.0, 0.02), (1000.0, 0.02), (3000.0, 0.02), (6000.0, 0.05)] {
            let sample = |n: usize| (n as f64 * hertz * std::f64::consts::TAU / 16_000.0).sin() * 8000.0;
            let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
            let mut decoded = Vec::new();
            for n in (0..16_000).step_by(2) {
                let octet = encoder.encode(sample(n) as i16, sample(n + 1) as i16);
                decoded.extend(decoder.decode(octet));
            }
            // The filter bank delays by 22 samples.
            let error: f64 =
                (2000..15_000).map(|n| (f64::from(decoded[n + 22]) - sample(n)).powi(2)).sum::<f64>()
                    / 13_000.0;
            assert!(error.sqrt() < 8000.0 / 2_f64.sqrt() * allowed, "{hertz}: {}", error.sqrt());
        }
    }

    #[test]
    fn any_octets_and_any_sound_stay_in_bounds() {
        let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
        let mut state = 1_u32;
        for _ in 0..200_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            decoder.decode((state >> 24) as u8);
            let [high, low, ..] = state.to_be_bytes();
            let loud = |byte: u8| if byte & 1 == 0 { i16::MAX } else { i16::MIN };
            encoder.encode(loud(high), loud(low));
        }
    }
}
