//! The command line of the real binary: exit codes, output and errors.

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
fn a_wrong_flag_is_a_usage_error_with_a_hint() {
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

/// Values that are out of range, and negative ones, get a message about the value.
#[test]
fn a_wrong_value_names_a_value_that_works() {
    let staffing = ["staffing", "--arrivals", "100", "--aht", "180s"];
    for (args, hint) in [
        (
            &["staffing", "--arrivals", "-5", "--aht", "180s"][..],
            "use a number of contacts, 0 or more",
        ),
        (&["staffing", "--arrivals", "many", "--aht", "180s"], "such as 120"),
        (&["staffing", "--arrivals", "100", "--aht", "-3m"], "use a length above 0, such as 180s"),
        (&[&staffing[..], &["--target", "100/20"]].concat(), "less than 100 %, such as 80/20"),
        (&[&staffing[..], &["--target", "80 in 20"]].concat(), "use PERCENT/TIME"),
        (&[&staffing[..], &["--target", "0.8/20"]].concat(), "less than 1: write the percentage"),
        (&[&staffing[..], &["--interval", "30"]].concat(), "`30` has no unit: use 30m for minutes"),
        (&[&staffing[..], &["--backlog", "9"]].concat(), "--backlog needs --model deferred"),
        (&[&staffing[..], &["--concurrency-rates", "1,2"]].concat(), "needs --model chat"),
        (&[&staffing[..], &["--concurrency-rates", "2,1"]].concat(), "begin with 1"),
        (&[&staffing[..], &["--redial", "0.5"]].concat(), "--model erlang-a or chat"),
        (&[&staffing[..], &["--patience", "3m"]].concat(), "--patience needs a model"),
        (&[&staffing[..], &["--max-abandonment", "5%"]].concat(), "--max-abandonment needs"),
        (&[&staffing[..], &["--model", "chat"]].concat(), "--model chat needs --patience"),
        (&[&staffing[..], &["--agents", "16..10"]].concat(), "a range of up to 1000"),
        (&[&staffing[..], &["--input", "x.csv"]].concat(), "cannot be used with"),
        (&["staffing", "--aht", "180s"], "or --input, a CSV file with those of a day"),
        (
            &[&staffing[..], &["--model", "deferred"]].concat(),
            "--model deferred needs --target, such as --target 90/4h",
        ),
        (&[&staffing[..], &["--shrinkage", "30"]].concat(), "a percentage from 0% to 95%"),
        (&[&staffing[..], &["--max-occupancy", "-1"]].concat(), "use a share from 0.05 to 1"),
        (&[&staffing[..], &["--concurrency", "-1"]].concat(), "use a whole number from 1 to 10"),
        (&["--listen", "8141"], "use an IP address and a port, such as 127.0.0.1:8141"),
        (&["--admin-listen", "localhost:9000"], "such as 127.0.0.1:9000"),
        (&["--speed", "-60"], "use a factor above 0"),
        (&["--days", "-1"], "use a whole number from 1 to 400"),
        (&["replay", "--speed", "-1x", "x.ndjson"], "use a factor above 0"),
    ] {
        let run = run(args);
        assert_eq!(run.code, Some(64), "{args:?}: {}", run.err);
        assert!(run.err.contains(hint), "{args:?}: {}", run.err);
    }
    let folder = tempfile::tempdir().expect("temporary folder");
    std::fs::write(folder.path().join("surgecast.toml"), "").expect("config");
    let args = ["serve", "--config", "surgecast.toml", "--listen", "8141"];
    let run = run_in(folder.path(), &args, &[]);
    assert_eq!(run.code, Some(64));
    insta::assert_snapshot!(run.err, @r#"
    surgecast: config surgecast.toml: 1 problem
      server.listen (from a flag): found `8141`: use an IP address and a port, such as 127.0.0.1:8141
    "#);
}

#[test]
fn shrinkage_may_be_a_percentage() {
    let staffing = |shrinkage| {
        run(&["staffing", "--arrivals", "100", "--aht", "180s", "--shrinkage", shrinkage])
    };
    let (share, percentage) = (staffing("0.3"), staffing("30%"));
    assert_eq!((share.code, &share.out), (Some(0), &percentage.out), "{}", percentage.err);
    assert!(share.out.starts_with("14 positions, 20 agents"), "{}", share.out);
    let one = run(&["staffing", "--arrivals", "1", "--aht", "1s"]);
    assert!(one.out.starts_with("1 position, 1 agent on the schedule"), "{}", one.out);
}

/// Chat, deferred work, redials and ranges, with the reference's values.
#[test]
fn the_calculator_knows_every_model() {
    let json = |args: &str| {
        let run = run(&format!("staffing {args} --format json").split(' ').collect::<Vec<_>>());
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{args}");
        serde_json::from_str::<serde_json::Value>(&run.out).expect("json")
    };
    let near = |found: &serde_json::Value, expected: f64| {
        assert!((found.as_f64().expect("a number") - expected).abs() < 6e-7, "{found} {expected}");
    };
    let chat = "--arrivals 90 --interval 1h --aht 240s --patience 5m --model chat --target 80/30";
    let rows = json(&format!("{chat} --concurrency 3 --concurrency-rates 1,1.7,2.5 --agents 3..5"));
    for (at, level) in [0.794_418, 0.968_800, 0.997_574].into_iter().enumerate() {
        near(&rows[at]["service_level"], level);
    }
    let found = json(&format!("{chat} --concurrency 3"));
    assert_eq!(found["positions"], 4);
    let mail = "--model deferred --arrivals 60 --interval 1h --aht 12m --max-occupancy 0.85 \
                --shrinkage 0.3 --backlog 120 --target 100/6h";
    let found = json(mail);
    assert_eq!((&found["positions"], &found["agents"]), (&19.into(), &28.into()));
    near(&json(&format!("{mail} --agents 15"))["carry_over"], 97.5);
    // In four hours, 25 people do 94 % of 200 contacts an hour, and less than comes.
    let short = "staffing --model deferred --arrivals 200 --interval 1h --aht 8m --target 90/4h --agents 25";
    let said = run(&short.split(' ').collect::<Vec<_>>()).out;
    assert!(said.contains("misses the target: the work left over grows"), "{said}");
    let calls = "--arrivals 100 --aht 180 --patience 300 --model erlang-a";
    let found = json(&format!("{calls} --agents 9 --redial 50%"));
    near(&found["service_level"], 0.213_560);
    let overload =
        json("--arrivals 5000 --interval 3m --aht 3m --patience 300 --model erlang-a --agents 10");
    assert!(overload.as_object().expect("an object").values().all(|v| v.is_number()), "{overload}");
    let found = json("--arrivals 100 --aht 180 --target 80/0");
    assert!(found["p_wait"].as_f64().expect("a number") <= 0.2, "{found}");
}

/// A day from a file: a row for each window, planned for its largest load.
#[test]
fn a_day_is_planned_from_a_file() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let write = |text: &str| std::fs::write(folder.path().join("day.csv"), text).expect("written");
    let plan = |extra: &[&str]| {
        let args = ["staffing", "--input", "day.csv", "--interval", "15m", "--aht", "12m"];
        let model = ["--model", "erlang-a", "--patience", "12m", "--target", "80/0"];
        run_in(folder.path(), &[&args[..], &model, extra].concat(), &[])
    };
    write("start,arrivals\n08:00,15\n08:15,15\n08:30,60\n08:45,15\n");
    let planned = plan(&["--format", "json"]);
    assert_eq!((planned.code, planned.err.as_str()), (Some(0), ""));
    let rows: serde_json::Value = serde_json::from_str(&planned.out).expect("json");
    let positions: Vec<u64> =
        rows.as_array().expect("rows").iter().filter_map(|row| row["positions"].as_u64()).collect();
    // The surge's load builds up in its window, and is still there when the next one begins.
    assert!(positions[0] == 16 && positions[1] == 16, "{positions:?}");
    assert!(positions[2] > 30 && positions[3] == positions[2], "{positions:?}");
    assert_eq!((&rows[2]["start"], rows.as_array().map(Vec::len)), (&"08:30".into(), Some(4)));
    assert!(rows[2]["p_wait"].as_f64().is_some_and(|p| p <= 0.2), "{rows}");
    assert!(plan(&[]).out.lines().nth(5).is_some_and(|note| note.contains("largest load")));
    for (text, hint) in [
        (
            "start,arrivals\n08:00,15\n08:30,15\n",
            "line 3: 08:30 does not follow the row before by 900 s",
        ),
        ("start,arrivals\nnoon,15\n", "use a time such as"),
        ("start,arrivals\n08:00,-1\n", "use a number from 0 up"),
        ("start,calls\n08:00,1\n", "line 1: unknown column `calls`: use the columns start and"),
        ("start;arrivals\n08:00;1\n", "line 1: unknown column `start;arrivals`: use the columns"),
        ("start\n08:00\n", "line 1: there is no column arrivals"),
        ("start,arrivals\n08:00,9\n08:15,\"1,000\"\n", "line 3: arrivals: `1,000`: use a number"),
        ("start,arrivals\n08:00,1,000\n", "line 2: 3 values for 2 columns"),
        ("start,arrivals\n", "has no rows"),
    ] {
        write(text);
        let refused = plan(&[]);
        assert_eq!(refused.code, Some(64), "{text}: {}", refused.err);
        assert!(refused.err.contains(hint), "{text}: {}", refused.err);
    }
}

#[test]
fn help_version_and_completions_succeed() {
    for args in [&["--help"][..], &["--version"], &["help", "serve"], &["completions", "bash"]] {
        let run = run(args);
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{args:?}");
        assert!(run.out.contains("surgecast"), "{args:?}");
    }
}

/// The version says which commit runs and what it can do.
#[test]
fn the_version_names_commit_and_features() {
    let said = run(&["--version"]);
    let version = env!("CARGO_PKG_VERSION");
    assert!(said.out.starts_with(&format!("surgecast {version}\ncommit ")), "{}", said.out);
    for part in ["\nbuild ", "librdkafka ", "sasl_scram", "\nstore      SQLite 3."] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    let commit = said.out.lines().find_map(|line| line.strip_prefix("commit"));
    let commit = commit.expect("a commit").trim();
    let hash = commit.split('+').next().unwrap_or_default();
    let is_hash = hash.len() >= 12 && hash.chars().all(|c| c.is_ascii_hexdigit());
    assert!(is_hash || commit == "unknown", "{commit}");
    assert_eq!(run(&["-V"]).out, format!("surgecast {version}\n"));
}

/// Pages of all commands, which name each other.
#[test]
fn manual_pages_cover_every_command() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let printed = run(&["man"]);
    assert_eq!((printed.code, printed.err.as_str()), (Some(0), ""));
    assert!(printed.out.contains(".TH surgecast 1"), "{}", printed.out);
    let made = run_in(folder.path(), &["man", "--out", "man"], &[]);
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""));
    let page = |name: &str| {
        std::fs::read_to_string(folder.path().join("man").join(format!("{name}.1"))).expect(name)
    };
    assert_eq!(page("surgecast"), printed.out);
    let help = run(&["--help"]).out;
    let commands = help.split("Commands:").nth(1).expect("commands").lines().skip(1);
    // A long description continues on further lines, without a name.
    let commands = commands.take_while(|line| !line.trim().is_empty());
    let commands = commands.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let commands = commands.filter_map(|line| line.split_whitespace().next());
    let mut pages = 0;
    for command in commands.filter(|command| *command != "help") {
        assert!(page(&format!("surgecast-{command}")).contains(".SH SYNOPSIS"), "{command}");
        pages += 1;
    }
    assert!(pages >= 15, "{pages}");
    assert!(page("surgecast-dead-letters-replay").contains("dry\\-run"));
    let refused = run_in(folder.path(), &["man", "--out", "man/surgecast.1"], &[]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("cannot create man/surgecast.1"), "{}", refused.err);
}

#[test]
fn an_unknown_key_is_reported_with_its_origin_and_the_allowed_keys() {
    let run = check("[server]\nlistn = \"x\"\n", &[], &[("SURGECAST__WINDOWS__WITDH", "5m")]);
    assert_eq!(run.code, Some(64));
    insta::assert_snapshot!(run.err, @r#"
    surgecast: config surgecast.toml: 2 problems
      server.listn (in surgecast.toml): unknown key, allowed here: advertise, allow_open, allowed_hosts, connections, language, listen, public_url, tls_cert_file, tls_key_file, tokens_file
      windows.witdh (from environment variable SURGECAST__WINDOWS__WITDH): unknown key, allowed here: event_time_zone, holidays, lateness, max_future_skew, time_zone, width
    "#);
}

#[test]
fn the_environment_overrides_the_file_and_flags_override_both() {
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
      windows.width (from environment variable SURGECAST__WINDOWS__WIDTH): found `7m`: use 5m, 10m, 15m, 30m or 1h
    "#);
}

#[test]
fn an_unreadable_or_invalid_file_is_reported() {
    let run = run(&["check", "--config", "no/such.toml"]);
    assert_eq!(run.code, Some(64));
    insta::assert_snapshot!(run.err, @r#"surgecast: cannot read the config file no/such.toml: No such file or directory (os error 2); use an existing, readable file"#);
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
fn check_describes_what_a_valid_config_would_run() {
    let config = r#"
        [windows]
        time_zone = "Asia/Shanghai"
        [regions.north]
        time_zone = "Asia/Urumqi"
        [staffing.phone]
        aht = "300s"
        [[alerts.receivers]]
        name = "shift-lead"
        type = "webhook"
        url = "https://hooks.example/services/T0/B0/very-secret"
        [grafana]
        url = "https://grafana.example"
        annotations = ["outage", "page"]
    "#;
    let run = check(config, &[], &[]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    assert!(!run.out.contains("very-secret"));
    insta::assert_snapshot!(run.out, @r#"
    config surgecast.toml is valid
    api, web page  127.0.0.1:8080 (links: http://127.0.0.1:8080)
      access       open, on loopback only
    admin          127.0.0.1:9464
    store          data
    windows        15m, lateness 10m, future skew 5m, Asia/Shanghai
      region       north: Asia/Urumqi
    forecast       refit every 6h, backfill 7d
    source         HTTP: POST /api/v1/events, to the local log
    sink           Grafana https://grafana.example, annotations: outage, page
    pages          shift-lead: webhook at hooks.example
    staffing       phone; defaults for other channels
    this would run
    "#);
}

/// `check` and `serve` report the same problems of many rooms, all at once.
#[test]
fn check_and_serve_report_the_same_problems() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let config = r#"
        [server]
        tokens_file = "broken.tokens"
        [kafka]
        brokers = ["127.0.0.1:9092"]
        properties = { "security.protocol" = "ssl", "ssl.ca.location" = "/no/such.pem" }
        [grafana]
        url = "http://127.0.0.1:3000"
        annotations = ["everything"]
        [staffing.phone]
        shrinkage = 30
        target = "80 in 20"
        agents = 7
        [[alerts.receivers]]
        name = "noc"
        type = "pigeon"
        url = "https://hooks.example/very-secret"
        [[alerts.receivers]]
        name = "duty"
        type = "pagerduty"
        secret_file = "duty.key"
        [[reports.schedule]]
        weekday = "mon"
        time = "7 h"
        receiver = "nobody"
        [[reports.schedule]]
        weekday = "monday"
        time = "07:30"
        receiver = "duty"
        language = "de"
        [[reports.schedule]]
        report = "brief"
        time = "07:30"
        before = "15d"
        receiver = "nobody"
        [[reports.schedule]]
        weekday = "monday"
        time = "07:30"
        after = "1h"
        receiver = "nobody"
    "#;
    std::fs::write(folder.path().join("c.toml"), config).expect("config");
    std::fs::write(folder.path().join("broken.tokens"), "[[tokens]]\nname = \"noc\"\n")
        .expect("tokens");
    std::fs::write(folder.path().join("duty.key"), "a-routing-key").expect("a key");
    let checked = run_in(folder.path(), &["check", "--config", "c.toml"], &[]);
    let served = run_in(folder.path(), &["serve", "--config", "c.toml"], &[]);
    assert_eq!((checked.code, served.code), (Some(64), Some(64)));
    assert_eq!(checked.err, served.err);
    let keys = [
        "server.tokens_file",
        "kafka.properties",
        "grafana.annotations",
        "staffing.phone.target",
        "staffing.phone.shrinkage",
        "staffing.phone.agents",
        "alerts.receivers[0].type",
        "reports.schedule[0].weekday",
        "reports.schedule[0].time",
        "reports.schedule[0].receiver",
        "reports.schedule[1].receiver",
        "reports.schedule[1].language",
        "reports.schedule[2].time",
        "reports.schedule[2].before",
        "reports.schedule[2].receiver",
        "reports.schedule[3].after",
        "reports.schedule[3].receiver",
    ];
    assert!(checked.err.starts_with("surgecast: config c.toml: 17 problems\n"), "{}", checked.err);
    for key in keys {
        assert!(
            checked.err.contains(&format!("\n  {key} (in c.toml): ")),
            "{key}: {}",
            checked.err
        );
    }
    assert!(!checked.err.contains("very-secret"), "{}", checked.err);
}

#[test]
fn check_connect_tests_addresses_and_the_store() {
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

/// A server that reads until the client closes the connection, or sends `answer` after the first bytes. Returns its
/// address, and the bytes of each client.
fn listens(answer: &'static str) -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let (sender, received) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut bytes = vec![0; 4096];
            // A reset by the client also ends the connection.
            if answer.is_empty() {
                bytes.clear();
                let _ = stream.read_to_end(&mut bytes);
            } else {
                let _ = stream.read(&mut bytes);
                let _ = stream.write_all(answer.as_bytes());
            }
            let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
        }
    });
    (address, received)
}

#[test]
fn check_connect_connects_to_servers_and_sends_nothing_to_receivers() {
    let free = "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n";
    let receiver = |name: &str, url: &str| {
        format!("[[alerts.receivers]]\nname = \"{name}\"\ntype = \"webhook\"\nurl = \"{url}\"\n")
    };
    let (page, received) = listens("");
    let good = format!("{free}{}", receiver("noc", &format!("http://{page}/very-secret")));
    let run = check(&good, &["--connect"], &[]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let line = format!("noc: {page} is reachable, nothing was sent");
    assert!(run.out.contains(&line) && !run.out.contains("very-secret"), "{}", run.out);
    assert_eq!(received.recv().expect("a connection"), "");

    let (influxdb, _) =
        listens("HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
    let (plain, _) = listens("this server does not use TLS");
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("its address").to_string()
    };
    let (grafana, _) =
        listens("HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
    let bad = format!(
        "{free}[grafana]\nurl = \"http://{grafana}\"\n[kafka]\nbrokers = [\"{gone}\"]\n[influxdb]\nurl = \"http://{influxdb}\"\norg = \"noc\"\n{}{}",
        receiver("noc", &format!("http://{gone}/very-secret")),
        receiver("tls", &format!("https://{plain}/")),
    );
    let run = check(&bad, &["--connect"], &[("SURGECAST__INFLUXDB__TOKEN", "wrong-secret")]);
    assert_eq!(run.code, Some(64), "{}", run.out);
    for part in [
        "kafka.brokers: no broker answers",
        "influxdb.token_file: ",
        "refuses the token",
        "check grafana.token_file",
        "alerts.receivers[0].url: `noc`",
        "alerts.receivers[1].url: `tls`",
        "no TLS",
    ] {
        assert!(run.err.contains(part), "{part}: {}", run.err);
    }
    assert!(!run.err.contains("very-secret") && !run.err.contains("wrong-secret"), "{}", run.err);
}

#[test]
fn the_demo_reports_all_problems_of_its_settings() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let env = [
        ("SURGECAST__SERVER__LISTEN", "0.0.0.0:0"),
        ("SURGECAST__ADMIN__LISTEN", "here"),
        ("SURGECAST__STORE__PAHT", "x"),
    ];
    let run = run_in(folder.path(), &[], &env);
    assert_eq!(run.code, Some(64));
    insta::assert_snapshot!(run.err, @r#"
    surgecast: settings of the demo: 3 problems
      admin.listen (from environment variable SURGECAST__ADMIN__LISTEN): found `here`: use an IP address and a port, such as 127.0.0.1:8080
      server.listen (from environment variable SURGECAST__SERVER__LISTEN): found `0.0.0.0:0`, which other machines can reach, and there are no tokens: set server.tokens_file, listen on 127.0.0.1, or set server.allow_open = true (--allow-open)
      store.paht (from environment variable SURGECAST__STORE__PAHT): unknown key, allowed here: path, texts
    "#);
}

#[test]
fn the_example_config_would_run() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/surgecast.toml");
    let run = run(&["check", "--config", config.to_str().expect("UTF-8")]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.out.ends_with("this would run\n"), "{}", run.out);
}
