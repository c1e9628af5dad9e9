//! How a phone is called: rings, early media, answers, refuses, is cancelled (RFC 3261 13.3).

use super::{Mischief, Note, Phone, Ring, Stage, Talk, Task, Then, Wake, finish, sdp_of};
use clock::Mono;
use media::Direction;
use sip::{Dialog, ServerKey, Transmit, reliable};
use std::sync::Arc;
use std::time::Duration;
use wire::sip::{HeaderName, Message, Method, Writer};

impl Phone {
    pub(crate) fn invited(&mut self, now: Mono, message: &Message<'_>) {
        let tag = self.tag();
        let Ok(dialog) = Dialog::from_request(message, &tag) else { return self.refuse(message, 400) };
        let id = self.next_talk;
        self.next_talk += 1;
        let server = self.endpoint.accept(self.flow, message, Task::Talk(id));
        let mut media = self.new_media();
        if let Some(sdp) = sdp_of(message)
            && media.receive_offer(sdp).is_err()
        {
            return self.endpoint.respond(now, server, 488, Some(&tag), sip::end);
        }
        let session = message.value(HeaderName::SessionId).unwrap_or_default();
        let session = String::from_utf8_lossy(session);
        let session: Box<str> = session.split(';').next().unwrap_or_default().into();
        let reaction = self.plan.reaction.clone();
        let reliable = self.plan.reliable && message.has_token(HeaderName::Supported, "100rel");
        let random = self.dice.roll();
        let sender = message.cseq().ok().filter(|_| reliable).map(|cseq| reliable::Sender::new(cseq, random));
        self.notes.push_back(Note::Rings { session: session.clone() });
        let talk = Talk {
            stage: Stage::Waiting,
            dialog,
            media,
            session,
            attempt: None,
            reaction: Some(reaction.clone()),
            client: None,
            server: Some(server),
            invite: message.raw().into(),
            invite_number: message.cseq().map_or(0, |cseq| cseq.number),
            ack: None,
            tries: 0,
            holding: false,
            modifying: false,
            sender,
            receiver: reliable::Receiver::default(),
            answered_early: false,
            answer_waits: false,
        };
        self.talks.insert(id, talk);
        self.endpoint.respond(now, server, 100, None, sip::end);
        match reaction.ring {
            Ring::Deaf | Ring::Quiet => {}
            Ring::Plain => self.say_progress(now, id, 180, false),
            Ring::Early | Ring::EarlyReliable => self.say_progress(now, id, 183, true),
        }
        if reaction.then != Then::Never {
            self.timers.insert(now + reaction.after, Wake::Then(id));
        }
    }

    fn say_progress(&mut self, now: Mono, id: u32, status: u16, early: bool) {
        let contact = self.contact();
        let codecs = self.plan.codecs.clone();
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let Some(server) = talk.server else { return };
        let sdp = if early { talk.media.answer(&codecs, Direction::SendRecv).ok() } else { None };
        let sdp = sdp.map(|(sdp, _)| sdp);
        talk.answered_early = sdp.is_some();
        let wants = talk.reaction.as_ref().is_some_and(|reaction| reaction.ring == Ring::EarlyReliable);
        let number = talk.sender.as_mut().filter(|_| wants && sdp.is_some()).map(reliable::Sender::send);
        let (tag, plan) = (talk.dialog.local_tag.clone(), &self.plan);
        self.endpoint.respond(now, server, status, Some(&tag), |mut writer| {
            Phone::abilities(plan, &contact, &mut writer);
            if let Some((number, _)) = number {
                writer.header(HeaderName::Require, "100rel");
                writer.header_fmt(HeaderName::RSeq, format_args!("{number}"));
            }
            finish(writer, sdp.as_deref())
        });
        if let Some((_, wait)) = number {
            self.timers.insert(now + wait, Wake::Reliable(id));
        }
    }

    pub(crate) fn repeat_reliable(&mut self, now: Mono, id: u32) {
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let (Some(sender), Some(server)) = (&mut talk.sender, talk.server) else { return };
        if talk.stage == Stage::Waiting
            && sender.is_waiting()
            && let Some(wait) = sender.repeat()
        {
            self.endpoint.repeat_response(server);
            self.timers.insert(now + wait, Wake::Reliable(id));
        }
    }

    /// Ringing comes to its end.
    pub(crate) fn then(&mut self, now: Mono, id: u32) {
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let Some(reaction) = talk.reaction.clone() else { return };
        if talk.stage != Stage::Waiting {
            return;
        }
        match reaction.then {
            Then::Never => {}
            Then::Refuse(status) => {
                let Some(server) = talk.server else { return };
                talk.stage = Stage::Over;
                let tag = talk.dialog.local_tag.clone();
                self.notes.push_back(Note::Refuses { session: talk.session.clone(), status });
                self.endpoint.respond(now, server, status, Some(&tag), sip::end);
            }
            Then::Answer if talk.sender.as_ref().is_some_and(reliable::Sender::is_waiting) => {
                talk.answer_waits = true;
            }
            Then::Answer => self.answer(now, id),
        }
    }

    pub(crate) fn answer(&mut self, now: Mono, id: u32) {
        let contact = self.contact();
        let codecs = self.plan.codecs.clone();
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let (Some(server), Some(reaction)) = (talk.server, talk.reaction.clone()) else { return };
        let sdp = if talk.answered_early {
            talk.media.current_sdp().map(<[u8]>::to_vec)
        } else if talk.media.received_offer().is_some() {
            talk.media.answer(&codecs, Direction::SendRecv).ok().map(|(sdp, _)| sdp)
        } else {
            Some(talk.media.offer(&codecs, Direction::SendRecv))
        };
        let tag = talk.dialog.local_tag.clone();
        let Some(sdp) = sdp else {
            talk.stage = Stage::Over;
            self.notes.push_back(Note::Refuses { session: talk.session.clone(), status: 488 });
            return self.endpoint.respond(now, server, 488, Some(&tag), sip::end);
        };
        talk.stage = Stage::Up;
        self.notes.push_back(Note::Answers { session: talk.session.clone() });
        let plan = &self.plan;
        let invite = Message::parse(&talk.invite);
        let asked = invite.ok().and_then(|invite| invite.seconds(HeaderName::SessionExpires));
        self.endpoint.respond(now, server, 200, Some(&tag), |mut writer| {
            Phone::abilities(plan, &contact, &mut writer);
            if let (Some(own), Some(asked)) = (plan.session_timer, asked) {
                let seconds = if own > 0 { own.min(asked) } else { asked };
                writer.header(HeaderName::Require, "timer");
                writer.header_fmt(HeaderName::SessionExpires, format_args!("{seconds};refresher=uac"));
            }
            finish(writer, Some(&sdp))
        });
        if let Some(talk) = reaction.talk {
            self.timers.insert(now + talk, Wake::Deed(id, super::Deed::HangUp));
        }
        match reaction.mischief {
            Mischief::AnswersTwice | Mischief::Forks => {
                self.timers.insert(now + Duration::from_millis(500), Wake::Again(id));
            }
            Mischief::Vanishes(seconds) => {
                let wait = Duration::from_secs(seconds.into());
                self.timers.insert(now + wait, Wake::Deed(id, super::Deed::Vanish));
            }
            _ => {}
        }
    }

    /// A second 200, written by hand: the transaction machine would not send it.
    pub(crate) fn answer_again(&mut self, now: Mono, id: u32) {
        let _ = now;
        let contact = self.contact();
        let other = self.tag();
        let Some(talk) = self.talks.get(&id) else { return };
        let Ok(invite) = Message::parse(&talk.invite) else { return };
        let forks = talk.reaction.as_ref().is_some_and(|reaction| reaction.mischief == Mischief::Forks);
        let tag = if forks { &*other } else { &*talk.dialog.local_tag };
        let mut bytes = Vec::new();
        let mut writer = Writer::response(&mut bytes, 200, "OK");
        writer.copy(&invite, HeaderName::Via).copy(&invite, HeaderName::From);
        let to = invite.value(HeaderName::To).unwrap_or_default();
        writer.header_parts(HeaderName::To, &[to, b";tag=", tag.as_bytes()]);
        writer.copy(&invite, HeaderName::CallId).copy(&invite, HeaderName::CSeq);
        writer.header(HeaderName::Contact, contact);
        finish(writer, talk.media.current_sdp());
        self.raw.push_back(Transmit { flow: self.flow, bytes: Arc::from(bytes) });
    }

    pub(crate) fn cancelled(&mut self, now: Mono, invite: ServerKey, user: Task, message: &Message<'_>) {
        let Task::Talk(id) = user else { return };
        let Some(talk) = self.talks.get_mut(&id) else { return };
        if talk.stage != Stage::Waiting {
            return;
        }
        let reason = String::from_utf8_lossy(message.value(HeaderName::Reason).unwrap_or_default());
        self.notes
            .push_back(Note::Cancelled { session: talk.session.clone(), reason: reason.as_ref().into() });
        let defies = talk.reaction.as_ref().is_some_and(|r| r.mischief == Mischief::AnswersAfterCancel);
        if defies {
            return self.answer(now, id);
        }
        talk.stage = Stage::Over;
        let tag = talk.dialog.local_tag.clone();
        self.endpoint.respond(now, invite, 487, Some(&tag), sip::end);
    }

    pub(crate) fn acknowledged(&mut self, now: Mono, message: &Message<'_>) {
        let Some(id) = self.talk_of(message) else { return };
        let Some(talk) = self.talks.get_mut(&id) else { return };
        if let Some(server) = talk.server {
            self.endpoint.acknowledged(now, server);
        }
        if let Some(sdp) = sdp_of(message) {
            let _ = talk.media.receive_answer(sdp);
        }
    }

    /// The call that a request with our tag belongs to.
    pub(crate) fn talk_of(&self, message: &Message<'_>) -> Option<u32> {
        let ours = message.to().ok()?.tag()?;
        let from = message.from().ok()?;
        let call_id = message.call_id().ok()?;
        let known = |talk: &Talk| {
            let early = talk.stage == Stage::Waiting && *talk.dialog.call_id == *call_id;
            (early && *talk.dialog.local_tag == *ours) || talk.dialog.matches(call_id, ours, from.tag())
        };
        self.talks.iter().find(|(_, talk)| known(talk)).map(|(id, _)| *id)
    }

    pub(crate) fn prack(&mut self, now: Mono, id: u32, message: &Message<'_>) {
        let server = self.endpoint.accept(self.flow, message, Task::Nothing);
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let right = match (&mut talk.sender, reliable::RAck::of(message)) {
            (Some(sender), Some(rack)) => sender.acknowledge(rack),
            _ => false,
        };
        let waits = std::mem::take(&mut talk.answer_waits);
        self.endpoint.respond(now, server, if right { 200 } else { 481 }, None, sip::end);
        if right && waits {
            self.answer(now, id);
        }
    }

    pub(crate) fn is_prack(message: &Message<'_>) -> bool {
        message.method() == Method::Prack
    }
}
