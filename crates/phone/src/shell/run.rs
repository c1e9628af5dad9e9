//! The thread of a phone: waits for sockets, commands and deadlines, and carries out what the agent wants.

use super::headset::Headset;
use super::line::Line;
use super::ports::RtpPort;
use super::{Settings, Told};
use crate::agent::{Agent, Input, Output, SoundOrder};
use crate::sound::{Arrived, Meter, Microphone, Source, Talk, WavWriter};
use crate::words::{CallId, Command, Event};
use clock::Mono;
use net::{Mailbox, Poll, Token};
use std::io;
use std::net::IpAddr;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

const MAILBOX: Token = Token::MAX;
const LINE: Token = Token::MAX - 1;
/// How soon a slow connection is tried again.
const BEHIND: Duration = Duration::from_millis(20);
/// Packets taken from one port in a turn.
const PACKETS: usize = 64;

pub(super) struct Run {
    settings: Settings,
    own: IpAddr,
    agent: Agent,
    ports: Vec<RtpPort>,
    line: Option<Line>,
    keep_alive_at: Option<Mono>,
    connections: u64,
    poll: Poll,
    mailbox: Mailbox<Command>,
    teller: SyncSender<Told>,
    record: Option<WavWriter>,
    headset: Option<Headset>,
    meter: Meter,
    finished: bool,
}

impl Run {
    pub(super) fn new(
        mut settings: Settings,
        own: IpAddr,
        agent: Agent,
        ports: Vec<RtpPort>,
        record: Option<WavWriter>,
        mailbox: Mailbox<Command>,
        teller: SyncSender<Told>,
    ) -> io::Result<Run> {
        let poll = Poll::new()?;
        poll.add(mailbox.descriptor(), MAILBOX)?;
        for (index, port) in ports.iter().enumerate() {
            poll.add(&port.socket, index as Token)?;
        }
        let headset = settings.headset.take().map(|program| {
            let microphone = Microphone::default();
            settings.source = Source::Microphone(microphone.clone());
            Headset::new(program, microphone)
        });
        Ok(Run {
            settings,
            own,
            agent,
            ports,
            line: None,
            keep_alive_at: None,
            connections: 0,
            poll,
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
            match token {
                MAILBOX => self.take_commands(),
                LINE => self.take_messages(),
                index => self.take_packets(usize::try_from(index).unwrap_or(usize::MAX)),
            }
        }
        let now = self.settings.clock.now();
        if self.agent.next_deadline().is_some_and(|(when, _)| when <= now.mono) {
            self.agent.handle(now, Input::Timeout);
            self.put_out();
        }
        self.send_packets();
        if self.line.as_ref().is_some_and(Line::has_more) {
            self.take_messages();
        }
        if self.keep_alive_at.take_if(|at| *at <= now.mono).is_some() {
            self.keep_alive();
        }
        if self.line.as_mut().is_some_and(|line| line.flush().is_err()) {
            self.lose_line();
        }
        Ok(())
    }

    fn patience(&self) -> Option<Duration> {
        let now = self.settings.clock.now().mono;
        let agent = self.agent.next_deadline().map(|(when, _)| when);
        let talks = self.ports.iter().filter_map(|port| port.talk.as_ref()?.1.next_deadline());
        let all = agent.into_iter().chain(talks).chain(self.keep_alive_at);
        let wait = all.min().map(|when| when.since(now));
        if self.line.as_ref().is_some_and(Line::has_more) {
            return Some(Duration::ZERO);
        }
        let behind = self.line.as_ref().is_some_and(Line::is_behind);
        if behind { Some(wait.map_or(BEHIND, |wait| wait.min(BEHIND))) } else { wait }
    }

    fn keep_alive(&mut self) {
        let Some(line) = &mut self.line else { return };
        match line.keep_alive() {
            Ok(()) => {
                let now = self.settings.clock.now().mono;
                self.keep_alive_at = line.quiet().map(|quiet| now + quiet);
            }
            Err(error) => {
                tracing::debug!(%error, "the server does not answer any more");
                self.lose_line();
            }
        }
    }

    fn take_commands(&mut self) {
        self.mailbox.silence();
        while let Some(command) = self.mailbox.take() {
            self.agent.handle(self.settings.clock.now(), Input::Command(command));
            self.put_out();
        }
    }

    fn take_messages(&mut self) {
        let (agent, clock) = (&mut self.agent, self.settings.clock);
        let Some(line) = &mut self.line else { return };
        let taken = line.receive(|flow, bytes| agent.handle(clock.now(), Input::Message { flow, bytes }));
        match taken {
            Ok(()) => self.put_out(),
            Err(error) => {
                tracing::debug!(%error, "the connection to the server is gone");
                self.put_out();
                self.lose_line();
            }
        }
    }

    fn take_packets(&mut self, index: usize) {
        let mut room = [0; 2_048];
        for _ in 0..PACKETS {
            let Some(port) = self.ports.get_mut(index) else { return };
            let Ok((length, from)) = port.socket.recv_from(&mut room) else { return };
            let Some((call, talk)) = &mut port.talk else { continue };
            let call = *call;
            match talk.receive(from, &room[..length]) {
                Arrived::Sound(samples) => self.hear(call, &samples),
                Arrived::Key(key) => self.tell(Event::Dtmf { call, key }),
                Arrived::Nothing => {}
            }
        }
    }

    fn hear(&mut self, call: CallId, samples: &[i16]) {
        if let Some(Err(error)) = self.record.as_mut().map(|record| record.write(samples)) {
            tracing::warn!(%error, "the recording ends here");
            self.record = None;
        }
        let played = self.headset.as_mut().map(|headset| headset.play(samples));
        self.tell_of_headset(played);
        let mut all = Vec::new();
        self.meter.take(samples, |heard| all.push(heard));
        for heard in all {
            self.tell(Event::Heard { call, hertz: heard.hertz, dbfs: heard.dbfs });
        }
    }

    fn send_packets(&mut self) {
        let now = self.settings.clock.now().mono;
        for port in &mut self.ports {
            let Some((_, talk)) = &mut port.talk else { continue };
            while let Some((to, bytes)) = talk.packet(now) {
                // A lost packet is a lost packet.
                let _ = port.socket.send_to(&bytes, to);
            }
        }
    }

    /// Carries out all that the agent wants.
    fn put_out(&mut self) {
        while let Some(output) = self.agent.next_output() {
            match output {
                Output::Transmit(transmit) => {
                    let sent = self.line.as_mut().map(|line| line.send(transmit.flow, &transmit.bytes));
                    if let Some(Err(_)) = sent {
                        self.lose_line();
                    }
                }
                Output::Connect => self.connect(),
                Output::Sound(order) => self.order(order),
                Output::Event(event) => self.tell(event),
                // Who does not listen any more misses something; calls go on.
                Output::Trace(trace) => drop(self.teller.try_send(Told::Trace(trace))),
                Output::Finished => self.finished = true,
            }
        }
    }

    fn connect(&mut self) {
        self.line = None;
        self.connections += 1;
        let opened = Line::open(&self.settings, self.own, self.connections).and_then(|(line, flow)| {
            self.poll.add(line.descriptor(), LINE)?;
            Ok((line, flow))
        });
        let now = self.settings.clock.now();
        match opened {
            Ok((line, flow)) => {
                self.keep_alive_at = line.quiet().map(|quiet| now.mono + quiet);
                self.line = Some(line);
                self.agent.handle(now, Input::Connected(flow));
            }
            Err(error) => {
                tracing::warn!(%error, server = %self.settings.server, "cannot connect");
                self.agent.handle(now, Input::Disconnected);
            }
        }
    }

    fn lose_line(&mut self) {
        self.line = None;
        self.agent.handle(self.settings.clock.now(), Input::Disconnected);
        self.put_out();
    }

    fn order(&mut self, order: SoundOrder) {
        let now = self.settings.clock.now().mono;
        let wanted = match &order {
            SoundOrder::Talk { port, .. } | SoundOrder::Press { port, .. } | SoundOrder::Stop { port } => {
                *port
            }
        };
        let Some(port) = self.ports.iter_mut().find(|port| port.port() == wanted) else { return };
        match order {
            SoundOrder::Talk { call, agreed, muted, .. } => {
                let source = self.settings.source.clone();
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

    fn tell(&mut self, event: Event) {
        let noted = self.headset.as_mut().map(|headset| headset.note(&event));
        self.say(event);
        self.tell_of_headset(noted);
    }

    fn tell_of_headset(&mut self, outcome: Option<Result<(), String>>) {
        if let Some(Err(why)) = outcome {
            self.say(Event::Refused { why });
        }
    }

    fn say(&mut self, event: Event) {
        let _ = self.teller.try_send(Told::Event(self.settings.clock.now(), event));
    }
}
