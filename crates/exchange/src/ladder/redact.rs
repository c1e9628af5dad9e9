//! What of a message may be shown (R32): nothing that lets its reader in, and no key that somebody pressed.

/// Headers that hold secrets, in lower case.
const SECRET_HEADERS: [&str; 5] = [
    "authorization",
    "proxy-authorization",
    "authentication-info",
    "proxy-authentication-info",
    "ringdown-ticket",
];
/// SDP lines that hold keys.
const SECRET_LINES: [&str; 4] = ["a=crypto", "a=ice-pwd", "a=key-mgmt", "k="];
const LEFT_OUT: &str = "(left out)";

/// The text of a message without what is kept back. Of bodies only session descriptions are shown.
pub(super) fn shown(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    let (head, body) = match text.find("\r\n\r\n") {
        Some(end) => (&text[..end], &text[end + 4..]),
        None => (&*text, ""),
    };
    let mut shown = String::with_capacity(text.len());
    let (mut hidden, mut described) = (false, false);
    for line in head.lines() {
        // RFC 3261 7.3.1: a line that begins with a blank goes on with the header before it.
        if line.starts_with([' ', '\t']) {
            if !hidden {
                push(&mut shown, line);
            }
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let name = name.trim().to_ascii_lowercase();
        hidden = SECRET_HEADERS.contains(&&*name);
        described |= matches!(&*name, "content-type" | "c") && value.trim().starts_with("application/sdp");
        if hidden {
            push(&mut shown, &format!("{}: {LEFT_OUT}", line.split(':').next().unwrap_or_default()));
        } else {
            push(&mut shown, line);
        }
    }
    if !body.is_empty() {
        push(&mut shown, "");
        show_body(&mut shown, body, described);
    }
    shown
}

/// A message for a capture: as it was, but for what is kept back. Without bodies, it ends after its headers; the
/// Content-Length is that of what is left, so that readers find the message whole.
pub(super) fn captured(octets: &[u8], bodies: bool) -> Vec<u8> {
    let shown = shown(octets);
    let (head, body) = shown.split_once("\n\n").unwrap_or((&shown, ""));
    let body = if bodies { body } else { "" };
    let body: String = body.lines().flat_map(|line| [line, "\r\n"]).collect();
    let mut captured = String::with_capacity(shown.len() + 64);
    for line in head.lines() {
        let name = line.split(':').next().unwrap_or_default().trim();
        if !name.eq_ignore_ascii_case("content-length") && !name.eq_ignore_ascii_case("l") {
            captured.push_str(line);
            captured.push_str("\r\n");
        }
    }
    captured.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    captured.push_str(&body);
    captured.into_bytes()
}

fn show_body(shown: &mut String, body: &str, described: bool) {
    if !described {
        return push(shown, LEFT_OUT);
    }
    for line in body.lines() {
        let secret = SECRET_LINES.iter().find(|start| line.to_ascii_lowercase().starts_with(**start));
        match secret {
            Some(start) => push(shown, &format!("{start} {LEFT_OUT}")),
            None => push(shown, line),
        }
    }
}

fn push(shown: &mut String, line: &str) {
    shown.push_str(line);
    shown.push('\n');
}
