use std::path::Path;
use std::time::Duration;

use super::{Flags, Settings};
use crate::alert::AlertSeverity;
use crate::domain::Priority;

/// Loads a config with this text. Files with tokens and secrets are in the same folder.
fn check(text: &str) -> Result<Settings, String> {
    check_with(text, &Flags::default())
}

fn check_with(text: &str, flags: &Flags) -> Result<Settings, String> {
    let folder = tempfile::tempdir().expect("temporary folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write("surgecast.toml", text).expect("config");
    write("good.secret", "s3cret\n").expect("secret");
    let tokens = "[[tokens]]\nname = \"noc\"\nscopes = [\"read\"]\ntoken = \"s3cret-0123456789\"\n";
    write("good.tokens", tokens).expect("tokens");
    write("short.tokens", &tokens.replace("-0123456789", "")).expect("tokens");
    write("broken.tokens", &tokens.replace("read", "rule")).expect("tokens");
    write("empty.secret", "\n").expect("secret");
    let place = format!("{}/", folder.path().display());
    Settings::load(&folder.path().join("surgecast.toml"), flags)
        .map_err(|e| e.to_string().replace(&place, ""))
}

#[test]
fn an_empty_config_is_all_defaults() {
    let config = check("").expect("defaults");
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.public_url, "http://127.0.0.1:8080");
    assert_eq!(config.admin.listen.to_string(), "127.0.0.1:9464");
    assert_eq!(config.windows.width.to_string(), "15m");
    assert_eq!(config.windows.lateness.as_secs(), 600);
    assert_eq!(config.forecast.refit.as_secs(), 6 * 3600);
    assert!(config.alerts.receivers.is_empty());
    assert_eq!(config.profiles().len(), 5);
    assert!(config.store.path.ends_with("data"));
}

#[test]
fn every_section_of_the_design_is_read() {
    let config = check(
        r#"
        [server]
        listen = "0.0.0.0:8080"
        public_url = "https://surgecast.example/"
        tokens_file = "good.tokens"
        [admin]
        listen = "127.0.0.1:9464"
        [store]
        path = "data"
        [windows]
        width = "30m"
        lateness = "10m"
        max_future_skew = "5m"
        time_zone = "Asia/Shanghai"
        [regions.north]
        time_zone = "Europe/London"
        [alarms]
        hold_clear = "0s"
        chatter_raises = 4
        [forecast]
        backfill = "14d"
        refit = "3h"
        [kafka]
        brokers = ["127.0.0.1:9092", "[::1]:9092"]
        group = "surgecast"
        alarms = "network.alarms"
        properties = { "security.protocol" = "SASL_SSL", "sasl.mechanisms" = "PLAIN", "sasl.username" = "noc", "sasl.password" = "hunter2" }
        [influxdb]
        url = "http://127.0.0.1:8086"
        org = "noc"
        bucket = "surgecast"
        token_file = "good.secret"
        warm_start = true
        read_token_file = "good.secret"
        [grafana]
        url = "https://grafana.example/boards/"
        token_file = "good.secret"
        annotations = ["outage", "page"]
        tags = ["noc"]
        annotations_per_hour = 20
        [staffing.phone]
        aht = "300s"
        target = "80/20"
        shrinkage = 0.3
        [[alerts.receivers]]
        name = "shift-lead"
        type = "webhook"
        url = "http://127.0.0.1:9000/page"
        secret_file = "good.secret"
        [limits]
        series = 500
        [log]
        format = "json"
        level = "info,surgecast=debug"
        [telemetry]
        otlp = "http://collector:4318/"
        service_name = "surgecast-north"
        "#,
    )
    .expect("good");
    let otlp = config.otlp.as_ref().expect("a collector");
    assert_eq!((&*otlp.url, &*otlp.service_name), ("http://collector:4318", "surgecast-north"));
    assert_eq!(config.server.public_url, "https://surgecast.example");
    let north = crate::domain::Name::new("north").expect("name");
    assert_eq!(config.regions.zones[&north].to_string(), "Europe/London");
    assert_eq!(config.windows.time_zone.to_string(), "Asia/Shanghai");
    let receiver = &config.alerts.receivers[0];
    assert_eq!((receiver.kind, receiver.signed), ("webhook", true));
    let phone = &config.staffing[&crate::domain::Name::new("phone").expect("name")];
    assert!((phone.shrinkage - 0.3).abs() < 1e-12);
    assert_eq!(config.input.limits.series, 500);
    let rules = config.alarms;
    assert_eq!((rules.hold_clear.as_secs(), rules.chatter_raises), (0, 4));
    assert_eq!((rules.chatter_within.as_secs(), rules.resync_within.as_secs()), (600, 900));
    let kafka = config.kafka.as_ref().expect("kafka");
    assert_eq!(kafka.properties["security.protocol"], "SASL_SSL");
    let grafana = config.grafana.as_ref().expect("grafana");
    assert_eq!((grafana.kinds.len(), grafana.per_hour), (2, 20));
    let from_file = "[kafka]\nbrokers = [\"127.0.0.1:9092\"]\npassword_file = \"good.secret\"\n";
    let from_file = check(from_file).expect("good");
    let properties = &from_file.kafka.as_ref().expect("kafka").properties;
    assert!(properties["sasl.password"].starts_with("s3cret"), "the file's content");
    assert!(from_file.secret_files.iter().any(|file| file.key == "kafka.password_file"));
    assert!(!format!("{from_file:?}").contains("s3cret"));
    // Secrets are never shown.
    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn all_problems_are_reported_at_once() {
    let error = check(
        r#"
        [server]
        listn = "127.0.0.1:80"
        listen = "localhost"
        tokens_file = "no.such"
        [windows]
        width = "7m"
        lateness = 10
        max_future_skew = "11m"
        time_zone = "Mars/Olympus"
        [regions."a/b"]
        time_zone = "UTC"
        [forcast]
        [forecast]
        refit = "1s"
        [kafka]
        brokers = ["nowhere"]
        [influxdb]
        url = "ftp://x"
        token = "in-the-file"
        read_token = "in-the-file"
        warm_start = "maybe"
        [grafana]
        token_file = "empty.secret"
        annotations = ["page", "yes"]
        [staffing]
        phone = 3
        [[alerts.receivers]]
        type = "pigeon"
        url = "https://user:pw@example.com"
        [[alerts.receivers]]
        name = "pd"
        type = "pagerduty"
        [limits]
        series = 0
        [log]
        format = "xml"
        "#,
    )
    .expect_err("bad");
    insta::assert_snapshot!(error, @r#"
    config surgecast.toml: 26 problems
      server.listen (in surgecast.toml): found `localhost`: use an IP address and a port, such as 127.0.0.1:8080
      server.tokens_file (in surgecast.toml): cannot read no.such: No such file or directory (os error 2)
      server.listn (in surgecast.toml): unknown key, allowed here: advertise, allow_open, allowed_hosts, connections, language, listen, public_url, tls_cert_file, tls_key_file, tokens_file
      windows.width (in surgecast.toml): found `7m`: use 5m, 10m, 15m, 30m or 1h
      windows.lateness (in surgecast.toml): found `10`: use a length of time, such as 15m
      windows.max_future_skew (in surgecast.toml): found `11m`, more than windows.lateness (10m): use at most windows.lateness
      windows.time_zone (in surgecast.toml): found `Mars/Olympus`: `Mars/Olympus` is not an IANA time zone: use one such as Asia/Shanghai or Europe/London
      regions.a/b (in surgecast.toml): the name has a control character or a `/`
      forecast.refit (in surgecast.toml): found `1s`: use a length from 5m to 7d
      kafka.brokers (in surgecast.toml): found `nowhere`: use a list of host:port, such as ["127.0.0.1:9092"]
      influxdb.url (in surgecast.toml): found `ftp://x`: use an http:// or https:// address
      influxdb.token (in surgecast.toml): secrets are not allowed in the config file: use either token_file or the environment variable SURGECAST__INFLUXDB__TOKEN
      influxdb.read_token (in surgecast.toml): secrets are not allowed in the config file: use either read_token_file or the environment variable SURGECAST__INFLUXDB__READ_TOKEN
      influxdb.warm_start (in surgecast.toml): found `maybe`: use true or false
      influxdb.org: is missing: use the organisation's name
      grafana.url: is missing: use an http:// or https:// address
      grafana.token_file (in surgecast.toml): empty.secret is empty: put the secret into it
      grafana.annotations (in surgecast.toml): found `yes`: use some of anomaly, surge, outage, planned, page
      staffing.phone (in surgecast.toml): found `3`: use a table, [staffing.phone]
      alerts.receivers[0].type (in surgecast.toml): found `pigeon`: use webhook, alertmanager, pagerduty, slack, teams, dingtalk, feishu, wecom, email, console
      alerts.receivers[0].name: is missing: use a name of 1 to 64 characters
      alerts.receivers[0].url (in surgecast.toml): the URL must not contain a user or a password: use the key for the secret
      alerts.receivers[1].secret_file: is missing: PagerDuty needs the routing key of an Events API v2 integration
      limits.series (in surgecast.toml): found `0`: use a whole number from 1 to 1000000
      log.format (in surgecast.toml): found `xml`: use text, json
      forcast (in surgecast.toml): unknown section, allowed here: admin, alarms, alerts, anomalies, forecast, grafana, influxdb, kafka, lexicon, limits, log, mapping, recommendations, regions, reports, server, services, sla, staffing, store, teams, telemetry, tickets, windows
    "#);
}

#[test]
fn listening_beyond_loopback_needs_tokens_or_allow_open() {
    let open = "[server]\nlisten = \"0.0.0.0:8080\"";
    let error = check(open).expect_err("open");
    insta::assert_snapshot!(error, @r#"
    config surgecast.toml: 1 problem
      server.listen (in surgecast.toml): found `0.0.0.0:8080`, which other machines can reach, and there are no tokens: set server.tokens_file, listen on 127.0.0.1, or set server.allow_open = true (--allow-open)
    "#);
    assert!(check(&format!("{open}\nallow_open = true")).is_ok());
    let flags = Flags { allow_open: true, ..Flags::default() };
    assert!(check_with(open, &flags).is_ok());
    assert!(check(&format!("{open}\ntokens_file = \"good.tokens\"")).is_ok());
    assert!(check("[admin]\nlisten = \"0.0.0.0:9464\"").is_err());
    assert!(check("[admin]\nlisten = \"127.0.0.1:8080\"").is_err());
}

#[test]
fn flags_override_the_file() {
    let flags =
        Flags { listen: Some("127.0.0.1:1".into()), data: Some("here".into()), ..Flags::default() };
    let text = "[server]\nlisten = \"127.0.0.1:2\"\n[store]\npath = \"there\"";
    let config = check_with(text, &flags).expect("good");
    assert_eq!(config.server.listen.port(), 1);
    // A flag's path is relative to the working directory, a path in the file to the file.
    assert_eq!(config.store.path, Path::new("here"));
    let flags = Flags { listen: Some("x".into()), ..Flags::default() };
    let error = check_with("", &flags).expect_err("bad flag");
    assert!(error.contains("server.listen (from a flag): found `x`"), "{error}");
}

#[test]
fn a_syntax_error_names_the_line() {
    let error = check("[server]\nlisten = ").expect_err("not TOML");
    assert!(
        error.starts_with("surgecast.toml is not TOML:") && error.contains("line 2"),
        "{error}"
    );
    let error = Settings::load(Path::new("no/such.toml"), &Flags::default()).expect_err("no file");
    assert!(error.to_string().starts_with("cannot read the config file no/such.toml:"), "{error}");
}

#[test]
fn all_problems_of_staffing_are_reported() {
    let error = check(
        r#"
        [staffing.phone]
        shrinkage = 30
        target = "80 in 20"
        aht = 300
        aht_minutes = 5
        model = "erlang-b"
        [staffing.chat]
        concurrency = 0
        max_occupancy = 0.01
        [staffing.kiosk]
        patience = "long"
        "#,
    )
    .expect_err("bad");
    insta::assert_snapshot!(error, @r#"
    config surgecast.toml: 10 problems
      staffing.chat.concurrency (in surgecast.toml): found `0`: use a whole number from 1 to 10
      staffing.chat.max_occupancy (in surgecast.toml): use a share from 0.05 to 1
      staffing.kiosk.aht: is missing: how long does one contact take, such as 300s?
      staffing.kiosk.target: is missing: use one such as 80/20, for 80 % within 20 s
      staffing.kiosk.patience (in surgecast.toml): `long` is not a length of time such as 300s, 5m or 1h
      staffing.phone.model (in surgecast.toml): found `erlang-b`: use erlang-c, erlang-a, chat or deferred
      staffing.phone.aht (in surgecast.toml): found `300`: use a length such as 300s, 5m or 1h
      staffing.phone.target (in surgecast.toml): `80 in 20` is not a target: use PERCENT/TIME, such as 80/20 for 80 % within 20 s, or 100/6h
      staffing.phone.shrinkage (in surgecast.toml): 30 is not a share: use a number from 0 to 0.95
      staffing.phone.aht_minutes (in surgecast.toml): unknown key, allowed here: absence, aht, aht_factor_max, aht_from, aht_measured, aht_prior, concurrency, concurrency_rates, max_abandonment, max_asa, max_occupancy, model, patience, redial, shrinkage, target
    "#);
    let good = "[staffing.kiosk]\naht = \"300s\"\ntarget = \"80/20\"\nshrinkage = 0\n";
    let config = check(good).expect("good");
    assert_eq!((config.staffing.len(), config.profiles().len()), (1, 6));
}

#[test]
fn settings_that_serve_refuses_are_refused() {
    let kafka = "[kafka]\nbrokers = [\"127.0.0.1:9092\"]\nproperties = ";
    let grafana = "[grafana]\nurl = \"http://127.0.0.1:3000\"\n";
    let mapping =
        "[[mapping]]\ntarget = \"region\"\nattribute = \"place\"\ntable = \"good.secret\"\n";
    for (text, key, part) in [
        ("[server]\ntokens_file = \"good.secret\"".into(), "server.tokens_file", "good.secret: "),
        (
            "[server]\nallowed_hosts = [\"http://noc\"]".into(),
            "server.allowed_hosts",
            "a host name",
        ),
        ("[server]\nallowed_hosts = [\"noc:8080\"]".into(), "server.allowed_hosts", "a host name"),
        ("[server]\nconnections = 1".into(), "server.connections", "16 to 65536"),
        ("[server]\ntls_cert_file = \"good.secret\"".into(), "server.tls_key_file", "is missing"),
        (
            "[server]\ntls_cert_file = \"good.secret\"\ntls_key_file = \"good.secret\"".into(),
            "server.tls_cert_file",
            "no certificate",
        ),
        (
            "[server]\ntokens_file = \"short.tokens\"".into(),
            "server.tokens_file",
            "`noc`: use at least",
        ),
        ("[server]\ntokens_file = \"broken.tokens\"".into(), "server.tokens_file", "`rule`"),
        (format!("{grafana}annotations = []"), "grafana.annotations", "names none"),
        (format!("{grafana}annotations_per_hour = 0"), "grafana.annotations_per_hour", "1 to 1000"),
        (format!("{grafana}tags = [\"\"]"), "grafana.tags", "at most 5 texts"),
        (mapping.into(), "mapping[0].table", "match,pattern,value"),
        (format!("{kafka}{{ \"group.id\" = \"x\" }}"), "kafka.properties", "set by surgecast"),
        (
            format!("{kafka}{{ \"sasl.password\" = \"x\" }}\npassword_file = \"good.secret\""),
            "kafka.password_file",
            "given twice",
        ),
        (format!("{kafka}{{}}\npassword_file = \"no.such\""), "kafka.password_file", "cannot read"),
        (
            format!(
                "{kafka}{{ \"security.protocol\" = \"ssl\", \"ssl.ca.location\" = \"/no/such\" }}"
            ),
            "kafka.properties",
            "ssl.ca.location",
        ),
    ] {
        let error = check(&text).expect_err(key);
        // A key that is missing is in no file.
        let is_named = error.contains(&format!("{key} (in surgecast.toml): "))
            || error.contains(&format!("{key}: is missing"));
        assert!(is_named, "{key}: {error}");
        assert!(error.contains(part) && error.contains(": 1 problem\n"), "{key}: {error}");
        // The first line of a look-up table is not a secret.
        assert!(key.starts_with("mapping") || !error.contains("s3cret"), "{error}");
    }
}

#[test]
fn teams_and_scopes_have_profiles_of_their_own() {
    let config = check(
        r#"
        [staffing.phone]
        aht = "270s"
        [services.mobile.staffing.phone]
        aht = "330s"
        target = "70/30"
        [regions.north.staffing.phone]
        target = "90/10"
        [teams.calls]
        series = ["south/_all/phone", "east/broadband/phone"]
        aht = "300s"
        target = "80/20"
        hours = "Mo-Fr 07:00-23:00"
        minimum = 2
        "#,
    )
    .expect("good");
    let profile = |series: &str| {
        let series = crate::domain::SeriesKey::parse(series).expect("series");
        let profile = config.rules.profile_of(&series).expect("a profile");
        let target = profile.target;
        (profile.aht.as_secs(), (target.fraction * 100.0).round() as u32, target.within.as_secs())
    };
    assert_eq!(profile("west/broadband/phone"), (270, 80, 20));
    assert_eq!(profile("west/mobile/phone"), (330, 70, 30));
    assert_eq!(profile("north/broadband/phone"), (270, 90, 10));
    assert_eq!(profile("north/mobile/phone"), (330, 90, 10), "the region's over the service's");
    assert_eq!(profile("south/mobile/phone"), (300, 80, 20), "the team's");
    let team = &config.rules.teams()[0];
    assert_eq!((team.minimum, team.zone.to_string().as_str()), (2, "UTC"));
}

#[test]
fn problems_of_teams_name_their_key() {
    let error = check(
        r#"
        [services.mobile.staffing.phone]
        aht = "330s"
        shrinkage = 2
        [regions.north.staffing.phone]
        aht_minutes = 3
        [teams.calls]
        series = ["south/_all/phone", "east/mobile/phone"]
        hours = "Mo-Fr 7-23"
        [teams.second]
        series = ["south/mobile/phone", "south/mobile/chat", "south/mobile/_all", "south"]
        aht = "5 minutes"
        minimum = -1
        [teams.third]
        target = "80/20"
        "#,
    )
    .expect_err("bad");
    let text = error.to_string();
    for problem in [
        "services.mobile.staffing.phone.shrinkage (in surgecast.toml): 2 is not a share",
        "regions.north.staffing.phone.aht_minutes (in surgecast.toml): unknown key",
        "teams.calls.aht: south/_all/phone and south/mobile/phone differ: set it for the team",
        "teams.calls.hours (in surgecast.toml): found `Mo-Fr 7-23`",
        "teams.second.series (in surgecast.toml): south/mobile/phone and south/mobile/chat have different channels",
        "teams.second.series (in surgecast.toml): south/mobile/_all has no channel",
        "teams.second.series (in surgecast.toml): `south` is not region/service/channel",
        "teams.second.series (in surgecast.toml): team calls serves south/mobile/phone too",
        "teams.second.aht (in surgecast.toml): `5 minutes` is not a length of time",
        "teams.second.minimum (in surgecast.toml): found `-1`",
        "teams.third.series: is missing",
    ] {
        assert!(text.contains(problem), "{problem}\n{text}");
    }
}

#[test]
fn each_kind_of_receiver_says_what_it_needs() {
    let of = |kind: &str, keys: &str| {
        let url = if keys.contains("url = ") { "" } else { "url = \"http://127.0.0.1:9/\"\n" };
        format!("[[alerts.receivers]]\nname = \"noc\"\ntype = \"{kind}\"\n{url}{keys}\n")
    };
    let mail = "url = \"smtp://127.0.0.1:25\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]";
    let key = |key: &str| format!("alerts.receivers[0].{key}");
    for (text, key, part) in [
        (of("pagerduty", ""), key("secret_file"), "routing key"),
        (of("console", ""), key("url"), "has no address"),
        (of("slack", "mention = [\"all\"]"), key("mention"), "only dingtalk, feishu, wecom"),
        (of("feishu", "mention = [\"13800000000\"]"), key("mention"), "cannot mention mobile"),
        (of("wecom", "keyword = \"x\""), key("keyword"), "only dingtalk, feishu"),
        (of("email", "from = \"a@b.example\"\nto = [\"c@d.example\"]"), key("url"), "smtp://HOST"),
        (of("email", &mail.replace("from = \"a@b.example\"", "")), key("from"), "is missing"),
        (of("email", &mail.replace("to = [\"c@d.example\"]", "")), key("to"), "is missing"),
        (of("email", &mail.replace("c@d.example", "nobody")), key("to"), "found `nobody`"),
        (of("email", &format!("{mail}\nusername = \"u\"")), key("username"), "secret_file"),
        (of("webhook", "url = \"http://169.254.169.254/\""), key("url"), "allow_link_local"),
        (of("webhook", "ca_file = \"good.secret\""), key("ca_file"), "no certificate"),
        (of("webhook", "ca_file = \"no.such\""), key("ca_file"), "No such file"),
        (of("webhook", "rules = [\"surge\"]"), key("rules"), "use understaffed"),
        (of("webhook", "regions = [\"a/b\"]"), key("regions"), "found `a/b`"),
        (of("webhook", "min_severity = \"major\""), key("min_severity"), "critical"),
        (of("webhook", "duty = \"weekdays\""), key("duty"), "Mo-Fr 07:00-23:00"),
        (
            "[alerts.rules.surge_ahead]\nthreshold = 0".into(),
            "alerts.rules.surge_ahead.threshold".into(),
            "from 0.01",
        ),
        (
            "[alerts.rules.surge_ahead]\nclear_below = 9".into(),
            "alerts.rules.surge_ahead.clear_below".into(),
            "the threshold (1.5)",
        ),
        (
            "[alerts.rules.surge_ahead]\nseverity = \"major\"".into(),
            "alerts.rules.surge_ahead.severity".into(),
            "critical",
        ),
        (
            "[alerts.rules.surge]\nenabled = false".into(),
            "alerts.rules.surge".into(),
            "use surge_ahead",
        ),
        (
            "[alerts]\npage_probability_alarms = 70".into(),
            "alerts.page_probability_alarms".into(),
            "from 0 to 1",
        ),
        ("[alerts]\npage_ahead = \"7h\"".into(), "alerts.page_ahead".into(), "6h"),
        ("[alerts.heartbeat]\nevery = \"1m\"".into(), "alerts.heartbeat.url".into(), "is missing"),
        (
            "[alerts]\nquiet_hours = \"nights\"".into(),
            "alerts.quiet_hours".into(),
            "Mo-Fr 07:00-23:00",
        ),
    ] {
        let error = check(&text).expect_err(&text);
        let is_named = error.contains(&format!("{key} (in surgecast.toml): "))
            || error.contains(&format!("{key}: is missing"));
        assert!(is_named && error.contains(part), "{text}{error}");
        assert!(error.contains(": 1 problem\n"), "{error}");
    }
    let quiet = check("[alerts]\nquiet_hours = \"Mo-Su 22:00-06:00\"").expect("accepted");
    assert!(quiet.alerts.quiet_hours.is_some());
    let limits = check("[alerts]\npage_ahead = \"2h\"\npage_probability = 0.9").expect("accepted");
    let page = limits.alerts.rules.page;
    assert_eq!((page.ahead, page.probability), (Duration::from_secs(7200), 0.9));
    assert_eq!(page.later, 0.95);
    let rule =
        "[alerts.rules.alarm_storm]\nenabled = false\nfor = \"45m\"\nseverity = \"critical\"";
    let rules = check(rule).expect("accepted").alerts.rules;
    let storm = rules.limits("alarm_storm").expect("a rule");
    assert!(!storm.enabled && storm.hold == Duration::from_secs(2700));
    assert_eq!(storm.severity, AlertSeverity::Critical);
    for text in [
        of("email", mail),
        of("console", "url = \"\"").replace("url = \"\"\n", ""),
        of("feishu", "mention = [\"all\"]\nkeyword = \"x\"\nlanguage = \"zh\""),
        of(
            "webhook",
            "rules = [\"understaffed\"]\nregions = [\"华东\"]\nduty = \"Mo-Fr 07:00-23:00\"",
        ),
    ] {
        assert_eq!(check(&text).expect(&text).alerts.receivers.len(), 1);
    }
}

#[test]
fn windows_that_begin_between_full_hours_are_reported() {
    let odd = |text: &str| check(text).expect("a config").odd_windows();
    for (width, zone, is_odd) in [
        ("60m", "Asia/Kolkata", true),
        ("30m", "Asia/Kolkata", false),
        ("30m", "Asia/Kathmandu", true),
        ("15m", "Asia/Kathmandu", false),
        ("60m", "Europe/London", false),
        // Half an hour of summer time.
        ("60m", "Australia/Lord_Howe", true),
    ] {
        let text = format!("[windows]\nwidth = \"{width}\"\ntime_zone = \"{zone}\"\n");
        assert_eq!(odd(&text).is_some_and(|text| text.contains(zone)), is_odd, "{width} {zone}");
    }
    let region = "[windows]\nwidth = \"60m\"\n[regions.east]\ntime_zone = \"Asia/Kolkata\"\n";
    assert!(odd(region).is_some());
}

#[test]
fn a_number_in_quotation_marks_is_named() {
    let error = check("[limits]\nseries = \"10000\"\n").expect_err("text");
    assert!(error.contains("without quotation marks"), "{error}");
    let error = check("[recommendations]\nmove_cost = \"5.5\"\n").expect_err("text");
    assert!(error.contains("use a number, without quotation marks"), "{error}");
}

#[test]
fn agreements_and_rules_of_priority_are_read() {
    let text = r#"
        [tickets]
        default_priority = "P4"
        customer_ids = "plain"
        duplicates_within = "12h"
        [[tickets.priority]]
        give = "P1"
        tiers = ["hospital"]
        classes = ["outage", "coverage"]
        critical_alarm = true
        sentiment = "negative"
        [sla.usual]
        first_response = "4h"
        resolution = "3d"
        [sla.urgent]
        priorities = ["P1", "p2"]
        channels = ["email"]
        first_response = "15m"
        warn_percent = 50
        "#;
    let policy = check(text).expect("a config").policy;
    assert_eq!(policy.priorities.default, Priority::P4);
    assert!(!policy.hash_customers && policy.duplicates_within.as_secs() == 12 * 3600);
    let [rule] = policy.priorities.rules.as_slice() else { panic!("{policy:?}") };
    assert_eq!((rule.priority, rule.critical_alarm), (Priority::P1, true));
    assert_eq!((rule.classes.len(), rule.tiers.len(), rule.channels.len()), (2, 1, 0));
    let urgent = policy.slas.iter().find(|sla| sla.name.as_str() == "urgent").expect("it");
    assert_eq!(urgent.priorities, [Priority::P1, Priority::P2]);
    assert_eq!((urgent.warn_percent, urgent.resolution), (50, None));
    assert_eq!(policy.slas.len(), 2);

    let wrong = r#"
        [tickets]
        default_priority = "high"
        [[tickets.priority]]
        classes = ["weather"]
        [sla.empty]
        channels = ["email"]
        [sla.odd]
        first_response = "0s"
        priorities = ["P7"]
        "#;
    let error = check(wrong).expect_err("is wrong");
    for expected in [
        "tickets.default_priority (in surgecast.toml): found `high`: use P1, P2, P3, P4",
        "tickets.priority[0].classes (in surgecast.toml): found `weather`: use a list of outage, coverage",
        "tickets.priority[0].give: is missing: use P1, P2, P3 or P4",
        "has no time: add first_response or resolution",
        "sla.odd.first_response (in surgecast.toml): found `0s`",
        "sla.odd.priorities (in surgecast.toml): found `P7`: use a list of P1, P2, P3, P4",
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_collector_may_ask_for_a_header() {
    assert!(check("[telemetry]\nservice_name = \"x\"\n").expect("good").otlp.is_none());
    let config = "[telemetry]\notlp = \"http://c:4318\"\notlp_header_file = \"good.secret\"\n";
    let error = check(config).expect_err("no header");
    assert!(error.contains("telemetry.otlp_header_file"), "{error}");
    assert!(error.contains("Authorization: Bearer") && !error.contains("s3cret"), "{error}");
    let error = check("[telemetry]\notlp = \"collector:4318\"\n").expect_err("no address");
    assert!(error.contains("telemetry.otlp"), "{error}");
}
