//! The control protocol of rtpengine: a cookie, a space and a bencoded dictionary in one datagram, both ways.

use crate::Failure;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

/// A relay that is asked over its control port.
pub(crate) struct Ng {
    socket: UdpSocket,
    cookie: u64,
}

impl Ng {
    pub(crate) fn connect(server: SocketAddr) -> Result<Ng, Failure> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(server)?;
        socket.set_read_timeout(Some(Duration::from_secs(2)))?;
        Ok(Ng { socket, cookie: 0 })
    }

    /// Offers and answers one call, whose callee is offered plain RTP; returns what each side is to send to: caller's
    /// SDP, callee's SDP.
    pub(crate) fn call(
        &mut self,
        call: &str,
        offer: &str,
        answer: &str,
    ) -> Result<(Vec<u8>, Vec<u8>), Failure> {
        let ice = ("ICE", "remove");
        let of_offer = [
            ("command", "offer"),
            ("call-id", call),
            ("from-tag", "a"),
            ("sdp", offer),
            ice,
            ("transport-protocol", "RTP/AVP"),
        ];
        let to_callee = self.ask(&of_offer)?;
        let of_answer = [
            ("command", "answer"),
            ("call-id", call),
            ("from-tag", "a"),
            ("to-tag", "b"),
            ("sdp", answer),
            ice,
        ];
        let to_caller = self.ask(&of_answer)?;
        Ok((to_caller, to_callee))
    }

    fn ask(&mut self, fields: &[(&str, &str)]) -> Result<Vec<u8>, Failure> {
        self.cookie += 1;
        let body: String = fields.iter().map(|(name, value)| bencoded(name) + &bencoded(value)).collect();
        // Another run's cookie would get that run's answer, for as long as the relay remembers it.
        let cookie = format!("{}.{}", std::process::id(), self.cookie);
        self.socket.send(format!("{cookie} d{body}e").as_bytes())?;
        let mut answer = vec![0; 65_536];
        let length = self.socket.recv(&mut answer)?;
        answer.truncate(length);
        match (text_after(&answer, "result"), text_after(&answer, "sdp")) {
            (Some(b"ok"), Some(sdp)) => Ok(sdp.to_vec()),
            _ => Err(format!("the relay said {}", String::from_utf8_lossy(&answer)).into()),
        }
    }
}

fn bencoded(text: &str) -> String {
    format!("{}:{text}", text.len())
}

/// The string that follows a key.
fn text_after<'a>(answer: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let key = bencoded(key).into_bytes();
    let at = answer.windows(key.len()).position(|window| window == key)? + key.len();
    let colon = at + answer.get(at..)?.iter().position(|&byte| byte == b':')?;
    let length: usize = std::str::from_utf8(&answer[at..colon]).ok()?.parse().ok()?;
    answer.get(colon + 1..colon + 1 + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let answer = b"7 d3:sdp5:v=0\r\n6:result2:oke";
        assert_eq!(text_after(answer, "sdp"), Some(&b"v=0\r\n"[..]));
        assert_eq!(text_after(answer, "result"), Some(&b"ok"[..]));
        assert_eq!(text_after(b"7 d3:sdp99:v=0e", "sdp"), None);
    }
}
