//! Many datagrams in one system call: `recvmmsg` and `sendmmsg`.
//!
//! At office rates nearly all of a message's cost is the kernel's, so calls per message are what counts. The
//! unsafe code of signalling lives here and nowhere else: it fills arrays of `mmsghdr` that point into buffers which
//! the same value owns for as long as the call runs.
#![expect(unsafe_code, reason = "recvmmsg and sendmmsg have no safe wrapper in the libraries we use")]

use socket2::{SockAddr, SockAddrStorage};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::Arc;

/// Datagrams taken in one call.
const RECEIVE: usize = 32;
/// Room for one datagram; the largest that UDP carries.
const ROOM: usize = 65_536;
/// Datagrams sent in one call.
const SEND: usize = 64;

/// Buffers for one `recvmmsg`.
pub struct ReceiveBatch {
    data: Vec<u8>,
    names: Vec<libc::sockaddr_storage>,
}

impl Default for ReceiveBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl ReceiveBatch {
    /// Datagrams in a full batch; fewer mean that nothing waits.
    pub const FULL: usize = RECEIVE;

    /// Allocates the buffers once.
    #[must_use]
    pub fn new() -> ReceiveBatch {
        // SAFETY: an all-zero sockaddr_storage is valid.
        let name: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
        ReceiveBatch { data: vec![0; RECEIVE * ROOM], names: vec![name; RECEIVE] }
    }

    /// Takes what waits on a non-blocking socket, at most 32 datagrams, and hands each to `each`.
    ///
    /// # Errors
    /// What the system says; `WouldBlock` is no error but zero datagrams.
    pub fn receive(
        &mut self,
        socket: BorrowedFd<'_>,
        mut each: impl FnMut(SocketAddr, &[u8]),
    ) -> io::Result<usize> {
        let base = self.data.as_mut_ptr();
        let mut vectors: [libc::iovec; RECEIVE] = std::array::from_fn(|index| libc::iovec {
            // SAFETY: index * ROOM is inside `data`, which is RECEIVE * ROOM long.
            iov_base: unsafe { base.add(index * ROOM) }.cast(),
            iov_len: ROOM,
        });
        let names = self.names.as_mut_ptr();
        let mut headers: [libc::mmsghdr; RECEIVE] = std::array::from_fn(|index| {
            // SAFETY: an all-zero mmsghdr is valid; the pointers below outlive the call.
            let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
            // SAFETY: index is below RECEIVE, the length of `names`.
            header.msg_hdr.msg_name = unsafe { names.add(index) }.cast();
            header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_hdr.msg_iov = &raw mut vectors[index];
            header.msg_hdr.msg_iovlen = 1;
            header
        });
        // SAFETY: headers point into `vectors`, `data` and `names`, all alive and exclusively ours.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                RECEIVE as libc::c_uint,
                libc::MSG_DONTWAIT,
                ptr::null_mut(),
            )
        };
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(0),
                _ => Err(error),
            };
        };
        for (index, header) in headers.iter().enumerate().take(count) {
            let length = (header.msg_len as usize).min(ROOM);
            if let Some(from) = read_address(&self.names[index], header.msg_hdr.msg_namelen) {
                each(from, &self.data[index * ROOM..index * ROOM + length]);
            }
        }
        Ok(count)
    }
}

fn read_address(name: &libc::sockaddr_storage, length: libc::socklen_t) -> Option<SocketAddr> {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: SockAddrStorage is sockaddr_storage by another name, and the kernel wrote `length` bytes of it.
    let address = unsafe {
        *storage.view_as::<libc::sockaddr_storage>() = *name;
        SockAddr::new(storage, length)
    };
    address.as_socket()
}

/// Datagrams that wait for one `sendmmsg`.
#[derive(Default)]
pub struct Outbox {
    waiting: Vec<(SockAddr, Arc<[u8]>)>,
}

impl Outbox {
    /// Puts a datagram in.
    pub fn push(&mut self, to: SocketAddr, bytes: Arc<[u8]>) {
        self.waiting.push((SockAddr::from(to), bytes));
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Sends all that waits. What the kernel refuses is dropped, as the network might have done; the number of
    /// those is returned.
    pub fn flush(&mut self, socket: BorrowedFd<'_>) -> usize {
        let mut refused = 0;
        let mut start = 0;
        while start < self.waiting.len() {
            let end = (start + SEND).min(self.waiting.len());
            let sent = send_some(socket, &self.waiting[start..end]);
            if sent == 0 {
                // The first of the batch cannot be sent: skip it.
                refused += 1;
                start += 1;
            } else {
                start += sent;
            }
        }
        self.waiting.clear();
        refused
    }
}

fn send_some(socket: BorrowedFd<'_>, datagrams: &[(SockAddr, Arc<[u8]>)]) -> usize {
    let count = datagrams.len().min(SEND);
    let mut vectors: [libc::iovec; SEND] = std::array::from_fn(|index| match datagrams.get(index) {
        Some((_, bytes)) => libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() },
        None => libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 },
    });
    let mut headers: [libc::mmsghdr; SEND] = std::array::from_fn(|index| {
        // SAFETY: an all-zero mmsghdr is valid.
        let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
        if let Some((to, _)) = datagrams.get(index) {
            header.msg_hdr.msg_name = to.as_ptr().cast_mut().cast();
            header.msg_hdr.msg_namelen = to.len();
            header.msg_hdr.msg_iov = &raw mut vectors[index];
            header.msg_hdr.msg_iovlen = 1;
        }
        header
    });
    // SAFETY: the first `count` headers point into `vectors` and `datagrams`, which outlive the call; the kernel
    // only reads through them.
    let sent = unsafe {
        libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count as libc::c_uint, libc::MSG_DONTWAIT)
    };
    usize::try_from(sent).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    #[test]
    fn batches_keep_bytes_and_addresses_of_both_families() {
        for any in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(receiver) = UdpSocket::bind(any) else { continue };
            receiver.set_nonblocking(true).unwrap();
            let sender = UdpSocket::bind(any).unwrap();
            let mut outbox = Outbox::default();
            for number in 0..100u8 {
                let bytes = vec![number; usize::from(number) + 1];
                outbox.push(receiver.local_addr().unwrap(), Arc::from(bytes));
            }
            assert_eq!(outbox.flush(sender.as_fd()), 0);
            assert!(outbox.is_empty());
            let mut batch = ReceiveBatch::new();
            let mut seen = Vec::new();
            loop {
                let count = batch
                    .receive(receiver.as_fd(), |from, bytes| {
                        assert_eq!(from, sender.local_addr().unwrap());
                        assert!(bytes.iter().all(|&b| usize::from(b) + 1 == bytes.len()));
                        seen.push(bytes.len());
                    })
                    .unwrap();
                if count == 0 {
                    break;
                }
            }
            assert_eq!(seen, (1..=100).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_largest_and_the_empty_fill_every_place_of_a_batch() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        receiver.set_nonblocking(true).unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut batch = ReceiveBatch::new();
        assert_eq!(batch.receive(receiver.as_fd(), |_, _| panic!("nothing was sent")).unwrap(), 0);
        let largest: Arc<[u8]> = Arc::from(vec![7; 65_507]);
        let mut outbox = Outbox::default();
        let mut seen = Vec::new();
        // One at a time, so that no receive buffer is too small; then all places of one batch at once.
        for index in 0..2 * RECEIVE {
            let bytes = if index % 2 == 0 { Arc::clone(&largest) } else { Arc::from([]) };
            outbox.push(receiver.local_addr().unwrap(), bytes);
            assert_eq!(outbox.flush(sender.as_fd()), 0);
            while batch.receive(receiver.as_fd(), |_, bytes| seen.push(bytes.len())).unwrap() > 0 {}
        }
        assert_eq!(seen, [65_507, 0].repeat(RECEIVE));
        seen.clear();
        for _ in 0..RECEIVE + 1 {
            outbox.push(receiver.local_addr().unwrap(), Arc::from([1; 100]));
        }
        assert_eq!(outbox.flush(sender.as_fd()), 0);
        assert_eq!(batch.receive(receiver.as_fd(), |_, bytes| seen.push(bytes.len())).unwrap(), RECEIVE);
        assert_eq!(batch.receive(receiver.as_fd(), |_, bytes| seen.push(bytes.len())).unwrap(), 1);
        assert_eq!(seen, vec![100; RECEIVE + 1]);
    }

    #[test]
    fn a_datagram_that_cannot_be_sent_does_not_hold_the_others() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut outbox = Outbox::default();
        outbox.push(receiver.local_addr().unwrap(), Arc::from(vec![0; 70_000]));
        outbox.push(receiver.local_addr().unwrap(), Arc::from(*b"good"));
        assert_eq!(outbox.flush(sender.as_fd()), 1);
        let mut buffer = [0; 16];
        assert_eq!(receiver.recv(&mut buffer).unwrap(), 4);
    }
}
