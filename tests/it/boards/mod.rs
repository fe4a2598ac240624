//! The boards of `grafana/dashboards`: their only source. `UPDATE_GOLDEN=1 cargo test --test it boards::` writes the files.
//!
//! No Grafana server runs in these tests. They check the files, and `real::` runs every query.

mod advice;
mod flux;
mod influxql;
mod itself;
mod kit;
mod network;
mod panels;
mod quality;
mod query;
mod rules;
mod shapes;
mod shift;
mod staffing;
mod variants;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub use influxql::ALL;
pub use kit::{Board, Lang, Query, Select, Source};
pub use rules::rule_queries;

/// All boards, in both languages, those of InfluxDB in both query languages.
pub fn boards() -> Vec<Board> {
    let makers = [staffing::board, shift::board, network::board, quality::board];
    let of = |lang| {
        let flux = makers.map(|make| make(lang));
        let influxql = makers.map(|make| make(lang).in_influxql());
        flux.into_iter().chain(influxql).chain([itself::board(lang)])
    };
    [Lang::En, Lang::Zh].into_iter().flat_map(of).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana")
}

/// Files below the folder, as paths from it.
fn files(folder: &Path, below: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder.join(below)).expect("the folder");
    let mut found = BTreeSet::new();
    for entry in entries {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("UTF-8");
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        match entry.file_type().expect("a type").is_dir() {
            true => found.extend(files(folder, &path)),
            false => _ = found.insert(path),
        }
    }
    found
}

#[test]
#[allow(clippy::disallowed_methods, reason = "an environment variable updates the golden files")]
fn the_boards_are_the_ones_in_the_repository() {
    let updates = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut paths = BTreeSet::new();
    for board in boards() {
        let (path, now) = (folder().join(board.path()), board.json());
        if updates {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(&path, &now).expect("written");
        }
        let then = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            now == then,
            "{} changed: run with UPDATE_GOLDEN=1 and read the difference",
            board.path()
        );
        paths.insert(board.path());
    }
    let mut there = files(&folder(), "dashboards");
    there.extend(files(&folder(), "dashboards-influxql"));
    assert_eq!(there, paths, "each file has its source");
}

#[test]
fn boards_are_complete() {
    let mut uids = BTreeSet::new();
    for board in boards() {
        let json: Value = serde_json::from_str(&board.json()).expect("JSON");
        assert!(
            board.uid().starts_with("surgecast-") && board.uid().len() <= 40,
            "{}",
            board.uid()
        );
        assert!(uids.insert(board.uid()), "{} is there twice", board.uid());
        let mut titles = BTreeSet::new();
        for panel in json["panels"].as_array().expect("panels") {
            let title = panel["title"].as_str().expect("a title");
            let place = format!("{}: {title}", board.path());
            assert!(titles.insert(title.to_owned()), "{place} is there twice");
            assert!(
                panel["description"].as_str().is_some_and(|text| text.len() > 20),
                "{place} has no description"
            );
            let defaults = &panel["fieldConfig"]["defaults"];
            assert!(
                defaults["noValue"].is_string(),
                "{place} does not say what to do without data"
            );
            let width = panel["gridPos"]["w"].as_u64().expect("a width")
                + panel["gridPos"]["x"].as_u64().expect("a place");
            assert!(width <= 24, "{place} is too wide");
            if panel["type"] == "timeseries" {
                assert!(defaults["unit"].is_string(), "{place} has no unit");
            }
            let has_age = panel["fieldConfig"]["overrides"]
                .as_array()
                .expect("overrides")
                .iter()
                .any(|o| o["matcher"]["options"] == "age");
            if panel["type"] == "stat" && board.source != Source::PromQl {
                assert!(has_age, "{place} does not say how old its data are");
            }
            for target in panel["targets"].as_array().expect("targets") {
                assert_eq!(target["datasource"]["uid"], "${datasource}", "{place}");
            }
        }
    }
}

/// Both languages have the same panels and ask for the same, apart from the names of series.
#[test]
fn both_languages_have_the_same_panels() {
    let boards = boards();
    let (english, chinese) = boards.split_at(boards.len() / 2);
    for (en, zh) in english.iter().zip(chinese) {
        assert_eq!((en.file, en.panels.len()), (zh.file, zh.panels.len()));
        for (a, b) in en.panels.iter().zip(&zh.panels) {
            assert_eq!(a.queries.len(), b.queries.len(), "{}", a.title);
            assert!(b.title.chars().any(|c| c as u32 > 0x2e80), "{} has no Chinese title", b.title);
        }
    }
}

/// Grafana replaces a variable without a format by text that breaks a query when a name holds a quote.
#[test]
fn names_are_inserted_into_queries_only_as_regular_expressions() {
    let known = ["region", "service", "channel"].map(|name| format!("${{{name}:regex}}"));
    for board in boards().iter().filter(|board| board.source == Source::Flux) {
        for query in queries(board) {
            let influxql = query.influxql.iter().map(|select| &select.text);
            for text in influxql.chain([&query.text]) {
                for (at, _) in text.match_indices("${") {
                    let rest = &text[at..];
                    let is_known = known.iter().any(|known| rest.starts_with(known));
                    assert!(is_known, "{}: {rest}", board.file);
                }
            }
        }
    }
}

/// Every query of a board: of panels, variables and annotations.
pub fn queries(board: &Board) -> Vec<&Query> {
    let panels = board.panels.iter().flat_map(|panel| &panel.queries);
    let variables = board.variables.iter().filter_map(|variable| variable.query.as_ref());
    let annotations = board.annotations.iter().map(|annotation| &annotation.query);
    panels.chain(variables).chain(annotations).collect()
}
