//! The scenes, one folder each. A scene says who is on the stage and what must happen; the frame does the rest.

mod agents;
mod all_phones_ring;
mod apps;
mod background;
mod callback;
mod echo;
mod first_call;
mod list;
mod sites;
mod tap;
mod transfer;
mod trunk;

use super::stage::Stage;
use crate::Failure;

/// One scene.
pub(super) struct Scene {
    /// What people call it on the command line.
    pub(super) name: &'static str,
    /// Its title's key in the catalogue.
    pub(super) title: &'static str,
    /// Plays it; a failure says what did not happen.
    pub(super) play: fn(&mut Stage<'_>) -> Result<(), Failure>,
}

/// All scenes, in the order in which they are played.
pub(super) const SCENES: [Scene; 12] = [
    first_call::SCENE,
    all_phones_ring::SCENE,
    echo::SCENE,
    transfer::SCENE,
    tap::SCENE,
    agents::SCENE,
    background::SCENE,
    callback::SCENE,
    list::SCENE,
    trunk::SCENE,
    sites::SCENE,
    apps::SCENE,
];

#[cfg(test)]
mod tests {
    use super::SCENES;
    use crate::texts::Language;

    #[test]
    fn every_scene_has_a_title() {
        for scene in &SCENES {
            assert_ne!(Language::English.text(scene.title), scene.title, "a title is missing");
        }
    }
}
