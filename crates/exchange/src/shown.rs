//! What desk phones show: each text in both languages, in one table.

use crate::people::Language;

/// A text for the display of a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown<'a> {
    /// Somebody was refused at this phone, because it is in use.
    Wanted { name: &'a str },
    /// Somebody called and gave up just before.
    Missed { name: &'a str, number: &'a str },
    /// A talk waits at this number.
    Parked { number: &'a str },
    /// A break is longer than planned.
    BreakOver { reason: &'a str },
    /// No caller comes any more, because too many were missed.
    PausedForMissing,
}

impl Shown<'_> {
    pub(crate) fn text(self, language: Language) -> String {
        match (self, language) {
            (Shown::Wanted { name }, Language::English) => {
                format!("{name} wanted to use this phone and was told that it is in use.")
            }
            (Shown::Wanted { name }, Language::Chinese) => {
                format!("{name} 想使用这部话机，已告知其正在使用中。")
            }
            (Shown::Missed { name, number }, Language::English) => {
                format!("Missed call from {name} ({number}).")
            }
            (Shown::Missed { name, number }, Language::Chinese) => format!("未接来电：{name}（{number}）。"),
            (Shown::Parked { number }, Language::English) => format!("The call waits at {number}."),
            (Shown::Parked { number }, Language::Chinese) => format!("通话已驻留在 {number}。"),
            (Shown::BreakOver { reason }, Language::English) => {
                format!("Your time for {reason} is over. Are you ready for calls?")
            }
            (Shown::BreakOver { reason }, Language::Chinese) => {
                format!("“{reason}”时间已到，是否恢复接听？")
            }
            (Shown::PausedForMissing, Language::English) => {
                "You missed several calls and get no more until you are ready.".to_owned()
            }
            (Shown::PausedForMissing, Language::Chinese) => {
                "您连续漏接来电，已暂停派单，准备好后请恢复接听。".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_says_what_it_is_about_in_both_languages() {
        for (shown, parts) in [
            (Shown::Wanted { name: "Ada" }, vec!["Ada"]),
            (Shown::Missed { name: "Ada", number: "101" }, vec!["Ada", "101"]),
            (Shown::Parked { number: "701" }, vec!["701"]),
            (Shown::BreakOver { reason: "lunch" }, vec!["lunch"]),
            (Shown::PausedForMissing, vec![]),
        ] {
            let (english, chinese) = (shown.text(Language::English), shown.text(Language::Chinese));
            assert!(english != chinese && english.is_ascii() && !chinese.is_ascii(), "{english} {chinese}");
            assert!(
                parts.iter().all(|part| english.contains(part) && chinese.contains(part)),
                "{english} {chinese}"
            );
        }
    }
}
