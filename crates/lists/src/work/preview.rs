//! What would become of a list, before it begins: how many can be called now, how many later, how many never, and why.

use super::{Settings, row};
use crate::list::List;
use crate::refusal::{Refusal, Refused, Why};
use clock::Now;
use dialing::{Dialing, Number, Places, Policy, Rule, Saved, Standing};
use std::collections::{BTreeMap, BTreeSet};

/// Counts of a list.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// Rows of the file, whatever they look like.
    pub rows: usize,
    /// Those that may be called now.
    pub now: usize,
    /// Those that wait, by the key of the rule that holds longest.
    pub later: BTreeMap<&'static str, usize>,
    /// Those that are skipped, by the key of the reason.
    pub skipped: BTreeMap<&'static str, usize>,
    /// The first of these, with their lines.
    pub refusals: Vec<Refusal>,
    /// The rows that will be called, by their places in the list, and whom.
    pub taken: Vec<(u32, Number)>,
}

impl Preview {
    /// Looks at every row; `forbidden` are those whom the office does not call.
    #[must_use]
    pub fn of(
        now: Now,
        list: &List,
        settings: &Settings,
        policy: Policy,
        places: Places,
        forbidden: &[Number],
    ) -> Preview {
        let mut preview = Preview { rows: list.len() + list.refused(), ..Preview::default() };
        let mut refused = Refused::default();
        for refusal in list.refusals() {
            preview.skip(&mut refused, refusal.line, refusal.why.clone());
        }
        let forbidden = forbidden.iter().map(|number| (*number, None)).collect();
        let saved = Saved { forbidden, ..Saved::default() };
        let mut dialing = Dialing::restore(now, policy, places, 0, saved);
        let mut seen = BTreeSet::new();
        for (index, entry) in (0..).zip(list.iter()) {
            let task = match row::task_of(&entry, 0, settings, dialing.places()) {
                Ok(task) if seen.insert(task.id) => task,
                Ok(_) => {
                    preview.skip(&mut refused, entry.line(), Why::Twice);
                    continue;
                }
                Err(why) => {
                    preview.skip(&mut refused, entry.line(), why);
                    continue;
                }
            };
            let number = task.number;
            match dialing.preview(now, task) {
                Ok(standing) => {
                    preview.taken.push((index, number));
                    match standing {
                        Standing::Waiting { rule, .. } => *preview.later.entry(rule.key()).or_default() += 1,
                        _ => preview.now += 1,
                    }
                }
                Err(rule) => preview.skip_by_rule(&mut refused, entry.line(), &rule),
            }
        }
        preview.refusals = refused.first;
        preview.refusals.sort_by_key(|refusal| refusal.line);
        preview
    }

    fn skip(&mut self, refused: &mut Refused, line: u32, why: Why) {
        *self.skipped.entry(why.key()).or_default() += 1;
        refused.push(line, why);
    }

    fn skip_by_rule(&mut self, refused: &mut Refused, line: u32, rule: &Rule) {
        *self.skipped.entry(rule.key()).or_default() += 1;
        refused.push(line, Why::Rule(rule.to_string().into()));
    }
}
