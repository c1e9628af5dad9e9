//! How a phone calls: INVITE, challenge, provisional responses, ACK, CANCEL (RFC 3261 13.2).

use super::{Attempt, Mischief, Note, Phone, Stage, Talk, Task, Wake, finish, sdp_of};
use clock::Mono;
use media::Direction;
use sip::{ClientKey, Dialog, reliable};
use wire::sip::{HeaderName, Message, Method};

impl Phone {
    /// Calls somebody.
    pub fn call(&mut self, now: Mono, attempt: Attempt) {
        if !self.on {
            return;
        }
        let id = self.next_talk;
        self.next_talk += 1;
        let call_id = format!("{:016x}@{}", self.dice.roll(), self.plan.device);
        let local = format!("\"{}\" <sip:{0}@{}>", self.plan.device, self.flow.remote);
        let remote = format!("<sip:{}@{}>", attempt.number, self.flow.remote);
        let target = format!("sip:{}@{}", attempt.number, self.flow.remote);
        let tag = self.tag();
        let session = attempt
            .session
            .clone()
            .unwrap_or_else(|| format!("{:016x}{:016x}", self.dice.roll() | 1, self.dice.roll()).into());
        self.notes.push_back(Note::Calls { session: session.clone(), number: attempt.number.clone() });
        self.timers.insert(now + attempt.patience, Wake::GiveUp(id));
        let talk = Talk {
            stage: Stage::Waiting,
            dialog: Dialog::calling(&call_id, &local, &tag, &remote, &target),
            media: self.new_media(),
            session,
            attempt: Some(attempt),
            reaction: None,
            client: None,
            server: None,
            invite: Box::default(),
            invite_number: 0,
            ack: None,
            tries: 0,
            holding: false,
            modifying: false,
            sender: None,
            receiver: reliable::Receiver::default(),
            answered_early: false,
            answer_waits: false,
        };
        self.talks.insert(id, talk);
        self.send_invite(now, id);
        self.settle(now);
    }

    fn send_invite(&mut self, now: Mono, id: u32) {
        let Some(talk) = self.talks.get(&id) else { return };
        let Some(attempt) = talk.attempt.clone() else { return };
        let target = talk.dialog.target.clone();
        let credentials = self.credentials(Method::Invite, &target, attempt.wrong_secret);
        let contact = self.contact();
        let codecs = self.plan.codecs.clone();
        let Some(talk) = self.talks.get_mut(&id) else { return };
        talk.tries += 1;
        talk.media.refuse_offer();
        let sdp = (!attempt.late_offer).then(|| talk.media.offer(&codecs, Direction::SendRecv));
        let sequence = talk.dialog.next_sequence();
        talk.invite_number = sequence;
        let (dialog, plan, session) = (&talk.dialog, &self.plan, &talk.session);
        let client = self.endpoint.request(
            now,
            self.flow,
            Task::Talk(id),
            Method::Invite,
            &target,
            attempt.hops,
            |mut writer| {
                dialog.write(&mut writer, Method::Invite, sequence);
                Phone::abilities(plan, &contact, &mut writer);
                if attempt.hidden {
                    writer.header(HeaderName::Privacy, "id");
                }
                if let Some(seconds) = plan.session_timer.filter(|&seconds| seconds > 0) {
                    writer.header_fmt(HeaderName::SessionExpires, format_args!("{seconds}"));
                }
                writer.header_strs(
                    HeaderName::SessionId,
                    &[session, ";remote=00000000000000000000000000000000"],
                );
                if let Some((name, value)) = &credentials {
                    writer.header(*name, value);
                }
                finish(writer, sdp.as_deref())
            },
        );
        talk.client = Some(client);
        if attempt.mischief == Mischief::Duplicates {
            while let Some(transmit) = self.endpoint.next_transmit() {
                self.raw.push_back(transmit.clone());
                self.raw.push_back(transmit);
            }
        }
    }

    /// A response to something that a call asked.
    pub(crate) fn talk_answered(&mut self, now: Mono, id: u32, client: ClientKey, response: &Message<'_>) {
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let status = response.status().unwrap_or(500);
        let first = talk.client == Some(client) && response.method() == Method::Invite;
        match status {
            _ if !first => self.deed_answered(now, id, response),
            0..=100 => {}
            101..=199 => self.progress(now, id, status, response),
            200..=299 => self.answered(now, id, response),
            401 if talk.stage == Stage::Waiting && talk.tries < 4 => {
                self.remember_challenge(response);
                self.send_invite(now, id);
            }
            _ => self.failed(id, status),
        }
    }

    pub(crate) fn talk_unanswered(&mut self, now: Mono, id: u32, client: ClientKey) {
        let Some(talk) = self.talks.get(&id) else { return };
        if talk.stage == Stage::Waiting && talk.client == Some(client) {
            return self.failed(id, 408);
        }
        if talk.stage == Stage::Up {
            self.hang_up(now, id);
        }
    }

    fn failed(&mut self, id: u32, status: u16) {
        let Some(talk) = self.talks.get_mut(&id) else { return };
        if talk.stage != Stage::Waiting {
            return;
        }
        talk.stage = Stage::Over;
        self.notes.push_back(Note::Final { session: talk.session.clone(), status });
    }

    fn progress(&mut self, now: Mono, id: u32, status: u16, response: &Message<'_>) {
        let Some(talk) = self.talks.get_mut(&id) else { return };
        if talk.stage != Stage::Waiting {
            return;
        }
        let tag = response.to().ok().and_then(|to| to.tag()).unwrap_or_default();
        let sdp = sdp_of(response);
        self.notes.push_back(Note::Progress {
            session: talk.session.clone(),
            status,
            tag: tag.into(),
            sdp: sdp.is_some(),
        });
        if let Some(sdp) = sdp {
            let _ = talk.media.receive_answer(sdp);
        }
        let Some(number) = reliable::demanded(response) else { return };
        if !talk.receiver.accept(number) {
            return;
        }
        let mut dialog = talk.dialog.established(response);
        let sequence = dialog.next_sequence();
        talk.dialog.local_sequence = sequence;
        let invite_number = talk.invite_number;
        let target = dialog.target.clone();
        self.endpoint.request(now, self.flow, Task::Nothing, Method::Prack, &target, 70, |mut writer| {
            dialog.write(&mut writer, Method::Prack, sequence);
            writer.header_fmt(HeaderName::RAck, format_args!("{number} {invite_number} INVITE"));
            writer.finish()
        });
    }

    fn answered(&mut self, now: Mono, id: u32, response: &Message<'_>) {
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let Some(attempt) = talk.attempt.clone() else { return };
        if talk.stage != Stage::Waiting {
            // A repeat, or an answer after we gave up.
            if let Some(bytes) = talk.ack.clone() {
                self.endpoint.transmit(self.flow, bytes);
            }
            return;
        }
        talk.stage = Stage::Up;
        let used = talk.dialog.local_sequence;
        talk.dialog = talk.dialog.established(response);
        talk.dialog.local_sequence = used;
        let codecs = self.plan.codecs.clone();
        let mut answer = None;
        if let Some(sdp) = sdp_of(response) {
            if attempt.late_offer {
                let taken = talk.media.receive_offer(sdp).is_ok();
                answer = taken.then(|| talk.media.answer(&codecs, Direction::SendRecv).ok()).flatten();
            } else {
                let _ = talk.media.receive_answer(sdp);
            }
        }
        let (status, session) = (response.status().unwrap_or(200), talk.session.clone());
        self.notes.push_back(Note::Final { session, status });
        if attempt.mischief != Mischief::NeverAcknowledges {
            let (dialog, number) = (&talk.dialog, talk.invite_number);
            let sdp = answer.map(|(sdp, _)| sdp);
            let bytes = self.endpoint.ack(self.flow, &dialog.target, |mut writer| {
                dialog.write(&mut writer, Method::Ack, number);
                finish(writer, sdp.as_deref())
            });
            talk.ack = Some(bytes);
        }
        self.schedule(now, id, &attempt);
    }

    fn schedule(&mut self, now: Mono, id: u32, attempt: &Attempt) {
        for (after, deed) in &attempt.deeds {
            self.timers.insert(now + *after, Wake::Deed(id, *deed));
        }
        self.timers.insert(now + attempt.talk, Wake::Deed(id, super::Deed::HangUp));
        if let Mischief::Vanishes(seconds) = attempt.mischief {
            let wait = std::time::Duration::from_secs(seconds.into());
            self.timers.insert(now + wait, Wake::Deed(id, super::Deed::Vanish));
        }
    }

    /// Patience is over.
    pub(crate) fn give_up(&mut self, now: Mono, id: u32) {
        let Some(talk) = self.talks.get_mut(&id) else { return };
        if talk.stage != Stage::Waiting {
            return;
        }
        if talk.attempt.as_ref().is_some_and(|attempt| attempt.mischief == Mischief::LeavesWhileRinging) {
            return self.off();
        }
        if let Some(client) = talk.client {
            self.endpoint.cancel(now, client, None);
        }
    }
}
