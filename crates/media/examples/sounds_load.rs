//! How long the built-in sounds take at start: `cargo run --release -p media --example sounds_load`.

use media::Sounds;
use std::time::Instant;

#[expect(clippy::disallowed_methods, reason = "it measures time and decides nothing by it")]
fn main() {
    let start = Instant::now();
    let mut sounds = Sounds::built_in();
    sounds.add_prompts();
    let spent = start.elapsed();
    println!(
        "{} ms of music, and all prompts in {spent:.0?}",
        sounds.length_ms(media::SoundId::MUSIC).unwrap_or(0)
    );
}
