//! The description of the API (OpenAPI 3.1), made of the routes and the table of operations.

use super::operations::{self, Operation, Scope, Who};
use super::{Api, PREFIX, problem::Problem};
use axum::Json;
use exchange::Role;
use serde_json::{Value, json};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[Operation::of_people("GET", "/openapi.json", Who::Anybody)];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(openapi))
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "about", responses((status = 200, body = Value)))]
async fn openapi() -> Json<Value> {
    Json(description())
}

/// The whole description, as it is served and as `docs/openapi.json` keeps it.
#[must_use]
pub fn description() -> Value {
    let (_, routes) = OpenApiRouter::<Api>::new().nest(PREFIX, super::resources()).split_for_parts();
    let OpenApi { paths, components, .. } = routes;
    let components = components.unwrap_or_else(|| ComponentsBuilder::new().build());
    let whole = OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Ringdown").version("1").description(Some(
            "What a browser, a program and the console find at the exchange's HTTP address. See docs/api.md.",
        )))
        .paths(paths)
        .components(Some(components))
        .build();
    let mut whole = serde_json::to_value(whole).unwrap_or_default();
    whole["components"]["schemas"]["Problem"] = schema_of_problem();
    whole["components"]["securitySchemes"] = json!({
        "session": {"type": "apiKey", "in": "cookie", "name": super::caller::COOKIE},
        "token": {"type": "http", "scheme": "bearer"},
        "reader": {"type": "http", "scheme": "bearer"},
    });
    let schemas = whole["components"]["schemas"].clone();
    join(&mut whole, &schemas);
    let paths = whole["paths"].as_object_mut().into_iter().flatten();
    for (path, methods) in paths {
        let path = path.strip_prefix(PREFIX).unwrap_or(path);
        for (method, described) in methods.as_object_mut().into_iter().flatten() {
            if let Ok(operation) = operations::find(&method.to_uppercase(), path) {
                complete(operation, described);
            }
        }
    }
    whole
}

/// Makes one object of each that is put together of several: in `allOf`, one part that allows no more members would
/// refuse those of the others.
fn join(value: &mut Value, schemas: &Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|one| join(one, schemas)),
        Value::Object(members) => {
            if let Some(Value::Array(parts)) = members.remove("allOf") {
                members.insert("type".into(), json!("object"));
                for part in parts {
                    let known = part["$ref"].as_str().and_then(|path| path.strip_prefix(SCHEMAS));
                    let mut part = known.map_or(part.clone(), |name| schemas[name].clone());
                    join(&mut part, schemas);
                    take(members, part);
                }
            }
            members.values_mut().for_each(|one| join(one, schemas));
        }
        _ => {}
    }
}

/// Where schemas are, in references.
const SCHEMAS: &str = "#/components/schemas/";

/// Takes the members that a part describes into the whole.
fn take(whole: &mut serde_json::Map<String, Value>, part: Value) {
    let Value::Object(part) = part else { return };
    for (key, value) in part {
        match (whole.get_mut(&key), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
            (Some(_), _) => {}
            (None, value) => drop(whole.insert(key, value)),
        }
    }
}

fn schema_of_problem() -> Value {
    serde_json::to_value(<Problem as utoipa::PartialSchema>::schema()).unwrap_or_default()
}

/// Adds to an operation what follows from its place in the table.
fn complete(operation: &Operation, described: &mut Value) {
    let (role, own) = match operation.who {
        Who::Anybody => ("nobody", false),
        Who::Reader => ("reader", false),
        Who::Role(role) => (role.name(), false),
        Who::Own(role) => (role.name(), true),
    };
    described["x-ringdown-role"] = json!(role);
    described["x-ringdown-own"] = json!(own);
    described["x-ringdown-scope"] = json!(operation.scope.map(Scope::name));
    let mut security = match operation.who {
        Who::Reader => vec![json!({"reader": []})],
        _ => vec![json!({"session": []})],
    };
    if operation.scope.is_some() {
        security.push(json!({"token": []}));
    }
    if operation.who == Who::Anybody {
        security.push(json!({}));
    }
    described["security"] = json!(security);
    if operation.creates {
        add_parameter(
            described,
            "Idempotency-Key",
            "Makes it safe to ask again: the same key and body, the same answer.",
        );
    }
    for (status, words) in problems(operation) {
        let responses = &mut described["responses"];
        if responses.get(status).is_none() {
            responses[status] = json!({
                "description": words,
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            });
        }
    }
}

fn add_parameter(described: &mut Value, name: &str, words: &str) {
    let parameter = json!({
        "name": name, "in": "header", "required": false, "description": words,
        "schema": {"type": "string", "maxLength": 200},
    });
    match described["parameters"].as_array_mut() {
        Some(list) => list.push(parameter),
        None => described["parameters"] = json!([parameter]),
    }
}

/// The problems that any operation of this kind may meet.
fn problems(operation: &Operation) -> Vec<(&'static str, &'static str)> {
    let mut problems =
        vec![("400", "The request cannot be read."), ("503", "Nothing was changed; try again.")];
    if operation.who != Who::Anybody {
        problems.push(("401", "Nobody is signed in."));
        problems.push(("403", "The role or the token does not allow it."));
    }
    if operation.path.contains('{') {
        problems.push(("404", "There is no such thing."));
    }
    if operation.method != "GET" {
        problems.push(("408", "The body came too slowly."));
        problems.push(("409", "It does not go together with what is there."));
        problems.push(("413", "The body is too large."));
        problems.push(("415", "The body is not JSON."));
        problems.push(("422", "It makes no sense."));
        problems.push(("428", "If-Match is missing."));
        problems.push(("412", "It was changed meanwhile."));
    }
    problems
}

/// The least role is an agent's; used where everybody who signed in may ask.
pub(super) const EVERYBODY: Who = Who::Role(Role::Agent);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The file is what programs are made from, so it changes only on purpose.
    #[test]
    fn the_description_that_is_kept_is_the_one_that_is_served() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        let made = serde_json::to_string_pretty(&description()).unwrap() + "\n";
        if std::env::var_os("RENEW").is_some() {
            std::fs::write(path, &made).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == made, "docs/openapi.json is old: renew it with `RENEW=1 cargo test -p api openapi`");
    }

    #[test]
    fn sec_11_each_operation_stands_once_in_the_table_and_once_in_the_description() {
        let whole = description();
        let mut described = BTreeSet::new();
        for (path, methods) in whole["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                described.insert((method.to_uppercase(), path.strip_prefix(PREFIX).unwrap().to_owned()));
            }
        }
        let listed: Vec<(String, String)> =
            operations::all().map(|one| (one.method.to_owned(), one.path.to_owned())).collect();
        assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), described);
        assert_eq!(listed.len(), described.len(), "an operation stands twice in the table");
    }
}
