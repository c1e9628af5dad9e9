//! The screen as it is seen. Colour never tells anything alone.

use super::keys::{LIST, PHONE};
use super::{Asking, Screen, Standing};
use crate::phone::show::{kind, minutes, when, why_ended};
use ::phone::{Entry, Kind, LampState};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Wrap};
use std::time::Instant;

impl Screen {
    /// Draws all of it.
    pub(crate) fn draw(&self, frame: &mut Frame<'_>, now: Instant) {
        let width = frame.area().width;
        let (top, below) = (self.head(), self.state());
        let [head, state, middle, history, foot] = Layout::vertical([
            Constraint::Length(lines(&top, width, 3)),
            Constraint::Length(lines(&below, width, 4)),
            Constraint::Min(6),
            Constraint::Percentage(if self.has_list { 25 } else { 35 }),
            Constraint::Length(lines(&self.help(), width, 5)),
        ])
        .areas(frame.area());
        frame.render_widget(Paragraph::new(top).wrap(Wrap { trim: true }), head);
        frame.render_widget(Paragraph::new(below).wrap(Wrap { trim: true }), state);
        if let Asking::Calls(place) = self.asking {
            self.draw_past(frame, middle, place);
            self.draw_history(frame, history);
            return frame.render_widget(self.foot(), foot);
        }
        let [left, right] =
            Layout::horizontal([Constraint::Percentage(55), Constraint::Percentage(45)]).areas(middle);
        if self.has_list {
            let [calls, callee] = Layout::vertical([Constraint::Length(4), Constraint::Min(4)]).areas(left);
            self.draw_calls(frame, calls, now);
            self.draw_callee(frame, callee);
            self.draw_next(frame, right);
        } else {
            self.draw_calls(frame, middle, now);
        }
        self.draw_history(frame, history);
        frame.render_widget(self.foot(), foot);
    }

    fn text(&self, key: &'static str) -> &'static str {
        self.language.text(key)
    }

    fn head(&self) -> Line<'_> {
        let mut spans = Vec::new();
        for account in &self.accounts {
            let alone = self.accounts.len() == 1;
            let name = if alone { &account.address } else { &account.name };
            spans.push(Span::from(format!("{}  ", plain(name))).bold());
            spans.push(match &account.standing {
                Standing::Asking => Span::from(format!("○ {}  ", self.text("phone.asking"))),
                Standing::Registered => Span::from(format!("● {}  ", self.text("phone.registered"))).green(),
                Standing::Connected => Span::from(format!("● {}  ", self.text("phone.connected"))).green(),
                Standing::Not(why) => {
                    // All of it stands among what happened.
                    let why: String = plain(why).chars().take(if alone { 60 } else { 24 }).collect();
                    Span::from(format!("○ {} {why}  ", self.text("phone.not_registered"))).red()
                }
            });
        }
        Line::from(spans)
    }

    /// Where the agent and the headset stand, missed calls, messages and lamps; nothing where there is none of them.
    fn state(&self) -> Line<'_> {
        let mut spans = Vec::new();
        if self.has_list {
            let lamp = if self.presence == "phone.presence.online" { "▶" } else { "‖" };
            spans.push(Span::from(format!("{lamp} {}  ", self.text(self.presence))).bold());
        }
        if let Some(open) = self.headset {
            let state = if open { "phone.headset_open" } else { "phone.headset_closed" };
            spans.push(Span::from(format!("{} {}  ", self.text("phone.headset"), self.text(state))));
        }
        if let Some(dbfs) = self.heard {
            spans.push(Span::from(format!("{}  ", level(dbfs))));
        }
        let count =
            |key, count: String| Span::from(format!("{}  ", self.language.fill(key, &[("count", &count)])));
        if self.missed > 0 {
            spans.push(count("phone.missed", self.missed.to_string()).bold());
        }
        let new: u32 = self.messages.values().sum();
        if new > 0 {
            spans.push(count("phone.messages", new.to_string()).bold());
        }
        self.lamp_spans(&mut spans);
        Line::from(spans)
    }

    fn lamp_spans<'a>(&'a self, spans: &mut Vec<Span<'a>>) {
        for (place, lamp) in self.lamps.iter().enumerate() {
            let (mark, word) = match lamp.state {
                LampState::Unknown => ("?", "phone.lamp.unknown"),
                LampState::Idle => ("○", "phone.lamp.idle"),
                LampState::Ringing => ("◐", "phone.lamp.rings"),
                LampState::Busy => ("●", "phone.lamp.busy"),
            };
            // One lamp is not torn in two.
            let text = format!(
                "{}\u{a0}{mark}\u{a0}{}",
                plain(&lamp.number),
                self.text(word).replace(' ', "\u{a0}")
            );
            let span = match lamp.state {
                LampState::Ringing => Span::from(text).bold().yellow(),
                LampState::Busy => Span::from(text).red(),
                LampState::Idle => Span::from(text),
                LampState::Unknown => Span::from(text).add_modifier(Modifier::DIM),
            };
            let chosen = matches!(self.asking, Asking::Lamp(chosen) if chosen == place);
            spans.push(if chosen { span.add_modifier(Modifier::REVERSED) } else { span });
            spans.push(Span::from("  "));
        }
    }

    /// The calls that were, newest first.
    fn draw_past(&self, frame: &mut Frame<'_>, area: Rect, place: usize) {
        let room = usize::from(area.height.saturating_sub(2)).max(1);
        let first = (place + 1).saturating_sub(room);
        let rows = self.past.iter().enumerate().skip(first).take(room).map(|(row, entry)| {
            let line = self.past_line(entry);
            if row == place { line.add_modifier(Modifier::REVERSED) } else { line }
        });
        let mut lines: Vec<Line<'_>> = rows.collect();
        if lines.is_empty() {
            lines.push(Line::from(self.text("phone.past.none")).add_modifier(Modifier::DIM));
        }
        frame.render_widget(Paragraph::new(lines).block(self.framed("phone.past")), area);
    }

    fn past_line(&self, entry: &Entry) -> Line<'_> {
        let mark = match entry.kind {
            Kind::Dialled => "→",
            Kind::Received => "←",
            Kind::Missed => "!",
            Kind::AnsweredElsewhere => "↷",
        };
        let word = kind(entry.kind);
        let why = why_ended(self.language, entry.cause.as_ref(), &entry.words);
        let name = if entry.name.is_empty() { String::new() } else { format!(" {}", plain(&entry.name)) };
        let time = entry.seconds.map(minutes);
        let account =
            if self.accounts.len() > 1 { format!("  [{}]", plain(&entry.account)) } else { String::new() };
        let what = Span::from(format!("{} {mark} {}  ", when(entry.at_ms), self.text(word)));
        Line::from(vec![
            if entry.kind == Kind::Missed { what.bold() } else { what },
            Span::from(format!("{}{name}{}{account}", plain(&entry.number), time.unwrap_or_default())).bold(),
            Span::from(format!("  {}", plain(&why))).add_modifier(Modifier::DIM),
        ])
    }

    fn framed(&self, key: &'static str) -> Block<'_> {
        Block::bordered().title(format!(" {} ", self.text(key)))
    }

    fn draw_calls(&self, frame: &mut Frame<'_>, area: Rect, now: Instant) {
        let mut lines: Vec<Line<'_>> = Vec::new();
        for call in self.calls.values() {
            let seconds = now.saturating_duration_since(call.since).as_secs();
            let time = format!("{}:{:02}", seconds / 60, seconds % 60);
            let state = Span::from(format!("{} {time}  ", self.text(call.state))).bold();
            let name = if call.name.is_empty() { String::new() } else { format!(" {}", plain(&call.name)) };
            let account = Span::from(if call.account.is_empty() {
                String::new()
            } else {
                format!("  [{}]", plain(&call.account))
            });
            lines.push(Line::from(vec![
                state,
                Span::from(format!("{}{name}", plain(&call.number))),
                account,
            ]));
        }
        if lines.is_empty() {
            lines.push(Line::from(self.text("phone.no_call")).add_modifier(Modifier::DIM));
        }
        frame.render_widget(Paragraph::new(lines).block(self.framed("phone.calls")), area);
    }

    fn draw_callee(&self, frame: &mut Frame<'_>, area: Rect) {
        let mut lines: Vec<Line<'_>> = Vec::new();
        match &self.callee {
            None => lines.push(Line::from(self.text("phone.no_callee")).add_modifier(Modifier::DIM)),
            Some((callee, because)) => {
                let name = plain(&callee.name);
                lines.push(Line::from(vec![
                    Span::from(name).bold(),
                    Span::from(format!("  {}", plain(&callee.number))).bold(),
                ]));
                lines.push(Line::from(because.as_str()).add_modifier(Modifier::DIM));
                for (header, field) in callee.fields.iter().filter(|(_, field)| !field.is_empty()) {
                    let header = Span::from(format!("{}: ", plain(header))).add_modifier(Modifier::DIM);
                    lines.push(Line::from(vec![header, Span::from(plain(field))]));
                }
            }
        }
        let text = Paragraph::new(lines).wrap(Wrap { trim: true });
        frame.render_widget(text.block(self.framed("phone.callee")), area);
    }

    fn draw_next(&self, frame: &mut Frame<'_>, area: Rect) {
        let counts = self.counts.iter().map(|counts| Line::from(counts.as_str()).bold());
        let next = self.next.iter().map(|(callee, place)| {
            let name =
                if callee.name.is_empty() { String::new() } else { format!("  {}", plain(&callee.name)) };
            let place = Span::from(format!("  {}", plain(place))).add_modifier(Modifier::DIM);
            Line::from(vec![Span::from(format!("{}{name}", plain(&callee.number))), place])
        });
        let lines: Vec<Line<'_>> = counts.chain(next).collect();
        frame.render_widget(Paragraph::new(lines).block(self.framed("phone.next")), area);
    }

    fn draw_history(&self, frame: &mut Frame<'_>, area: Rect) {
        let room = usize::from(area.height.saturating_sub(2));
        let lines = self.history.iter().rev().take(room).rev();
        let lines: Vec<Line<'_>> = lines.map(|line| Line::from(plain(line))).collect();
        frame.render_widget(Paragraph::new(lines).block(self.framed("phone.history")), area);
    }

    /// What keys do, or what is asked.
    fn foot(&self) -> Paragraph<'_> {
        let asked = |words: &str, typed: &str| {
            Line::from(vec![
                Span::from(words.to_owned()).bold(),
                Span::from(format!(" {typed}")),
                Span::styled(" ", Style::default().add_modifier(Modifier::REVERSED)),
            ])
        };
        let line = match &self.asking {
            Asking::Nothing => self.help(),
            Asking::Dial(text) => match self.accounts.get(self.used).filter(|_| self.accounts.len() > 1) {
                Some(account) => {
                    let by = self.language.fill("phone.ask.dial_by", &[("account", &plain(&account.name))]);
                    asked(&by, text)
                }
                None => asked(self.text("phone.ask.dial"), text),
            },
            Asking::Transfer(text) => asked(self.text("phone.ask.transfer"), text),
            Asking::Keys(text) => asked(self.text("phone.ask.keys"), text),
            Asking::Later(text) => asked(self.text("phone.ask.later"), text),
            Asking::Result(text) => asked(self.text("phone.ask.result"), text),
            Asking::Quit => asked(self.text("phone.ask.quit"), ""),
            Asking::Calls(_) => Line::from(self.text("phone.ask.calls")).bold(),
            Asking::Lamp(place) => {
                let lamp = self.lamps.get(*place);
                let rings = lamp.is_some_and(|lamp| lamp.state == LampState::Ringing);
                let words = if rings { "phone.ask.lamp_rings" } else { "phone.ask.lamp" };
                let number = lamp.map(|lamp| plain(&lamp.number)).unwrap_or_default();
                Line::from(self.language.fill(words, &[("number", &number)])).bold()
            }
            Asking::Keep { number, calls } => {
                let places = [("number", number.as_str()), ("calls", &*calls.to_string())];
                Line::from(self.language.fill("phone.ask.keep", &places)).bold()
            }
        };
        Paragraph::new(line).wrap(Wrap { trim: true })
    }

    fn help(&self) -> Line<'_> {
        let list = LIST.iter().filter(|_| self.has_list);
        let mut spans = Vec::new();
        let lamps = |key: &str| key != "b" || !self.lamps.is_empty();
        for (key, words) in PHONE.iter().filter(|(key, _)| lamps(key)).chain(list) {
            spans.push(Span::from(*key).bold());
            spans.push(Span::from(format!("\u{a0}{}  ", self.text(words).replace(' ', "\u{a0}"))));
        }
        for (key, result) in self.results.iter().filter(|_| self.has_list) {
            spans.push(Span::from(key.to_string()).bold());
            spans.push(Span::from(format!(" {}  ", plain(result))));
        }
        Line::from(spans)
    }
}

/// Lines that a text takes at this width, words whole; at most so many.
fn lines(line: &Line<'_>, width: u16, most: u16) -> u16 {
    let width = usize::from(width.max(20));
    let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
    let (mut lines, mut column) = (0, 0);
    for word in text.split(' ') {
        let columns = Span::from(word).width();
        // A blank before it, unless it begins the line.
        if lines == 0 || (columns > 0 && column + 1 + columns > width) {
            lines += 1 + columns.saturating_sub(1) / width;
            column = columns;
        } else {
            column += 1 + columns;
        }
    }
    if text.trim().is_empty() { 0 } else { u16::try_from(lines).unwrap_or(most).min(most) }
}

/// A bar from -60 dBFS on.
fn level(dbfs: f64) -> String {
    let full = ((dbfs + 60.0) / 6.0).clamp(0.0, 10.0) as usize;
    format!("{}{}", "█".repeat(full), "·".repeat(10 - full))
}

/// What strangers wrote: no controls, nothing that turns the direction of the text.
fn plain(text: &str) -> String {
    let turns = |letter: char| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .filter(|letter| !turns(*letter))
        .collect()
}
