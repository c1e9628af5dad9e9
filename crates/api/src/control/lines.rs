//! Trunks, routes, hunt groups and settings between the words of the control socket and the values of the exchange.

use super::protocol::{AccountChanges, BadgeItem, DeviceChanges, GroupItem, RouteItem, TaskItem, TrunkItem};
use exchange::{
    AccountEdit, AutoAnswer, Badge, DeviceEdit, ForwardWhen, Group, Language, Mark, Right, Rights, Role,
    Route, Settings, Strategy, TaskRow, Trunk, TrunkLogin,
};
use std::time::Duration;

/// The longest wrap-up, in seconds: more is work, and no wrap-up.
const LONGEST_WRAP_UP: u32 = 3_600;

/// How long one try of a hunt group rings if nothing is said.
const RING_SECONDS: u32 = 20;

/// # Errors
/// What is wrong, in words.
pub(crate) fn trunk(item: TrunkItem) -> Result<Trunk, String> {
    let (host, port) = Trunk::parse_address(&item.address).ok_or_else(|| {
        format!(
            "\"{}\" is no address: write an IP address or a host name, with a port if the trunk has one, as in \
             192.0.2.1:5060 or sip.provider.example",
            item.address
        )
    })?;
    let transport = match &*item.transport {
        "" | "udp" => sip::Transport::Udp,
        "tcp" => sip::Transport::Tcp,
        "tls" => sip::Transport::Tls,
        other => return Err(format!("\"{other}\" is no transport: udp, tcp and tls are")),
    };
    let login = match (item.user.is_empty(), item.password.is_empty()) {
        (true, true) => None,
        (false, false) => Some(TrunkLogin {
            user: item.user.into(),
            password: item.password.into(),
            realm: optional(item.realm),
        }),
        _ => return Err("a trunk's user name and password belong together: give both or none".into()),
    };
    let sources = item
        .sources
        .iter()
        .map(|text| text.parse().map_err(|_| format!("\"{text}\" is no IP address")))
        .collect::<Result<_, _>>()?;
    Ok(Trunk {
        host,
        port,
        transport,
        login,
        registers: item.registers,
        channels: item.channels,
        sources,
        strip: item.strip,
        prepend: item.prepend.into(),
    })
}

/// A trunk as it is shown; the password is not.
pub(crate) fn trunk_item(name: &str, trunk: &Trunk, state: String) -> TrunkItem {
    let login = trunk.login.as_ref();
    TrunkItem {
        name: name.into(),
        address: trunk.address(),
        transport: trunk.transport.uri_name().into(),
        user: login.map(|login| login.user.to_string()).unwrap_or_default(),
        password: String::new(),
        realm: login.and_then(|login| login.realm.as_deref()).unwrap_or_default().into(),
        registers: trunk.registers,
        channels: trunk.channels,
        sources: trunk.sources.iter().map(ToString::to_string).collect(),
        strip: trunk.strip,
        prepend: trunk.prepend.to_string(),
        state,
    }
}

pub(crate) fn route(item: RouteItem) -> Route {
    Route {
        prefix: item.prefix.into(),
        strip: item.strip,
        prepend: item.prepend.into(),
        trunks: item.trunks.into_iter().map(Into::into).collect(),
        caller: optional(item.caller),
    }
}

pub(crate) fn route_item(name: &str, route: &Route) -> RouteItem {
    RouteItem {
        name: name.into(),
        prefix: route.prefix.to_string(),
        strip: route.strip,
        prepend: route.prepend.to_string(),
        trunks: route.trunks.iter().map(ToString::to_string).collect(),
        caller: route.caller.as_deref().unwrap_or_default().into(),
    }
}

/// # Errors
/// What is wrong, in words.
pub(crate) fn group(item: GroupItem) -> Result<Group, String> {
    let strategy = if item.strategy.is_empty() { "all" } else { &item.strategy };
    let seconds = if item.ring_seconds == 0 { RING_SECONDS } else { item.ring_seconds };
    if !(5..=600).contains(&seconds) {
        return Err(format!("a try of {seconds} seconds is too short or too long: 5 to 600 are right"));
    }
    Ok(Group {
        display: exchange::clean_display(if item.display.is_empty() { &item.name } else { &item.display }),
        number: item.number.into(),
        strategy: Strategy::of_name(strategy)
            .ok_or_else(|| format!("\"{strategy}\" is no strategy: all and turn are"))?,
        members: item.members.into_iter().map(Into::into).collect(),
        ring: Duration::from_secs(u64::from(seconds)),
        overflow: optional(item.overflow),
    })
}

pub(crate) fn badge_item(name: &str, badge: &Badge) -> BadgeItem {
    let uid = match &badge.mark {
        Mark::Ndef(_) => None,
        Mark::Uid(uid) | Mark::Secure(uid, _) => Some(uid.to_string()),
    };
    BadgeItem {
        name: name.into(),
        account: badge.account.to_string(),
        label: badge.label.to_string(),
        kind: badge.mark.kind().name().into(),
        uid,
        text: None,
        revoked: badge.revoked.is_some(),
    }
}

pub(crate) fn task_item(row: &TaskRow) -> TaskItem {
    TaskItem {
        id: row.task.0,
        account: row.queue.as_ref().map_or_else(|| row.account.to_string(), |queue| format!("queue {queue}")),
        number: row.number.to_string(),
        state: row.state.name().into(),
        made: row.made.0,
        most: row.made.1,
        next: row.next.map(|next| next.0),
        why: row.why.to_string(),
    }
}

pub(crate) fn group_item(name: &str, group: &Group) -> GroupItem {
    GroupItem {
        name: name.into(),
        display: group.display.to_string(),
        number: group.number.to_string(),
        strategy: group.strategy.name().into(),
        members: group.members.iter().map(ToString::to_string).collect(),
        ring_seconds: u32::try_from(group.ring.as_secs()).unwrap_or(u32::MAX),
        overflow: group.overflow.as_deref().unwrap_or_default().into(),
    }
}

/// What is wrong with a change, and in which member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The member.
    pub(crate) field: &'static str,
    /// What is wrong, in words.
    pub(crate) why: String,
}

impl Fault {
    fn new(field: &'static str, why: impl Into<String>) -> Fault {
        Fault { field, why: why.into() }
    }
}

/// The edits that changes come to; `hash` makes a PIN's hash.
///
/// # Errors
/// What is wrong, in words.
pub(crate) fn account_edits(
    changes: AccountChanges,
    hash: impl FnOnce(&str) -> Result<String, String>,
) -> Result<Vec<AccountEdit>, Fault> {
    let mut edits = Vec::new();
    edits.extend(changes.display.map(|text| AccountEdit::Display(text.into())));
    if let Some(tag) = changes.language {
        let language = Language::of_tag(&tag)
            .ok_or_else(|| Fault::new("language", format!("\"{tag}\" is no language: en and zh are")))?;
        edits.push(AccountEdit::Language(language));
    }
    if let Some(zone) = changes.zone {
        if !zone.is_empty() && jiff::tz::TimeZone::get(&zone).is_err() {
            return Err(Fault::new(
                "zone",
                format!("\"{zone}\" is no time zone: write one as in Asia/Shanghai"),
            ));
        }
        edits.push(AccountEdit::Zone(optional(zone)));
    }
    edits.extend(changes.mobile.map(|number| AccountEdit::Mobile(optional(number))));
    if let Some(pin) = changes.pin {
        let digits = (4..=12).contains(&pin.len()) && pin.bytes().all(|byte| byte.is_ascii_digit());
        if !pin.is_empty() && !digits {
            return Err(Fault::new("pin", "a PIN has 4 to 12 digits"));
        }
        let hash = if pin.is_empty() {
            None
        } else {
            Some(hash(&pin).map_err(|why| Fault::new("pin", why))?.into())
        };
        edits.push(AccountEdit::Pin(hash));
    }
    edits.extend(changes.do_not_disturb.map(AccountEdit::DoNotDisturb));
    edits.extend(changes.background.map(AccountEdit::Background));
    let forwards = [
        (ForwardWhen::Always, changes.forward_always),
        (ForwardWhen::Busy, changes.forward_busy),
        (ForwardWhen::NoAnswer, changes.forward_no_answer),
        (ForwardWhen::Offline, changes.forward_offline),
    ];
    for (when, number) in forwards {
        edits.extend(number.map(|number| AccountEdit::Forward(when, optional(number))));
    }
    if let Some(text) = changes.rights {
        let rights = Rights::parse(&text).map_err(|word| {
            let known = Right::ALL.map(Right::name).join(", ");
            Fault::new("rights", format!("\"{word}\" is no right: {known} are"))
        })?;
        edits.push(AccountEdit::Rights(rights));
    }
    if let Some(name) = changes.role {
        let role = Role::of_name(&name).ok_or_else(|| {
            Fault::new("role", format!("\"{name}\" is no role: agent, manager and administrator are"))
        })?;
        edits.push(AccountEdit::Role(role));
    }
    edits.extend(changes.platform.map(|name| AccountEdit::Platform(optional(name))));
    if let Some(seconds) = changes.wrap_up {
        if seconds > LONGEST_WRAP_UP {
            return Err(Fault::new("wrap_up", format!("a wrap-up has at most {LONGEST_WRAP_UP} seconds")));
        }
        let interval = Duration::from_secs(seconds.into());
        edits.push(AccountEdit::WrapUp(Some(interval).filter(|interval| !interval.is_zero())));
    }
    edits.extend(changes.calls_a_day.map(|most| AccountEdit::CallsADay((most != 0).then_some(most))));
    Ok(edits)
}

/// # Errors
/// What is wrong, in words.
pub(crate) fn device_edits(changes: DeviceChanges) -> Result<Vec<DeviceEdit>, String> {
    let mut edits = Vec::new();
    edits.extend(changes.location.map(|text| DeviceEdit::Location(text.into())));
    edits.extend(changes.call_back.map(|number| DeviceEdit::CallBack(optional(number))));
    if let Some(name) = changes.auto_answer {
        let form = match &*name {
            "" => None,
            name => Some(AutoAnswer::of_name(name).ok_or_else(|| {
                format!("\"{name}\" is no form of auto-answer: answer-mode, alert-info and call-info are")
            })?),
        };
        edits.push(DeviceEdit::AutoAnswer(form));
    }
    Ok(edits)
}

/// What is set for an account, in the words of `account set`.
pub(super) fn settings_in_words(settings: &Settings) -> String {
    let mut words = Vec::new();
    if settings.do_not_disturb {
        words.push("do not disturb".to_owned());
    }
    if settings.background {
        words.push("background calls".to_owned());
    }
    for when in ForwardWhen::ALL {
        words.extend(settings.forwarding.to(when).map(|number| format!("{} to {number}", when.name())));
    }
    if settings.role != Role::default() {
        words.push(settings.role.name().to_owned());
    }
    words.extend(settings.platform.iter().map(|name| format!("platform {name}")));
    words.extend(settings.wrap_up.map(|interval| format!("wrap-up {} s", interval.as_secs())));
    let rights = settings.rights.to_string();
    if !rights.is_empty() {
        words.push(rights);
    }
    words.join("; ")
}

fn optional(text: String) -> Option<Box<str>> {
    (!text.is_empty()).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_values_are_refused_in_words() {
        let hash = |_: &str| Ok("hash".to_owned());
        let edits = |changes| account_edits(changes, hash);
        for (changes, words) in [
            (AccountChanges { language: Some("fr".into()), ..Default::default() }, "no language"),
            (AccountChanges { zone: Some("Mars/Base".into()), ..Default::default() }, "no time zone"),
            (AccountChanges { pin: Some("12".into()), ..Default::default() }, "4 to 12 digits"),
            (AccountChanges { rights: Some("national,fly".into()), ..Default::default() }, "\"fly\""),
        ] {
            assert!(edits(changes).unwrap_err().why.contains(words), "{words}");
        }
        let changes = AccountChanges { forward_busy: Some(String::new()), ..Default::default() };
        assert_eq!(edits(changes), Ok(vec![AccountEdit::Forward(ForwardWhen::Busy, None)]));
    }

    #[test]
    fn trunks_are_read_as_they_are_shown_but_for_the_password() {
        let item = TrunkItem {
            name: "p".into(),
            address: "sip.provider.example:5080".into(),
            transport: "tcp".into(),
            user: "us".into(),
            password: "hush".into(),
            channels: Some(4),
            sources: vec!["192.0.2.9".into()],
            ..TrunkItem::default()
        };
        let read = trunk(item.clone()).unwrap();
        let shown = trunk_item("p", &read, String::new());
        assert_eq!(shown, TrunkItem { password: String::new(), ..item.clone() });
        assert!(trunk(TrunkItem { user: String::new(), ..item.clone() }).is_err());
        assert!(trunk(TrunkItem { address: "1.2.3".into(), ..item }).is_err());
    }
}
