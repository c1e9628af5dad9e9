//! What must happen once: attempts, agents' states by themselves, rows of lists. One exchange keeps it; when that one dies
//! another takes it over with all that the store has of it (R25).

use crate::agents::Agents;
use crate::background::{Background, Phase, Trying};
use crate::change::{Change, Epoch};
use crate::codes::CodeAct;
use crate::command::{Answer, Command};
use crate::exchange::{Exchange, tasks_of};
use crate::lists::{ListAsking, Lists};
use crate::queues::Queues;
use calls::{CallId, Cause};
use clock::Now;
use dialing::LegOrder;
use std::time::Duration;

impl CodeAct {
    /// Whether only the keeper can do it.
    pub(super) fn is_of_keeper(self) -> bool {
        use CodeAct::{
            Background, KeepCalling, ListLater, ListOff, ListOn, ListResult, ListSkip, StopCalling,
            WorkLonger, WorkOff, WorkOn, WorkPause, WorkReady,
        };
        let work = matches!(self, WorkOn | WorkOff | WorkReady | WorkPause | WorkLonger);
        let list = matches!(self, ListOn | ListOff | ListSkip | ListLater | ListResult);
        work || list || matches!(self, KeepCalling | StopCalling | Background(_))
    }
}

impl Exchange {
    /// Why a command cannot be carried out here: only the keeper can.
    pub(crate) fn is_for_keeper(&self, command: &Command) -> Option<Answer> {
        if self.cluster.keeps() || !is_of_keeper(command) {
            return None;
        }
        Some(match self.cluster.keeper() {
            Some(keeper) => Answer::KeptBy(
                keeper.number,
                format!(
                    "agents, queues, background calls and call lists are kept by the exchange {} now; ask there",
                    keeper.name
                ),
            ),
            None => Answer::Unavailable(
                "no exchange keeps agents, queues, background calls and call lists at this moment; try again"
                    .into(),
            ),
        })
    }

    /// It is ours from now on.
    pub(super) fn keep_once(
        &mut self,
        now: Now,
        epoch: Epoch,
        lasts: Duration,
        changes: Option<Vec<Change>>,
    ) {
        self.cluster.until = Some(now.mono + lasts);
        self.cluster.look_at_clock(now.mono);
        if let Some(place) = &mut self.cluster.place {
            place.keeps = true;
        }
        self.set_epoch(epoch);
        self.look_at_tie(now);
        let Some(changes) = changes else { return };
        let (keeping, rest) = tasks_of(changes);
        let seed = self.switch.endpoint().random();
        let emergency = self.config.emergency.numbers.clone();
        self.background = Background::new(now, &self.config.background, emergency, seed, keeping);
        rest.into_iter().for_each(|change| self.restore(now, change));
        self.restore_callbacks(now);
        self.restore_desks();
        self.lists.touched.clear();
    }

    /// It may be another's soon, who calls again whoever was being called: so nobody is rung for both. Who has answered stays on
    /// the line.
    pub(crate) fn rest_once(&mut self, now: Now) {
        self.look_at_tie(now);
        let rings = |trying: &Trying| {
            matches!(
                (trying.phase, trying.legs),
                (Phase::First, LegOrder::CalleeFirst) | (Phase::Second, LegOrder::OwnerFirst)
            )
        };
        let made = self.background.trying.iter().filter(|(_, trying)| rings(trying));
        let calls: Vec<CallId> = made.map(|(call, _)| *call).collect();
        for call in calls {
            self.switch.hang_up(now, call, Cause::NodeLost);
        }
    }

    /// It is another's: what we have of it is old, and calls that were made for it end.
    pub(super) fn lose_once(&mut self, now: Now) {
        let ours = |call: &CallId| self.queues.has(*call) || self.background.task_of(*call).is_some();
        let calls: Vec<CallId> = self.ongoing.iter().map(|(call, _)| call).filter(ours).collect();
        for call in calls {
            self.switch.hang_up(now, call, Cause::NodeLost);
        }
        self.settle(now);
        if let Some(place) = &mut self.cluster.place {
            place.keeps = false;
        }
        self.cluster.until = None;
        self.cluster.rests = false;
        self.set_epoch(Epoch(0));
        self.look_at_tie(now);
        let (keeping, _) = tasks_of(Vec::new());
        let seed = self.switch.endpoint().random();
        let emergency = self.config.emergency.numbers.clone();
        self.background = Background::new(now, &self.config.background, emergency, seed, keeping);
        (self.agents, self.queues, self.lists) = (Agents::default(), Queues::default(), Lists::default());
    }
}

fn is_of_keeper(command: &Command) -> bool {
    match command {
        Command::Keeps | Command::Background(_) | Command::Agents(_) | Command::ListQueues => true,
        // Where our own files are concerns us alone.
        Command::Lists(asking) => !matches!(**asking, ListAsking::Address(_)),
        _ => false,
    }
}
