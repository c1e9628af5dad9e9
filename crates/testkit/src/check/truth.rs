//! Every record is true: who is said to have answered did, who gave up is said to have given up, and whoever was cancelled
//! was told the same. Answered elsewhere is not missed; given up is.

use super::Checker;
use crate::observed::{Observed, OfficeId, Seen};
use calls::{CallRecord, Cause};
use clock::Mono;
use std::collections::{BTreeMap, BTreeSet};
use wire::sip::Method;

/// What is seen of one call from outside.
#[derive(Debug, Default)]
struct Story {
    /// INVITEs that asked for it: of several with one session, nobody outside knows which is which.
    asked: u32,
    /// The devices that said 2xx.
    answered: BTreeSet<Box<str>>,
    /// Somebody took it by a call of their own.
    picked_up: bool,
    /// The caller gave up before it had a final response.
    given_up: bool,
    /// The caller ended it, whenever.
    left: bool,
    /// The caller's final response.
    told: Option<u16>,
}

/// One dialog: the call, the device, and whether we made it.
#[derive(Clone, Debug)]
struct Known {
    session: Box<str>,
    device: Box<str>,
    ours: bool,
}

/// See the file's first lines.
#[derive(Debug, Default)]
pub struct TrueRecords {
    stories: BTreeMap<(OfficeId, Box<str>), Story>,
    /// By Call-ID.
    dialogs: BTreeMap<(OfficeId, Box<str>), Known>,
    /// The devices that we ever called.
    devices: BTreeSet<Box<str>>,
    /// Branches that were cancelled; a CANCEL that is sent again says what it said before.
    cancelled: BTreeSet<(OfficeId, Box<str>)>,
}

impl Checker for TrueRecords {
    fn name(&self) -> &'static str {
        "every record is true"
    }

    fn see(&mut self, _at: Mono, event: &Observed) -> Result<(), String> {
        match event {
            Observed::Message(seen) => self.message(seen),
            Observed::Fact { office, fact } if matches!(&*fact.rule, "pickup" | "take.ringing") => {
                let story = self.stories.entry((*office, fact.subject.clone())).or_default();
                story.picked_up = true;
                Ok(())
            }
            Observed::Record { office, record } => self.record(*office, record),
            _ => Ok(()),
        }
    }
}

impl TrueRecords {
    fn message(&mut self, seen: &Seen) -> Result<(), String> {
        let key = (seen.office, seen.call_id.clone());
        if seen.begins() && !self.dialogs.contains_key(&key) {
            let (session, device) = (seen.session.clone(), seen.user.clone());
            let story = self.stories.entry((seen.office, session.clone())).or_default();
            story.asked += u32::from(!seen.outgoing);
            if seen.outgoing {
                self.devices.insert(device.clone());
            }
            self.dialogs.insert(key.clone(), Known { session, device, ours: seen.outgoing });
        }
        let Some(Known { session, device, ours }) = self.dialogs.get(&key).cloned() else { return Ok(()) };
        let story = self.stories.entry((seen.office, session)).or_default();
        let invite = seen.answers(Method::Invite) && seen.status >= 200;
        let ends = seen.is(Method::Cancel) || seen.is(Method::Bye);
        match (ours, seen.outgoing) {
            (true, false) if invite && seen.status < 300 => {
                story.answered.insert(device);
            }
            // After these the caller asks again: RFC 3261 22.2, RFC 4028 7.4.
            (false, true) if invite && !matches!(seen.status, 401 | 407 | 422) => {
                story.told.get_or_insert(seen.status);
            }
            (false, false) if ends => {
                story.left = true;
                story.given_up |= story.told.is_none();
            }
            (true, true) if seen.is(Method::Cancel) && self.cancelled.insert(key) => {
                let gave_up = seen.reason.starts_with("SIP;cause=487;");
                if gave_up && !story.left && story.asked == 1 {
                    return Err(format!("{device} is told that the caller gave up, who did not"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn record(&self, office: OfficeId, record: &CallRecord) -> Result<(), String> {
        let story = self.stories.get(&(office, (*record.session_id).into()));
        let Some(story) = story.filter(|story| story.asked == 1) else { return Ok(()) };
        let (device, dialled) = (&record.answered_by, &record.dialled);
        let silent = self.devices.contains(device) && !story.answered.contains(device);
        if record.answered.is_some() && silent && !story.picked_up {
            return Err(format!(
                "the record says that {device} answered the call to {dialled}, which said nothing"
            ));
        }
        // One whom we answered, and nobody else.
        let waited = record.status == 200 && record.answered.is_none() && story.left;
        match (record.cause == Cause::Cancelled, story.given_up || waited, story.told) {
            (true, false, _) => Err(format!("the caller of {dialled} is said to have given up and did not")),
            (false, true, Some(487)) => {
                Err(format!("the caller of {dialled} gave up, and the record says {}", record.cause))
            }
            _ => Ok(()),
        }
    }
}
