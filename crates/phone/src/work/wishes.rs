//! What the agent wants.

use super::calls::callee;
use super::words::{News, Wish};
use super::{NEXT, Worker};
use clock::{Now, Wall};
use dialing::TaskId;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use lists::work::{Input, Presence};

impl Worker {
    /// Does what the agent wants, or says why not.
    pub fn wish(&mut self, now: Now, wish: Wish) {
        if let Err(why) = self.carry_out(now, wish) {
            self.news(News::WishRefused { why });
        }
    }

    fn carry_out(&mut self, now: Now, wish: Wish) -> Result<(), String> {
        match wish {
            Wish::SignIn => return self.sign_in(),
            Wish::Reload => {
                self.fetch_list();
                return Ok(());
            }
            _ if self.running.is_none() => return Err("no list is loaded: sign in first".to_owned()),
            Wish::Online => self.be(now, Presence::Online),
            Wish::Away => self.be(now, Presence::Away),
            Wish::PauseAfterCall => self.give(now, Input::PauseAfterCall),
            Wish::SignOut => {
                self.signing_out = true;
                self.give(now, Input::Presence(Presence::SignedOut));
                self.sign_out_when_free(now);
            }
            Wish::Choose { task } => {
                let task = self.named(Some(&task))?;
                self.give(now, Input::Choose(task));
            }
            Wish::Later { task, minutes, at } => {
                let task = self.named(task.as_deref())?;
                let at = self.time(now, minutes, at.as_deref())?;
                self.give(now, Input::Later { task, at });
            }
            Wish::Skip { task } => {
                let task = match task {
                    // What is called now is given up; else the one that is next.
                    None if !self.is_calling() => self.upcoming().ok_or("nothing is due")?,
                    named => self.named(named.as_deref())?,
                };
                let wait = i64::from(self.assignment.interval_s.max(60)) * 1_000;
                let at = Wall(now.wall.0.saturating_add(wait));
                self.give(now, Input::Later { task, at });
            }
            Wish::GiveUp { task } => {
                let task = self.named(task.as_deref())?;
                self.give(now, Input::GiveUp(task));
            }
            Wish::Forbid { task } => {
                let task = self.named(task.as_deref())?;
                self.give(now, Input::Forbid(task));
            }
            Wish::Result { task, result, note } => {
                let task = self.named(task.as_deref())?;
                let mut letters = result.chars();
                let key = letters.next().filter(|_| letters.next().is_none());
                let named = key.and_then(|key| self.assignment.keys.get(&key)).unwrap_or(&result);
                let result = named.as_str().into();
                self.give(now, Input::Mark { task, result, note: note.into() });
            }
            Wish::Queue => self.tell_queue(),
        }
        Ok(())
    }

    fn sign_in(&mut self) -> Result<(), String> {
        if self.assignment.list.is_empty() {
            return Err("no list is assigned".to_owned());
        }
        if self.running.is_some() || self.pending.is_some() {
            return Err("signed in already".to_owned());
        }
        self.fetch_list();
        Ok(())
    }

    fn be(&mut self, now: Now, presence: Presence) {
        self.signing_out = false;
        self.give(now, Input::Presence(presence));
        self.tell_presence();
    }

    /// The task of this name; without one, that of the call that is up, or of the last.
    fn named(&self, name: Option<&str>) -> Result<TaskId, String> {
        match name {
            None => self.current_task().ok_or_else(|| "no call was made yet".to_owned()),
            Some(name) => {
                let task = u64::from_str_radix(name, 16).ok().map(TaskId);
                let known =
                    |task: &TaskId| self.running.as_ref().is_some_and(|running| running.work.knows(*task));
                task.filter(known).ok_or_else(|| format!("no row is called \"{name}\""))
            }
        }
    }

    fn upcoming(&self) -> Option<TaskId> {
        self.running.as_ref()?.work.upcoming().next()
    }

    /// In so many minutes, tomorrow at nine by the office's clock, or at a time.
    fn time(&self, now: Now, minutes: Option<u32>, at: Option<&str>) -> Result<Wall, String> {
        match (minutes, at) {
            (Some(minutes), None) => Ok(Wall(now.wall.0.saturating_add(i64::from(minutes) * 60_000))),
            (None, Some("tomorrow")) => {
                let zone = TimeZone::get(&self.assignment.zone).map_err(|error| error.to_string())?;
                let today = Timestamp::from_millisecond(now.wall.0).map_err(|error| error.to_string())?;
                let day =
                    today.to_zoned(zone).date().checked_add(1.day()).map_err(|error| error.to_string())?;
                let zoned =
                    day.at(9, 0, 0, 0).in_tz(&self.assignment.zone).map_err(|error| error.to_string())?;
                Ok(Wall(zoned.timestamp().as_millisecond()))
            }
            (None, Some(text)) => {
                let stamp: Timestamp = text.parse().map_err(|_| {
                    format!("\"{text}\" is no time such as 2026-11-30T14:00:00+08:00, nor \"tomorrow\"")
                })?;
                Ok(Wall(stamp.as_millisecond()))
            }
            _ => Err("say minutes or at".to_owned()),
        }
    }

    fn tell_queue(&mut self) {
        let Some(running) = &self.running else { return };
        let counts = running.work.counts();
        let next = running.work.upcoming().take(NEXT).filter_map(|task| {
            let entry = running.work.entry(task)?;
            let number = running.work.settings().numbering.number(entry.get(lists::Column::Number)).ok()?;
            let place = running.work.settings().order.because(&entry);
            Some((callee(running, task, number), place))
        });
        let news = News::Queue {
            next: next.collect(),
            rows: counts.rows,
            open: counts.open,
            due: counts.due,
            ended: counts.ended,
            reached: counts.reached,
            refused: counts.refused,
        };
        self.news(news);
    }
}
