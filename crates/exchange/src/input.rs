//! Everything that can wake the office, and everything that it asks of the shell.

use crate::agents::{PlatformInput, PlatformOutput};
use crate::change::{Commit, StoreAnswer};
use crate::cluster::{ClusterInput, ClusterOutput};
use crate::command::{Answer, Command};
use crate::events::Event;
use crate::guesses::Guessing;
use crate::people::Host;
use crate::pin::{Pin, PinCheck};
use crate::sites::{SiteInput, SiteOutput};
use crate::wake_up::WakeUp;
use calls::{Action, PortLease};
use media::MediaEvent;
use sip::{Flow, Transmit, Transport};
use std::time::Duration;

/// Names a command until its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u64);

/// What can wake the office; there is nothing else.
#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram on a SIP port.
    Datagram {
        /// Its path.
        flow: Flow,
        /// Whatever it holds.
        bytes: &'a [u8],
    },
    /// One framed message of a stream.
    Message {
        /// Its connection.
        flow: Flow,
        /// The message.
        bytes: &'a [u8],
    },
    /// What was left of a stream whose framing is lost; at most refused.
    Unframed {
        /// Its connection.
        flow: Flow,
        /// The rest, perhaps more than one message.
        bytes: &'a [u8],
    },
    /// A WebSocket is open.
    FlowOpened {
        /// Its connection.
        flow: Flow,
        /// The origin of the page that opened it, as its browser says; `None` when it was no browser.
        origin: Option<Box<str>>,
    },
    /// A stream connection is gone.
    FlowClosed(Flow),
    /// Where a trunk is, in answer to [`Output::Reach`].
    Reached {
        /// The trunk.
        trunk: Box<str>,
        /// The paths to it, the preferred first; none when it cannot be found.
        flows: Vec<Flow>,
        /// How long that may be believed.
        lives: Duration,
        /// Why there is none, in words.
        why: String,
    },
    /// The deadline of [`crate::Exchange::next_deadline`] has come.
    Timeout,
    /// The store's answer to a commit.
    Stored {
        /// Its sequence number.
        sequence: u64,
        /// What became of it.
        answer: StoreAnswer,
    },
    /// Whether a PIN was right, in answer to [`Output::VerifyPin`].
    PinVerified {
        /// Which check.
        check: PinCheck,
        /// Whether it was.
        right: bool,
    },
    /// A media worker saw something.
    Media(MediaEvent),
    /// Something about other exchanges of the office, or from their directory (S4).
    Site(Box<SiteInput>),
    /// Something about other exchanges over the same store, or from one of them (R24).
    Cluster(Box<ClusterInput>),
    /// What an outside telephone platform says, in answer to [`Output::Platform`] (S0.3).
    Platform {
        /// Its name in the configuration.
        platform: Box<str>,
        /// What it says.
        said: PlatformInput,
    },
    /// How late the core takes what came for it: how long something has waited at its doors without a break (R17).
    Lag(Duration),
    /// Media ports that a worker has bound.
    Ports(Vec<PortLease>),
    /// The ports that browsers share, one a worker, and how media is protected (R14, R15).
    Secure {
        /// One a worker and family.
        shared: Vec<PortLease>,
        /// What holds from now on.
        policy: calls::MediaPolicy,
    },
    /// Somebody with the right to do so wants something.
    Command {
        /// For the answer.
        id: CommandId,
        /// What.
        command: Command,
    },
}

/// What the shell is asked to do.
#[derive(Debug)]
pub enum Output {
    /// Send bytes.
    Transmit(Transmit),
    /// Close a stream connection, once what was sent by it before had a moment to leave; tell by
    /// [`Input::FlowClosed`].
    CloseFlow(Flow),
    /// Find out where a trunk is (RFC 3263), connect if its transport needs it, and answer with [`Input::Reached`].
    Reach {
        /// The trunk.
        trunk: Box<str>,
        /// Its address or name.
        host: Host,
        /// Its port, if one is set.
        port: Option<u16>,
        /// How it is spoken to.
        transport: Transport,
    },
    /// Tell a media worker.
    Media(Action),
    /// Keep changes, and answer with [`Input::Stored`].
    Commit(Commit),
    /// Something is different; only while somebody listens ([`crate::Exchange::listen`]).
    Event(Box<Event>),
    /// Wake a phone that sleeps, by the office's broker (RFC 8599).
    WakeUp(Box<WakeUp>),
    /// Something for other exchanges of the office, or for their directory (S4).
    Site(Box<SiteOutput>),
    /// Tell others over the same store (R24).
    Cluster(Box<ClusterOutput>),
    /// Ask an outside telephone platform for something, and answer with [`Input::Platform`] (S0.3).
    Platform {
        /// Its name in the configuration.
        platform: Box<str>,
        /// What is asked for.
        asked: PlatformOutput,
    },
    /// Compare a PIN with its hash, off the core (R17), and answer with [`Input::PinVerified`].
    VerifyPin {
        /// Which check.
        check: PinCheck,
        /// The hash (argon2id, PHC form). None is compared with something that no PIN has, in the same time.
        hash: Option<Box<str>>,
        /// What was keyed.
        pin: Pin,
    },
    /// Tell the operator: somebody guesses at secrets.
    Guessing(Guessing),
    /// The answer to a command.
    Answer {
        /// Whose.
        id: CommandId,
        /// What.
        answer: Answer,
    },
}

/// Why the office wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A transaction, leg or call.
    Calls,
    /// A registration ends.
    Registrations,
    /// A watcher did not refresh.
    Watchers,
    /// Somebody talks with the exchange and says nothing, or hears nothing.
    Dialogues,
    /// The store was away and is asked again.
    Store,
    /// A trunk is looked for, asked, or registered at.
    Trunks,
    /// How things are is to be told again.
    Events,
    /// A seat ends.
    Seats,
    /// A background call is due.
    Tasks,
    /// A time of an agent is over.
    Agents,
    /// A phone that was woken has not come.
    Sleepers,
    /// The directory has said nothing for too long.
    Sites,
    /// A gap between two calls of a list is over, or rows are looked at again.
    Desks,
    /// A caller who waits hears something, or waits no longer.
    Queues,
    /// Other exchanges are told of calls, or what must happen once may be another's soon.
    Cluster,
}
