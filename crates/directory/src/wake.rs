//! C3: devices that sleep are woken for an exchange, each with a ticket of its own, and told when nobody waits any more (S4.24).

use crate::designate::{Invalid, Request, RequestId};
use crate::limits;
use crate::machine::{Directory, Message, Output, refused};
use crate::names::{DeviceId, ExchangeName};
use crate::push::{Notice, Push};
use crate::ticket::TicketId;
use clock::{Mono, Now};
use std::collections::{BTreeMap, BTreeSet};

/// Which call, of which exchange.
type Key = (ExchangeName, RequestId);

/// The calls for which devices were woken, while their tickets work.
#[derive(Debug, Default)]
pub(crate) struct Woken {
    calls: BTreeMap<Key, (Mono, Vec<(DeviceId, TicketId)>)>,
    until: BTreeSet<(Mono, Key)>,
}

impl Woken {
    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.until.first().map(|(at, _)| *at)
    }

    fn take(&mut self, key: &Key) -> Vec<(DeviceId, TicketId)> {
        let Some((at, devices)) = self.calls.remove(key) else { return Vec::new() };
        self.until.remove(&(at, key.clone()));
        devices
    }

    /// Tickets that work no longer need not be taken back.
    pub(crate) fn forget(&mut self, now: Mono) {
        while let Some((at, key)) = self.until.first().filter(|(at, _)| *at <= now).cloned() {
            self.until.remove(&(at, key.clone()));
            self.calls.remove(&key);
        }
    }
}

impl Directory {
    /// Each device that sleeps gets a ticket of its own to the exchange that asked.
    pub(crate) fn wake(
        &mut self,
        now: Now,
        request: &Request,
        exchange: &ExchangeName,
        devices: &[DeviceId],
    ) {
        let (mut woken, mut pushes) = (Vec::with_capacity(devices.len()), Vec::new());
        let key = (exchange.clone(), request.id);
        let full = self.woken.calls.len() >= limits::WOKEN || self.woken.calls.contains_key(&key);
        for id in devices.iter().filter(|_| !full) {
            let Some(cnf) = self.book().device(id).and_then(|device| device.key) else { continue };
            let dest = request.callee.clone();
            let Some((address, fingerprint, ticket)) = self.ticket(now.wall, exchange, request, dest, cnf)
            else {
                continue;
            };
            let expires = now.after(limits::TICKET_LIFE).wall.0;
            let (callee, session, from) = (request.callee.clone(), request.session, request.shown.clone());
            pushes.push((
                id.clone(),
                Push::Wake(Notice { address, fingerprint, ticket, callee, from, session, expires }),
            ));
            woken.push((id.clone(), cnf));
        }
        if woken.is_empty() {
            let why = Invalid::NowhereToReach.to_string();
            return self.answer(&request.origin, refused(request.id, &why));
        }
        let until = now.mono + limits::TICKET_LIFE;
        let tickets = pushes.iter().map(|(id, push)| (id.clone(), push.ticket())).collect();
        self.woken.until.insert((until, key.clone()));
        self.woken.calls.insert(key, (until, tickets));
        // The exchange hears of it first: whoever comes is expected.
        self.answer(&request.origin, Message::Woken { id: request.id, devices: woken });
        for (id, push) in pushes {
            self.push(&id, push);
        }
    }

    /// The exchange waits for nobody any more: the call was answered, or is over.
    pub(crate) fn let_sleep(&mut self, now: Now, exchange: ExchangeName, id: RequestId) {
        let expires = now.after(limits::TICKET_LIFE).wall.0;
        for (device, ticket) in self.woken.take(&(exchange, id)) {
            self.push(&device, Push::Withdrawn { ticket, expires });
        }
    }

    /// A device does not come, because it talks elsewhere or its owner does not want to.
    pub(crate) fn declined(&mut self, device: &DeviceId, ticket: TicketId) {
        let of = |(_, devices): &(Mono, Vec<(DeviceId, TicketId)>)| {
            devices.iter().any(|(known, theirs)| known == device && *theirs == ticket)
        };
        let found = self.woken.calls.iter().find(|(_, call)| of(call)).map(|(key, _)| key.clone());
        let Some((exchange, id)) = found else { return };
        if let Some((_, devices)) = self.woken.calls.get_mut(&(exchange.clone(), id)) {
            devices.retain(|(known, _)| known != device);
        }
        let told = Message::Declined { id, device: device.clone() };
        self.output(Output::ToExchange(exchange, told));
    }

    fn push(&mut self, id: &DeviceId, push: Push) {
        let Some(device) = self.book().device(id) else { return };
        let (connected, ways) = (device.connected, device.ways.clone());
        let signed = push.seal(self.issuer()).into();
        self.output(Output::Push { device: id.clone(), connected, ways, push, signed });
    }
}
