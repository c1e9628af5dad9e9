//! A scene as a ladder: one column for each phone and the exchange, one arrow for each message.
//!
//! ```text
//!              Alice                 Exchange                   Bob
//!    0.012       │─────── INVITE ───────▶│                       │
//!    0.013       │                       │─────── INVITE ───────▶│
//! ```

use super::actor::Actor;
use super::texts::columns;
use ::phone::Trace;
use clock::{Mono, Now};

/// From one lifeline to the next.
const APART: usize = 24;
/// Before the first lifeline: the time.
const MARGIN: usize = 16;
/// The column of the exchange: right of the first phone.
const EXCHANGE: usize = 1;

struct Row {
    at: Mono,
    what: What,
}

enum What {
    Arrow { from: usize, to: usize, label: String },
    Note(String),
}

/// Draws the messages of all phones, as they saw them, and the notes among them.
pub(super) fn draw(actors: &[Actor], exchange: &str, notes: Vec<(Now, String)>) -> Vec<String> {
    let mut rows: Vec<Row> =
        notes.into_iter().map(|(at, text)| Row { at: at.mono, what: What::Note(text) }).collect();
    for (index, actor) in actors.iter().enumerate() {
        rows.extend(arrows(&actor.traces, place(index)));
    }
    rows.sort_by_key(|row| row.at);
    let start = rows.first().map(|row| row.at).unwrap_or_default();
    let count = actors.len() + 1;
    let mut names = vec![exchange; count];
    for (index, actor) in actors.iter().enumerate() {
        names[place(index)] = actor.name;
    }
    let mut lines = vec![heading(&names)];
    lines.extend(rows.iter().map(|row| {
        let millis = row.at.since(start).as_millis();
        let time = format!("{:>6}.{:03}", millis / 1_000, millis % 1_000);
        match &row.what {
            What::Arrow { from, to, label } => time.clone() + &arrow(count, *from, *to, label)[time.len()..],
            What::Note(text) => format!("{time}     * {text}"),
        }
    }));
    lines
}

/// The exchange stands right of the first phone.
fn place(actor: usize) -> usize {
    if actor == 0 { 0 } else { actor + 1 }
}

fn arrows(traces: &[Trace], column: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for (index, trace) in traces.iter().enumerate() {
        // A message that is sent again, because an answer was slow, is no new step.
        let repeated = traces[..index].iter().any(|earlier| {
            (earlier.sent, &earlier.what, earlier.sequence, &earlier.call_id)
                == (trace.sent, &trace.what, trace.sequence, &trace.call_id)
        });
        if repeated {
            continue;
        }
        let label = match trace.direction {
            Some(direction) => format!("{} ({})", trace.what, direction.as_str()),
            None => trace.what.clone(),
        };
        let (from, to) = if trace.sent { (column, EXCHANGE) } else { (EXCHANGE, column) };
        rows.push(Row { at: trace.at.mono, what: What::Arrow { from, to, label } });
    }
    rows
}

fn heading(names: &[&str]) -> String {
    let mut line = String::new();
    for (index, name) in names.iter().enumerate() {
        let middle = lifeline(index);
        let start = middle.saturating_sub(columns(name) / 2);
        line.push_str(&" ".repeat(start.saturating_sub(columns(&line))));
        line.push_str(name);
    }
    line
}

fn lifeline(column: usize) -> usize {
    MARGIN + column * APART
}

/// One arrow among the lifelines; the first columns are blank, for the time.
fn arrow(count: usize, from: usize, to: usize, label: &str) -> String {
    let mut line: Vec<char> = vec![' '; lifeline(count - 1) + 1];
    for column in 0..count {
        line[lifeline(column)] = '│';
    }
    let (left, right) = (lifeline(from.min(to)) + 1, lifeline(from.max(to)) - 1);
    for cell in &mut line[left..=right] {
        *cell = '─';
    }
    if from < to {
        line[right] = '▶';
    } else {
        line[left] = '◀';
    }
    // The label stands beside the phone's end, where no lifeline crosses it.
    let near = if from == EXCHANGE { to } else { from };
    let (first, last) =
        if near > EXCHANGE { (lifeline(near - 1), lifeline(near)) } else { (lifeline(0), lifeline(1)) };
    // A code says enough when its words do not fit.
    let fits = columns(label) + 6 <= last - first;
    let label = if fits { label } else { label.split(' ').next().unwrap_or_default() };
    let shown: Vec<char> = format!(" {label} ").chars().collect();
    let start = first + (last - first - shown.len()).div_ceil(2);
    line[start..start + shown.len()].copy_from_slice(&shown);
    line.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_reach_from_line_to_line() {
        let line = arrow(3, 0, 1, "INVITE");
        assert_eq!(line.trim_start(), "│─────── INVITE ───────▶│                       │");
        let line = arrow(3, 2, 1, "180 Ringing");
        assert_eq!(line.trim_start(), "│                       │◀──── 180 Ringing ─────│");
        let across = arrow(4, 1, 3, "CANCEL");
        assert!(across.trim_start().starts_with("│                       │────"), "{across}");
        assert!(across.ends_with("▶│"), "{across}");
        assert!(arrow(3, 2, 1, "487 Request Terminated").contains(" 487 "));
    }

    #[test]
    fn names_stand_above_their_lines_whatever_their_width() {
        let line = heading(&["小艾", "交换机"]);
        assert_eq!((columns(&line), line.find('小')), (MARGIN + APART + 3, Some(MARGIN - 2)));
    }
}
