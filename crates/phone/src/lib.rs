//! A telephone without a case: a SIP user agent that works with any server.
//!
//! ```text
//!  Command --> +-------+ --> Transmit      +-------+  <-- RTP
//!  bytes ----> | Agent | --> SoundOrder -> | Talk  |  --> RTP
//!  time -----> +-------+ --> Event, Trace  +-------+  --> what is heard
//!      both pure; `shell` owns the sockets, the clock and the files
//! ```
//!
//! * [`Agent`] registers, calls, rings, holds, hangs up: SIP, and nothing of sockets.
//! * [`Talk`] is the sound of one call: paced packets out, decoded sound and key presses in.
//! * [`Phone`] runs both on a thread of its own.
//! * [`History`] remembers calls: missed, received, dialled.
//! * [`work`] works through a list of callees: what its agent says, what a screen shows, the files of a list.
//! * [`Stream`] is SIP over one TCP or TLS connection, for other shells too.

mod agent;
mod history;
mod limits;
mod shell;
mod sound;
mod words;
pub mod work;

pub use agent::{
    Accounts, Agent, Config, Due, Input, Named, Output, Pass, SoundOrder, SoundPorts, Suggest, Trace,
};
pub use history::{Entry, History, Kind, Look};
pub use shell::{
    Account, Gone, Hand, HeadsetProgram, Phone, Server, Settings, StartError, Stream, Told, Trust,
    client_config,
};
pub use sound::{Arrived, Heard, Meter, Source, Talk, WavWriter};
pub use words::{Announcement, CallId, Cause, Command, Ended, Event, Holder, KeyStyle, LampState};
