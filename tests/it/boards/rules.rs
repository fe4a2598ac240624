//! The alert rules of `grafana/provisioning/alerting`.

use std::collections::BTreeSet;
use std::path::Path;

use yaml_rust2::{Yaml, YamlLoader};

use super::boards;
use super::kit::{Lang, Query};

fn file(name: &str) -> (String, Yaml) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana/provisioning/alerting");
    let text = std::fs::read_to_string(folder.join(name)).expect(name);
    let yaml = YamlLoader::load_from_str(&text).expect("YAML").remove(0);
    (text, yaml)
}

fn text<'y>(yaml: &'y Yaml, key: &str) -> &'y str {
    yaml[key].as_str().unwrap_or_else(|| panic!("no {key} in {yaml:?}"))
}

fn rules() -> Vec<Yaml> {
    let (_, yaml) = file("rules.yaml");
    let groups = yaml["groups"].as_vec().expect("groups").iter();
    groups.flat_map(|group| group["rules"].as_vec().expect("rules").clone()).collect()
}

/// The queries of all rules. Each row is a series of one value.
pub fn rule_queries() -> Vec<Query> {
    let data = rules().into_iter().flat_map(|rule| rule["data"].as_vec().expect("data").clone());
    let flux = data.filter(|data| text(data, "datasourceUid") == "surgecast-influxdb");
    flux.map(|data| {
        Query::new(text(&data["model"], "query").replace("$$", "$"), &["_time", "_value"])
    })
    .collect()
}

#[test]
fn rules_page_nobody_before_somebody_wants_it() {
    let (_, points) = file("contact-points.yaml");
    let points = points["contactPoints"].as_vec().expect("contact points").iter();
    let points: BTreeSet<&str> = points.map(|point| text(point, "name")).collect();
    let mut uids = BTreeSet::new();
    for rule in &rules() {
        let uid = text(rule, "uid");
        assert!(uids.insert(uid.to_owned()) && uid.len() <= 40, "{uid}");
        assert_eq!(rule["isPaused"].as_bool(), Some(true), "{uid}");
        assert_eq!(
            text(rule, "noDataState"),
            "KeepLast",
            "{uid}: a rule without data must not page"
        );
        assert_eq!(text(rule, "execErrState"), "KeepLast", "{uid}");
        assert!(points.contains(text(&rule["notification_settings"], "receiver")), "{uid}");
        assert!(!text(&rule["annotations"], "summary").is_empty(), "{uid}");
        // The panel that a page links to is there.
        let board = boards()
            .into_iter()
            .find(|board| board.lang == Lang::En && board.uid() == text(rule, "dashboardUid"));
        let panel = rule["panelId"].as_i64().expect("a panel");
        assert!(
            board.is_some_and(|board| (1..=board.panels.len() as i64).contains(&panel)),
            "{uid}"
        );
    }
    assert!(uids.contains("surgecast-stale"), "a rule of its own says that data stopped");
}

#[test]
fn rules_name_their_data() {
    for rule in &rules() {
        let uid = text(rule, "uid");
        let data = rule["data"].as_vec().expect("data");
        let mut known = BTreeSet::new();
        for data in data {
            let (id, model) = (text(data, "refId"), &data["model"]);
            assert_eq!(text(model, "refId"), id, "{uid}");
            let range = &data["relativeTimeRange"];
            let (from, to) =
                (range["from"].as_i64().expect("from"), range["to"].as_i64().expect("to"));
            match text(data, "datasourceUid") {
                "__expr__" => {
                    assert!(
                        known.contains(text(model, "expression")),
                        "{uid}: {id} uses what is not there"
                    );
                    assert_eq!((from, to), (0, 0), "{uid}");
                }
                "surgecast-influxdb" => {
                    assert!(from > to && to == 0, "{uid}: rules look at the present")
                }
                other => panic!("{uid}: unknown data source {other}"),
            }
            known.insert(id.to_owned());
        }
        assert!(known.contains(text(rule, "condition")), "{uid}");
    }
}

/// Grafana replaces `$NAME` in provisioning files.
#[test]
fn dollar_signs_are_written_twice() {
    for name in ["rules.yaml", "contact-points.yaml", "templates.yaml"] {
        let (all, _) = file(name);
        for line in all.lines().filter(|line| !line.trim_start().starts_with('#')) {
            assert!(!line.replace("$$", "").contains('$'), "{name}: {line}");
        }
    }
}

/// The keys of a mapping.
fn keys(yaml: &Yaml) -> BTreeSet<&str> {
    yaml.as_hash().expect("a mapping").keys().map(|key| key.as_str().expect("a key")).collect()
}

/// Grafana ignores keys that it does not know: a misspelt one would change a rule in silence. The keys are those of its
/// documentation of file provisioning.
#[test]
fn files_have_only_documented_keys() {
    let only = |what: &str, yaml: &Yaml, required: &[&str], optional: &[&str]| {
        let found = keys(yaml);
        for key in required {
            assert!(found.contains(key), "{what}: {key} is missing");
        }
        let allowed: BTreeSet<&str> = required.iter().chain(optional).copied().collect();
        let unknown: Vec<_> = found.difference(&allowed).collect();
        assert!(unknown.is_empty(), "{what}: unknown keys {unknown:?}");
    };
    let states = ["NoData", "Alerting", "OK", "Ok", "KeepLast"];
    let (_, file_of_rules) = file("rules.yaml");
    only("rules.yaml", &file_of_rules, &["apiVersion", "groups"], &["deleteRules"]);
    for group in file_of_rules["groups"].as_vec().expect("groups") {
        only("group", group, &["orgId", "name", "folder", "interval", "rules"], &[]);
    }
    for rule in &rules() {
        let uid = text(rule, "uid");
        let required = ["uid", "title", "condition", "data", "noDataState", "execErrState"];
        let optional = [
            "for",
            "keepFiringFor",
            "missing_series_evals_to_resolve",
            "isPaused",
            "dashboardUid",
            "panelId",
            "labels",
            "annotations",
            "notification_settings",
        ];
        only(uid, rule, &required, &optional);
        assert!(states.contains(&text(rule, "noDataState")), "{uid}");
        let timing = ["group_wait", "group_interval", "repeat_interval", "mute_time_intervals"];
        let settings = &rule["notification_settings"];
        only(uid, settings, &["receiver"], &[&timing[..], &["group_by"]].concat());
        let by = settings["group_by"].as_vec().expect("labels");
        // Grafana refuses other groups.
        for label in ["grafana_folder", "alertname"] {
            assert!(
                by.iter().any(|by| by.as_str() == Some(label)),
                "{uid}: group_by lacks {label}"
            );
        }
        for data in rule["data"].as_vec().expect("data") {
            only(
                uid,
                data,
                &["refId", "datasourceUid", "model"],
                &["relativeTimeRange", "queryType"],
            );
        }
    }
    let (_, points) = file("contact-points.yaml");
    only(
        "contact-points.yaml",
        &points,
        &["apiVersion", "contactPoints"],
        &["deleteContactPoints"],
    );
    let (templates, parsed) = file("templates.yaml");
    only("templates.yaml", &parsed, &["apiVersion", "templates"], &["deleteTemplates"]);
    for template in parsed["templates"].as_vec().expect("templates") {
        only("template", template, &["orgId", "name", "template"], &[]);
    }
    for point in points["contactPoints"].as_vec().expect("contact points") {
        only("contact point", point, &["orgId", "name", "receivers"], &[]);
        for receiver in point["receivers"].as_vec().expect("receivers") {
            only("receiver", receiver, &["uid", "type", "settings"], &["disableResolveMessage"]);
            assert_eq!(text(receiver, "type"), "webhook");
            let optional = ["httpMethod", "maxAlerts", "title", "message", "headers", "payload"];
            only("settings", &receiver["settings"], &["url"], &optional);
            for key in ["title", "message"] {
                let named = text(&receiver["settings"], key).split('"').nth(1).expect("a template");
                assert!(templates.contains(&format!("define \"{named}\"")), "no template {named}");
            }
        }
    }
}
