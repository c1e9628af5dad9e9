//! What the API shows of the configuration, and what a telephone is set up with.

use super::web::Listeners;
use crate::config::{
    Administrators, Agents, Background, Badges, Challenge, ClusterConfig, Config, DirectoryConfig, Http,
    HttpMessages, Lists, Messages, NatsConfig, Notices, Platform, Sip, SmppMessages, StoreConfig, Webhooks,
};
use net::Udp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;

/// Where telephones find us.
pub(crate) struct Place {
    /// What stands behind the @ of their addresses.
    pub(crate) domain: String,
    /// Where they register.
    pub(crate) registrar: String,
    /// Where people reach HTTP; empty if it answers nowhere.
    pub(crate) http: String,
    /// Where phones reach HTTPS, if it answers anywhere.
    pub(crate) https: Option<String>,
}

impl Place {
    /// The address that was set for the outside, the one that we listen at, or the one of the route to the world.
    pub(crate) fn of(
        config: &Config,
        udp: &[Udp],
        streams: &[(&'static str, SocketAddr)],
        http: &Listeners,
    ) -> Place {
        let bound = udp.first().map(|udp| ("udp", udp.bound()));
        let (transport, bound) = bound
            .or_else(|| streams.iter().find(|(kind, _)| *kind == "tcp").copied())
            .or_else(|| streams.first().copied())
            .unwrap_or(("udp", SocketAddr::from(([0, 0, 0, 0], 5060))));
        let listening = Some(bound.ip()).filter(|address| !address.is_unspecified());
        let address = config.sip.advertise.or(listening).unwrap_or_else(super::media::own_address);
        let host = match address {
            std::net::IpAddr::V4(address) => address.to_string(),
            std::net::IpAddr::V6(address) => format!("[{address}]"),
        };
        let domain = config.sip.domain.clone().unwrap_or_else(|| host.clone());
        let at = |kind: &str| {
            let mut at = http.bound(kind)?;
            if at.ip().is_unspecified() {
                at.set_ip(address);
            }
            Some(format!("{kind}://{at}"))
        };
        let https = at("https");
        let http = at("http").or_else(|| https.clone());
        let registrar = format!("sip:{host}:{};transport={transport}", bound.port());
        Place { domain, registrar, http: http.unwrap_or_default(), https }
    }
}

fn of_sip(sip: &Sip) -> Value {
    let challenge = match sip.challenge {
        Challenge::Md5 => "md5",
        Challenge::Sha256 => "sha256",
        Challenge::Both => "both",
    };
    json!({
        "udp": texts(&sip.udp.0), "tcp": texts(&sip.tcp.0), "tls": texts(&sip.tls.0),
        "ws": texts(&sip.ws.0), "wss": texts(&sip.wss.0),
        "advertise": sip.advertise.map(|address| address.to_string()), "domain": sip.domain,
        "challenge": challenge, "certificate": sip.certificate, "key": sip.key,
        "authorities": sip.authorities,
    })
}

/// Of the password, whether there is one.
fn of_notices(notices: &Notices) -> Value {
    json!({
        "broker": notices.broker.as_ref().map(ToString::to_string), "user": notices.user,
        "password": notices.password.is_some(), "topic": notices.topic, "authorities": notices.authorities.0, "contact": notices.contact,
    })
}

fn of_http(http: &Http) -> Value {
    let administrators = match http.administrators {
        Administrators::Loopback => "loopback",
        Administrators::Anywhere => "anywhere",
    };
    json!({
        "listen": texts(&http.listen.0), "tls": texts(&http.tls.0), "administrators": administrators,
        "origins": http.listed_origins(),
    })
}

fn of_directory(directory: &DirectoryConfig) -> Value {
    json!({
        "listen": directory.listen.to_string(), "address": directory.address, "web": directory.web,
        "region": directory.region,
        "pickup_from": directory.pickup_from.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn of_webhooks(webhooks: &Webhooks) -> Value {
    json!({
        "allow": texts(&webhooks.allow.0), "clear": webhooks.clear, "authorities": webhooks.authorities.0,
    })
}

/// Without the password.
fn of_nats(nats: &NatsConfig) -> Value {
    json!({
        "servers": texts(&nats.servers.0), "user": nats.user, "password_file": nats.password_file,
        "authorities": nats.authorities.0, "subject": nats.subject, "stream": nats.stream,
        "keep_hours": nats.keep_hours, "monitor": nats.monitor,
    })
}

/// Without the password.
fn of_store(store: &StoreConfig) -> Value {
    json!({"url": store.url.as_ref().map(ToString::to_string), "password_file": store.password_file})
}

fn of_cluster(cluster: &ClusterConfig) -> Value {
    json!({
        "listen": cluster.listen.map(|at| at.to_string()), "address": cluster.address, "name": cluster.name,
    })
}

/// The configuration, by section and key as in the file. There are no secrets in it.
pub(crate) fn settings(config: &Config) -> Value {
    let Config {
        sip,
        media,
        http,
        webhooks,
        notices,
        nats,
        calls,
        codes,
        seats,
        background,
        messages,
        agents,
        lists,
        platforms,
        numbers,
        emergency,
        badges,
        directory,
        cluster,
        store,
        dns,
        log,
    } = config;
    let codes: serde_json::Map<String, Value> =
        codes.0.iter().map(|(code, act)| (act.name().to_owned(), json!(code))).collect();
    json!({
        "sip": of_sip(sip),
        "media": {
            "address": texts(&media.address.0), "ports": texts(&media.ports.0),
            "advertise": media.advertise.map(|address| address.to_string()), "workers": media.workers,
            "clear_fallback": media.clear_fallback,
        },
        "http": of_http(http),
        "webhooks": of_webhooks(webhooks),
        "notices": of_notices(notices),
        "nats": of_nats(nats),
        "calls": {
            "ring_seconds": calls.ring_seconds, "no_answer_seconds": calls.no_answer_seconds,
            "outside_seconds": calls.outside_seconds, "echo_number": calls.echo_number,
            "drain_seconds": calls.drain_seconds,
            "park_seconds": calls.park_seconds,
            "park": calls.park.as_ref().map(|range| format!("{}-{}", range.0.start(), range.0.end())),
        },
        "codes": codes,
        "numbers": {
            "country": numbers.country, "outside": numbers.outside, "international": numbers.international,
            "national": numbers.national, "premium": numbers.premium,
        },
        "emergency": {"numbers": emergency.numbers, "trunks": emergency.trunks},
        "seats": {
            "several": seats.several, "hours": seats.hours, "tap_again": seats.tap_again,
            "sign_out_at": seats.policy().sign_out_at.map(|time| time.to_string()),
            "zone": seats.policy().zone.iana_name(),
            "owner_rings": seats.owner_rings,
        },
        "background": of_background(background),
        "messages": of_messages(messages),
        "agents": of_agents(agents),
        "lists": of_lists(lists),
        "platforms": of_platforms(platforms),
        "badges": of_badges(badges),
        "directory": of_directory(directory),
        "cluster": of_cluster(cluster),
        "store": of_store(store),
        "dns": {"servers": texts(&dns.servers.0)}, "log": {"level": log.level},
    })
}

fn of_background(section: &Background) -> Value {
    let Background { zone, hours, ring_seconds, wait_seconds, suggest_after, attempts } = section;
    json!({
        "zone": zone.0, "hours": hours, "ring_seconds": ring_seconds, "wait_seconds": wait_seconds,
        "suggest_after": suggest_after, "attempts": attempts,
    })
}

/// Never the password.
fn of_smpp(section: &SmppMessages) -> Value {
    json!({
        "host": section.host, "port": section.port, "system_id": section.system_id,
        "password_file": section.password_file, "source": section.source, "source_ton": section.source_ton,
        "source_npi": section.source_npi, "destination_ton": section.destination_ton,
        "destination_npi": section.destination_npi, "tls": section.tls, "authorities": section.authorities.0,
    })
}

/// Never the secret.
fn of_messages(section: &Messages) -> Value {
    let Messages { order, attempts, hours, http, smpp } = section;
    let HttpMessages { url, method, content_type, headers, body, sender, secret_file, clear, authorities } =
        http;
    let headers: serde_json::Map<String, Value> =
        headers.iter().map(|(name, value)| (name.clone(), json!(value.text()))).collect();
    json!({
        "order": order.iter().map(|carrier| carrier.name()).collect::<Vec<_>>(),
        "attempts": attempts, "hours": hours, "smpp": of_smpp(smpp),
        "http": {
            "url": url.as_ref().map(ToString::to_string), "method": method, "content_type": content_type,
            "headers": headers, "body": body.text(), "sender": sender, "secret_file": secret_file,
            "clear": clear, "authorities": authorities.0,
        },
    })
}

fn of_badges(section: &Badges) -> Value {
    let policy = section.policy();
    json!({
        "allow": policy.allow.iter().map(|kind| kind.name()).collect::<Vec<_>>(),
        "pin": policy.pin.iter().map(|when| when.name()).collect::<Vec<_>>(),
        "hours": texts(&policy.hours),
    })
}

fn of_platforms(sections: &BTreeMap<String, Platform>) -> Value {
    let shown = |(name, platform): (&String, &Platform)| (name.clone(), of_platform(platform));
    Value::Object(sections.iter().map(shown).collect())
}

/// Never the secret.
fn of_platform(section: &Platform) -> Value {
    let Platform { kind, url, secret_file, every, hold, connections, clear, authorities } = section;
    json!({
        "kind": kind.name(), "url": url, "secret_file": secret_file, "every": every, "hold": hold,
        "connections": connections, "clear": clear, "authorities": authorities.0,
    })
}

fn of_lists(section: &Lists) -> Value {
    let Lists { url, allow, authorities, ssh_known_hosts, lease, hours, .. } = section;
    let Lists { refresh, upload, gap, interval, attempts, ring, results, outside, .. } = section;
    // Without what is secret of the link.
    let outside: BTreeMap<&String, String> =
        outside.iter().map(|(agent, folder)| (agent, folder.link().to_string())).collect();
    json!({
        "url": url, "allow": texts(&allow.0), "authorities": authorities.0, "ssh_known_hosts": ssh_known_hosts,
        "lease": lease, "hours": hours, "refresh": refresh, "upload": upload, "gap": gap, "interval": interval,
        "attempts": attempts, "ring": ring, "results": texts(results), "outside": outside,
    })
}

fn of_agents(section: &Agents) -> Value {
    let Agents {
        take_over,
        wrap_up,
        wrap_up_incoming,
        wrap_up_outgoing,
        extension,
        extensions,
        missed,
        rest,
        reasons,
        patience,
        forgotten: _,
    } = section;
    json!({
        "take_over": take_over, "wrap_up": wrap_up, "wrap_up_incoming": wrap_up_incoming,
        "wrap_up_outgoing": wrap_up_outgoing, "extension": extension,
        "extensions": extensions, "missed": missed, "rest": rest, "reasons": texts(reasons),
        "patience": patience, "forgotten": section.policy().forgotten.name(),
    })
}

fn texts<T: Display>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_that_can_be_set_is_shown() {
        let shown = settings(&Config::default());
        for (section, keys) in crate::config::known() {
            for key in keys {
                let shown = section.split('.').fold(&shown, |shown, part| &shown[part]);
                assert!(shown.get(&key).is_some(), "[{section}] {key}");
            }
        }
    }
}
