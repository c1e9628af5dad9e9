//! A scene as a ladder: what each phone saw, what was said to the provider, and the notes among it.

use super::actor::Actor;
use crate::drawing::{self, Row, What};
use ::phone::Trace;
use api::control::RungItem;
use clock::{Mono, Now};
use std::time::Duration;

/// Draws the messages of all phones of the exchange as they saw them, those of the provider as the exchange kept them,
/// and the notes among them. `now` is any moment, read from both clocks.
pub(super) fn draw(
    actors: &[Actor],
    exchange: &str,
    provider: Option<(&str, &[RungItem])>,
    now: Now,
    notes: Vec<(Now, String)>,
) -> Vec<String> {
    let since = |at: Mono| at.since(Mono::default());
    let notes = notes.into_iter().map(|(at, text)| Row { at: since(at.mono), what: What::Note(text) });
    let mut rows: Vec<Row> = notes.collect();
    let mut names: Vec<&str> = Vec::new();
    for actor in actors.iter().filter(|actor| !actor.outside) {
        let party = names.len();
        names.push(actor.name);
        rows.extend(
            steps(&actor.traces).map(|trace| Row { at: since(trace.at.mono), what: arrow(party, trace) }),
        );
    }
    if let Some((name, rungs)) = provider {
        let party = names.len();
        names.push(name);
        let ago = |at: i64| Duration::from_millis(u64::try_from(now.wall.0 - at).unwrap_or(0));
        rows.extend(rungs.iter().map(|rung| {
            let label = crate::ladder::label(&rung.text);
            let what = What::Arrow { party, sent_by_party: !rung.sent, label };
            Row { at: since(now.mono).saturating_sub(ago(rung.at)), what }
        }));
    }
    drawing::draw(exchange, &names, rows)
}

/// A message that is sent again, because an answer was slow, is no new step.
fn steps(traces: &[Trace]) -> impl Iterator<Item = &Trace> {
    traces
        .iter()
        .enumerate()
        .filter(|(index, trace)| {
            !traces[..*index].iter().any(|earlier| {
                (earlier.sent, &earlier.what, earlier.sequence, &earlier.call_id)
                    == (trace.sent, &trace.what, trace.sequence, &trace.call_id)
            })
        })
        .map(|(_, trace)| trace)
}

fn arrow(party: usize, trace: &Trace) -> What {
    let label = match trace.direction {
        Some(direction) => format!("{} ({})", trace.what, direction.as_str()),
        None => trace.what.clone(),
    };
    What::Arrow { party, sent_by_party: trace.sent, label }
}
