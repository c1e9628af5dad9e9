//! A scene as a ladder: what each phone saw, and the notes among it.

use super::actor::Actor;
use crate::drawing::{self, Row, What};
use ::phone::Trace;
use clock::{Mono, Now};

/// Draws the messages of all phones, as they saw them, and the notes among them.
pub(super) fn draw(actors: &[Actor], exchange: &str, notes: Vec<(Now, String)>) -> Vec<String> {
    let since = |at: Mono| at.since(Mono::default());
    let notes = notes.into_iter().map(|(at, text)| Row { at: since(at.mono), what: What::Note(text) });
    let mut rows: Vec<Row> = notes.collect();
    for (party, actor) in actors.iter().enumerate() {
        rows.extend(
            steps(&actor.traces).map(|trace| Row { at: since(trace.at.mono), what: arrow(party, trace) }),
        );
    }
    let names: Vec<&str> = actors.iter().map(|actor| actor.name).collect();
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
