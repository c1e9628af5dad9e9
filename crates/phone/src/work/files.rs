//! Lists in, results out: which file is wanted when, and what is kept until it has arrived.

use super::journal::{Journal, write_whole};
use super::words::News;
use super::{RETRY, Running, TOLD, Want, Worker};
use clock::Now;
use dialing::Attempt;
use lists::work::{Input, Presence, Work};
use lists::{Format, List, Refusal, Rules};
use sha2::{Digest as _, Sha256};
use std::io;
use std::path::Path;
use std::time::Duration;

/// Hashes of what we put as left that are remembered.
const PUT: usize = 16;
/// How long the journal of a list that is over is kept.
const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// What was to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The list.
    List,
    /// What is left of it.
    Left,
}

/// What came.
#[derive(Debug)]
pub enum Fetched {
    /// These octets, whole, and what their server names them by, if it does.
    Bytes {
        /// The file.
        bytes: Vec<u8>,
        /// `ETag`
        tag: Option<String>,
    },
    /// It is still the one of which the tag was given.
    Same,
    /// There is no such file.
    Missing,
}

/// A list of which it is asked whether somebody has worked at it.
pub(super) struct Pending {
    id: String,
    bytes: Vec<u8>,
    tag: Option<String>,
    list: List,
}

impl Worker {
    pub(super) fn fetch_list(&mut self) {
        self.fetch_at = None;
        let link = self.assignment.list.clone();
        let tag = self.running.as_ref().and_then(|running| running.tag.clone());
        self.wants.push_back(Want::Fetch { link, what: What::List, tag });
    }

    /// The answer to [`Want::Fetch`].
    pub fn fetched(&mut self, now: Now, what: What, answer: Result<Fetched, String>) {
        let refused = match (what, answer) {
            (What::List, Ok(Fetched::Bytes { bytes, tag })) => self.list_came(now, bytes, tag),
            (What::List, Ok(Fetched::Same)) => Ok(()),
            (What::List, Ok(Fetched::Missing)) => self.go_on_without(now, "there is no such file".to_owned()),
            (What::List, Err(why)) => self.go_on_without(now, why),
            (What::Left, Ok(left)) => self.left_came(now, left),
            // Who does not know what is left would call again whom another phone has called.
            (What::Left, Err(why)) => Err((self.left_link(), why)),
        };
        if let Err((link, why)) = refused {
            self.pending = None;
            self.fetch_at = Some(now.mono + RETRY);
            self.news(News::ListRefused { link, why, again_s: Some(RETRY.as_secs()) });
        } else if self.assignment.refresh_s > 0 && self.running.is_some() {
            self.fetch_at = Some(now.mono + Duration::from_secs(self.assignment.refresh_s.max(10).into()));
        }
        self.follow(now);
    }

    fn list_came(&mut self, now: Now, bytes: Vec<u8>, tag: Option<String>) -> Result<(), (String, String)> {
        let id = short(&bytes);
        if let Some(running) = self.running.as_mut().filter(|running| running.id == id) {
            running.tag = tag;
            return Ok(());
        }
        let refused = |why: String| (self.assignment.list.clone(), why);
        let format = Format::of(&bytes);
        let list = lists::read(bytes.clone(), format, &self.assignment.reading())
            .map_err(|fault| refused(fault.to_string()))?;
        if self.running.is_some() {
            let pending = Pending { id, bytes, tag, list };
            return self.replace(now, pending).map_err(|why| (self.assignment.list.clone(), why));
        }
        let tag_of_left = self.knows_of_left(&id);
        self.pending = Some(Pending { id, bytes, tag, list });
        let link = self.left_link();
        self.wants.push_back(Want::Fetch { link, what: What::Left, tag: tag_of_left });
        Ok(())
    }

    /// What we uploaded last as left, if our journal of this list is open: a server that names files by their octets need not
    /// send it back.
    fn knows_of_left(&self, id: &str) -> Option<String> {
        let base = self.folder.join(self.stem(id));
        let journal = std::fs::metadata(base.with_extension("journal")).ok()?;
        let ours = put_by_us(&base).pop()?;
        (journal.len() > 0).then(|| format!("\"{ours}\""))
    }

    fn left_link(&self) -> String {
        let id = self.pending.as_ref().map_or("", |pending| &pending.id);
        format!("{}{}.left.jsonl", self.assignment.folder(), self.stem(id))
    }

    /// `AGENT-LIST-ID`.
    fn stem(&self, id: &str) -> String {
        let subject = lists::work::Subject {
            agent: self.assignment.agent.as_str().into(),
            list: self.assignment.name().into(),
            run: id.into(),
        };
        subject.file("x").trim_end_matches(".x").to_owned()
    }

    fn left_came(&mut self, now: Now, left: Fetched) -> Result<(), (String, String)> {
        let link = self.left_link();
        let Some(pending) = self.pending.take() else { return Ok(()) };
        let begun = match left {
            // Still what we uploaded: our journal knows more.
            Fetched::Missing | Fetched::Same => self.begin(now, pending, None),
            Fetched::Bytes { bytes, .. } => {
                let hash = short(&bytes);
                // A list of which nothing is left is empty, which is no fault here.
                let read = if bytes.is_empty() {
                    Ok(List::default())
                } else {
                    lists::read(bytes, Format::JsonLines, &self.assignment.reading())
                };
                match read {
                    Ok(list) => self.begin(now, pending, Some((hash, list))),
                    Err(fault) => return Err((link, fault.to_string())),
                }
            }
        };
        begun.map_err(|why| (self.assignment.list.clone(), why))
    }

    /// Begins, or goes on where a journal ends.
    fn begin(&mut self, now: Now, pending: Pending, left: Option<(String, List)>) -> Result<(), String> {
        let Pending { id, bytes, tag, list } = pending;
        let base = self.folder.join(self.stem(&id));
        let fail = |error: io::Error| format!("{}: {error}", base.display());
        let rules = self.rules(now, &id)?;
        let (mut journal, text) = Journal::open(&base.with_extension("journal")).map_err(fail)?;
        let went_on = left.as_ref().is_some_and(|(hash, _)| !put_by_us(&base).contains(hash));
        let work = if text.is_empty() || went_on {
            let mut before = self.recent(now);
            before.extend(lists::work::attempts_of(&text));
            if !text.is_empty() {
                // Somebody else went on with it; what we knew is in what he was given.
                journal.close().map_err(fail)?;
                journal = Journal::open(&base.with_extension("journal")).map_err(fail)?.0;
            }
            let list = left.map_or(list, |(_, list)| list);
            let Rules { mut settings, policy, places } = rules;
            if list.columns().is_empty() {
                // Nothing is left, in no order.
                settings.order = lists::Order::default();
            }
            Work::begin(now, list, settings, policy, places, before).map_err(|error| error.to_string())?
        } else {
            let Rules { settings, policy, places } = rules;
            let restored = Work::restore(now, list, settings, policy, places, &text);
            let (work, sound) = restored.map_err(|error| format!("{}: {error}", base.display()))?;
            journal.keep(sound).map_err(fail)?;
            work
        };
        write_whole(&base.with_extension("list"), &bytes).map_err(fail)?;
        self.run(now, Running { work, journal, id, tag, base, dirty: true, journal_full: false });
        Ok(())
    }

    fn rules(&self, now: Now, id: &str) -> Result<Rules, String> {
        let stamp = jiff::Timestamp::from_millisecond(now.wall.0).unwrap_or_default();
        let run = format!("{id}-{}", stamp.strftime("%Y%m%dT%H%M%SZ"));
        self.assignment.rules(&run).map_err(|wrong| wrong.to_string())
    }

    fn run(&mut self, now: Now, running: Running) {
        let list = running.work.list();
        let loaded = News::ListLoaded {
            list: self.assignment.name().to_owned(),
            rows: list.len(),
            refused: list.refused(),
            refusals: list.refusals().iter().take(TOLD).map(Refusal::to_string).collect(),
            attempts: running.work.counts().attempts,
        };
        let presence = self.running.as_ref().map_or(Presence::Away, |running| running.work.presence());
        self.running = Some(running);
        self.news(loaded);
        let free = self.registered && self.calls.is_empty();
        self.give(now, Input::OnHook(free));
        self.give(now, Input::Presence(presence));
        self.tell_presence();
    }

    /// The list changed while it is worked through: rows that are the same go on.
    fn replace(&mut self, now: Now, pending: Pending) -> Result<(), String> {
        if self.is_calling() {
            self.newer = Some(pending);
            return Ok(());
        }
        let Pending { id, bytes, tag, list } = pending;
        let base = self.folder.join(self.stem(&id));
        let fail = |error: io::Error| format!("{}: {error}", base.display());
        let rules = self.rules(now, &id)?;
        let Some(running) = &self.running else { return Ok(()) };
        let text = std::fs::read(running.base.with_extension("journal")).map_err(fail)?;
        let Rules { settings, policy, places } = rules;
        let (work, sound) =
            Work::restore(now, list, settings, policy, places, &text).map_err(|error| error.to_string())?;
        let (mut journal, _) = Journal::open(&base.with_extension("journal")).map_err(fail)?;
        journal.keep(0).and_then(|()| journal.append(&text[..sound])).map_err(fail)?;
        write_whole(&base.with_extension("list"), &bytes).map_err(fail)?;
        let new = Running { work, journal, id, tag, base, dirty: true, journal_full: false };
        let presence = self.presence();
        if let Some(old) = self.running.take() {
            let _ = std::fs::remove_file(old.base.with_extension("list"));
            old.journal.close().map_err(|error| error.to_string())?;
        }
        self.run(now, new);
        self.give(now, Input::Presence(presence));
        self.tell_presence();
        // Whoever dealt it out hears that this is what we work with now.
        self.upload(now);
        Ok(())
    }

    /// The call is over that a newer list has waited for.
    pub(super) fn take_newer(&mut self, now: Now) {
        if self.is_calling() {
            return;
        }
        let Some(newer) = self.newer.take() else { return };
        if let Err(why) = self.replace(now, newer) {
            let link = self.assignment.list.clone();
            self.news(News::ListRefused { link, why, again_s: None });
        }
    }

    /// The server is away: a list that was begun goes on from what is kept of it.
    fn go_on_without(&mut self, now: Now, why: String) -> Result<(), (String, String)> {
        let link = self.assignment.list.clone();
        if self.running.is_some() {
            return Err((link, why));
        }
        let Some((id, bytes)) = self.newest_kept() else { return Err((link, why)) };
        let list = lists::read(bytes.clone(), Format::of(&bytes), &self.assignment.reading());
        let Ok(list) = list else { return Err((link, why)) };
        self.news(News::ListRefused { link: link.clone(), why, again_s: None });
        self.begin(now, Pending { id, bytes, tag: None, list }, None).map_err(|why| (link, why))
    }

    /// The list of the newest journal that is open.
    fn newest_kept(&self) -> Option<(String, Vec<u8>)> {
        let stem = self.stem("");
        let all = std::fs::read_dir(&self.folder).ok()?.flatten();
        let open = all.filter_map(|file| {
            let name = file.file_name().into_string().ok()?;
            let id = name.strip_prefix(&stem)?.strip_suffix(".journal")?.to_owned();
            let data = file.metadata().ok().filter(|data| data.len() > 0)?;
            Some((data.modified().ok()?, id))
        });
        let (_, id) = open.max()?;
        let bytes = std::fs::read(self.folder.join(format!("{stem}{id}.list"))).ok()?;
        Some((id, bytes))
    }

    /// Attempts of lists that are over and that still count for budgets; what is older than a month is forgotten.
    fn recent(&self, now: Now) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        for file in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = file.path();
            if path.extension().is_none_or(|ending| ending != "closed") {
                continue;
            }
            let age = file.metadata().and_then(|data| data.modified()).ok().and_then(|at| at.elapsed().ok());
            match age {
                Some(age) if age > KEPT => drop(std::fs::remove_file(&path)),
                Some(age) if age < 2 * dialing::limits::MEMORY => {
                    attempts.extend(
                        std::fs::read(&path).map(|text| lists::work::attempts_of(&text)).unwrap_or_default(),
                    );
                }
                _ => {}
            }
        }
        let memory = i64::try_from(dialing::limits::MEMORY.as_millis()).unwrap_or(i64::MAX);
        attempts.retain(|attempt| attempt.at.0 >= now.wall.0.saturating_sub(memory));
        attempts
    }

    /// Writes results and what is left into the outbox (S3.18, S3.19).
    pub(super) fn upload(&mut self, now: Now) {
        self.upload_at = None;
        if let Err(why) = self.write_results() {
            let link = self.assignment.folder();
            self.news(News::NotUploaded { link, why });
            self.upload_at = Some(now.mono + RETRY);
        }
        self.send_next(now);
    }

    fn write_results(&mut self) -> Result<(), String> {
        let (shape, ending) = self.assignment.shape().map_err(|wrong| wrong.to_string())?;
        let Some(running) = self.running.as_mut().filter(|running| running.dirty) else { return Ok(()) };
        let (mut results, mut left) = (Vec::new(), Vec::new());
        let written = running.work.results(&mut results, shape).and_then(|()| running.work.left(&mut left));
        written.map_err(|error| error.to_string())?;
        let name = running.work.settings().subject.file(ending);
        let base = running.base.clone();
        let id = running.id.clone();
        let left_name = format!("{}.left.jsonl", self.stem(&id));
        let folder = self.assignment.folder();
        self.outbox.keep(&format!("{folder}{name}"), &name, &results).map_err(|error| error.to_string())?;
        self.outbox
            .keep(&format!("{folder}{left_name}"), &left_name, &left)
            .map_err(|error| error.to_string())?;
        let mut ours = put_by_us(&base);
        let hash = short(&left);
        ours.retain(|known| *known != hash);
        ours.push(hash);
        let from = ours.len().saturating_sub(PUT);
        write_whole(&base.with_extension("uploaded"), ours[from..].join("\n").as_bytes())
            .map_err(|error| error.to_string())?;
        if let Some(running) = &mut self.running {
            running.dirty = false;
        }
        Ok(())
    }

    /// S3.19: results and the rest are written down, then the list is forgotten here.
    pub(super) fn sign_out_when_free(&mut self, now: Now) {
        if !self.signing_out || self.is_calling() {
            return;
        }
        self.follow(now);
        let Some(running) = &mut self.running else { return };
        running.dirty = true;
        self.upload(now);
        if self.upload_at.is_some() {
            // Not written: signing out is tried again with it.
            return;
        }
        self.signing_out = false;
        self.fetch_at = None;
        self.newer = None;
        if let Some(running) = self.running.take() {
            let _ = std::fs::remove_file(running.base.with_extension("list"));
            if let Err(error) = running.journal.close() {
                self.news(News::WishRefused { why: format!("{}: {error}", self.folder.display()) });
            }
        }
        self.tell_presence();
    }

    pub(super) fn send_next(&mut self, now: Now) {
        if let Some((link, file)) = self.outbox.next(now.mono) {
            self.wants.push_back(Want::Put { link, file });
        }
    }

    /// The answer to [`Want::Put`].
    pub fn uploaded(&mut self, now: Now, link: &str, answer: Result<(), String>) {
        let link = link.to_owned();
        match answer {
            Ok(()) => {
                self.outbox.sent(&link);
                self.news(News::Uploaded { link });
            }
            Err(why) => {
                self.outbox.not_sent(&link, now.mono + RETRY);
                self.news(News::NotUploaded { link, why });
            }
        }
        self.send_next(now);
    }
}

/// What we put as left of a list, the newest last. The server may still have one of before: the newest waits to be sent, or a kill came
/// first. Whoever took that for somebody else's would call again whom we have called.
fn put_by_us(base: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(base.with_extension("uploaded")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// The first octets of the hash: names what a file has in it.
fn short(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().take(lists::limits::SHORT).map(|octet| format!("{octet:02x}")).collect()
}
