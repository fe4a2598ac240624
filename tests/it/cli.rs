//! The real binary: exit codes and the texts people read.

use std::path::Path;
use std::process::{Command, Output};

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run_in(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surgecast"));
    command.current_dir(folder).args(args).envs(env.iter().copied());
    let Output { status, stdout, stderr } = command.output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let run = Run { code: status.code(), out: text(stdout), err: text(stderr) };
    assert!(!run.err.contains("panicked") && !run.err.contains("backtrace"), "{}", run.err);
    run
}

/// Runs `check` on a config of this text.
fn check(config: &str, args: &[&str], env: &[(&str, &str)]) -> Run {
    let folder = tempfile::tempdir().expect("temporary folder");
    std::fs::write(folder.path().join("surgecast.toml"), config).expect("config");
    let args: Vec<&str> =
        ["check", "--config", "surgecast.toml"].iter().chain(args).copied().collect();
    run_in(folder.path(), &args, env)
}

fn run(args: &[&str]) -> Run {
    run_in(Path::new(env!("CARGO_TARGET_TMPDIR")), args, &[])
}

#[test]
fn a_wrong_flag_says_what_would_work() {
    for args in [
        &["--sped", "60"][..],
        &["--speed", "fast"],
        &["--days", "0"],
        &["--listen", "0.0.0.0:8080"],
        &["serve"],
        &["nonsense"],
        &["replay"],
        &["replay", "--to", "kafka", "x.ndjson"],
        &["replay", "--speed", "0x", "x.ndjson"],
        &["replay", "--url", "nonsense", "x.ndjson"],
        &["replay", "--rebase", "now", "-"],
        &["replay", "no-such-file.ndjson"],
        &["completions", "notepad"],
    ] {
        let run = run(args);
        assert_eq!(run.code, Some(64), "{args:?}: {}", run.err);
        assert!(run.out.is_empty() && !run.err.is_empty(), "{args:?}");
    }
    insta::assert_snapshot!(run(&["--sped", "60"]).err, @r#"
    error: unexpected argument '--sped' found

      tip: a similar argument exists: '--speed'

    Usage: surgecast --speed <FACTOR>

    For more information, try '--help'.
    "#);
    insta::assert_snapshot!(run(&["replay", "no-such-file.ndjson"]).err, @r#"surgecast: cannot open no-such-file.ndjson: No such file or directory (os error 2)"#);
}

#[test]
fn help_version_and_completions_are_no_errors() {
    for args in [&["--help"][..], &["--version"], &["help", "serve"], &["completions", "bash"]] {
        let run = run(args);
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{args:?}");
        assert!(run.out.contains("surgecast"), "{args:?}");
    }
}

#[test]
fn an_unknown_key_names_itself_its_source_and_what_is_allowed() {
    let run = check("[server]\nlistn = \"x\"\n", &[], &[("SURGECAST__WINDOWS__WITDH", "5m")]);
    assert_eq!(run.code, Some(64));
    insta::assert_snapshot!(run.err, @r#"
    surgecast: config surgecast.toml: 2 problems
      server.listn (in surgecast.toml): unknown key, allowed here: advertise, allow_open, listen, public_url, tokens_file
      windows.witdh (from environment variable SURGECAST__WINDOWS__WITDH): unknown key, allowed here: holidays, lateness, max_future_skew, time_zone, width
    "#);
}

#[test]
fn the_environment_goes_before_the_file_and_flags_before_both() {
    let file = "[server]\nlisten = \"127.0.0.1:7001\"\n[admin]\nlisten = \"127.0.0.1:7002\"\n";
    let env = [
        ("SURGECAST__SERVER__LISTEN", "127.0.0.1:7003"),
        ("SURGECAST__ADMIN__LISTEN", "127.0.0.1:7004"),
        ("SURGECAST__WINDOWS__LATENESS", "20m"),
    ];
    let run = check(file, &["--listen", "127.0.0.1:7005"], &env);
    assert_eq!(run.code, Some(0), "{}", run.err);
    for part in ["127.0.0.1:7005", "127.0.0.1:7004", "lateness 20m"] {
        assert!(run.out.contains(part), "{part}: {}", run.out);
    }
    let run = check("", &[], &[("SURGECAST__WINDOWS__WIDTH", "7m")]);
    assert_eq!(run.code, Some(64));
    insta::assert_snapshot!(run.err, @r#"
    surgecast: config surgecast.toml: 1 problem
      windows.width (from environment variable SURGECAST__WINDOWS__WIDTH): found `7m`: use 5m, 10m, 15m, 30m or 60m
    "#);
}

#[test]
fn an_unreadable_or_broken_file_says_so() {
    let run = run(&["check", "--config", "no/such.toml"]);
    assert_eq!(run.code, Some(64));
    insta::assert_snapshot!(run.err, @r#"surgecast: cannot read the config file no/such.toml: No such file or directory (os error 2). Name one that exists and may be read"#);
    let run = check("[server\n", &[], &[]);
    assert_eq!(run.code, Some(64));
    insta::assert_snapshot!(run.err, @r#"
    surgecast: surgecast.toml is not TOML: TOML parse error at line 1, column 8
      |
    1 | [server
      |        ^
    unclosed table, expected `]`
    "#);
}

#[test]
fn a_good_config_says_what_would_run() {
    let config = r#"
        [windows]
        time_zone = "Asia/Shanghai"
        [regions.north]
        time_zone = "Asia/Urumqi"
        [staffing.phone]
        aht = "300s"
        [[alerts.receivers]]
        name = "shift-lead"
        type = "slack"
        url = "https://hooks.example/services/T0/B0/very-secret"
    "#;
    let run = check(config, &[], &[]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    assert!(!run.out.contains("very-secret"));
    insta::assert_snapshot!(run.out, @r#"
    config surgecast.toml is read
    api and page   127.0.0.1:8080 (links: http://127.0.0.1:8080)
      access       open, on loopback only
    admin          127.0.0.1:9464
    store          data
    windows        15m, lateness 10m, future skew 5m, Asia/Shanghai
      region       north: Asia/Urumqi
    forecast       refit every 6h, backfill 7d
    source         HTTP: POST /api/v1/events, to the local log
    pages          shift-lead: slack at hooks.example
    staffing       phone; defaults for other channels
    this would run
    "#);
}

#[test]
fn serve_refuses_what_this_version_cannot_do() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let config =
        "[kafka]\nbrokers = [\"127.0.0.1:9092\"]\n[grafana]\nurl = \"http://127.0.0.1:3000\"\n";
    std::fs::write(folder.path().join("c.toml"), config).expect("config");
    // `check` and `serve` agree.
    let checked = run_in(folder.path(), &["check", "--config", "c.toml"], &[]);
    assert_eq!(checked.code, Some(64));
    assert!(checked.out.contains("Kafka 127.0.0.1:9092") && checked.err.contains("[grafana]"));
    let run = run_in(folder.path(), &["serve", "--config", "c.toml"], &[]);
    assert_eq!(run.code, Some(64));
    insta::assert_snapshot!(run.err, @r#"surgecast: c.toml: [grafana]. This version reads these sections and does not connect to them yet: take them out"#);
}

#[test]
fn check_connect_tries_addresses_and_the_store() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let free = "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n";
    let run = check(free, &["--connect"], &[]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let run = check(free, &["--connect", "--listen", &address, "--data", "surgecast.toml"], &[]);
    assert_eq!(run.code, Some(64));
    assert!(run.err.contains(&format!("server.listen {address}")), "{}", run.err);
    assert!(run.err.contains("store.path surgecast.toml"), "{}", run.err);
}

#[test]
fn the_example_config_would_run() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/surgecast.toml");
    let run = run(&["check", "--config", config.to_str().expect("UTF-8")]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.out.ends_with("this would run\n"), "{}", run.out);
}
