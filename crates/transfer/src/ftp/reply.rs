//! What an FTP server says (RFC 959 4.2). No I/O.

use crate::limits;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    /// Its last line, without the code.
    pub(crate) text: String,
}

/// An answer of which lines come one by one.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    code: Option<u16>,
    octets: usize,
}

impl Incoming {
    /// Takes a line with its end; the answer, once it is whole.
    pub(crate) fn line(&mut self, line: &[u8]) -> Result<Option<Reply>, String> {
        self.octets += line.len();
        if self.octets > limits::REPLY {
            return Err(format!("its answer has more than {} octets", limits::REPLY));
        }
        if !line.ends_with(b"\n") {
            return Err("it hung up".to_owned());
        }
        let text: String = String::from_utf8_lossy(line).chars().filter(|sign| !sign.is_control()).collect();
        let code = code_of(&text);
        // The lines between the first, `123-`, and the last, `123 `, begin with anything.
        let is_last = text.as_bytes().get(3) != Some(&b'-');
        match (self.code, code) {
            (None, None) => Err("what answers does not speak FTP".to_owned()),
            (None, Some(code)) if !is_last => {
                self.code = Some(code);
                Ok(None)
            }
            (Some(first), code) if code != Some(first) || !is_last => Ok(None),
            (_, Some(code)) => {
                let text = text.get(4..).unwrap_or_default().chars().take(200).collect();
                Ok(Some(Reply { code, text }))
            }
            (Some(_), None) => Ok(None),
        }
    }
}

fn code_of(text: &str) -> Option<u16> {
    let code: u16 =
        text.get(..3).filter(|code| code.bytes().all(|octet| octet.is_ascii_digit()))?.parse().ok()?;
    let ends = text.as_bytes().get(3).is_none_or(|octet| matches!(octet, b' ' | b'-'));
    ((100..600).contains(&code) && ends).then_some(code)
}

/// What servers say with 550 of a file that is there.
const THERE: [&str; 4] = ["permission", "denied", "is a directory", "not a plain file"];

impl Reply {
    /// Whether a file is not there: 550 is for that, and for much else.
    pub(crate) fn is_missing(&self) -> bool {
        let text = self.text.to_ascii_lowercase();
        self.code == 550 && !THERE.iter().any(|why| text.contains(why))
    }

    /// The port of `229 ... (|||6446|)` (RFC 2428 3).
    pub(crate) fn extended_port(&self) -> Option<u16> {
        let inside = self.text.split_once('(')?.1.split_once(')')?.0;
        let mark = inside.chars().next()?;
        let mut parts = inside.split(mark);
        let port = parts.nth(3)?;
        port.parse().ok().filter(|port| *port > 0)
    }

    /// The port of `227 ... (192,0,2,1,25,46)`. The address is not read: data go to and come from the host that one has
    /// logged in to, and no server sends us to another (RFC 2577 2, sec_14).
    pub(crate) fn passive_port(&self) -> Option<u16> {
        let is_inside = |sign: char| sign.is_ascii_digit() || sign == ',';
        let numbers = self.text.split(|sign| !is_inside(sign)).find(|part| part.matches(',').count() == 5)?;
        let numbers: Option<Vec<u8>> = numbers.split(',').map(|number| number.parse().ok()).collect();
        match numbers?[..] {
            [_, _, _, _, high, low] => Some(u16::from_be_bytes([high, low])).filter(|port| *port > 0),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Option<Reply>, String> {
        let mut incoming = Incoming::default();
        for line in text.split_inclusive('\n') {
            if let Some(reply) = incoming.line(line.as_bytes())? {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    fn reply(code: u16, text: &str) -> Reply {
        Reply { code, text: text.to_owned() }
    }

    #[test]
    fn answers_of_one_line_and_of_many_are_read() {
        assert_eq!(read("220 hello\r\n"), Ok(Some(reply(220, "hello"))));
        assert_eq!(read("226\r\n"), Ok(Some(reply(226, ""))));
        let many = "211-Features:\r\n MDTM\r\n211-more\r\n226 not the end\r\n211 End\r\n";
        assert_eq!(read(many), Ok(Some(reply(211, "End"))));
        assert_eq!(read("220-hello\r\n"), Ok(None));
        for bad in ["SSH-2.0-x\r\n", "22\r\n", "999 x\r\n", "220 half", "2200 x\r\n", "\r\n"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let endless = format!("220-{}\r\n", "x".repeat(500)).repeat(100);
        assert!(read(&endless).unwrap_err().contains("more than"));
    }

    #[test]
    fn sec_14_of_where_data_go_only_the_port_is_believed() {
        assert_eq!(reply(229, "Entering Extended Passive Mode (|||6446|)").extended_port(), Some(6_446));
        assert_eq!(reply(229, "(|1|10.0.0.1|22|)").extended_port(), Some(22));
        assert_eq!(reply(227, "Entering Passive Mode (10,0,0,1,25,46).").passive_port(), Some(25 * 256 + 46));
        assert_eq!(reply(227, "=10,0,0,1,25,46").passive_port(), Some(25 * 256 + 46));
        for bad in [
            "",
            "(",
            "()",
            "(||||)",
            "(|||0|)",
            "(|||65536|)",
            "(1,2,3,4,5)",
            "(1,2,3,4,256,1)",
            "(1,2,3,4,0,0)",
        ] {
            assert_eq!(reply(229, bad).extended_port(), None, "{bad}");
            assert_eq!(reply(227, bad).passive_port(), None, "{bad}");
        }
    }

    #[test]
    fn what_is_there_and_closed_is_not_missing() {
        for (text, missing) in [
            ("Failed to open file.", true),
            ("/ada.csv: No such file or directory", true),
            ("The system cannot find the file specified.", true),
            ("Permission denied.", false),
            ("Access is denied.", false),
            ("/ada.csv: not a plain file.", false),
            ("results is a directory", false),
        ] {
            assert_eq!(reply(550, text).is_missing(), missing, "{text}");
        }
        assert!(!reply(450, "No such file").is_missing());
    }

    proptest! {
        #[test]
        fn no_octets_panic(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..8)) {
            let mut incoming = Incoming::default();
            for line in lines {
                if let Ok(Some(reply)) = incoming.line(&line) {
                    let _ = (reply.extended_port(), reply.passive_port());
                }
            }
        }

        #[test]
        fn no_text_panics(text in "[0-9(,|)é ]{0,40}") {
            let reply = Reply { code: 227, text };
            let _ = (reply.extended_port(), reply.passive_port());
        }
    }
}
