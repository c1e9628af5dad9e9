//! What a waiting caller is told.

use crate::dialogue::{Line, spoken};
use media::{Prompt, Source, Tongue};

/// A caller's place, and what is heard after it.
pub(super) fn place_in_words(position: usize, tongue: Tongue, then: Source) -> Source {
    let lines = [Line::Prompt(Prompt::QueuePlace), Line::Spelled(position.to_string().into())];
    spoken(&lines, tongue, Some(then))
}
