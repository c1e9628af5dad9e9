//! `profiles/NAME.toml` in the data folder: what a phone starts with (docs/profiles.md). Checked like the configuration:
//! unknown keys are refused with file and line.

use super::place;
use exchange::{Audio, Language, Look, Profile, Selector};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The folder of profiles in the data folder.
pub(crate) const FOLDER: &str = "profiles";
/// Profiles of one exchange.
const MOST: usize = 256;
/// Octets of one file.
const LONGEST: u64 = 64 << 10;

/// A profile that is no profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// `FILE:LINE`, or the file or folder alone.
    pub(crate) place: String,
    pub(crate) what: String,
}

/// The file, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    #[serde(rename = "for")]
    selectors: Vec<For>,
    codecs: Vec<Codec>,
    auto_answer: bool,
    queues: Vec<String>,
    wrap_up: Seconds,
    language: Tongue,
    look: Scheme,
    join_seat: bool,
    call_list: bool,
    audio: Sound,
}

impl Default for File {
    fn default() -> File {
        File {
            selectors: Vec::new(),
            codecs: Vec::new(),
            auto_answer: false,
            queues: Vec::new(),
            wrap_up: Seconds(0),
            language: Tongue(None),
            look: Scheme::System,
            join_seat: false,
            call_list: false,
            audio: Sound::default(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sound {
    ring: Percent,
    volume: Percent,
    echo_cancellation: bool,
    noise_suppression: bool,
    gain_control: bool,
}

impl Default for Sound {
    fn default() -> Sound {
        let Audio { ring, volume, echo_cancellation, noise_suppression, gain_control } = Audio::default();
        let (ring, volume) = (Percent(ring), Percent(volume));
        Sound { ring, volume, echo_cancellation, noise_suppression, gain_control }
    }
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct For(Selector);

impl TryFrom<String> for For {
    type Error = String;

    fn try_from(text: String) -> Result<For, String> {
        let wrong =
            || format!("\"{text}\" names nobody; write \"user ada\", \"terminal desk-1\" or \"office east\"");
        Selector::parse(&text).map(For).ok_or_else(wrong)
    }
}

/// What browsers and the exchange both speak.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Codec {
    Opus,
    G722,
    Pcmu,
    Pcma,
}

impl Codec {
    fn name(self) -> &'static str {
        match self {
            Codec::Opus => "opus",
            Codec::G722 => "g722",
            Codec::Pcmu => "pcmu",
            Codec::Pcma => "pcma",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scheme {
    System,
    Light,
    Dark,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "i64")]
struct Percent(u8);

impl TryFrom<i64> for Percent {
    type Error = String;

    fn try_from(value: i64) -> Result<Percent, String> {
        let sound = u8::try_from(value).ok().filter(|percent| *percent <= 100);
        sound.map(Percent).ok_or_else(|| format!("{value} is no percentage; write 0 to 100"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "i64")]
struct Seconds(u64);

impl TryFrom<i64> for Seconds {
    type Error = String;

    fn try_from(value: i64) -> Result<Seconds, String> {
        let sound = u64::try_from(value).ok().filter(|seconds| *seconds <= 3_600);
        sound.map(Seconds).ok_or_else(|| format!("a wrap-up of {value} seconds cannot be; write 0 to 3600"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Tongue(Option<Language>);

impl TryFrom<String> for Tongue {
    type Error = String;

    fn try_from(text: String) -> Result<Tongue, String> {
        match Language::of_tag(&text) {
            _ if text.is_empty() => Ok(Tongue(None)),
            Some(language) => Ok(Tongue(Some(language))),
            None => Err(format!(
                "\"{text}\" is not spoken; write \"en\", \"zh-CN\", or \"\" for the reader's own"
            )),
        }
    }
}

/// What the folder of profiles has.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Those that are sound, by name.
    pub(crate) profiles: Vec<Profile>,
    /// What is wrong with the others.
    pub(crate) wrong: Vec<Wrong>,
}

impl Found {
    /// All of them, or all that is wrong.
    pub(crate) fn whole(self) -> Result<Vec<Profile>, Vec<Wrong>> {
        if self.wrong.is_empty() { Ok(self.profiles) } else { Err(self.wrong) }
    }
}

/// The profiles of a data folder; none without the folder.
pub(crate) fn read_all(data: &Path) -> Found {
    let mut found = Found::default();
    match files(data) {
        Ok(paths) => paths.iter().for_each(|path| match read(path) {
            Ok(profile) => found.profiles.push(profile),
            Err(wrong) => found.wrong.push(wrong),
        }),
        Err(wrong) => found.wrong.push(wrong),
    }
    // Of two that name the same, nobody could say which is meant: the first by name is sound.
    while let Some((selector, [one, other])) = exchange::profile_conflict(&found.profiles) {
        let path = data.join(FOLDER).join(format!("{other}.toml"));
        let line = std::fs::read_to_string(&path).ok().and_then(|text| place::line_of_key(&text, "for"));
        let place =
            line.map_or_else(|| path.display().to_string(), |line| format!("{}:{line}", path.display()));
        let what = format!("{selector} has the profile {one} already; nobody could say which is meant");
        let other: Box<str> = other.into();
        found.wrong.push(Wrong { place, what });
        found.profiles.retain(|profile| profile.name != other);
    }
    found
}

/// The files of profiles, by name.
pub(crate) fn files(data: &Path) -> Result<Vec<PathBuf>, Wrong> {
    let folder = data.join(FOLDER);
    let broken = |what: String| Wrong { place: folder.display().to_string(), what };
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(broken(error.to_string())),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| broken(error.to_string()))?.path();
        // What editors leave beside a file is no profile.
        if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
        if found.len() > MOST {
            return Err(broken(format!("there are more than {MOST} profiles")));
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<Profile, Wrong> {
    let wrong = |what: String| Wrong { place: path.display().to_string(), what };
    let length = path.metadata().map_err(|error| wrong(error.to_string()))?.len();
    if length > LONGEST {
        return Err(wrong(format!("{length} octets are more than a profile has")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    if !exchange::is_name(name) {
        return Err(wrong(format!("\"{name}\" is no name; write letters, digits and . _ -")));
    }
    parse(name, &text).map_err(|(line, what)| Wrong { place: format!("{}:{line}", path.display()), what })
}

/// The profile in a text, or its first fault with the line.
fn parse(name: &str, text: &str) -> Result<Profile, (usize, String)> {
    let file: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| place::line_at(text, span.start));
        (line, error.message().to_owned())
    })?;
    let version = sip::bearer::TokenHash::of(text).to_string();
    let audio = file.audio;
    Ok(Profile {
        name: name.into(),
        version: version.chars().take(12).collect::<String>().into(),
        selectors: file.selectors.into_iter().map(|one| one.0).collect(),
        audio: Audio {
            ring: audio.ring.0,
            volume: audio.volume.0,
            echo_cancellation: audio.echo_cancellation,
            noise_suppression: audio.noise_suppression,
            gain_control: audio.gain_control,
        },
        codecs: file.codecs.into_iter().map(|codec| codec.name().into()).collect(),
        auto_answer: file.auto_answer,
        queues: file.queues.into_iter().map(Into::into).collect(),
        wrap_up: Some(Duration::from_secs(file.wrap_up.0)).filter(|wrap_up| !wrap_up.is_zero()),
        language: file.language.0,
        look: match file.look {
            Scheme::System => Look::System,
            Scheme::Light => Look::Light,
            Scheme::Dark => Look::Dark,
        },
        join_seat: file.join_seat,
        call_list: file.call_list,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The profile that docs/profiles.md shows.
    const SHOWN: &str = include_str!("../../../../docs/profiles.md");

    #[test]
    fn the_profile_in_the_documentation_is_one() {
        let text =
            SHOWN.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
        let profile = parse("sales", text).expect("sound");
        assert_eq!(profile.selectors.len(), 3);
        assert_eq!(profile.codecs, ["opus".into(), "g722".into(), Box::<str>::from("pcma")]);
        assert_eq!((profile.wrap_up, profile.audio.ring), (Some(Duration::from_secs(30)), 80));
        assert_eq!((profile.look, profile.language), (Look::Dark, Some(Language::Chinese)));
        assert!(profile.join_seat && profile.auto_answer && profile.call_list);
        let other = parse("sales", &format!("{text}\n# a word more")).expect("sound");
        assert_ne!(profile.version, other.version, "the version is of the content");
    }

    #[test]
    fn of_a_folder_the_sound_ones_are_found_and_what_is_wrong_with_the_others() {
        let data = std::env::temp_dir().join(format!("ringdown-profiles-{}", std::process::id()));
        let folder = data.join(FOLDER);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in [
            ("a.toml", "for = [\"user ada\"]\n"),
            ("b.toml", "look = \"dark\"\nfor = [\"user bob\", \"user ada\"]\n"),
            ("c.toml", "look = \"blue\"\n"),
            ("d.toml~", "what an editor left"),
            ("default.toml", ""),
        ] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let found = read_all(&data);
        std::fs::remove_dir_all(&data).unwrap();
        let names: Vec<&str> = found.profiles.iter().map(|profile| &*profile.name).collect();
        assert_eq!(names, ["a", "default"]);
        let places: Vec<&str> =
            found.wrong.iter().map(|wrong| wrong.place.rsplit('/').next().unwrap()).collect();
        assert_eq!(places, ["c.toml:1", "b.toml:2"], "{:?}", found.wrong);
        assert!(found.whole().is_err());
        assert_eq!(read_all(&data).whole(), Ok(Vec::new()), "without the folder");
    }

    #[test]
    fn a_wrong_profile_is_refused_with_its_line() {
        for (text, line, words) in [
            ("\nfor = [\"ada\"]\n", 2, "names nobody"),
            ("codecs = [\"opus\",\n \"speex\"]\n", 2, "speex"),
            ("wrapup = 3\n", 1, "unknown field `wrapup`"),
            ("look = \"dark\"\n[audio]\nring = 101\n", 3, "0 to 100"),
            ("wrap_up = -1\n", 1, "0 to 3600"),
            ("language = \"fr\"\n", 1, "not spoken"),
            ("look = \"blue\"\n", 1, "blue"),
            ("\n[audio\n", 2, ""),
        ] {
            let (at, what) = parse("x", text).expect_err(text);
            assert!(at == line && what.contains(words), "{text:?}: {at}: {what}");
        }
    }
}
