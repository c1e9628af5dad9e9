//! Single edits of an account or device, so that two people who change different things do not undo each other.

use super::{AutoAnswer, Device, ForwardWhen, Language, Rights, Role, Settings, clean_display};
use sip::digest::Secret;
use std::time::Duration;

/// One edit of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountEdit {
    /// What others see.
    Display(Box<str>),
    /// The language that the exchange speaks to the person.
    Language(Language),
    /// The time zone.
    Zone(Option<Box<str>>),
    /// The mobile number.
    Mobile(Option<Box<str>>),
    /// The PIN's hash (argon2id, PHC form).
    Pin(Option<Box<str>>),
    /// Do not disturb.
    DoNotDisturb(bool),
    /// Background mode.
    Background(bool),
    /// Where calls go in one case.
    Forward(ForwardWhen, Option<Box<str>>),
    /// All rights.
    Rights(Rights),
    /// The most calls to the outside a day.
    CallsADay(Option<u32>),
    /// What the person may do at the pages and the API.
    Role(Role),
    /// The telephone platform at which the person works.
    Platform(Option<Box<str>>),
    /// The person's own wrap-up.
    WrapUp(Option<Duration>),
    /// The password's hash (argon2id, PHC form).
    Password(Option<Box<str>>),
}

impl AccountEdit {
    pub(crate) fn apply(self, display: &mut Box<str>, settings: &mut Settings) {
        match self {
            AccountEdit::Display(text) => *display = clean_display(&text),
            AccountEdit::Language(language) => settings.language = language,
            AccountEdit::Zone(zone) => settings.zone = zone,
            AccountEdit::Mobile(mobile) => settings.mobile = mobile,
            AccountEdit::Pin(pin) => settings.pin = pin,
            AccountEdit::DoNotDisturb(on) => settings.do_not_disturb = on,
            AccountEdit::Background(on) => settings.background = on,
            AccountEdit::Forward(when, number) => settings.forwarding.set(when, number),
            AccountEdit::Rights(rights) => settings.rights = rights,
            AccountEdit::CallsADay(most) => settings.calls_a_day = most,
            AccountEdit::Role(role) => settings.role = role,
            AccountEdit::Platform(name) => settings.platform = name,
            AccountEdit::WrapUp(interval) => settings.wrap_up = interval,
            AccountEdit::Password(hash) => settings.password = hash,
        }
    }
}

/// One edit of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceEdit {
    /// How it proves itself.
    Secret(Secret),
    /// Where it stands.
    Location(Box<str>),
    /// The number that an emergency service calls back.
    CallBack(Option<Box<str>>),
    /// How it is told to answer by itself.
    AutoAnswer(Option<AutoAnswer>),
}

impl DeviceEdit {
    pub(crate) fn apply(self, device: &mut Device) {
        match self {
            DeviceEdit::Secret(secret) => device.secret = secret,
            DeviceEdit::Location(text) => device.location = clean_display(&text),
            DeviceEdit::CallBack(number) => device.call_back = number,
            DeviceEdit::AutoAnswer(form) => device.auto_answer = form,
        }
    }
}
