//! A ladder: one column for each party and the exchange, one arrow for each message. Drawn of what demo phones saw, and of
//! what the exchange kept of a call.
//!
//! ```text
//!              Alice                 Exchange                   Bob
//!    0.012       │─────── INVITE ───────▶│                       │
//!    0.013       │                       │─────── INVITE ───────▶│
//! ```

use std::time::Duration;

/// From one lifeline to the next.
const APART: usize = 24;
/// Before the first lifeline: the time.
const MARGIN: usize = 16;
/// The column of the exchange: right of the first party.
const EXCHANGE: usize = 1;

/// One line of a ladder.
pub(crate) struct Row {
    /// Since a moment of the drawer's choice; the first row counts as zero.
    pub(crate) at: Duration,
    pub(crate) what: What,
}

/// What a line shows.
pub(crate) enum What {
    /// A message between the exchange and a party.
    Arrow { party: usize, sent_by_party: bool, label: String },
    /// A remark.
    Note(String),
}

/// Draws rows in the order of their time under the names of the parties.
pub(crate) fn draw(exchange: &str, parties: &[&str], mut rows: Vec<Row>) -> Vec<String> {
    rows.sort_by_key(|row| row.at);
    let start = rows.first().map(|row| row.at).unwrap_or_default();
    let count = parties.len() + 1;
    let mut names = vec![exchange; count];
    for (party, name) in parties.iter().enumerate() {
        names[place(party)] = name;
    }
    let mut lines = vec![heading(&names)];
    lines.extend(rows.iter().map(|row| {
        let millis = row.at.saturating_sub(start).as_millis();
        let time = format!("{:>6}.{:03}", millis / 1_000, millis % 1_000);
        match &row.what {
            What::Arrow { party, sent_by_party, label } => {
                let column = place(*party);
                let (from, to) = if *sent_by_party { (column, EXCHANGE) } else { (EXCHANGE, column) };
                time.clone() + &arrow(count, from, to, label)[time.len()..]
            }
            What::Note(text) => format!("{time}     * {text}"),
        }
    }));
    lines
}

/// How many columns a text takes on a terminal: ideographs and their punctuation take two.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(|c| if ('\u{2e80}'..='\u{ffe6}').contains(&c) { 2 } else { 1 }).sum()
}

/// The exchange stands right of the first party.
fn place(party: usize) -> usize {
    if party == 0 { 0 } else { party + 1 }
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
    // Labels come from the wire: whatever they are, they stay between two lifelines.
    let label: String = label.chars().take(last - first - 6).collect();
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
        assert_eq!(columns(&arrow(3, 2, 1, &"X".repeat(99))), columns(&across) - APART);
        assert!(arrow(3, 2, 1, "487 Request Terminated").contains(" 487 "));
    }

    #[test]
    fn names_stand_above_their_lines_whatever_their_width() {
        let line = heading(&["小艾", "交换机"]);
        assert_eq!((columns(&line), line.find('小')), (MARGIN + APART + 3, Some(MARGIN - 2)));
    }
}
