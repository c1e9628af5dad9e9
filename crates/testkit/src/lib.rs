//! The simulated office: the real exchange in a world whose time, network, phones and faults follow from one seed.
//!
//! * [`World`] is a discrete-event simulation: a virtual clock, links, NAT boxes, streams, exchanges, phones.
//! * [`centre`] makes call centres: queues, agents, callers.
//! * [`phone`] holds scripted phones: what they do, right and wrong, is data.
//! * [`check`] holds what must always hold, one file an invariant.
//! * [`reference`] says from the requirements what each call may come to.
//! * [`race`] plays the seconds in which everybody wants the same call.
//! * [`shift`] plays hours of a call centre at random.
//! * [`designations`] plays many exchanges and one directory at random.
//! * [`hour`] plays an office-hour at random: the same seed gives the same trace.

pub mod centre;
pub mod check;
pub mod day;
pub mod designations;
mod dice;
pub mod hour;
pub mod net;
mod observed;
pub mod phone;
pub mod race;
pub mod reference;
pub mod shift;
pub mod stage;
mod trace;
mod world;

pub use dice::Dice;
pub use observed::{Left, Observed, OfficeId, PhoneId, Seen};
pub use trace::Trace;
pub use world::{Act, Death, Office, World, exchange_name, membership, office_config};
