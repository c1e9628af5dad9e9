//! The office: people, numbers and devices, who may call whom, and what rings.
//!
//! This is the policy above the [`calls`] mechanism, and one pure state machine: time, randomness, commands and the
//! store's answers come in as [`Input`], everything for the shell goes out as [`Output`]. It does no I/O, knows no
//! SQL, no HTTP and no socket.

mod admission;
mod agents;
mod background;
mod backlog;
mod badges;
mod change;
pub mod cluster;
mod codes;
mod command;
mod dial_plan;
pub mod dialogue;
mod drain;
mod emergency;
mod events;
mod exchange;
mod facts;
mod forwarding;
mod guesses;
mod hearing;
mod hunting;
mod input;
mod intercom;
mod journal;
mod jump;
mod ladder;
mod leaving;
pub mod limits;
mod listing;
pub mod lists;
mod notices;
mod numbering;
mod ongoing;
mod outside;
mod overload;
mod park;
mod people;
mod permissions;
mod pickup;
mod pin;
mod profiles;
mod queues;
mod recent;
mod reconfigure;
mod registrar;
mod rehome;
mod routing;
mod seats;
mod shown;
mod silence;
mod sites;
mod sources;
mod spoken;
mod texts;
mod transfer;
mod trunks;
mod wake_up;
mod watching;
mod web_phones;

pub use agents::{
    Advice, AgentAsking, AgentPolicy, AgentRow, AgentState, By, CallKind, Forgotten, KeptPause, KeptSignIn,
    KeptWrapUp, OwnWork, Platform, PlatformInput, PlatformOutput, PlatformState, Sighting, SignIn, Wish,
};
pub use background::{
    Asking, BackgroundPolicy, NewTask, OutboxMessage, TaskAttempt, TaskChange, TaskList, TaskRow, TaskState,
};
pub use badges::{
    Badge, BadgeKeys, BadgeKind, BadgePolicy, CardKeys, Hours, Issue, Mark, NewBadge, NewMark, PinWhen,
    Reader, Reading, Tap, TapAnswer, TapRequest, TapVerdict, Uid, WeekTime,
};
pub use calls::Setup;
pub use change::{Change, Commit, Epoch, OpenCall, Owned, SHARDS, Shard, StoreAnswer};
pub use codes::{CodeAct, Codes};
pub use command::{AccountRow, Answer, BadRow, Command, DeviceRow, ImportRow, Status};
pub use dialing::{TaskId, cause::Outcome as TaskOutcome};
pub use emergency::EmergencyPlan;
pub use events::{Audience, CallEnd, CallName, CallState, EndedCall, Event, Happened, LiveCall};
pub use exchange::{Config, Exchange, Snapshot};
pub use facts::{Fact, FactKind};
pub use guesses::Guessing;
pub use hearing::{Heard, Sound};
pub use input::{CommandId, Input, Output, Reason};
pub use ladder::{Captured, Rung};
pub use listing::Slice;
pub use notices::{NearPhone, Notice, Withdrawn};
pub use numbering::{Class, Numbering};
pub use people::{
    Account, AccountEdit, AutoAnswer, CallbackFirst, Device, DeviceEdit, DeviceKind, ForwardWhen, Forwarding,
    Group, Host, Language, NAME_LENGTH, NUMBER_LENGTH, People, PeopleChange, Queue, QueueCallback,
    QueueMember, QueueStrategy, Refusal, Right, Rights, Role, Route, Settings, Strategy, Trunk, TrunkLogin,
    clean_display, holidays_of_calendar, is_name, is_number, rewrite, web_name,
};
pub use permissions::{Act, Verdict};
pub use pin::{Pin, PinCheck};
pub use profiles::{
    Audio, Instruction, Look, Profile, ProfileAsking, Selector, Started, conflict as profile_conflict,
};
pub use queues::{QueueCounts, QueueRow};
pub use reconfigure::LiveConfig;
pub use seats::{Means, Seat, SeatPolicy, SeatRow, Taken, TimeOfDay};
pub use sip::bearer::TokenHash;
pub use sip::bindings::StoredBinding;
pub use sip::digest::Secret;
pub use sites::{
    DIRECTORY, ExchangeOnMap, LadderElsewhere, Membership, OfficeMap, SiteInput, SiteOutput, SiteWord, Tie,
};
pub use wake_up::WakeUp;
pub use web_phones::WebPhoneRequest;
