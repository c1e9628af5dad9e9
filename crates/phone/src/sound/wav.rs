//! Keeping what is heard: a WAV file that can be played while it is still written.

use super::RATE;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// The header's octets, before the samples.
const HEADER: u32 = 44;
/// Written this often: a second of sound.
const SAMPLES_BETWEEN_HEADERS: u32 = RATE;
/// Four hours; beyond, the file would be of no use to anybody.
const SAMPLES_MOST: u32 = RATE * 3_600 * 4;

/// One recording: 16-bit PCM, mono, 16 kHz.
#[derive(Debug)]
pub struct WavWriter {
    file: File,
    samples: u32,
    told: u32,
}

impl WavWriter {
    /// Begins a recording; what the file held is gone.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(path: &Path) -> io::Result<WavWriter> {
        let mut writer = WavWriter { file: File::create(path)?, samples: 0, told: 0 };
        writer.tell_length()?;
        Ok(writer)
    }

    /// Appends samples; each second the header learns of them.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&mut self, samples: &[i16]) -> io::Result<()> {
        let room = usize::try_from(SAMPLES_MOST - self.samples).unwrap_or(0);
        let octets: Vec<u8> = samples.iter().take(room).flat_map(|sample| sample.to_le_bytes()).collect();
        self.file.write_all(&octets)?;
        self.samples += u32::try_from(octets.len() / 2).unwrap_or(0);
        if self.samples - self.told >= SAMPLES_BETWEEN_HEADERS {
            self.tell_length()?;
        }
        Ok(())
    }

    /// Brings the header up to date.
    ///
    /// # Errors
    /// What the system says.
    pub fn tell_length(&mut self) -> io::Result<()> {
        let length = self.samples * 2;
        let mut header = Vec::with_capacity(HEADER as usize);
        header.extend_from_slice(b"RIFF");
        header.extend_from_slice(&(HEADER - 8 + length).to_le_bytes());
        header.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        header.extend_from_slice(&RATE.to_le_bytes());
        header.extend_from_slice(&(RATE * 2).to_le_bytes());
        header.extend_from_slice(b"\x02\0\x10\0data");
        header.extend_from_slice(&length.to_le_bytes());
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header)?;
        self.file.seek(SeekFrom::End(0))?;
        self.told = self.samples;
        Ok(())
    }
}

impl Drop for WavWriter {
    fn drop(&mut self) {
        // The samples are there; a header that is a second short is no reason to fail.
        let _ = self.tell_length();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::Source;

    #[test]
    fn a_recording_can_be_read_at_any_time() {
        let path = std::env::temp_dir().join(format!("phone-wav-{}.wav", std::process::id()));
        let mut writer = WavWriter::create(&path).unwrap();
        writer.write(&vec![5; 20_000]).unwrap();
        let Source::Recording(early) = Source::wav(&std::fs::read(&path).unwrap()).unwrap() else { panic!() };
        assert_eq!(early.len(), 20_000);
        writer.write(&[6; 100]).unwrap();
        drop(writer);
        let Source::Recording(whole) = Source::wav(&std::fs::read(&path).unwrap()).unwrap() else { panic!() };
        assert_eq!((whole.len(), whole[0], whole[20_099]), (20_100, 5, 6));
        std::fs::remove_file(path).unwrap();
    }
}
