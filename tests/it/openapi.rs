//! The OpenAPI description: it is complete, and the same as in the repository.

use serde_json::Value;

use crate::program::surgecast;

fn description() -> String {
    let done = surgecast(&["openapi"]).output().expect("it runs");
    assert!(done.status.success());
    String::from_utf8(done.stdout).expect("UTF-8")
}

#[test]
#[allow(clippy::disallowed_methods, reason = "an environment variable updates the golden file")]
fn the_description_of_the_api_is_the_one_in_the_repository() {
    let now = description();
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/openapi.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &now).expect("written");
    }
    let then = std::fs::read_to_string(&golden).unwrap_or_default();
    assert!(now == then, "the API changed: run with UPDATE_GOLDEN=1 and read the difference");
}

/// Each operation has its token scopes, and each response has a description.
#[test]
fn operations_have_scopes_and_described_responses() {
    let api: Value = serde_json::from_str(&description()).expect("JSON");
    let schemes = &api["components"]["securitySchemes"];
    let mut scopes = std::collections::BTreeMap::new();
    for (path, methods) in api["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            for (status, response) in operation["responses"].as_object().expect("responses") {
                let text = response["description"].as_str().unwrap_or_default();
                assert!(!text.is_empty(), "{method} {path} {status}");
                let is_problem = response["content"]["application/problem+json"].is_object();
                assert_eq!(is_problem, status.as_str() >= "400", "{method} {path} {status}");
            }
            let asked = operation["security"].as_array().cloned().unwrap_or_default();
            for (name, needed) in asked.iter().filter_map(Value::as_object).flatten() {
                assert!(schemes[name].is_object(), "{method} {path}: {name}");
                scopes.insert(format!("{method} {path}"), needed[0].clone());
            }
            assert_eq!(
                asked.len(),
                if ["/login", "/logout"].contains(&path.as_str()) { 0 } else { 2 },
                "{method} {path}"
            );
        }
    }
    assert_eq!(scopes["get /api/v1/series"], "read");
    assert_eq!(scopes["get /api/v1/dead-letters"], "operate");
    assert_eq!(scopes["post /api/v1/events"], "ingest");
    assert_eq!(scopes["put /api/v1/roster"], "operate");
}
