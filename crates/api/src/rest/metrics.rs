//! `/metrics`: figures for Prometheus (text format 0.0.4), for this machine or a token with `metrics:read`.

use super::Api;
use super::caller::{self, Peer, Proof};
use super::operations::Scope;
use super::problem::Problem;
use crate::backend::{Figure, Kind};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use exchange::{Answer, Command, Role, Setup, Status};
use std::fmt::Write as _;
use std::net::IpAddr;

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/metrics", get(read))
}

async fn read(State(api): State<Api>, peer: Peer, headers: HeaderMap) -> Result<Response, Problem> {
    let own_machine = caller::is_own_machine(peer, &headers);
    if !(own_machine && names_this_machine(&headers)) {
        allow(&api, &headers, own_machine).await?;
    }
    let status = match api.ask(Command::Status).await? {
        Answer::Status(status) => status,
        other => return Err(Problem::of(other, "")),
    };
    let mut text = String::new();
    let counted =
        [api.door().figures(), api.hub().figures(), api.webhooks().figures(), api.notices().figures(&api)];
    for figure in of_status(&status).into_iter().chain(counted.into_iter().flatten()) {
        write(&figure, &mut text);
    }
    let headers = [
        (header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, text).into_response())
}

/// From elsewhere it takes a token, or the session of a manager.
async fn allow(api: &Api, headers: &HeaderMap, own_machine: bool) -> Result<(), Problem> {
    let caller = caller::identify(api, headers, own_machine).await?;
    match &caller.proof {
        Proof::Token(_, scopes) if scopes.iter().any(|scope| scope == Scope::MetricsRead.name()) => Ok(()),
        Proof::Session(_) if caller.role >= Role::Manager => Ok(()),
        _ => Err(Problem::forbidden("This takes a token with the scope metrics:read.")),
    }
}

/// Whether the browser or program meant this machine: a page of elsewhere whose name was made to point here did not.
fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

fn of_status(status: &Status) -> Vec<Figure> {
    let gauge = |name, help, value: usize| Figure { name, help, kind: Kind::Gauge(value as f64) };
    let counter = |name, help, value: u64| Figure { name, help, kind: Kind::Counter(value as f64) };
    let Setup { counts, total } = status.setup;
    vec![
        gauge("ringdown_calls", "Calls that are up or ringing.", status.calls),
        gauge("ringdown_devices_registered", "Devices that are registered.", status.registered),
        gauge("ringdown_media_ports_free", "Media ports that are free.", status.ports_free),
        gauge("ringdown_media_ports", "Media ports in all.", status.ports_total),
        gauge("ringdown_store_ready", "1 when changes can be stored.", usize::from(status.store_ready)),
        gauge("ringdown_draining", "1 when no new calls are taken.", usize::from(status.draining)),
        counter("ringdown_shed_total", "New requests refused because there was too much to do.", status.shed),
        counter("ringdown_flooded_total", "Requests of sources that sent too many.", status.flooded),
        counter("ringdown_wrong_secrets_total", "Wrong secrets.", status.wrong_answers),
        counter("ringdown_ignored_total", "Requests of sources that guess at secrets.", status.ignored),
        Figure {
            name: "ringdown_call_setup_seconds",
            help: "From an INVITE to the first thing that its caller was told.",
            kind: Kind::Histogram {
                bounds: Setup::BOUNDS_MS.iter().map(|bound| *bound as f64 / 1e3).collect(),
                counts: counts.to_vec(),
                sum: total.as_secs_f64(),
            },
        },
    ]
}

fn write(figure: &Figure, text: &mut String) {
    let Figure { name, help, kind } = figure;
    let word = match kind {
        Kind::Counter(_) | Kind::Counters { .. } => "counter",
        Kind::Gauge(_) => "gauge",
        Kind::Histogram { .. } => "histogram",
    };
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {word}");
    let _ = match kind {
        Kind::Counter(value) | Kind::Gauge(value) => writeln!(text, "{name} {value}"),
        Kind::Counters { label, values } => {
            values.iter().try_for_each(|(of, value)| writeln!(text, "{name}{{{label}=\"{of}\"}} {value}"))
        }
        Kind::Histogram { bounds, counts, sum } => {
            let mut so_far = 0;
            for (place, count) in counts.iter().enumerate() {
                so_far += count;
                let bound = bounds.get(place).map_or_else(|| "+Inf".to_owned(), ToString::to_string);
                let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {so_far}");
            }
            writeln!(text, "{name}_sum {sum}\n{name}_count {so_far}")
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn histograms_are_summed_up_and_end_with_all() {
        let kind = Kind::Histogram { bounds: vec![0.5, 1.0], counts: vec![1, 2, 3], sum: 7.5 };
        let mut text = String::new();
        write(&Figure { name: "x_seconds", help: "How long.", kind }, &mut text);
        let expected = "# HELP x_seconds How long.\n# TYPE x_seconds histogram\nx_seconds_bucket{le=\"0.5\"} 1\n\
                        x_seconds_bucket{le=\"1\"} 3\nx_seconds_bucket{le=\"+Inf\"} 6\nx_seconds_sum 7.5\n\
                        x_seconds_count 6\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn sec_11_a_name_that_was_made_to_point_here_is_not_this_machine() {
        for (host, ours) in [
            ("127.0.0.1:8080", true),
            ("localhost", true),
            ("[::1]:8080", true),
            ("evil.example:8080", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            assert_eq!(names_this_machine(&headers), ours, "{host}");
        }
    }
}
