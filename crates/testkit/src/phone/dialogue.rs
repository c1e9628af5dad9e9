//! What phones do to each other in a call that is up: hold, re-INVITE, keys, BYE.

use super::{Deed, Note, Phone, Stage, Task, finish, sdp_of};
use clock::Mono;
use media::Direction;
use wire::sip::{HeaderName, Message, Method};

impl Phone {
    /// Does something in a call, now.
    pub fn deed_in_first_call(&mut self, now: Mono, deed: Deed) {
        let up = self.talks.iter().find(|(_, talk)| talk.stage == Stage::Up).map(|(id, _)| *id);
        if let Some(id) = up {
            self.deed(now, id, deed);
        }
    }

    pub(crate) fn deed(&mut self, now: Mono, id: u32, deed: Deed) {
        let Some(talk) = self.talks.get(&id) else { return };
        if talk.stage != Stage::Up {
            return;
        }
        match deed {
            Deed::Hold => self.reinvite(now, id, Some(Direction::SendOnly)),
            Deed::Resume => self.reinvite(now, id, Some(Direction::SendRecv)),
            Deed::AskForOffer => self.reinvite(now, id, None),
            Deed::Update => self.ask(now, id, Method::Update, None, 0),
            Deed::Press(key) => {
                let body = format!("Signal={key}\r\nDuration=160\r\n");
                self.ask(now, id, Method::Info, Some(("application/dtmf-relay", body.as_bytes())), 0);
            }
            Deed::Refer(number) => self.refer(now, id, number),
            Deed::OldSequence => {
                self.ask(now, id, Method::Info, Some(("application/dtmf", b"1")), 1_000);
            }
            Deed::RepeatAck => {
                if let Some(bytes) = talk.ack.clone() {
                    self.endpoint.transmit(self.flow, bytes);
                }
            }
            Deed::HangUp => self.hang_up(now, id),
            Deed::Vanish => self.off(),
        }
    }

    pub(crate) fn hang_up(&mut self, now: Mono, id: u32) {
        let Some(talk) = self.talks.get_mut(&id) else { return };
        if talk.stage != Stage::Up {
            return;
        }
        talk.stage = Stage::Over;
        self.notes.push_back(Note::Ended { session: talk.session.clone() });
        self.ask(now, id, Method::Bye, None, 0);
    }

    /// A request in the dialog; `behind` makes its number an old one.
    fn ask(&mut self, now: Mono, id: u32, method: Method<'_>, body: Option<(&str, &[u8])>, behind: u32) {
        let contact = self.contact();
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let sequence = talk.dialog.next_sequence().saturating_sub(behind).max(1);
        let (dialog, plan) = (&talk.dialog, &self.plan);
        self.endpoint.request(now, self.flow, Task::Talk(id), method, &dialog.target, 70, |mut writer| {
            dialog.write(&mut writer, method, sequence);
            Phone::abilities(plan, &contact, &mut writer);
            match body {
                Some((kind, body)) => writer.body(kind, body),
                None => writer.finish(),
            }
        });
    }

    /// Asks that the call go on at a number (RFC 3515).
    fn refer(&mut self, now: Mono, id: u32, number: &str) {
        let contact = self.contact();
        let Some(talk) = self.talks.get_mut(&id) else { return };
        self.notes.push_back(Note::Refers { session: talk.session.clone(), number: number.into() });
        let sequence = talk.dialog.next_sequence();
        let dialog = &talk.dialog;
        self.endpoint.request(
            now,
            self.flow,
            Task::Talk(id),
            Method::Refer,
            &dialog.target,
            70,
            |mut writer| {
                dialog.write(&mut writer, Method::Refer, sequence);
                writer.header(HeaderName::Contact, &*contact);
                writer.header_fmt(HeaderName::ReferTo, format_args!("<sip:{number}@office>"));
                writer.finish()
            },
        );
    }

    fn reinvite(&mut self, now: Mono, id: u32, direction: Option<Direction>) {
        let contact = self.contact();
        let codecs = self.plan.codecs.clone();
        let Some(talk) = self.talks.get_mut(&id) else { return };
        if talk.modifying {
            return;
        }
        talk.modifying = true;
        talk.holding = direction == Some(Direction::SendOnly);
        let sdp = direction.map(|direction| talk.media.offer(&codecs, direction));
        let sequence = talk.dialog.next_sequence();
        let (dialog, plan) = (&talk.dialog, &self.plan);
        self.endpoint.request(
            now,
            self.flow,
            Task::Talk(id),
            Method::Invite,
            &dialog.target,
            70,
            |mut writer| {
                dialog.write(&mut writer, Method::Invite, sequence);
                Phone::abilities(plan, &contact, &mut writer);
                finish(writer, sdp.as_deref())
            },
        );
    }

    /// A response to something that we asked in a dialog.
    pub(crate) fn deed_answered(&mut self, now: Mono, id: u32, response: &Message<'_>) {
        let status = response.status().unwrap_or(500);
        if status < 200 {
            return;
        }
        let codecs = self.plan.codecs.clone();
        let Some(talk) = self.talks.get_mut(&id) else { return };
        if response.method() != Method::Invite {
            if matches!(status, 408 | 481) && talk.stage == Stage::Up {
                self.hang_up(now, id);
            }
            return;
        }
        self.notes.push_back(Note::Changed { session: talk.session.clone(), asked: true, status });
        talk.modifying = false;
        if status >= 300 {
            talk.media.refuse_offer();
            if matches!(status, 408 | 481) {
                self.hang_up(now, id);
            }
            return;
        }
        let mut answer = None;
        if let Some(sdp) = sdp_of(response)
            && talk.media.receive_answer(sdp).is_err()
            && talk.media.receive_offer(sdp).is_ok()
        {
            answer = talk.media.answer(&codecs, Direction::SendRecv).ok().map(|(sdp, _)| sdp);
        }
        let number = response.cseq().map_or(0, |cseq| cseq.number);
        let dialog = &talk.dialog;
        let bytes = self.endpoint.ack(self.flow, &dialog.target, |mut writer| {
            dialog.write(&mut writer, Method::Ack, number);
            finish(writer, answer.as_deref())
        });
        talk.ack = Some(bytes);
    }

    /// A request that names a dialog of ours.
    pub(crate) fn request_in_dialog(&mut self, now: Mono, message: &Message<'_>) {
        let Some(id) = self.talk_of(message) else { return self.refuse(message, 481) };
        if Phone::is_prack(message) {
            return self.prack(now, id, message);
        }
        let number = message.cseq().map_or(0, |cseq| cseq.number);
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let over = talk.stage == Stage::Over;
        let old = talk.dialog.accept_sequence(number).is_err();
        let server = self.endpoint.accept(self.flow, message, Task::Talk(id));
        if over || old {
            let status = if message.method() == Method::Bye {
                200
            } else if over {
                481
            } else {
                500
            };
            return self.endpoint.respond(now, server, status, None, sip::end);
        }
        match message.method() {
            Method::Bye => {
                talk.stage = Stage::Over;
                self.notes.push_back(Note::Ended { session: talk.session.clone() });
                self.endpoint.respond(now, server, 200, None, sip::end);
            }
            Method::Invite | Method::Update => self.changed_by_them(now, id, server, message),
            _ => self.endpoint.respond(now, server, 200, None, sip::end),
        }
    }

    fn changed_by_them(&mut self, now: Mono, id: u32, server: sip::ServerKey, message: &Message<'_>) {
        let contact = self.contact();
        let codecs = self.plan.codecs.clone();
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let invite = message.method() == Method::Invite;
        if talk.modifying {
            return self.endpoint.respond(now, server, 491, None, sip::end);
        }
        let direction = if talk.holding { Direction::SendOnly } else { Direction::SendRecv };
        let sdp = match sdp_of(message) {
            Some(offer) => {
                let made = talk.media.receive_offer(offer).is_ok().then_some(());
                made.and_then(|()| talk.media.answer(&codecs, direction).ok()).map(|(sdp, _)| sdp)
            }
            None if invite => Some(talk.media.offer(&codecs, direction)),
            None => Some(Vec::new()),
        };
        let status = if sdp.is_some() { 200 } else { 488 };
        if sdp.is_none() {
            talk.media.refuse_offer();
        }
        if invite && status == 200 {
            talk.server = Some(server);
        }
        self.notes.push_back(Note::Changed { session: talk.session.clone(), asked: false, status });
        let plan = &self.plan;
        let refreshed = message.seconds(HeaderName::SessionExpires).filter(|_| plan.session_timer.is_some());
        self.endpoint.respond(now, server, status, None, |mut writer| {
            Phone::abilities(plan, &contact, &mut writer);
            if let Some(seconds) = refreshed.filter(|_| status == 200) {
                writer.header_fmt(HeaderName::SessionExpires, format_args!("{seconds};refresher=uac"));
            }
            finish(writer, sdp.as_deref().filter(|sdp| !sdp.is_empty()))
        });
    }
}
