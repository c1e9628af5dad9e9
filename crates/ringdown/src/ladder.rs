//! `ringdown ladder`: what a call sent and received, drawn (R23).

use crate::drawing::{self, Row, What};
use crate::{Failure, talk};
use api::control::{Request, Response, RungItem};
use jiff::Timestamp;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

const NOTHING: &str = "nothing is kept of that call: ladders live in memory, and the oldest make room";
/// Widest name of a column.
const NAME: usize = 22;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The call, as `ringdown calls --json` names it [default: the last call that began]
    #[arg(value_name = "SESSION-ID")]
    session_id: Option<String>,
    /// The messages themselves below the drawing, without secrets
    #[arg(long)]
    full: bool,
    /// Instead, write the messages to a capture file, headers only, for sngrep and Wireshark
    #[arg(long, value_name = "FILE", conflicts_with = "full")]
    pcap: Option<PathBuf>,
    /// With the session descriptions, too, without their secrets; leaves a fact
    #[arg(long, requires_all = ["pcap", "session_id"])]
    bodies: bool,
}

pub(crate) fn run(data: &Path, arguments: &Arguments) -> Result<(), Failure> {
    if let Some(file) = &arguments.pcap {
        return capture(data, arguments, file);
    }
    let request = Request::Ladder { session_id: arguments.session_id.clone() };
    let rungs = match talk::ask(data, &request)? {
        Response::Ladder(rungs) => rungs,
        other => return Err(talk::unexpected(&other)),
    };
    if rungs.is_empty() {
        return Err(NOTHING.into());
    }
    let mut lines = draw(&rungs);
    if arguments.full {
        lines.extend(rungs.iter().flat_map(full));
    }
    lines.extend(elsewhere(data, &rungs, arguments.full)?);
    let mut out = io::stdout().lock();
    for line in lines {
        match writeln!(out, "{}", talk::plain(&line)) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
    }
    Ok(())
}

/// The same at the other exchange of a call between two, which is asked.
fn elsewhere(data: &Path, rungs: &[RungItem], whole: bool) -> Result<Vec<String>, Failure> {
    let half = |rung: &RungItem| {
        let value = |line: &str| {
            Some(
                line.split_once(':')
                    .filter(|(name, _)| name.eq_ignore_ascii_case("session-id"))?
                    .1
                    .trim()
                    .to_owned(),
            )
        };
        rung.text.lines().find_map(value)?.get(..32).map(str::to_owned)
    };
    let Some(session_id) = rungs.iter().find_map(half) else { return Ok(Vec::new()) };
    let Response::LadderElsewhere { exchange: Some(exchange), rungs: theirs, why } =
        talk::ask(data, &Request::LadderElsewhere { session_id })?
    else {
        return Ok(Vec::new());
    };
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    let mut lines = vec![String::new(), format!("At exchange {exchange}{why}")];
    if !theirs.is_empty() {
        lines.extend(draw(&theirs));
        lines.extend(theirs.iter().filter(|_| whole).flat_map(full));
    }
    Ok(lines)
}

fn capture(data: &Path, arguments: &Arguments, file: &Path) -> Result<(), Failure> {
    let request = Request::Capture { session_id: arguments.session_id.clone(), bodies: arguments.bodies };
    let text = match talk::ask(data, &request)? {
        Response::Capture(text) => text,
        other => return Err(talk::unexpected(&other)),
    };
    if text.is_empty() {
        return Err(NOTHING.into());
    }
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let octets: Option<Vec<u8>> = text.as_bytes().chunks(2).map(octet).collect();
    let octets = octets.ok_or("the exchange sent a capture that cannot be read; this is a fault of ours")?;
    std::fs::write(file, octets).map_err(|error| format!("{}: {error}", file.display()).into())
}

fn draw(rungs: &[RungItem]) -> Vec<String> {
    let mut parties: Vec<&str> = Vec::new();
    for rung in rungs {
        if !parties.contains(&&*rung.who) {
            parties.push(&rung.who);
        }
    }
    let names: Vec<String> = parties.iter().map(|who| short(who)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = rungs.iter().enumerate().map(|(index, rung)| {
        let party = parties.iter().position(|who| *who == rung.who).unwrap_or(0);
        let again = rungs[..index]
            .iter()
            .any(|old| (old.sent, &old.flow, &old.text) == (rung.sent, &rung.flow, &rung.text));
        let label = if again { format!("{} again", name(&rung.text)) } else { label(&rung.text) };
        Row { at: since(rung), what: What::Arrow { party, sent_by_party: !rung.sent, label } }
    });
    let began = rungs.first().map(time).unwrap_or_default();
    let mut lines = vec![began];
    lines.extend(drawing::draw("Exchange", &names, rows.collect()));
    lines
}

/// One message as it was, under a line that says when and which way.
fn full(rung: &RungItem) -> Vec<String> {
    let way = if rung.sent { "->" } else { "<-" };
    let mut lines = vec![String::new(), format!("{} {way} {} ({})", time(rung), rung.who, rung.flow)];
    lines.extend(rung.text.lines().map(|line| format!("    {line}")));
    lines
}

/// `INVITE`, `200 OK`; with SDP its direction, or that there is some.
pub(crate) fn label(text: &str) -> String {
    let direction = ["sendonly", "recvonly", "inactive"];
    let has = |wanted: &str| text.lines().any(|line| line.strip_prefix("a=") == Some(wanted));
    let described = text.lines().any(|line| line.starts_with("m="));
    match direction.iter().find(|direction| has(direction)) {
        Some(direction) => format!("{} ({direction})", name(text)),
        None if described => format!("{} +sdp", name(text)),
        None => name(text),
    }
}

/// The method of a request, the code and words of a response.
fn name(text: &str) -> String {
    let start = text.lines().next().unwrap_or_default();
    match start.strip_prefix("SIP/2.0 ") {
        Some(status) => status.to_owned(),
        None => start.split(' ').next().unwrap_or_default().to_owned(),
    }
}

/// A name that fits above its lifeline.
fn short(who: &str) -> String {
    if who.chars().count() <= NAME {
        who.to_owned()
    } else {
        who.chars().take(NAME - 1).chain(['…']).collect()
    }
}

fn since(rung: &RungItem) -> Duration {
    Duration::from_millis(u64::try_from(rung.at).unwrap_or(0))
}

fn time(rung: &RungItem) -> String {
    Timestamp::from_millisecond(rung.at).map_or_else(|_| rung.at.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rung(at: i64, sent: bool, who: &str, text: &str) -> RungItem {
        RungItem { at, sent, who: who.into(), flow: format!("udp:{who}"), text: text.into() }
    }

    #[test]
    fn r23_a_call_is_drawn_with_a_column_for_each_party() {
        let lines = draw(&[
            rung(1_000, false, "ada-1", "INVITE sip:200@o SIP/2.0\n\nm=audio 1 RTP/AVP 8\n"),
            rung(1_001, true, "bob-1", "INVITE sip:b@h SIP/2.0\n\nm=audio 1 RTP/AVP 8\na=sendonly\n"),
            rung(1_501, true, "bob-1", "INVITE sip:b@h SIP/2.0\n\nm=audio 1 RTP/AVP 8\na=sendonly\n"),
            rung(2_000, false, "bob-1", "SIP/2.0 180 Ringing\n"),
        ]);
        assert_eq!(lines[0], "1970-01-01T00:00:01Z");
        assert!(lines[1].contains("ada-1") && lines[1].contains("Exchange") && lines[1].contains("bob-1"));
        assert!(lines[2].contains("INVITE +sdp") && lines[2].starts_with("     0.000"), "{}", lines[2]);
        assert!(lines[3].contains("INVITE (sendonly)") && lines[3].ends_with("▶│"), "{}", lines[3]);
        assert!(lines[4].contains("INVITE again"), "{}", lines[4]);
        assert!(lines[5].contains("◀") && lines[5].contains("180 Ringing"), "{}", lines[5]);
    }
}
