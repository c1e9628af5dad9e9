//! `loadgen bareloop`: the least that a relay can do with one socket a leg: epoll, recvfrom, sendto. Nothing is
//! looked at, so it is the floor under any relay of that shape.

use crate::Failure;
use crate::arguments::Arguments;
use crate::line;
use net::Poll;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

/// Legs 2n and 2n+1 hear each other; each is sent to where it last sent from. Runs until it is killed.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (legs, first): (usize, u16) = (arguments.must("legs")?, arguments.must("port")?);
    let mut poll = Poll::new()?;
    let mut sockets: Vec<UdpSocket> = Vec::with_capacity(legs);
    for leg in 0..legs {
        let port = first + 2 * u16::try_from(leg)?;
        let socket = line::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        poll.add(&socket, leg as u64)?;
        sockets.push(socket);
    }
    println!("{{\"legs\":{legs}}}");
    let mut remotes: Vec<Option<SocketAddr>> = vec![None; legs];
    let mut packet = [0; 2_048];
    let mut ready = Vec::new();
    loop {
        ready.clear();
        ready.extend(poll.wait(None)?);
        for &token in &ready {
            let leg = token as usize;
            // One a turn: level-triggered, so a second packet is announced again.
            if let Ok((length, from)) = sockets[leg].recv_from(&mut packet) {
                remotes[leg] = Some(from);
                if let Some(to) = remotes[leg ^ 1] {
                    let _ = sockets[leg ^ 1].send_to(&packet[..length], to);
                }
            }
        }
    }
}
