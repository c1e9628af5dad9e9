//! One call of the phone: its dialog, its media, and its stage, which holds only what is legal in it.

use super::Agent;
use super::ask::{Pending, Purpose};
use super::transfer::Referral;
use crate::limits::EARLY_DIALOGS;
use crate::words::CallId;
use clock::Mono;
use media::{Negotiation, Security};
use sip::session_timer::Agreement;
use sip::{ClientKey, Dialog, Flow, ServerKey, reliable};
use std::collections::VecDeque;
use std::sync::Arc;
use wire::sip::HeaderName;

/// A call, from its first message to its last.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: CallId,
    /// The far side, for people.
    pub(super) number: Box<str>,
    pub(super) dialog: Dialog,
    pub(super) flow: Flow,
    pub(super) media: Negotiation,
    /// Until the call is over.
    pub(super) port: Option<u16>,
    pub(super) stage: Stage,
    /// Requests of ours inside the dialog that wait for their answer.
    pub(super) pending: Vec<Pending>,
    /// Keys that wait to go out as INFO.
    pub(super) keys: VecDeque<char>,
    /// How it is, and how the person wants it.
    pub(super) hold: bool,
    pub(super) hold_wanted: bool,
    pub(super) remote_held: bool,
    /// The credentials of the INVITE; its ACK carries them too (RFC 3261 22.1).
    pub(super) credentials: Option<(HeaderName, String)>,
    pub(super) agreement: Option<Agreement>,
    pub(super) session_due: Option<Mono>,
    /// A transfer that we asked for and whose outcome is open.
    pub(super) referral: Option<Referral>,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// Our INVITE has no final response.
    Dialling(Dialling),
    /// Their INVITE waits for our answer.
    Alerting(Box<Alerting>),
    /// Answered.
    Talking(Box<Talking>),
    /// Over for the person; the last messages are on their way.
    Leaving,
}

#[derive(Debug)]
pub(super) struct Dialling {
    pub(super) invite: ClientKey,
    pub(super) target: Box<str>,
    pub(super) tries: u8,
    pub(super) early: Vec<Early>,
    /// Set by a 422 (RFC 4028 section 6).
    pub(super) min_se: Option<u32>,
}

/// One branch of a fork.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) tag: Box<str>,
    pub(super) receiver: reliable::Receiver,
}

#[derive(Debug)]
pub(super) struct Alerting {
    pub(super) invite: ServerKey,
    pub(super) has_offer: bool,
    pub(super) answer_at: Option<Mono>,
    /// The caller insists on reliable responses: number, and when the 180 is repeated.
    pub(super) reliable: Option<(reliable::Sender, Option<Mono>)>,
    /// Answered by the person while the PRACK is missing.
    pub(super) answer_waits: bool,
}

#[derive(Debug, Default)]
pub(super) struct Talking {
    /// Our INVITE, whose 2xx may be repeated.
    pub(super) invite: Option<ClientKey>,
    /// Their INVITE, whose ACK is missing.
    pub(super) unacknowledged: Option<ServerKey>,
    /// The ACK brings the answer to our offer.
    pub(super) answer_in_ack: bool,
    /// The ACK of our newest INVITE, for repeats of its 2xx.
    pub(super) ack: Option<(u32, Arc<[u8]>)>,
    /// The person hung up; RFC 3261 section 15: no BYE before their ACK.
    pub(super) bye_after_ack: bool,
    /// A change waits for this, after a glare.
    pub(super) retry: Option<(Mono, Purpose)>,
}

impl Stage {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Stage::Dialling(_) => "dialling",
            Stage::Alerting(_) => "ringing",
            Stage::Talking(_) => "talking",
            Stage::Leaving => "ending",
        }
    }
}

impl Dialling {
    /// The branch of a fork with this tag; `None` when there are too many.
    pub(super) fn early(&mut self, tag: &str) -> Option<&mut Early> {
        let place = match self.early.iter().position(|early| *early.tag == *tag) {
            Some(place) => place,
            None if self.early.len() < EARLY_DIALOGS => {
                self.early.push(Early { tag: tag.into(), receiver: reliable::Receiver::default() });
                self.early.len() - 1
            }
            None => return None,
        };
        self.early.get_mut(place)
    }
}

impl Call {
    pub(super) fn new(id: CallId, number: &str, dialog: Dialog, flow: Flow, media: Negotiation) -> Call {
        Call {
            id,
            number: number.into(),
            dialog,
            flow,
            port: Some(media.local().port),
            media,
            stage: Stage::Leaving,
            pending: Vec::new(),
            keys: VecDeque::new(),
            hold: false,
            hold_wanted: false,
            remote_held: false,
            credentials: None,
            agreement: None,
            session_due: None,
            referral: None,
        }
    }

    pub(super) fn talking(&mut self) -> Option<&mut Talking> {
        match &mut self.stage {
            Stage::Talking(talking) => Some(talking),
            _ => None,
        }
    }

    /// Whether a change of the session of ours or theirs is under way (RFC 3261 14.1, 14.2).
    pub(super) fn is_changing(&self) -> bool {
        let ours = self.pending.iter().any(|pending| pending.purpose.is_invite());
        let theirs = matches!(&self.stage, Stage::Talking(talking) if talking.unacknowledged.is_some());
        ours || theirs
    }
}

impl Agent {
    /// The named call, else the newest in a stage that fits.
    pub(super) fn find(&self, named: Option<CallId>, fits: impl Fn(&Stage) -> bool) -> Option<CallId> {
        let mut calls = self.calls.values().rev().filter(|call| fits(&call.stage));
        calls.find(|call| named.is_none_or(|id| id == call.id)).map(|call| call.id)
    }

    pub(super) fn new_call_id(&mut self) -> CallId {
        let id = CallId(self.next_call);
        self.next_call = self.next_call.wrapping_add(1).max(1);
        id
    }

    /// A port for one more call; `None` when all are in use.
    pub(super) fn new_media(&mut self) -> Option<Negotiation> {
        let address = self.sound.as_ref()?.address;
        let port = self.ports.pop_front()?;
        let session_id = self.endpoint.random() >> 1;
        let local = media::LocalMedia { address, port, session_id };
        let mut seed = [0; 32];
        for word in seed.chunks_exact_mut(8) {
            word.copy_from_slice(&self.endpoint.random().to_le_bytes());
        }
        // What we offer is in clear: not every server speaks SRTP. Who offers it is answered in kind.
        Some(Negotiation::secured(local, Security::Clear, seed))
    }
}
