//! A listening quality estimated from loss, jitter and delay (ITU-T G.107 E-model, default values for all
//! that a network does not change; G.113 Appendix I for the codecs).

use crate::codec::{Codec, CodecName};

/// R of a perfect narrow-band connection with the default values of G.107 (2015) section 7.7.
const BEST_R: f32 = 93.2;

/// The estimated mean opinion score, 1.0 to 4.5.
///
/// `loss` is 0.0 to 1.0; `delay_ms` one way, mouth to ear.
pub(super) fn mos(codec: &Codec, loss: f32, delay_ms: f32) -> f32 {
    let (impairment, robustness) = equipment(codec);
    let percent = (loss * 100.0).clamp(0.0, 100.0);
    // G.107 (7-29) with BurstR = 1: random loss.
    let effective = impairment + (95.0 - impairment) * percent / (percent + robustness);
    // The piecewise form of Cole and Rosenbluth for G.107 (7-27) without echo.
    let delay = 0.024 * delay_ms + 0.11 * (delay_ms - 177.3).max(0.0);
    score(BEST_R - delay - effective)
}

/// Ie and Bpl (G.113 tables I.1 to I.4); wide-band codecs are judged on the same scale as G.711.
fn equipment(codec: &Codec) -> (f32, f32) {
    match &codec.name {
        CodecName::Pcmu | CodecName::Pcma | CodecName::G722 => (0.0, 25.1),
        CodecName::Opus => (0.0, 30.0),
        CodecName::Other(name) if name.eq_ignore_ascii_case("G729") => (11.0, 19.0),
        CodecName::Other(name) if name.eq_ignore_ascii_case("iLBC") => (11.0, 32.0),
        CodecName::Other(name) if name.eq_ignore_ascii_case("GSM") => (20.0, 10.0),
        CodecName::Other(_) | CodecName::TelephoneEvent => (11.0, 19.0),
    }
}

/// G.107 Annex B.
fn score(r: f32) -> f32 {
    if r <= 0.0 {
        return 1.0;
    }
    let r = r.min(100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_points() {
        let g729 = Codec::new(CodecName::Other("g729".into()), 8000, 1);
        let table = [
            (Codec::PCMU, 0.0, 20.0, 4.4),
            (Codec::PCMA, 0.01, 20.0, 4.3),
            (Codec::PCMU, 0.05, 50.0, 3.9),
            (Codec::PCMU, 0.20, 50.0, 2.6),
            (Codec::PCMU, 0.0, 400.0, 3.05),
            (g729, 0.0, 20.0, 4.1),
            (Codec::PCMU, 1.0, 20.0, 1.1),
        ];
        for (codec, loss, delay, expected) in table {
            let estimate = mos(&codec, loss, delay);
            assert!((estimate - expected).abs() < 0.15, "{codec} {loss} {delay}: {estimate}");
        }
    }
}
