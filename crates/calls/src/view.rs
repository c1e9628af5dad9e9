//! What the floor above may know of a running call, for lists: where it stands, since when, and who is on its legs.

use crate::call::Stage;
use crate::leg::{self, CallId, Leg, LegId};
use crate::switch::Switch;
use clock::Wall;

/// A running call at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallView<'a> {
    /// When the INVITE came.
    pub started: Wall,
    /// When somebody answered.
    pub answered: Option<Wall>,
    /// Somebody, or a service of ours, has answered.
    pub talking: bool,
    /// One of the two has put the other on hold.
    pub held: bool,
    /// The label of the calling leg.
    pub caller: Option<&'a str>,
    /// The label of the leg that answered; none for a service.
    pub callee: Option<&'a str>,
}

impl Switch {
    /// The call of a leg, and whether it is its caller's.
    #[must_use]
    pub fn place_of(&self, leg: media::LegKey) -> Option<(CallId, bool)> {
        let id = leg::from_media_key(leg);
        let call = self.legs.get(id)?.call;
        Some((call, self.calls.get(call)?.caller == id))
    }

    /// How a call stands now; `None` when there is none, or when it is over.
    #[must_use]
    pub fn view(&self, call: CallId) -> Option<CallView<'_>> {
        let entry = self.calls.get(call)?;
        let winner = match entry.stage {
            Stage::Reaching => None,
            Stage::Talking { winner } => winner,
            Stage::Over => return None,
        };
        // A side that let go is nowhere until somebody answers for it.
        let gone = entry.replacing.filter(|replacing| replacing.old_left).map(|replacing| replacing.old);
        let there = |leg: LegId| self.legs.get(leg).filter(|_| Some(leg) != gone);
        let (caller, callee) = (there(entry.caller), winner.and_then(there));
        let talking = entry.stage != Stage::Reaching;
        let holds = |leg: Option<&Leg>| leg.is_some_and(|leg| leg.is_up() && leg.holds());
        Some(CallView {
            started: entry.started.wall,
            answered: entry.answered.map(|at| at.wall),
            talking,
            held: talking && callee.is_some() && (holds(caller) || holds(callee)),
            caller: caller.map(|leg| &*leg.label),
            callee: callee.map(|leg| &*leg.label),
        })
    }
}
