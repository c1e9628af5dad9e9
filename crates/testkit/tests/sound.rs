//! Stories with the real media engine below the real exchange: packets reach whom the orders name, and nobody else.

use media::{Engine, Forward, Kind, LegKey, Sounds};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use testkit::phone::{Attempt, Deed};
use testkit::stage::{Stage, answers_after};
use testkit::{Act, World};

/// One packet of PCMA.
fn packet(sequence: u16) -> Vec<u8> {
    let mut bytes = vec![0x80, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
    bytes[2..4].copy_from_slice(&sequence.to_be_bytes());
    bytes[4..8].copy_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
    bytes.extend([0xD5; 160]);
    bytes
}

/// The leg whose party has its sound at this address, and that address with its port.
fn leg_at(world: &World, host: &str) -> (LegKey, SocketAddr) {
    let found = world.offices[0].orders.values().find_map(|(_, order)| {
        let send = order.send.as_ref()?;
        (send.remote.ip().to_string() == host).then_some((order.leg, send.remote))
    });
    found.expect("an order for that phone")
}

fn send(world: &mut World, leg: LegKey, from: SocketAddr, sequence: u16) -> Option<Forward> {
    let now = world.now.mono;
    let engine = world.offices[0].engine.as_mut().expect("an engine");
    let mut packet = packet(sequence);
    let length = packet.len();
    engine.receive(now, leg, Kind::Rtp, from, &mut packet, length)
}

#[test]
fn those_who_talk_are_relayed_to_each_other_and_strangers_are_not() {
    let stage = Stage::new(2).person("ada", "100").phone("ada-1", answers_after(1));
    let mut world = stage.person("bob", "200").phone("bob-1", answers_after(1)).open();
    world.offices[0].engine = Some(Engine::new(Arc::new(Sounds::built_in())));
    world.call(0, Attempt::to("200"));
    world.run_for(Duration::from_secs(5));
    let (ada, ada_at) = leg_at(&world, "10.0.0.10");
    let (bob, bob_at) = leg_at(&world, "10.0.0.11");
    let relayed = send(&mut world, ada, ada_at, 1).expect("relayed");
    assert_eq!((relayed.leg, relayed.to), (bob, bob_at));
    let relayed = send(&mut world, bob, bob_at, 1).expect("relayed");
    assert_eq!((relayed.leg, relayed.to), (ada, ada_at));
    let stranger = "203.0.113.9:4000".parse().expect("an address");
    assert_eq!(send(&mut world, ada, stranger, 2), None, "R16");

    world.after(Duration::ZERO, Act::Do { phone: 0, deed: Deed::Hold });
    world.run_for(Duration::from_secs(1));
    assert_eq!(send(&mut world, bob, bob_at, 2), None, "who holds hears nothing");
    world.after(Duration::ZERO, Act::Do { phone: 0, deed: Deed::Resume });
    world.run_for(Duration::from_secs(1));
    assert!(send(&mut world, bob, bob_at, 3).is_some(), "and hears again");

    world.run_for(Duration::from_secs(60));
    let engine = world.offices[0].engine.as_ref().expect("an engine");
    assert_eq!(engine.leg_count(), 0, "the engine has no leg after the call");
    world.close();
}
