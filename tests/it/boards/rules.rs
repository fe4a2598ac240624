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
