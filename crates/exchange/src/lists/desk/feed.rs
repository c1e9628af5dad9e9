//! Which rows are tasks: a few ahead of the calls, in the order of the list; and when their agent takes a call.

use super::super::{ListAsking, Progress, RowName, Session};
use super::{Dealt, Desk};
use super::{DeskAsking, owner_of};
use crate::agents::AgentState;
use crate::background::{Known, Rare};
use crate::exchange::Exchange;
use clock::{Now, Wall};
use dialing::cause::Outcome;
use dialing::{End, Input, LegOrder, OwnerId, Rule, Standing, Task, TaskId};
use lists::work::Settings;
use std::collections::BTreeSet;
use std::time::Duration;

/// Rows that are due and are tasks already, for one agent.
const AHEAD: usize = 20;
/// Rows that are tasks, for one agent: those that wait for their time are among them.
const FED: usize = 200;
/// How soon rows that another phone had are looked at again.
const AGAIN: Duration = Duration::from_secs(5);

impl Exchange {
    /// What the store had goes on.
    pub(crate) fn restore_desks(&mut self) {
        let tasks = self.background.tasks.iter();
        let fed: Vec<_> = tasks
            .filter_map(|(task, known)| Some((known.account.clone(), known.dealt()?.row, *task)))
            .collect();
        for (account, row, task) in fed {
            self.lists.desks.desk(&account).fed.insert(row, task);
        }
        let open = self.lists.sessions.values().filter(|session| session.desk && session.over.is_none());
        let open: Vec<Box<str>> = open.map(|session| session.agent.clone()).collect();
        for account in open {
            self.lists.desks.desk(&account);
        }
        let all: Vec<Box<str>> = self.lists.desks.by_agent.keys().cloned().collect();
        all.iter().for_each(|account| self.lists.desks.stir(account));
    }

    /// Agents of whom something is another are looked at, after those who call them; whether there was any.
    pub(crate) fn desks_serve(&mut self, now: Now) -> bool {
        let stirred = std::mem::take(&mut self.lists.desks.stirred);
        for account in &stirred {
            self.look_at_desk(now, account);
        }
        !stirred.is_empty()
    }

    /// Times of desks that are over.
    pub(crate) fn desks_due(&mut self, now: Now) {
        while let Some((when, account)) = self.lists.desks.due.first().cloned()
            && when <= now.mono
        {
            let over = |at: &mut clock::Mono| *at <= now.mono;
            self.lists.desks.time(&account, |desk| {
                desk.rests.take_if(over);
                desk.looks.take_if(over);
            });
            self.lists.desks.stir(&account);
        }
    }

    fn look_at_desk(&mut self, now: Now, account: &str) {
        let owner = self.background.owners.id(&owner_of(account));
        let Some(session) = self.lists.desk_session(account).cloned() else {
            return self.close_desk(now, account, owner);
        };
        if !self.agents.has(account) {
            // Who signs out works no more; the rest follows them (S3.19). Until the store has that, it is tried again.
            self.lists.desks.time(account, |desk| desk.looks = Some(now.mono + AGAIN));
            return self.ask_lists(now, None, ListAsking::Desk(DeskAsking::Stop(account.into())));
        }
        self.look_for_rows(now, account, &session);
        self.drop_rows(now, account, &session);
        self.feed_desk(now, account, &session, owner);
        let desk = self.lists.desks.desk(account);
        let rests = desk.rests.is_some();
        let at_once = u16::from(!rests && !self.draining && self.is_ready_at_desk(account));
        self.background.dialing.handle(now, Input::Owner { owner, at_once, gap: 0 });
    }

    /// Whether a row could be called for an agent at this moment.
    pub(super) fn is_ready_at_desk(&self, account: &str) -> bool {
        self.agents.agent(account).is_some_and(|agent| agent.state == AgentState::Ready)
    }

    /// The exchange works for them no more: rows go back, but for the one that is called.
    fn close_desk(&mut self, now: Now, account: &str, owner: OwnerId) {
        self.background.dialing.handle(now, Input::Owner { owner, at_once: 0, gap: 0 });
        let fed: Vec<(RowName, TaskId)> =
            self.lists.desks.desk(account).fed.iter().map(|(row, task)| (*row, *task)).collect();
        let left =
            fed.into_iter().filter(|(row, task)| !self.take_row_back(now, account, *row, *task)).count();
        let desk = self.lists.desks.desk(account);
        // Of the last call something may still be said.
        if left == 0 && desk.hand.is_none() {
            self.lists.desks.forget(account);
        }
    }

    /// A row that is no longer theirs is a task no more; false while it is called, or its end is on its way to the store.
    fn take_row_back(&mut self, now: Now, account: &str, row: RowName, task: TaskId) -> bool {
        if let Some(known) = self.background.tasks.get_mut(&task) {
            match self.background.dialing.explain(now, task).map(|explained| explained.standing) {
                None | Some(Standing::Calling) => return false,
                Some(_) => {}
            }
            if let Some(dealt) = known.dealt_mut() {
                dealt.withdrawn = true;
            }
            self.background.dialing.handle(now, Input::Stop(task));
        }
        self.lists.desks.desk(account).fed.remove(&row);
        true
    }

    /// Rows came, or went: the session is put in order first, and written down.
    fn look_for_rows(&mut self, now: Now, account: &str, session: &Session) {
        let stale = self.lists.live.get(&session.id).is_none_or(|live| live.stale) || session.version == 0;
        if !stale || self.lists.desks.desk(account).looks.is_some() {
            return;
        }
        self.lists.desks.time(account, |desk| desk.looks = Some(now.mono + AGAIN));
        self.ask_lists(now, None, ListAsking::Renew(session.id));
    }

    /// Rows that are theirs no more, or that have ended, are tasks no more.
    fn drop_rows(&mut self, now: Now, account: &str, session: &Session) {
        let desk = self.lists.desks.desk(account);
        let fed: Vec<(RowName, TaskId)> = desk.fed.iter().map(|(row, task)| (*row, *task)).collect();
        let changed = desk.version != Some(session.version);
        if changed {
            (desk.version, desk.next) = (Some(session.version), 0);
        }
        let theirs: BTreeSet<RowName> =
            if changed { session.served.iter().copied().collect() } else { BTreeSet::new() };
        for (row, task) in fed {
            let goes = (changed && !theirs.contains(&row)) || !self.lists.row_is_open(row);
            let gone = !self.background.tasks.contains_key(&task);
            if (goes || gone) && !self.take_row_back(now, account, row, task) {
                // It goes when its call is over.
                self.lists.desks.desk(account).version = None;
            }
        }
    }

    /// Makes tasks of the rows that are next, until enough are due.
    fn feed_desk(&mut self, now: Now, account: &str, session: &Session, owner: OwnerId) {
        let mut settings = None;
        loop {
            let due = self.background.dialing.ready_of(owner);
            let desk = self.lists.desks.desk(account);
            let Some(row) = session.served.get(desk.next).copied() else { return };
            if due >= AHEAD || desk.fed.len() >= FED {
                return;
            }
            desk.next += 1;
            if desk.fed.contains_key(&row) || !self.lists.row_is_open(row) {
                continue;
            }
            if settings.is_none() {
                settings = self.assignment(account, String::new()).settings("").ok();
            }
            let Some(settings) = settings.as_mut() else { return };
            settings.owner = owner;
            self.feed_row(now, account, row, session.run, settings);
        }
    }

    fn feed_row(&mut self, now: Now, account: &str, row: RowName, run: u32, settings: &Settings) {
        let rank = self.lists.rank(row);
        let Some(list) = self.lists.by_key(row.0) else { return };
        let task = match list.made.sheet.0.task(row.1, settings, self.background.dialing.places()) {
            Ok(task) => task,
            Err(why) => {
                let why = why.to_string().into();
                let asking = DeskAsking::Refuse { account: account.into(), row, end: End::Stopped, why };
                return self.ask_lists(now, None, ListAsking::Desk(asking));
            }
        };
        let coming = self.lists.desks.coming.get(&row);
        let task = as_it_stands(list.told.get(&row.1), coming, task, settings);
        let number: Box<str> = task.number.to_string().into();
        let dealt = Dealt { row, run, withdrawn: false };
        let id = self.background.next_id();
        let task = Task { id, rank, data: dealt.data(&number), ..task };
        let known = Known {
            account: account.into(),
            number,
            legs: LegOrder::OwnerFirst,
            since: now.wall,
            not_before: task.not_before,
            until: task.until,
            priority: task.priority,
            rare: Some(Box::new(Rare { dealt: Some(dealt), ..Rare::default() })),
        };
        self.lists.desks.desk(account).fed.insert(row, id);
        self.background.tasks.insert(id, Box::new(known));
        self.background.dialing.handle(now, Input::Add(Box::new(task)));
    }

    /// A row is not taken as a task: for now, or for good.
    pub(crate) fn row_not_taken(&mut self, now: Now, account: &str, dealt: Dealt, rule: &Rule) {
        let end = match rule {
            Rule::Full | Rule::Store | Rule::Known => {
                let desk: &mut Desk = self.lists.desks.desk(account);
                desk.fed.remove(&dealt.row);
                desk.next = 0;
                return self.lists.desks.time(account, |desk| {
                    desk.looks.get_or_insert(now.mono + AGAIN);
                });
            }
            Rule::Until => End::Expired,
            Rule::TaskAttempts(_) | Rule::Sequence(_) => End::UsedUp,
            Rule::DoNotCall(_) => End::Forbidden,
            _ => End::Stopped,
        };
        let why = rule.to_string().into();
        let asking = DeskAsking::Refuse { account: account.into(), row: dealt.row, end, why };
        self.ask_lists(now, None, ListAsking::Desk(asking));
    }
}

impl super::super::Lists {
    /// The place of a row among all, in the order in which lists were made.
    fn rank(&self, (key, row): RowName) -> u32 {
        let before = self.lists.iter().take_while(|list| list.key != key);
        let before: usize = before.map(|list| list.made.sheet.0.len()).sum();
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(row)
    }
}

/// A row with what was done about it elsewhere and before, and what was just said of it.
fn as_it_stands(
    told: Option<&Progress>,
    coming: Option<&Progress>,
    mut task: Task,
    settings: &Settings,
) -> Task {
    let attempts = told.map_or(&[][..], |told| &told.attempts);
    let last = attempts.iter().rev().find_map(|made| made.ended);
    if matches!(last, Some((_, Outcome::Answered))) {
        // Who was reached is called once more because somebody asked for it.
        (task.asked, task.until, task.slot) = (true, None, None);
    } else {
        let made = u16::try_from(attempts.len()).unwrap_or(u16::MAX);
        task.attempts_before = task.attempts_before.saturating_add(made);
    }
    let interval = i64::from(task.interval.or(settings.interval).unwrap_or(0)) * 1_000;
    let spaced = last.map(|(ended, _)| Wall(ended.0.saturating_add(interval)));
    let said = coming.or(told).and_then(|told| told.not_before);
    task.not_before = task.not_before.max(said.or(spaced));
    task
}
