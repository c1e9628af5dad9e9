//! Packets of SFTP, version 3 (draft-ietf-secsh-filexfer-02), as far as whole files need them. No I/O.
//!
//! ```text
//! | length: u32 | kind: u8 | id: u32, but for the first of each side | ... |
//! ```

/// Octets of a packet that is taken; servers send 256 KiB at the most.
pub(super) const MOST: usize = 300 << 10;
/// Octets asked for, or sent, by one packet; every server knows so many.
pub(super) const PIECE: u32 = 32 << 10;

/// A status: the end of the file.
pub(super) const END: u32 = 1;
/// A status: no such file.
pub(super) const NO_FILE: u32 = 2;

/// Opens a file to be read.
pub(super) const READ: u32 = 1;
/// Opens a file to be written, made if it is not there, emptied if it is.
pub(super) const WRITE: u32 = 0x02 | 0x08 | 0x10;

/// The name by which OpenSSH offers a rename that takes the place of another file.
pub(super) const POSIX_RENAME: &str = "posix-rename@openssh.com";

/// What we ask.
pub(super) enum Request<'a> {
    Open { path: &'a str, flags: u32 },
    Close { handle: &'a [u8] },
    Read { handle: &'a [u8], offset: u64 },
    Write { handle: &'a [u8], offset: u64, data: &'a [u8] },
    State { handle: &'a [u8] },
    OpenFolder { path: &'a str },
    ReadFolder { handle: &'a [u8] },
    Remove { path: &'a str },
    Rename { from: &'a str, to: &'a str },
    PosixRename { from: &'a str, to: &'a str },
}

/// What is answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Status {
        code: u32,
        text: String,
    },
    Handle(Vec<u8>),
    Data(Vec<u8>),
    State(State),
    /// Of files in a folder.
    Names(Vec<String>),
}

/// What a server says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) size: Option<u64>,
    pub(super) modified: Option<u32>,
}

/// The first packet of ours.
pub(super) const HELLO: [u8; 9] = [0, 0, 0, 5, 1, 0, 0, 0, 3];

impl Request<'_> {
    /// The packet.
    pub(super) fn write(&self, id: u32) -> Vec<u8> {
        let mut packet = vec![0; 4];
        let mut begin = |kind: u8| {
            packet.push(kind);
            packet.extend(id.to_be_bytes());
        };
        match self {
            Request::Open { .. } => begin(3),
            Request::Close { .. } => begin(4),
            Request::Read { .. } => begin(5),
            Request::Write { .. } => begin(6),
            Request::State { .. } => begin(8),
            Request::OpenFolder { .. } => begin(11),
            Request::ReadFolder { .. } => begin(12),
            Request::Remove { .. } => begin(13),
            Request::Rename { .. } => begin(18),
            Request::PosixRename { .. } => begin(200),
        }
        match *self {
            Request::Open { path, flags } => {
                text(&mut packet, path.as_bytes());
                packet.extend(flags.to_be_bytes());
                // No attributes.
                packet.extend([0; 4]);
            }
            Request::Close { handle } | Request::State { handle } | Request::ReadFolder { handle } => {
                text(&mut packet, handle);
            }
            Request::Read { handle, offset } => {
                text(&mut packet, handle);
                packet.extend(offset.to_be_bytes());
                packet.extend(PIECE.to_be_bytes());
            }
            Request::Write { handle, offset, data } => {
                text(&mut packet, handle);
                packet.extend(offset.to_be_bytes());
                text(&mut packet, data);
            }
            Request::Remove { path } | Request::OpenFolder { path } => text(&mut packet, path.as_bytes()),
            Request::Rename { from, to } => {
                text(&mut packet, from.as_bytes());
                text(&mut packet, to.as_bytes());
            }
            Request::PosixRename { from, to } => {
                text(&mut packet, POSIX_RENAME.as_bytes());
                text(&mut packet, from.as_bytes());
                text(&mut packet, to.as_bytes());
            }
        }
        let length = u32::try_from(packet.len() - 4).unwrap_or(u32::MAX);
        packet[..4].copy_from_slice(&length.to_be_bytes());
        packet
    }
}

fn text(packet: &mut Vec<u8>, octets: &[u8]) {
    packet.extend(u32::try_from(octets.len()).unwrap_or(u32::MAX).to_be_bytes());
    packet.extend_from_slice(octets);
}

/// The first packet of a server, without its length: whether it offers the rename of OpenSSH.
pub(super) fn hello(packet: &[u8]) -> Option<bool> {
    let mut rest = Rest(packet);
    if rest.octet()? != 2 || rest.number()? < 3 {
        return None;
    }
    let mut offers = false;
    while let (Some(name), Some(_)) = (rest.text(), rest.text()) {
        offers |= name == POSIX_RENAME.as_bytes();
    }
    Some(offers)
}

/// A packet of a server, without its length: the request that it is for, and what it says.
pub(super) fn reply(packet: &[u8]) -> Option<(u32, Reply)> {
    let mut rest = Rest(packet);
    let kind = rest.octet()?;
    let id = rest.number()?;
    let reply = match kind {
        101 => {
            let code = rest.number()?;
            let said = String::from_utf8_lossy(rest.text().unwrap_or_default()).into_owned();
            let text = said.chars().filter(|sign| !sign.is_control()).take(200).collect();
            Reply::Status { code, text }
        }
        102 => Reply::Handle(rest.text()?.to_vec()),
        103 => Reply::Data(rest.text()?.to_vec()),
        104 => Reply::Names(rest.names()?),
        105 => Reply::State(rest.state()?),
        _ => return None,
    };
    Some((id, reply))
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, octets: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(octets)?;
        self.0 = rest;
        Some(front)
    }

    fn octet(&mut self) -> Option<u8> {
        self.take(1).map(|octets| octets[0])
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let octets = self.number()?;
        self.take(usize::try_from(octets).ok()?)
    }

    fn state(&mut self) -> Option<State> {
        let flags = self.number()?;
        let mut state = State { size: None, modified: None };
        if flags & 1 != 0 {
            state.size = Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?));
        }
        if flags & 2 != 0 {
            self.take(8)?;
        }
        if flags & 4 != 0 {
            self.take(4)?;
        }
        if flags & 8 != 0 {
            self.take(4)?;
            state.modified = Some(self.number()?);
        }
        if flags & 0x8000_0000 != 0 {
            for _ in 0..self.number()? {
                self.text()?;
                self.text()?;
            }
        }
        Some(state)
    }

    /// Each with a line for people and with its attributes.
    fn names(&mut self) -> Option<Vec<String>> {
        let count = self.number()?;
        let mut names = Vec::new();
        for _ in 0..count {
            let name = String::from_utf8_lossy(self.text()?).into_owned();
            self.text()?;
            self.state()?;
            names.push(name);
        }
        Some(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn requests_stand_as_the_draft_has_them() {
        let open = Request::Open { path: "/a", flags: READ }.write(7);
        assert_eq!(open, b"\0\0\0\x13\x03\0\0\0\x07\0\0\0\x02/a\0\0\0\x01\0\0\0\0");
        let read = Request::Read { handle: b"h", offset: 1 << 32 }.write(8);
        assert_eq!(read, b"\0\0\0\x16\x05\0\0\0\x08\0\0\0\x01h\0\0\0\x01\0\0\0\0\0\0\x80\0");
        let rename = Request::PosixRename { from: "a", to: "b" }.write(9);
        assert_eq!(usize::from(rename[3]), rename.len() - 4);
        assert!(rename.windows(POSIX_RENAME.len()).any(|part| part == POSIX_RENAME.as_bytes()));
    }

    #[test]
    fn replies_are_read_or_are_none() {
        let mut version = b"\x02\0\0\0\x03".to_vec();
        assert_eq!(hello(&version), Some(false));
        text(&mut version, POSIX_RENAME.as_bytes());
        text(&mut version, b"1");
        assert_eq!(hello(&version), Some(true));
        assert_eq!(hello(b"\x02\0\0\0\x02"), None);
        let status = b"\x65\0\0\0\x01\0\0\0\x02\0\0\0\x04gone\0\0\0\0";
        assert_eq!(reply(status), Some((1, Reply::Status { code: NO_FILE, text: "gone".to_owned() })));
        assert_eq!(reply(b"\x67\0\0\0\x02\0\0\0\x01x"), Some((2, Reply::Data(b"x".to_vec()))));
        let attributes =
            b"\x69\0\0\0\x03\0\0\0\x0f\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x02";
        let state = State { size: Some(5), modified: Some(2) };
        assert_eq!(reply(attributes), Some((3, Reply::State(state))));
        for short in 0..attributes.len() {
            assert_eq!(reply(&attributes[..short]), None);
        }
        assert_eq!(reply(b"\x67\0\0\0\x02\xff\xff\xff\xffx"), None);
    }

    #[test]
    fn the_names_of_a_folder_come_with_attributes_that_are_passed_over() {
        let mut packet = b"\x68\0\0\0\x05\0\0\0\x02".to_vec();
        for (name, attributes) in
            [("a.csv", &b"\0\0\0\0"[..]), ("b", b"\x80\0\0\x04\0\0\x01\xa4\0\0\0\x01\0\0\0\x01x\0\0\0\x01y")]
        {
            text(&mut packet, name.as_bytes());
            text(&mut packet, b"-rw-r--r-- 1 a a 5 Nov 29 a.csv");
            packet.extend_from_slice(attributes);
        }
        assert_eq!(reply(&packet), Some((5, Reply::Names(vec!["a.csv".to_owned(), "b".to_owned()]))));
        for short in 0..packet.len() {
            assert_eq!(reply(&packet[..short]), None);
        }
        assert_eq!(reply(b"\x68\0\0\0\x05\xff\xff\xff\xff"), None);
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = (hello(&octets), reply(&octets));
        }
    }
}
