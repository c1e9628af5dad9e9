//! What holds for the store whichever engine keeps it. Each binary of tests that has this runs it on its `engine`.

mod agents;
mod badges;
pub(crate) mod documents;
pub(crate) mod folder;
pub(crate) mod keeping;
mod lists;
mod tasks;
