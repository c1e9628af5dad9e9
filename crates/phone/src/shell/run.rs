//! The thread of a phone: waits for sockets, commands and deadlines, and carries out what its agents want.

use super::headset::Headset;
use super::line::Line;
use super::ports::RtpPort;
use super::seat::{Opened, Seat, Ways};
use super::{Settings, Told};
use crate::agent::{Accounts, Input, Output, SoundOrder, SoundPorts};
use crate::sound::{Arrived, Meter, Microphone, Source, Talk, WavWriter};
use crate::words::{CallId, Command, Event};
use clock::Mono;
use net::{Clock, Mailbox, Poll, Sender, Token};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

const MAILBOX: Token = Token::MAX;
/// The line of an account; smaller numbers are its ports. Accounts stand above.
const LINE: Token = 0xff;
const PLACE: u32 = 8;
/// How soon a slow connection is tried again.
const BEHIND: Duration = Duration::from_millis(20);
/// Packets taken from one port in a turn.
const PACKETS: usize = 64;

/// What comes to the phone's thread from others.
pub(super) enum Post {
    Command(Command),
    Opened(Box<Opened>),
}

pub(super) struct Run {
    source: Source,
    clock: Clock,
    accounts: Accounts,
    seats: Vec<Seat>,
    poll: Poll,
    post: Sender<Post>,
    mailbox: Mailbox<Post>,
    teller: SyncSender<Told>,
    record: Option<WavWriter>,
    headset: Option<Headset>,
    meter: Meter,
    finished: bool,
}

impl Run {
    pub(super) fn new(
        mut settings: Settings,
        accounts: Accounts,
        record: Option<WavWriter>,
        (post, mailbox): (Sender<Post>, Mailbox<Post>),
        teller: SyncSender<Told>,
    ) -> io::Result<Run> {
        let poll = Poll::new()?;
        poll.add(mailbox.descriptor(), MAILBOX)?;
        let headset = settings.headset.take().map(|program| {
            let microphone = Microphone::default();
            settings.source = Source::Microphone(microphone.clone());
            Headset::new(program, microphone)
        });
        Ok(Run {
            source: settings.source,
            clock: settings.clock,
            accounts,
            seats: settings.accounts.into_iter().map(Seat::new).collect(),
            poll,
            post,
            mailbox,
            teller,
            record,
            headset,
            meter: Meter::default(),
            finished: false,
        })
    }

    pub(super) fn run(mut self) {
        self.put_out();
        while !self.finished {
            if let Err(error) = self.turn() {
                tracing::error!(%error, "a phone cannot watch its sockets any more");
                return;
            }
        }
    }

    fn turn(&mut self) -> io::Result<()> {
        let ready: Vec<Token> = self.poll.wait(self.patience())?.collect();
        for token in ready {
            let place = usize::try_from(token >> PLACE).unwrap_or(usize::MAX);
            match token {
                MAILBOX => self.take_post(),
                _ if token & LINE == LINE => self.take_messages(place),
                _ => self.take_packets(place, usize::try_from(token & LINE).unwrap_or(usize::MAX)),
            }
        }
        let now = self.clock.now();
        if self.accounts.next_deadline().is_some_and(|(when, _)| when <= now.mono) {
            self.accounts.run_timers(now);
            self.put_out();
        }
        self.send_packets();
        (0..self.seats.len()).for_each(|place| self.tend(place, now.mono));
        Ok(())
    }

    fn patience(&self) -> Option<Duration> {
        let now = self.clock.now().mono;
        let lines = || self.seats.iter().filter_map(|seat| seat.line.as_ref());
        if lines().any(Line::has_more) {
            return Some(Duration::ZERO);
        }
        let agents = self.accounts.next_deadline().map(|(when, _)| when);
        let ports = self.seats.iter().flat_map(|seat| &seat.ports);
        let talks = ports.filter_map(|port| port.talk.as_ref()?.1.next_deadline());
        let quiet = self.seats.iter().filter_map(|seat| seat.keep_alive_at);
        let wait = agents.into_iter().chain(talks).chain(quiet).min().map(|when| when.since(now));
        if lines().any(Line::is_behind) {
            return Some(wait.map_or(BEHIND, |wait| wait.min(BEHIND)));
        }
        wait
    }

    /// What a line needs in a turn, beside messages.
    fn tend(&mut self, place: usize, now: Mono) {
        let Some(seat) = self.seats.get_mut(place) else { return };
        if seat.line.as_ref().is_some_and(Line::has_more) {
            self.take_messages(place);
        }
        let Some(Seat { line: Some(line), keep_alive_at, .. }) = self.seats.get_mut(place) else { return };
        let mut outcome = Ok(());
        if keep_alive_at.take_if(|at| *at <= now).is_some() {
            outcome = line.keep_alive();
            *keep_alive_at = line.quiet().map(|quiet| now + quiet);
        }
        if let Err(error) = outcome.and_then(|()| line.flush()) {
            self.lose_line(place, &error);
        }
    }

    fn take_post(&mut self) {
        self.mailbox.silence();
        while let Some(post) = self.mailbox.take() {
            match post {
                Post::Command(command) => self.accounts.command(self.clock.now(), command),
                Post::Opened(opened) => self.opened(*opened),
            }
            self.put_out();
        }
    }

    fn take_messages(&mut self, place: usize) {
        let (accounts, clock) = (&mut self.accounts, self.clock);
        let Some(line) = self.seats.get_mut(place).and_then(|seat| seat.line.as_mut()) else { return };
        let taken = line.receive(|flow, bytes| {
            accounts.handle(clock.now(), place, Input::Message { flow, bytes });
        });
        self.put_out();
        if let Err(error) = taken {
            self.lose_line(place, &error);
        }
    }

    fn take_packets(&mut self, place: usize, index: usize) {
        let mut room = [0; 2_048];
        for _ in 0..PACKETS {
            let Some(port) = self.seats.get_mut(place).and_then(|seat| seat.ports.get_mut(index)) else {
                return;
            };
            let Ok((length, from)) = port.socket.recv_from(&mut room) else { return };
            let Some((call, talk)) = &mut port.talk else { continue };
            let call = *call;
            let arrived = talk.receive(from, &room[..length]);
            if let Some(announced) = talk.announced() {
                self.tell(place, Event::Announced { call, what: announced.into() });
            }
            match arrived {
                Arrived::Sound(samples) => self.hear(place, call, &samples),
                Arrived::Key(key) => self.tell(place, Event::Dtmf { call, key }),
                Arrived::Nothing => {}
            }
        }
    }

    fn hear(&mut self, place: usize, call: CallId, samples: &[i16]) {
        if let Some(Err(error)) = self.record.as_mut().map(|record| record.write(samples)) {
            tracing::warn!(%error, "the recording ends here");
            self.record = None;
        }
        let played = self.headset.as_mut().map(|headset| headset.play(samples));
        self.tell_of_headset(place, played);
        let mut all = Vec::new();
        self.meter.take(samples, |heard| all.push(heard));
        for heard in all {
            self.tell(place, Event::Heard { call, hertz: heard.hertz, dbfs: heard.dbfs });
        }
    }

    fn send_packets(&mut self) {
        let now = self.clock.now().mono;
        for port in self.seats.iter_mut().flat_map(|seat| &mut seat.ports) {
            let Some((_, talk)) = &mut port.talk else { continue };
            while let Some((to, bytes)) = talk.packet(now) {
                // A lost packet is a lost packet.
                let _ = port.socket.send_to(&bytes, to);
            }
        }
    }

    /// Carries out all that the agents want.
    fn put_out(&mut self) {
        while let Some((place, output)) = self.accounts.next_output() {
            match output {
                Output::Transmit(transmit) => {
                    let line = self.seats.get_mut(place).and_then(|seat| seat.line.as_mut());
                    if let Some(Err(error)) = line.map(|line| line.send(transmit.flow, &transmit.bytes)) {
                        self.lose_line(place, &error);
                    }
                }
                Output::Connect => self.connect(place),
                Output::Sound(order) => self.order(place, order),
                Output::Event(event) => self.tell(place, event),
                // Who does not listen any more misses something; calls go on.
                Output::Trace(trace) => drop(self.teller.try_send(Told::Trace(trace))),
                Output::Finished => self.finished = true,
            }
        }
    }

    fn connect(&mut self, place: usize) {
        let Some(seat) = self.seats.get_mut(place) else { return };
        if let Err(error) = seat.connect(place, &self.post) {
            self.accounts.handle(self.clock.now(), place, Input::Disconnected(&error.to_string()));
        }
    }

    fn opened(&mut self, opened: Opened) {
        let place = opened.place;
        let Some(seat) = self.seats.get_mut(place).filter(|seat| seat.waits_for(&opened)) else { return };
        let base = (place as Token) << PLACE;
        let taken = opened.outcome.and_then(|ways| {
            self.poll.add(ways.line.descriptor(), base | LINE)?;
            for (index, port) in ways.ports.iter().flatten().enumerate() {
                self.poll.add(&port.socket, base | index as Token)?;
            }
            Ok(ways)
        });
        let now = self.clock.now();
        let Ways { line, flow, server, ports } = match taken {
            Ok(ways) => ways,
            Err(error) => {
                tracing::debug!(%error, "cannot connect");
                return self.accounts.handle(now, place, Input::Disconnected(&error.to_string()));
            }
        };
        seat.keep_alive_at = line.quiet().map(|quiet| now.mono + quiet);
        seat.line = Some(line);
        seat.reached(server);
        if let Some(ports) = ports {
            let address = flow.local.ip();
            let sound = SoundPorts { address, ports: ports.iter().map(RtpPort::port).collect() };
            seat.take_ports(address, ports);
            self.accounts.handle(now, place, Input::Sound(sound));
        }
        self.accounts.handle(now, place, Input::Connected(flow));
    }

    fn lose_line(&mut self, place: usize, error: &io::Error) {
        let Some(seat) = self.seats.get_mut(place) else { return };
        tracing::debug!(%error, account = %seat.name, "the connection to the server is gone");
        (seat.line, seat.keep_alive_at) = (None, None);
        self.accounts.handle(self.clock.now(), place, Input::Disconnected(&error.to_string()));
        self.put_out();
    }

    fn order(&mut self, place: usize, order: SoundOrder) {
        let now = self.clock.now().mono;
        let wanted = match &order {
            SoundOrder::Talk { port, .. } | SoundOrder::Press { port, .. } | SoundOrder::Stop { port } => {
                *port
            }
        };
        let ports = self.seats.get_mut(place).map(|seat| &mut seat.ports);
        let Some(port) = ports.into_iter().flatten().find(|port| port.port() == wanted) else { return };
        match order {
            SoundOrder::Talk { call, agreed, muted, .. } => {
                let source = self.source.clone();
                let (_, talk) = port.talk.get_or_insert_with(|| {
                    // Unlike tags, these need not be secret: the address is what is checked (R16).
                    let random = now.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(wanted) << 40;
                    (call, Talk::new(now, source, random))
                });
                talk.agree(now, &agreed, muted);
            }
            SoundOrder::Press { key, .. } => {
                if let Some((_, talk)) = &mut port.talk {
                    talk.press(key);
                }
            }
            SoundOrder::Stop { .. } => {
                port.talk = None;
                if let Some(Err(error)) = self.record.as_mut().map(WavWriter::tell_length) {
                    tracing::warn!(%error, "the recording is not brought up to date");
                }
            }
        }
    }

    fn tell(&mut self, place: usize, event: Event) {
        let noted = self.headset.as_mut().map(|headset| headset.note(&event));
        self.say(place, event);
        self.tell_of_headset(place, noted);
    }

    fn tell_of_headset(&mut self, place: usize, outcome: Option<Result<(), String>>) {
        if let Some(Err(why)) = outcome {
            self.say(place, Event::Refused { why });
        }
    }

    fn say(&mut self, place: usize, event: Event) {
        let Some(seat) = self.seats.get(place) else { return };
        let _ = self.teller.try_send(Told::Event(self.clock.now(), Arc::clone(&seat.name), event));
    }
}
