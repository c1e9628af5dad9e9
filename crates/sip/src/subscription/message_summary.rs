//! The document of the `message-summary` package (RFC 3842): the lamp for waiting messages.

/// How many voice messages wait: new ones and old ones.
#[must_use]
pub fn message_summary(account: &str, new: u32, old: u32) -> String {
    let waiting = if new > 0 { "yes" } else { "no" };
    let account: String = account.chars().filter(|c| !c.is_control()).collect();
    format!(
        "Messages-Waiting: {waiting}\r\nMessage-Account: {account}\r\nVoice-Message: {new}/{old} (0/0)\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lamp() {
        assert!(message_summary("sip:1@h", 0, 3).starts_with("Messages-Waiting: no\r\n"));
        assert!(
            message_summary("sip:1@h\r\nX: y", 2, 3).contains("Account: sip:1@hX: y\r\nVoice-Message: 2/3")
        );
    }
}
