//! What a waiting caller is told.

use super::pace::Minutes;
use crate::dialogue::{Line, spoken};
use media::{Prompt, Source, Tongue};

/// What there is to tell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    /// The caller's place.
    pub(super) position: Option<usize>,
    /// The time that they are expected to wait.
    pub(super) wait: Option<Minutes>,
    /// The key that asks to be called back.
    pub(super) key: Option<char>,
}

impl Said {
    /// In words, and what is heard after them.
    pub(super) fn in_words(self, tongue: Tongue, then: Source) -> Source {
        let mut lines = Vec::new();
        if let Some(position) = self.position {
            lines.extend([Line::Prompt(Prompt::QueuePlace), Line::Spelled(position.to_string().into())]);
        }
        lines.extend(self.wait.iter().flat_map(|wait| wait.prompts()).map(Line::Prompt));
        if let Some(key) = self.key {
            lines.extend([Line::Prompt(Prompt::QueueCallback), Line::Spelled(key.to_string().into())]);
        }
        spoken(&lines, tongue, Some(then))
    }
}
