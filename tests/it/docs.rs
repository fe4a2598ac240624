//! The documentation against the program: every key of a config with its default, every endpoint, every metric.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use surgecast::app::Settings;
use surgecast::config::Flags;

/// A section of the document.
struct Section {
    /// As a config writes it, such as `[server]` or `[[mapping]]`.
    header: String,
    /// Key and default of each row, as the document writes them.
    keys: Vec<(String, String)>,
    /// Cells of the rows about channels.
    channels: Vec<Vec<String>>,
}

impl Section {
    fn name(&self) -> &str {
        self.header.trim_matches(['[', ']'])
    }
}

/// The text between two backticks.
fn code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}

/// The text of a file of the repository.
fn text_of(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(file).expect("a file of the repository")
}

fn documented() -> Vec<Section> {
    let text = text_of("docs/configuration.md");
    let mut sections: Vec<Section> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            let header = code(title).filter(|header| header.starts_with('['));
            inside = header.is_some();
            sections.extend(header.map(|header| Section {
                header: header.to_owned(),
                keys: Vec::new(),
                channels: Vec::new(),
            }));
        }
        let Some(section) = sections.last_mut().filter(|_| inside) else { continue };
        let Some(row) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            continue;
        };
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        match (code(cells[0]), cells.len()) {
            (Some(key), 4) => section.keys.push((key.to_owned(), cells[2].to_owned())),
            (Some(channel), 8) => {
                let rest = cells[1..].iter().map(|cell| (*cell).to_owned());
                section.channels.push(std::iter::once(channel.to_owned()).chain(rest).collect());
            }
            _ => {}
        }
    }
    sections
}

/// The keys that the program allows, by section; those of the root are its sections.
fn allowed(sections: &[Section]) -> BTreeMap<String, BTreeSet<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = String::from("no_such_key = 1\n");
    for section in sections {
        writeln!(config, "{}\nno_such_key = 1", section.header).expect("written");
    }
    std::fs::write(folder.path().join("surgecast.toml"), config).expect("config");
    let mut command = Command::new(env!("CARGO_BIN_EXE_surgecast"));
    command.current_dir(folder.path()).args(["check", "--config", "surgecast.toml"]);
    let output = command.output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(64));
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    let problems = text.lines().filter_map(|line| line.split_once(", allowed here: "));
    problems
        .filter_map(|(problem, keys)| {
            let path = problem.trim().split(" (").next()?;
            let section = path.strip_suffix("no_such_key")?.trim_end_matches('.');
            let keys = keys.split(", ").map(str::to_owned).collect();
            Some((section.replace("[0]", ""), keys))
        })
        .collect()
}

#[test]
fn every_key_is_documented_and_no_other() {
    let sections = documented();
    let mut allowed = allowed(&sections);
    let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let named: BTreeSet<String> = sections.iter().map(|section| first(section.name())).collect();
    assert_eq!(allowed.remove(""), Some(named), "sections of docs/configuration.md");
    for section in &sections {
        let documented: BTreeSet<String> =
            section.keys.iter().map(|(key, _)| key.clone()).collect();
        let known = allowed.remove(section.name());
        assert_eq!(known, Some(documented), "{} in docs/configuration.md", section.header);
    }
}

/// Settings of a config of this text. Every text is written to the same file, so that paths are equal.
fn load(folder: &Path, text: &str) -> Settings {
    let file = folder.join("surgecast.toml");
    std::fs::write(&file, text).expect("config");
    Settings::load(&file, &Flags::default()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The settings as text; a value that was named and one that was not look the same.
fn shown(settings: &Settings, folder: &Path) -> String {
    let topics = settings.kafka.as_ref().map(|kafka| (&kafka.group, &kafka.topics));
    format!("{settings:#?} {topics:#?}")
        .replace(&format!("{}/", folder.display()), "")
        .replace("asked_for: true", "asked_for: false")
}

#[test]
fn documented_defaults_are_those_of_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut without, mut with) = (String::new(), String::new());
    let mut tried = 0;
    for section in documented() {
        let required = match section.header.as_str() {
            // Tables that exist for each name.
            "[regions.NAME]"
            | "[services.NAME]"
            | "[sla.NAME]"
            | "[staffing.CHANNEL]"
            | "[teams.NAME]"
            | "[alerts.rules.NAME]" => {
                continue;
            }
            header if header.starts_with("[[") => continue,
            "[kafka]" => "brokers = [\"127.0.0.1:9092\"]",
            "[alerts.heartbeat]" => "url = \"http://127.0.0.1:9/\"",
            "[grafana]" => "url = \"http://127.0.0.1:3000\"",
            "[telemetry]" => "otlp = \"http://127.0.0.1:4318\"",
            "[influxdb]" => "url = \"http://127.0.0.1:8086\"\norg = \"noc\"",
            _ => "",
        };
        for text in [&mut without, &mut with] {
            writeln!(text, "{}\n{required}", section.header).expect("written");
        }
        for (key, default) in &section.keys {
            // A default in words, such as "none", is not a value of TOML.
            let line = code(default).map(|value| format!("{key} = {value}\n"));
            let line = line.filter(|line| line.parse::<toml::Table>().is_ok());
            tried += usize::from(line.is_some());
            with.extend(line);
        }
    }
    assert!(tried >= 25, "only {tried} defaults were read");
    let (without, with) = (load(folder.path(), &without), load(folder.path(), &with));
    let (without, with) = (shown(&without, folder.path()), shown(&with, folder.path()));
    let pairs = without.lines().zip(with.lines());
    let differs: Vec<_> = pairs.filter(|(without, with)| without != with).collect();
    assert!(differs.is_empty() && without.len() == with.len(), "{differs:#?}");
}

#[test]
fn documented_channels_are_those_of_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = ["model", "aht", "target", "patience", "shrinkage", "max_occupancy", "concurrency"];
    let mut config = String::new();
    let sections = documented();
    let rows: Vec<_> = sections.iter().flat_map(|section| &section.channels).collect();
    for row in &rows {
        writeln!(config, "[staffing.{}]", row[0]).expect("written");
        for (key, value) in keys.iter().zip(&row[1..]).filter(|(_, value)| *value != "–") {
            let is_number = value.parse::<f64>().is_ok();
            let value = if is_number { value.clone() } else { format!("\"{value}\"") };
            writeln!(config, "{key} = {value}").expect("written");
        }
    }
    let (documented, default) = (load(folder.path(), &config), load(folder.path(), ""));
    assert_eq!(documented.staffing.len(), rows.len());
    assert_eq!(format!("{:#?}", documented.staffing), format!("{:#?}", default.profiles()));
}

/// The table of the rules' defaults has seven columns.
#[test]
fn documented_rules_are_those_of_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = text_of("docs/configuration.md");
    let keys = ["threshold", "clear_below", "minimum", "for", "cool_down", "severity"];
    let mut config = String::new();
    let mut named = Vec::new();
    for line in text.lines() {
        let Some(row) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            continue;
        };
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let Some(rule) = code(cells[0]).filter(|_| cells.len() == 7) else { continue };
        named.push(rule);
        writeln!(config, "[alerts.rules.{rule}]").expect("written");
        for (key, value) in keys.iter().zip(&cells[1..]) {
            let is_number = value.parse::<f64>().is_ok();
            let value = if is_number { (*value).to_owned() } else { format!("\"{value}\"") };
            writeln!(config, "{key} = {value}").expect("written");
        }
    }
    let known: Vec<&str> = surgecast::alert::configurable_rules().collect();
    assert_eq!(named, known);
    let (documented, default) = (load(folder.path(), &config), load(folder.path(), ""));
    assert_eq!(documented.alerts.rules, default.alerts.rules);
}

#[test]
fn every_endpoint_is_documented() {
    let document = text_of("docs/api.md");
    let api: serde_json::Value =
        serde_json::from_str(&text_of("tests/it/openapi.json")).expect("JSON");
    for (path, methods) in api["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let path = path.strip_prefix("/api/v1").unwrap_or(path);
            let endpoint = format!("`{} {path}`", method.to_uppercase());
            assert!(document.contains(&endpoint), "{endpoint} is not in docs/api.md");
        }
    }
}

#[test]
fn every_metric_is_documented() {
    let document = text_of("docs/operations.md");
    let source = text_of("src/telemetry/metrics/names.rs");
    let registered = source.split("r.register(").skip(1);
    let names: Vec<&str> = registered.filter_map(|rest| rest.split('"').nth(1)).collect();
    assert!(names.len() >= 20, "{names:?}");
    for name in names {
        let metric = format!("| `surgecast_{name}");
        assert!(document.contains(&metric), "surgecast_{name} is not in docs/operations.md");
    }
}
