//! What a configuration says that cannot work, wherever it runs. `serve` and `reload` refuse it for the same reasons.

use super::finding::Finding;
use crate::config::{Config, Source};
use net::Identity;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

/// Port pairs below which an office would soon be out of them.
const FEW_PAIRS: u32 = 20;
/// How long before its end a certificate is worth a warning, in seconds.
const SOON: i64 = 14 * 86_400;

/// Where keys stand; without a file there is nothing to name.
#[derive(Clone, Copy)]
pub(crate) struct Places<'a>(pub(crate) Option<&'a Source>);

impl Places<'_> {
    pub(crate) fn of(&self, section: &str, key: &str) -> String {
        self.0.map_or_else(|| format!("[{section}] {key}"), |source| source.place(section, key))
    }
}

/// Outside telephone platforms of one exchange.
const MOST_PLATFORMS: usize = 16;

/// All that is wrong with the configuration itself.
pub(crate) fn judge(config: &Config, places: Places<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    listeners(config, places, &mut found);
    media(config, places, &mut found);
    ports(config, places, &mut found);
    calls(config, places, &mut found);
    certificate(config, places, &mut found);
    webhooks(config, places, &mut found);
    platforms(config, places, &mut found);
    messages(config, places, &mut found);
    notices(config, places, &mut found);
    nats(config, places, &mut found);
    cluster(config, places, &mut found);
    if let Err(error) = config.log.level.parse::<tracing_subscriber::EnvFilter>() {
        let advice = "write error, warn, info or debug, or parts as in \"info,net=debug\"";
        found.push(Finding::error(places.of("log", "level"), format!("the log level {error}"), advice));
    }
    found
}

fn cluster(config: &Config, places: Places<'_>, found: &mut Vec<Finding>) {
    if config.cluster.listen.is_some() && config.store.url.is_none() {
        found.push(Finding::error(
            places.of("cluster", "listen"),
            "exchanges of a cluster share a database, and this one has its own file",
            "set [store] url to the PostgreSQL server that all of them use, as docs/store.md says",
        ));
    }
}

fn listeners(config: &Config, places: Places<'_>, found: &mut Vec<Finding>) {
    let sip = &config.sip;
    let stream = |section, key, list: &[SocketAddr]| -> Vec<(&'static str, &'static str, SocketAddr)> {
        list.iter().map(|address| (section, key, *address)).collect()
    };
    let udp = stream("sip", "udp", &sip.udp.0);
    let mut tcp = stream("sip", "tcp", &sip.tcp.0);
    tcp.extend(stream("sip", "tls", &sip.tls.0));
    tcp.extend(stream("sip", "ws", &sip.ws.0));
    tcp.extend(stream("sip", "wss", &sip.wss.0));
    tcp.extend(stream("http", "listen", &config.http.listen.0));
    tcp.extend(stream("http", "tls", &config.http.tls.0));
    for list in [&udp, &tcp] {
        for (index, (section, key, address)) in list.iter().enumerate() {
            if let Some((other, name, same)) =
                list[..index].iter().find(|(.., known)| collide(*known, *address))
            {
                found.push(Finding::error(
                    places.of(section, key),
                    format!("{address} is the same listener as {same} of [{other}] {name}"),
                    "name each address and port once; 0.0.0.0 stands for all of them",
                ));
            }
        }
    }
    if sip.udp.0.is_empty() && sip.tcp.0.is_empty() && sip.tls.0.is_empty() {
        found.push(Finding::error(
            places.of("sip", "udp"),
            "no phone can reach us: udp, tcp and tls are all empty",
            "name at least one address to listen on",
        ));
    }
}

/// Whether two listeners of one kind want the same port. Port 0 is another one each time.
fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let overlap = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() == b.port() && a.port() != 0 && a.is_ipv6() == b.is_ipv6() && overlap
}

fn media(config: &Config, places: Places<'_>, found: &mut Vec<Finding>) {
    let media = &config.media;
    for address in &media.address.0 {
        let public = media.advertise.is_some_and(|public| public.is_ipv6() == address.is_ipv6());
        if address.is_unspecified() && !public {
            found.push(Finding::error(
                places.of("media", "address"),
                format!("{address} is no address that a phone can send sound to"),
                "name an address of this machine, or leave the key away for the one of the route to the world; with \
                 [media] advertise set, this may stay",
            ));
        }
    }
    if media.workers > 64 {
        let what = format!("{} threads for sound are more than the 64 that we start", media.workers);
        found.push(Finding::warning(places.of("media", "workers"), what, "write 0 for one a core"));
    }
}

fn ports(config: &Config, places: Places<'_>, found: &mut Vec<Finding>) {
    let place = || places.of("media", "ports");
    let ranges: Vec<(u16, u16)> = config.media.ports.0.iter().map(|p| (*p.0.start(), *p.0.end())).collect();
    for (index, (first, last)) in ranges.iter().enumerate() {
        if let Some((from, to)) = ranges[..index].iter().find(|(from, to)| first <= to && from <= last) {
            found.push(Finding::error(
                place(),
                format!("the ranges {from}-{to} and {first}-{last} overlap"),
                "let each range end before the next begins",
            ));
        }
    }
    for (section, key, address) in [("udp", &config.sip.udp)]
        .iter()
        .flat_map(|(key, list)| list.0.iter().map(move |a| ("sip", *key, *a)))
    {
        if ranges.iter().any(|(first, last)| (*first..=*last).contains(&address.port())) {
            found.push(Finding::error(
                places.of(section, key),
                format!("port {} is also one of [media] ports", address.port()),
                "take another port for SIP, or other ranges for sound",
            ));
        }
    }
    let pairs: u32 = ranges.iter().map(|(first, last)| (u32::from(*last) + 1 - u32::from(*first)) / 2).sum();
    if pairs < 2 {
        let advice = "give at least four ports; an office of 100 phones wants 400 or more";
        found.push(Finding::error(place(), format!("{pairs} port pairs are too few for one call"), advice));
    } else if pairs < FEW_PAIRS {
        let what = format!("{pairs} port pairs are enough for {} calls only", pairs / 2);
        found.push(Finding::warning(place(), what, "give four ports for each call that may be up at once"));
    }
}

fn calls(config: &Config, places: Places<'_>, found: &mut Vec<Finding>) {
    let calls = &config.calls;
    if !calls.echo_number.is_empty() && !exchange::is_number(&calls.echo_number) {
        found.push(Finding::error(
            places.of("calls", "echo_number"),
            format!("\"{}\" is no number that a phone can dial", calls.echo_number),
            "write digits, as in \"600\", or \"\" for no echo",
        ));
    }
    if !(5..=600).contains(&calls.ring_seconds) {
        let what = format!("a call cannot ring for {} seconds", calls.ring_seconds);
        found.push(Finding::error(places.of("calls", "ring_seconds"), what, "write 5 to 600"));
    }
    if calls.drain_seconds > 86_400 {
        let what = format!("{} seconds to stop are more than a day", calls.drain_seconds);
        found.push(Finding::error(places.of("calls", "drain_seconds"), what, "write 0 to 86400"));
    }
}

fn certificate(config: &Config, places: Places<'_>, found: &mut Vec<Finding>) {
    let (certificate, key) = match (&config.sip.certificate, &config.sip.key) {
        (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
        (None, None) => return,
        (given, _) => {
            let (set, missing) =
                if given.is_some() { ("certificate", "key") } else { ("key", "certificate") };
            return found.push(Finding::error(
                places.of("sip", set),
                format!("{set} is set and {missing} is not"),
                "set both, or none for a certificate of our own making",
            ));
        }
    };
    let place = || places.of("sip", "certificate");
    if let Err(error) = net::server_config(&Identity { certificate: certificate.clone(), key }) {
        let advice =
            "name the PEM file of the chain and that of its own key, both readable for the exchange's user";
        found.push(Finding::error(place(), error.to_string(), advice));
    }
}

fn webhooks(config: &Config, places: Places<'_>, found: &mut Vec<Finding>) {
    for network in &config.webhooks.allow.0 {
        if let Some(why) = network.is_never() {
            let what = format!("{network} {why}: no webhook leads there, whatever stands here");
            found.push(Finding::error(places.of("webhooks", "allow"), what, "take it out"));
        }
    }
    // Not an error: who has no webhook needs no authority.
    if let Err(error) = config.webhooks.rules().tls {
        let advice = "name PEM files of authorities; until then no webhook is reached by https";
        found.push(Finding::warning(places.of("webhooks", "authorities"), error, advice));
    }
}

fn platforms(config: &Config, places: Places<'_>, found: &mut Vec<Finding>) {
    for (name, platform) in &config.platforms {
        let section = format!("platforms.{name}");
        if let Some((key, what, advice)) = platform.fault() {
            found.push(Finding::error(places.of(&section, key), what, advice));
        }
        if platform.url.starts_with("https:")
            && let Err(error) = platform.rules().tls
        {
            let advice = "name PEM files of authorities; until then the platform is not reached";
            found.push(Finding::warning(places.of(&section, "authorities"), error, advice));
        }
    }
    if config.platforms.len() > MOST_PLATFORMS {
        let what = format!("there are {} platforms", config.platforms.len());
        let advice = format!("at most {MOST_PLATFORMS} are served");
        found.push(Finding::error(places.of("platforms", "platforms"), what, advice));
    }
}

fn messages(config: &Config, places: Places<'_>, found: &mut Vec<Finding>) {
    let messages = &config.messages;
    for (section, key, what, advice) in messages.faults() {
        found.push(Finding::error(places.of(section, key), what, advice));
    }
    if let Ok(Some(rules)) = messages.smpp.rules()
        && let Some(Err(error)) = rules.tls
    {
        let advice = "name PEM files of authorities; until then the server is not reached";
        found.push(Finding::warning(places.of("messages.smpp", "authorities"), error, advice));
    }
    let secure = messages.http.url.as_ref().is_some_and(|url| url.text().starts_with("https:"));
    if secure && let Err(error) = messages.http.rules().tls {
        let advice = "name PEM files of authorities; until then the provider is not reached";
        found.push(Finding::warning(places.of("messages.http", "authorities"), error, advice));
    }
}

fn nats(config: &Config, places: Places<'_>, found: &mut Vec<Finding>) {
    let nats = &config.nats;
    for (key, what, advice) in nats.faults() {
        found.push(Finding::error(places.of("nats", key), what, advice));
    }
    let open = nats.servers.0.iter().find(|server| !server.secure && !is_here(&server.host));
    if let Some(server) = open {
        let what = format!("{server} is spoken to in clear: whoever listens hears who calls whom");
        found.push(Finding::warning(
            places.of("nats", "servers"),
            what,
            "take tls://, and switch TLS on there",
        ));
    }
    match nats.rules("", false, &[]) {
        Err(error) => {
            let advice = "write the password into it, on one line";
            found.push(Finding::error(places.of("nats", "password_file"), error, advice));
        }
        Ok(Some(rules)) if nats.is_secure() => {
            if let Err(error) = rules.tls {
                let advice = "name PEM files of authorities; until then no server is reached";
                found.push(Finding::warning(places.of("nats", "authorities"), error, advice));
            }
        }
        Ok(_) => {}
    }
}

/// Whether a server is on this machine, where nobody listens on the way.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn notices(config: &Config, places: Places<'_>, found: &mut Vec<Finding>) {
    let notices = &config.notices;
    if !notices.topic_is_sound() {
        let what = format!("\"{}\" is no beginning of a topic", notices.topic);
        let advice = "write parts with / between them, without + and #, as in \"ringdown\"";
        found.push(Finding::error(places.of("notices", "topic"), what, advice));
    }
    let contact = notices.contact.as_deref().unwrap_or("mailto:");
    if !contact.starts_with("mailto:") && !contact.starts_with("https:") {
        let what = format!("\"{contact}\" is nothing that push services may write to");
        found.push(Finding::error(places.of("notices", "contact"), what, "write a mailto: or https: URL"));
    }
    let Some(broker) = &notices.broker else { return };
    if !broker.secure && !is_here(&broker.host) {
        let what = format!("{broker} is spoken to in clear: whoever listens hears who calls whom");
        let advice = "take mqtts:// and its port, 8883";
        found.push(Finding::warning(places.of("notices", "broker"), what, advice));
    }
    if let Some(Err(error)) = notices.rules("").filter(|_| broker.secure).map(|rules| rules.tls) {
        let advice = "name PEM files of authorities; until then the broker is not reached";
        found.push(Finding::warning(places.of("notices", "authorities"), error, advice));
    }
}

/// A certificate that is over, or soon. Not for `serve`: phones that do not look still get their calls.
pub(crate) fn expiry(config: &Config, places: Places<'_>) -> Option<Finding> {
    let certificate = config.sip.certificate.as_ref()?;
    let validity = net::validity(certificate).ok()?;
    let place = places.of("sip", "certificate");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let day = |seconds| {
        jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string())
    };
    let name = certificate.display();
    if validity.until < now {
        let what = format!("{name}: the certificate is expired since {}", day(validity.until));
        let advice = "have it renewed, then `ringdown reload` takes it without a restart";
        Some(Finding::error(place, what, advice))
    } else if validity.from > now {
        let what = format!("{name}: the certificate is not valid before {}", day(validity.from));
        Some(Finding::error(place, what, "set this machine's clock, or take another certificate"))
    } else if validity.until < now + SOON {
        let what = format!("{name}: the certificate ends on {}", day(validity.until));
        Some(Finding::warning(place, what, "have it renewed, then `ringdown reload` takes it"))
    } else {
        None
    }
}
