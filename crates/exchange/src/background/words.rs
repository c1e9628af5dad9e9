//! What owners read, in their language.

use super::outbox::Occasion;
use crate::people::Language;

/// The text of a message.
pub(super) fn message(occasion: Occasion, language: Language, number: &str, name: &str) -> String {
    let who = match language {
        _ if name.is_empty() => number.to_owned(),
        Language::English => format!("{name} ({number})"),
        Language::Chinese => format!("{name}（{number}）"),
    };
    match (occasion, language) {
        (Occasion::Missed, Language::English) => {
            format!("{who} answered your background call and you did not. Dial {number} to try again.")
        }
        (Occasion::Missed, Language::Chinese) => {
            format!("{who} 接听了您的后台呼叫，但您未接听。可拨打 {number} 再次联系。")
        }
        (Occasion::DidNotWait, Language::English) => {
            format!("{who} answered your background call and hung up before you were connected.")
        }
        (Occasion::DidNotWait, Language::Chinese) => {
            format!("{who} 接听了您的后台呼叫，但在接通您之前已挂机。")
        }
        (Occasion::CallBack, Language::English) => format!("{who} asks you to call back."),
        (Occasion::CallBack, Language::Chinese) => format!("{who} 请您回电。"),
        (Occasion::NotThere, Language::English) => {
            format!("We called you to connect you with {who}, and you did not answer.")
        }
        (Occasion::NotThere, Language::Chinese) => {
            format!("我们呼叫您以便为您接通 {who}，但您未接听。")
        }
    }
}

/// An offer to keep calling, with what to dial.
pub(super) fn offer(language: Language, number: &str, code: &str) -> String {
    match language {
        Language::English => {
            format!("{number} did not answer several times. Dial {code} and the exchange keeps calling.")
        }
        Language::Chinese => format!("{number} 多次未接听。拨打 {code}，交换机将为您持续呼叫。"),
    }
}
