//! Short texts without a heap: numbers and addresses as they stand in messages, written many times a call.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;

/// At most `N` bytes of ASCII on the stack.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Short<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Short<N> {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Short { bytes: [0; N], length: 0 }
    }

    /// Adds text; what does not fit, and what is not ASCII, is left out.
    pub fn push(&mut self, text: &str) {
        for byte in text.bytes().filter(u8::is_ascii).take(N - self.length) {
            self.bytes[self.length] = byte;
            self.length += 1;
        }
    }

    /// Adds sixteen hexadecimal digits.
    pub fn push_hex(&mut self, number: u64) {
        for place in (0..16).rev() {
            self.push_byte(b"0123456789abcdef"[(number >> (4 * place) & 15) as usize]);
        }
    }

    /// Adds a decimal number.
    pub fn push_decimal(&mut self, number: u16) {
        let mut tens = 1;
        while number / tens >= 10 {
            tens *= 10;
        }
        while tens > 0 {
            self.push_byte(b'0' + (number / tens % 10) as u8);
            tens /= 10;
        }
    }

    fn push_byte(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.length) {
            *slot = byte;
            self.length += 1;
        }
    }
}

impl<const N: usize> Default for Short<N> {
    fn default() -> Self {
        Short::new()
    }
}

impl<const N: usize> Deref for Short<N> {
    type Target = str;

    fn deref(&self) -> &str {
        // Only ASCII comes in.
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl<const N: usize> AsRef<[u8]> for Short<N> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl<const N: usize> fmt::Display for Short<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl<const N: usize> fmt::Debug for Short<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<const N: usize> fmt::Write for Short<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

/// Sixteen hexadecimal digits.
#[must_use]
pub fn hex(number: u64) -> Short<16> {
    let mut text = Short::new();
    text.push_hex(number);
    text
}

/// `192.0.2.1` or `2001:db8::1`.
#[must_use]
pub fn ip(address: IpAddr) -> Short<64> {
    let mut text = Short::new();
    put_ip(&mut text, address);
    text
}

/// `192.0.2.1:5060` or `[2001:db8::1]:5060`.
#[must_use]
pub fn address(address: SocketAddr) -> Short<64> {
    let mut text = Short::new();
    match address {
        SocketAddr::V4(v4) => put_ip(&mut text, IpAddr::V4(*v4.ip())),
        SocketAddr::V6(_) => {
            // With the scope, which only the library knows how to write.
            let _ = fmt::Write::write_fmt(&mut text, format_args!("{address}"));
            return text;
        }
    }
    text.push_byte(b':');
    text.push_decimal(address.port());
    text
}

fn put_ip(text: &mut Short<64>, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => {
            for (place, octet) in v4.octets().into_iter().enumerate() {
                if place > 0 {
                    text.push_byte(b'.');
                }
                text.push_decimal(octet.into());
            }
        }
        IpAddr::V6(v6) => {
            let _ = fmt::Write::write_fmt(text, format_args!("{v6}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_the_library() {
        for text in
            ["192.0.2.1:5060", "0.0.0.0:0", "255.10.100.9:65535", "[2001:db8::1]:5061", "[fe80::1%3]:10"]
        {
            let given: SocketAddr = text.parse().unwrap();
            assert_eq!(&*address(given), given.to_string());
            assert_eq!(&*ip(given.ip()), given.ip().to_string());
        }
        for number in [0, 9, 10, 0xABCD_EF01_2345_6789, u64::MAX] {
            assert_eq!(&*hex(number), format!("{number:016x}"));
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let mut text = Short::<4>::new();
        text.push("ab\u{fc}cdef");
        text.push_decimal(7);
        assert_eq!(&*text, "abcd");
    }
}
