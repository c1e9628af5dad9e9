//! To a caller we are one user agent server: one To tag and at most one SDP answer for the whole INVITE (R1).

use super::Checker;
use crate::observed::{Observed, OfficeId};
use clock::Mono;
use std::collections::BTreeMap;
use wire::sip::Method;

/// See the file's first line.
#[derive(Debug, Default)]
pub struct OneAnswer {
    /// By exchange, Call-ID, From tag and CSeq: the To tag and the SDP so far.
    told: BTreeMap<(OfficeId, Box<str>, Box<str>, u32), (Box<str>, Option<u64>)>,
}

impl Checker for OneAnswer {
    fn name(&self) -> &'static str {
        "one To tag and one answer to a caller"
    }

    fn see(&mut self, _at: Mono, event: &Observed) -> Result<(), String> {
        let Observed::Message(seen) = event else { return Ok(()) };
        if !seen.outgoing || !seen.answers(Method::Invite) || !(101..300).contains(&seen.status) {
            return Ok(());
        }
        let key = (seen.office, seen.call_id.clone(), seen.from_tag.clone(), seen.number);
        let (tag, sdp) = self.told.entry(key).or_insert_with(|| (seen.to_tag.clone(), None));
        if *tag != seen.to_tag {
            return Err(format!("two To tags, {tag} and {}, for call {}", seen.to_tag, seen.call_id));
        }
        match (*sdp, seen.sdp) {
            (Some(first), Some(second)) if first != second => {
                Err(format!("two different SDP answers for call {}", seen.call_id))
            }
            (None, Some(first)) => {
                *sdp = Some(first);
                Ok(())
            }
            (None, None) if seen.status >= 200 => Err(format!("a 2xx without SDP for call {}", seen.call_id)),
            _ => Ok(()),
        }
    }
}
