//! The music of queues: recordings in the data folder, one for each queue that has its own.
//!
//! What is set is encoded and written down before a caller hears it; the workers have it before the core names it.

use media::{SoundId, Sounds};
use net::MediaInbox;
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Where recordings are in the data folder.
const FOLDER: &str = "music";
const ENDING: &str = "wav";

/// What there is to hear.
#[derive(Debug)]
struct Heard {
    sounds: Sounds,
    of: BTreeMap<Box<str>, SoundId>,
}

/// The recordings, and the workers that play them.
pub(crate) struct Music {
    folder: PathBuf,
    heard: Mutex<Heard>,
    inboxes: std::sync::OnceLock<Vec<MediaInbox>>,
}

/// A recording that the workers have, and nobody hears yet; and the one that it takes the place of.
pub(crate) struct Ready {
    pub(crate) sound: Option<SoundId>,
    before: Option<SoundId>,
}

impl Music {
    /// All sounds to start with, and which recordings are of which queue. A file that is no sound keeps nobody from a
    /// telephone: it is told, and its queue has the standard music.
    pub(crate) fn load(data: &Path) -> (Music, Arc<Sounds>) {
        let folder = data.join(FOLDER);
        let mut sounds = Sounds::built_in();
        sounds.add_prompts();
        let mut of = BTreeMap::new();
        for path in files(&folder) {
            let read = std::fs::read(&path).map_err(|error| error.to_string());
            match read.and_then(|file| sounds.add_wav(&file).map_err(|error| error.to_string())) {
                Ok(sound) => {
                    let queue = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
                    of.insert(queue.unwrap_or_default().into(), sound);
                }
                Err(why) => tracing::error!("{}: {why}; its queue has the standard music", path.display()),
            }
        }
        let shared = Arc::new(sounds.clone());
        let heard = Mutex::new(Heard { sounds, of });
        (Music { folder, heard, inboxes: std::sync::OnceLock::new() }, shared)
    }

    /// Which sound is of which queue, at the start.
    pub(crate) fn first(&self) -> Vec<(Box<str>, SoundId)> {
        // Nobody has it at the start.
        let heard = self.heard.try_lock();
        let of = heard.iter().flat_map(|heard| &heard.of);
        of.map(|(queue, sound)| (queue.clone(), *sound)).collect()
    }

    /// The workers that play them.
    pub(crate) fn play_by(&self, inboxes: &[MediaInbox]) {
        let _ = self.inboxes.set(inboxes.to_vec());
    }

    /// The file of a queue.
    pub(crate) async fn file(&self, queue: &str) -> Result<Option<Vec<u8>>, String> {
        match tokio::fs::read(self.path(queue)).await {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Writes a recording down, or takes it away, and gives it to the workers.
    ///
    /// # Errors
    /// In words: what is wrong with the file, or why it cannot be kept.
    pub(crate) async fn prepare(
        self: &Arc<Music>,
        queue: &str,
        file: Option<Vec<u8>>,
    ) -> Result<Ready, String> {
        let mut heard = self.heard.lock().await;
        let before = heard.of.get(queue).copied();
        let path = self.path(queue);
        let Some(file) = file else {
            match tokio::fs::remove_file(&path).await {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.to_string()),
                _ => heard.of.remove(queue),
            };
            return Ok(Ready { sound: None, before });
        };
        let mut sounds = heard.sounds.clone();
        let folder = self.folder.clone();
        // To encode it takes a while.
        let done = tokio::task::spawn_blocking(move || {
            let sound = sounds.add_wav(&file).map_err(|error| error.to_string())?;
            write(&folder, &path, &file).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok::<_, String>((sounds, sound))
        });
        let (sounds, sound) = done.await.map_err(|error| error.to_string())??;
        self.give(&sounds)?;
        heard.sounds = sounds;
        heard.of.insert(queue.into(), sound);
        Ok(Ready { sound: Some(sound), before })
    }

    /// Callers hear it, so that nobody hears the one before; or they do not, because there is no such queue.
    pub(crate) async fn settle(&self, queue: &str, ready: Ready, taken: bool) {
        let mut heard = self.heard.lock().await;
        let gone = if taken { ready.before } else { ready.sound };
        if !taken {
            heard.of.remove(queue);
            let _ = tokio::fs::remove_file(self.path(queue)).await;
        }
        if let Some(sound) = gone {
            heard.sounds.remove(sound);
            // Workers that are too busy go on with one more than they need.
            let _ = self.give(&heard.sounds);
        }
    }

    /// A queue has left.
    pub(crate) async fn forget(self: &Arc<Music>, queue: &str) {
        match self.prepare(queue, None).await {
            Ok(ready) => self.settle(queue, ready, true).await,
            Err(why) => tracing::warn!("the music of queue {queue}, which has left: {why}"),
        }
    }

    fn give(&self, sounds: &Sounds) -> Result<(), String> {
        let sounds = Arc::new(sounds.clone());
        for inbox in self.inboxes.get().into_iter().flatten() {
            inbox.sounds(Arc::clone(&sounds)).map_err(|_| "the media workers are too busy".to_owned())?;
            inbox.ring();
        }
        Ok(())
    }

    fn path(&self, queue: &str) -> PathBuf {
        self.folder.join(format!("{queue}.{ENDING}"))
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == ENDING)).collect();
    files.sort();
    files
}

/// Whole or not at all.
fn write(folder: &Path, path: &Path, file: &[u8]) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let new = path.with_extension("new");
    let mut out = File::create(&new)?;
    out.write_all(file)?;
    out.sync_all()?;
    std::fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of silence at 8 kHz.
    fn wav() -> Vec<u8> {
        let mut file =
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data".to_vec();
        file.extend(16_000_u32.to_le_bytes());
        file.resize(file.len() + 16_000, 0);
        file
    }

    #[tokio::test]
    async fn a_recording_is_kept_and_is_there_after_a_restart() {
        let data = std::env::temp_dir().join(format!("ringdown-music-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        let (music, _) = Music::load(&data);
        let music = Arc::new(music);
        let refused = music.prepare("sales", Some(b"no sound".to_vec())).await.err();
        assert_eq!(refused.as_deref(), Some("no RIFF WAVE file"));
        assert_eq!(music.file("sales").await, Ok(None));
        let ready = music.prepare("sales", Some(wav())).await.unwrap();
        let first = ready.sound;
        music.settle("sales", ready, true).await;
        assert_eq!(music.file("sales").await, Ok(Some(wav())));
        let ready = music.prepare("nobody", Some(wav())).await.unwrap();
        music.settle("nobody", ready, false).await;
        assert_eq!(music.file("nobody").await, Ok(None), "there is no such queue");
        let (again, sounds) = Music::load(&data);
        let known = again.first();
        assert_eq!(known, [("sales".into(), first.unwrap())]);
        assert_eq!(sounds.length_ms(known[0].1), Some(1_000));
        let ready = music.prepare("sales", None).await.unwrap();
        music.settle("sales", ready, true).await;
        assert_eq!(Music::load(&data).0.first(), []);
        std::fs::remove_dir_all(&data).unwrap();
    }
}
