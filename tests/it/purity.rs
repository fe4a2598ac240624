//! Checks that rooms use only the rooms that the table in `src/lib.rs` allows, and that the core uses no clock, disk,
//! runtime or network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of the core.
const CORE: [&str; 11] = [
    "domain", "text", "stats", "ingest", "window", "tickets", "forecast", "anomaly", "staffing",
    "alert", "simulate",
];

/// Crates that the core may use. They compute values from values too.
const CORE_CRATES: [&str; 24] = [
    "aho_corasick",
    "augurs",
    "base64",
    "chrono",
    "chrono_tz",
    "csv",
    "fluent_bundle",
    "fluent_syntax",
    "foldhash",
    "good_lp",
    "ndarray",
    "postcard",
    "rand",
    "rand_chacha",
    "rand_distr",
    "regex",
    "serde",
    "serde_json",
    "sonic_rs",
    "statrs",
    "thiserror",
    "toml",
    "utoipa",
    "xxhash_rust",
];

/// Parts of `std` and of core crates with side effects.
const FORBIDDEN: [&str; 17] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "std::process",
    "std::io",
    "std::os",
    "SystemTime",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "println!",
    "eprintln!",
    "print!",
    "eprint!",
    "dbg!",
    "rand::rng(",
];

/// Crates of the manifest that the core may not use, as the start of a path.
fn shell_crates() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("../Cargo.toml")).expect("Cargo.toml");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let tables = ["dependencies", "dev-dependencies"].map(|key| manifest[key].as_table());
    let names = tables.into_iter().flatten().flat_map(toml::Table::keys);
    let names = names.map(|name| name.replace('-', "_"));
    names.filter(|name| !CORE_CRATES.contains(&name.as_str())).map(|name| name + "::").collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The table in `src/lib.rs`: each room with the rooms it may use; `None` for all rooms.
fn table(lib: &str) -> BTreeMap<String, Option<BTreeSet<String>>> {
    let outputs = ["forecast", "anomaly", "staffing", "alert"];
    let mut rooms = BTreeMap::new();
    for line in lib.lines().filter(|line| line.starts_with("//! | [`")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let room = cells[1].trim_matches(['[', ']', '`']).to_owned();
        let uses = cells[3];
        if uses.starts_with("everything") {
            rooms.insert(room, None);
            continue;
        }
        let mut allowed = BTreeSet::from([room.clone()]);
        for word in uses.split(',').map(str::trim) {
            match word {
                "–" => {}
                "the core's types" => allowed.extend(CORE.map(str::to_owned)),
                "outputs" => allowed.extend(outputs.map(str::to_owned)),
                room => _ = allowed.insert(room.to_owned()),
            }
        }
        rooms.insert(room, Some(allowed));
    }
    rooms
}

/// The source without comments and without the test module at its end.
fn code(source: &str) -> String {
    let body = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = body.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.split(" // ").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The rooms in paths `crate::room` and `crate::{…}`.
fn edges(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, start) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + start.len()..];
        match rest.strip_prefix('{') {
            None => found.extend(ident(rest)),
            Some(group) => found.extend(top_level(group)),
        }
    }
    found
}

fn ident(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// The first identifiers of a `{a::b, c::{d, e}}` group, without its opening brace.
fn top_level(group: &str) -> Vec<String> {
    let (mut depth, mut part, mut found) = (0, String::new(), Vec::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => found.extend(ident(std::mem::take(&mut part).trim())),
            c if depth == 0 => part.push(c),
            _ => {}
        }
    }
    found.extend(ident(part.trim()));
    found
}

/// The violations in `source`, a file of `room`.
fn violations(room: &str, source: &str, allowed: Option<&BTreeSet<String>>) -> Vec<String> {
    let code = code(source);
    let mut found = Vec::new();
    if let Some(allowed) = allowed {
        for edge in edges(&code) {
            // All paths are rooms: there are no items at the root.
            if !allowed.contains(&edge) {
                found.push(format!("uses crate::{edge}"));
            }
        }
    }
    if CORE.contains(&room) {
        let crates = shell_crates();
        for word in crates.iter().map(String::as_str).chain(FORBIDDEN) {
            // `self::tower::x` is a module of the room, not the crate. A type may have a path before it.
            let is_type = word.starts_with(char::is_uppercase);
            let whole = code.match_indices(word).any(|(at, _)| {
                let before = code[..at].chars().next_back();
                before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && (is_type || c != ':'))
            });
            if whole {
                found.push(format!("uses {word}"));
            }
        }
    }
    found
}

/// The test-only modules that a file declares.
fn test_modules(source: &str) -> BTreeSet<String> {
    let after = source.split("#[cfg(test)]\n").skip(1).filter_map(|rest| rest.lines().next());
    let names = after.filter_map(|line| line.split("mod ").nth(1)?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

/// The files of a folder, without test-only modules.
fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    let tests = fs::read_to_string(folder.join("mod.rs")).map(|text| test_modules(&text));
    let tests = tests.unwrap_or_default();
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        if name.is_some_and(|name| tests.contains(&name)) {
            continue;
        }
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ext| ext == "rs")
            && path.file_name().is_none_or(|name| name != "tests.rs")
        {
            into.push(path);
        }
    }
}

#[test]
fn all_rooms_follow_the_table() {
    let lib = fs::read_to_string(root().join("lib.rs")).expect("lib.rs");
    let table = table(&lib);
    let modules: BTreeSet<String> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect();
    assert_eq!(modules, table.keys().cloned().collect(), "lib.rs: modules and table differ");
    let mut found = Vec::new();
    for (room, allowed) in &table {
        let mut files = Vec::new();
        sources(&root().join(room), &mut files);
        assert!(!files.is_empty(), "no sources of {room}");
        for file in files {
            let source = fs::read_to_string(&file).expect("a source");
            for violation in violations(room, &source, allowed.as_ref()) {
                let file = file.strip_prefix(root()).expect("within src");
                found.push(format!("src/{}: {room} {violation}", file.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_check_finds_violations() {
    let allowed = BTreeSet::from(["domain".to_owned(), "window".to_owned()]);
    let cases = [
        ("use crate::domain::Name;", vec![]),
        ("// crate::app and std::fs in a comment\nlet x = 1;", vec![]),
        ("use mycrate::app::X;", vec![]),
        ("fn f() {}\n#[cfg(test)]\nmod tests {\n use std::fs; }", vec![]),
        ("use crate::store::Store;", vec!["uses crate::store"]),
        (
            "use crate::{domain::{Name, Zone}, api::X, app};",
            vec!["uses crate::api", "uses crate::app"],
        ),
        ("use std::fs::File;", vec!["uses std::fs"]),
        ("tokio::spawn(async {});", vec!["uses tokio::"]),
        ("let x = self::tower::height();", vec![]),
        ("use tracing::info;", vec!["uses tracing::"]),
        ("println!(\"x\");", vec!["uses println!"]),
        ("let t = std::time::Instant::now();", vec!["uses Instant::now"]),
    ];
    for (source, want) in cases {
        assert_eq!(violations("window", source, Some(&allowed)), want, "{source}");
    }
    let declared = "mod a;\n#[cfg(test)]\nmod fuzz;\n#[cfg(test)]\npub(crate) mod samples;\nmod z;";
    assert_eq!(test_modules(declared), BTreeSet::from(["fuzz".into(), "samples".into()]));
    // Rooms outside the core may use `std::fs`.
    assert_eq!(violations("sink", "use std::fs;", Some(&allowed)), Vec::<String>::new());
}

/// Lines of `source` that begin a public item without documentation.
fn undocumented(source: &str) -> Vec<String> {
    const ITEMS: [&str; 9] =
        ["fn", "const", "async", "unsafe", "struct", "enum", "trait", "type", "static"];
    let body = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let (mut found, mut has_doc, mut in_attribute) = (Vec::new(), false, false);
    for line in body.lines().map(str::trim) {
        let item = line.strip_prefix("pub ").and_then(|rest| rest.split([' ', '<']).next());
        if line.starts_with("///") {
            has_doc = true;
        } else if in_attribute || line.starts_with("#[") {
            in_attribute = !line.ends_with(']');
        } else {
            if item.is_some_and(|item| ITEMS.contains(&item)) && !has_doc {
                found.push(line.to_owned());
            }
            has_doc = false;
        }
    }
    found
}

#[test]
fn every_public_item_is_documented() {
    let mut files = Vec::new();
    sources(&root(), &mut files);
    let mut found = Vec::new();
    for file in
        files.iter().filter(|file| !file.components().any(|part| part.as_os_str() == "fuzz"))
    {
        let shown = file.strip_prefix(root()).expect("within src").display();
        let source = fs::read_to_string(file).expect("a source");
        found.extend(undocumented(&source).into_iter().map(|line| format!("src/{shown}: {line}")));
    }
    assert!(found.is_empty(), "document these items:\n{}", found.join("\n"));
}

#[test]
fn the_check_of_documentation_finds_undocumented_items() {
    assert_eq!(undocumented("pub fn f() {}"), ["pub fn f() {}"]);
    assert_eq!(undocumented("#[derive(\n    Debug,\n)]\npub struct S;"), ["pub struct S;"]);
    for fine in ["/// A.\n#[derive(Debug)]\npub struct S;", "pub use a::B;", "pub(super) fn f() {}"]
    {
        assert!(undocumented(fine).is_empty(), "{fine}");
    }
}
