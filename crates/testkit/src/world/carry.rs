//! How bytes travel in the world: through NAT boxes, over bad links, along streams.

use super::{Happening, World};
use crate::net::{Datagram, Link};
use crate::observed::{OfficeId, PhoneId};
use exchange::Input;
use sip::{Flow, Transport};
use std::net::SocketAddr;
use std::sync::Arc;

impl World {
    pub(super) fn send_from_phone(&mut self, phone: PhoneId, bytes: Arc<[u8]>) {
        let flow = self.phones[phone].flow;
        let link = self.phones[phone].plan.link;
        if flow.transport != Transport::Udp {
            let number = (flow.connection as usize).wrapping_sub(1);
            return self.send_along(number, true, link, bytes);
        }
        let from = match self.phones[phone].plan.nat {
            Some(nat) => self.nats[nat].outbound(self.now.mono, flow.local, flow.remote),
            None => flow.local,
        };
        self.send(link, Datagram { from, to: flow.remote, bytes });
    }

    pub(super) fn send_from_office(&mut self, office: OfficeId, flow: Flow, bytes: Arc<[u8]>) {
        if flow.transport != Transport::Udp {
            let found = self.streams.iter().position(|stream| stream.office == office && stream.flow == flow);
            let Some(number) = found else { return };
            let link = self.phones[self.streams[number].phone].plan.link;
            return self.send_along(number, false, link, bytes);
        }
        let link = self.link_to(flow.remote);
        self.send(link, Datagram { from: flow.local, to: flow.remote, bytes });
    }

    fn link_to(&self, to: SocketAddr) -> Link {
        if self.offices.iter().any(|office| office.address == to) {
            return self.trunk;
        }
        if let Some(&phone) = self.by_address.get(&to) {
            return self.phones[phone].plan.link;
        }
        let behind = self.nats.iter().position(|nat| nat.public == to.ip());
        let phone = self.phones.iter().find(|phone| phone.plan.nat.is_some() && phone.plan.nat == behind);
        phone.map_or_else(Link::cable, |phone| phone.plan.link)
    }

    fn send(&mut self, link: Link, datagram: Datagram) {
        for wait in link.deliveries(self.now.mono, &mut self.dice).into_iter().flatten() {
            self.push(wait, Happening::Datagram(datagram.clone()));
        }
    }

    fn send_along(&mut self, number: usize, to_office: bool, link: Link, bytes: Arc<[u8]>) {
        let now = self.now.mono;
        let Some(stream) = self.streams.get_mut(number) else { return };
        if !stream.open {
            return;
        }
        // A cut delays a stream; TCP repeats until it heals.
        let earliest = (now + link.latency).max(link.cut_until);
        let arrives = earliest.max(stream.arrived[usize::from(to_office)]);
        stream.arrived[usize::from(to_office)] = arrives;
        self.push(arrives.since(now), Happening::Bytes { stream: number, to_office, bytes });
    }

    pub(super) fn deliver(&mut self, datagram: Datagram) {
        let Datagram { from, to, bytes } = datagram;
        if let Some(office) = self.offices.iter().position(|office| office.address == to) {
            let flow = Flow::udp(to, from);
            return self.feed(office, Input::Datagram { flow, bytes: &bytes });
        }
        let inside = match self.nats.iter().position(|nat| nat.public == to.ip()) {
            Some(nat) => self.nats[nat].inbound(self.now.mono, to.port(), from),
            None => Some(to),
        };
        let Some(&phone) = inside.and_then(|inside| self.by_address.get(&inside)) else { return };
        let phone_at = self.phones[phone].flow;
        if phone_at.transport == Transport::Udp && inside == Some(phone_at.local) {
            self.phones[phone].receive(self.now.mono, &bytes);
            self.settle_phone(phone);
        }
    }

    pub(super) fn deliver_bytes(&mut self, number: usize, to_office: bool, bytes: &[u8]) {
        let stream = &self.streams[number];
        if !stream.open {
            return;
        }
        let (office, phone, flow, own) = (stream.office, stream.phone, stream.flow, stream.own);
        if to_office {
            return self.feed(office, Input::Message { flow, bytes });
        }
        if self.phones[phone].flow == own {
            self.phones[phone].receive(self.now.mono, bytes);
            self.settle_phone(phone);
        }
    }

    /// A stream ends: each side learns it after the usual delay.
    pub(super) fn break_stream(&mut self, number: usize) {
        let Some(stream) = self.streams.get_mut(number).filter(|stream| stream.open) else { return };
        stream.open = false;
        let link = self.phones[stream.phone].plan.link;
        for to_office in [true, false] {
            self.push(link.latency, Happening::Closed { stream: number, to_office });
        }
    }

    pub(super) fn deliver_close(&mut self, number: usize, to_office: bool) {
        let (office, phone, flow, own) = {
            let stream = &self.streams[number];
            (stream.office, stream.phone, stream.flow, stream.own)
        };
        if to_office {
            return self.feed(office, Input::FlowClosed(flow));
        }
        if self.phones[phone].on && self.phones[phone].flow == own {
            let wait = self.dice.millis(200..3_000);
            self.after(wait, super::Act::Reconnect { phone });
        }
    }
}
