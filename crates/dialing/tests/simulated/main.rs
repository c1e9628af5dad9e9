//! The machine in a simulated world: rules one by one, crashes at each commit, and whatever a seed comes up with.

mod crashes;
mod rules;
mod seeds;
mod world;
