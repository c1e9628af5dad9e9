//! What callers of a queue hear while they wait: its own recording, or the standard music.

use crate::command::Answer;
use crate::exchange::Exchange;
use crate::input::CommandId;
use crate::people::Refusal;
use media::{SoundId, Source};

impl Exchange {
    /// With the recordings that queues had.
    #[must_use]
    pub fn with_music(mut self, recordings: Vec<(Box<str>, SoundId)>) -> Exchange {
        let people = &self.people;
        self.queues.music =
            recordings.into_iter().filter(|(queue, _)| people.queue(queue).is_some()).collect();
        self
    }

    /// A queue has a recording of its own, or none any more: whoever waits hears it at once.
    pub(crate) fn set_queue_music(&mut self, id: CommandId, queue: Box<str>, sound: Option<SoundId>) {
        if self.people.queue(&queue).is_none() {
            return self.answer(id, Answer::Refused(Refusal::Unknown("queue", queue)));
        }
        match sound {
            Some(sound) => self.queues.music.insert(queue.clone(), sound),
            None => self.queues.music.remove(&queue),
        };
        for call in self.queues.callers_of(&queue) {
            if self.switch.is_half_up(call) && !self.services.has(call) {
                let music = self.music_of(&queue);
                self.switch.say(call, music);
            }
        }
        self.queues.told.insert(queue);
        self.answer(id, Answer::Done);
    }

    /// What its callers hear.
    pub(crate) fn music_of(&self, queue: &str) -> Source {
        Source::Music(self.queues.music.get(queue).copied().unwrap_or(SoundId::MUSIC))
    }
}
