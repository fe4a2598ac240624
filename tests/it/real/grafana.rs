//! Runs all queries of the boards like Grafana: panels, variables, annotations and the rules.

#![allow(clippy::disallowed_methods, reason = "the points lie around now")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use super::servers::{Influx, Row};
use crate::boards::{ALL, Board, Lang, Query, Select, Source, boards, queries, rule_queries};

/// A picker's choice.
#[derive(Clone, Debug)]
pub enum Choice<'a> {
    All,
    These(&'a [&'a str]),
}

impl Choice<'_> {
    /// As Grafana inserts it with the format `regex`. The value of `All` is inserted as it is.
    fn regex(&self, all: &str) -> String {
        let escaped = |name: &&str| {
            let mut text = String::new();
            for character in name.chars() {
                if r"\^$*+?.()|[]{}/".contains(character) {
                    text.push('\\');
                }
                text.push(character);
            }
            text
        };
        match self {
            Self::All => all.into(),
            Self::These([one]) => escaped(one),
            Self::These(several) => {
                let names: Vec<String> = several.iter().map(escaped).collect();
                format!("({})", names.join("|"))
            }
        }
    }
}

/// The range in which queries run, in seconds from now.
const RANGE_S: (i64, i64) = (-86_400, 21_600);

/// A query with its variables filled in like in Grafana.
fn filled(query: &str, bucket: &str, choices: &[Choice<'_>; 3]) -> String {
    filled_for(query, bucket, choices, RANGE_S)
}

/// A query for a range, in seconds from now.
pub fn filled_for(
    query: &str,
    bucket: &str,
    choices: &[Choice<'_>; 3],
    (from, to): (i64, i64),
) -> String {
    let mut query = query.to_owned();
    for (name, choice) in ["region", "service", "channel"].iter().zip(choices) {
        query = query.replace(&format!("${{{name}:regex}}"), &choice.regex("_all"));
    }
    let options = format!(
        "import \"experimental\"\noption v = {{timeRangeStart: {from}s, timeRangeStop: {to}s, windowPeriod: 1m, \
         defaultBucket: \"{bucket}\"}}\n"
    );
    // Imports come first in Flux.
    let (imports, rest): (Vec<&str>, Vec<&str>) =
        query.lines().partition(|line| line.starts_with("import "));
    let imports: BTreeSet<&str> =
        imports.into_iter().filter(|line| *line != "import \"experimental\"").collect();
    let imports: Vec<&str> = imports.into_iter().collect();
    format!("{}\n{options}{}", imports.join("\n"), rest.join("\n"))
}

/// A query in InfluxQL with its variables filled in like in Grafana, for the range of [`filled`].
fn filled_influxql(query: &str, choices: &[Choice<'_>; 3]) -> String {
    filled_influxql_for(query, choices, RANGE_S)
}

/// The same for another range.
pub fn filled_influxql_for(
    query: &str,
    choices: &[Choice<'_>; 3],
    (from, to): (i64, i64),
) -> String {
    let now = now_s();
    let range = format!("time >= {}000ms and time <= {}000ms", now + from, now + to);
    let mut query = query.replace("$timeFilter", &range);
    for (name, choice) in ["region", "service", "channel"].iter().zip(choices) {
        query = query.replace(&format!("${{{name}:regex}}"), &choice.regex(ALL));
    }
    query
}

/// Runs the queries of all boards for the choices, and checks their results. `may_be_empty` allows no rows everywhere.
pub fn check_boards(influx: &Influx, bucket: &str, choices: &[Choice<'_>; 3], may_be_empty: bool) {
    for board in boards().iter().filter(|board| board.source != Source::PromQl) {
        check_board(influx, bucket, board, choices, may_be_empty);
    }
    for query in rule_queries() {
        let rows = influx.query(&filled(&query.text, bucket, choices));
        assert!(!rows.is_empty() || may_be_empty, "a rule has no rows\n{}", query.text);
        for row in &rows {
            has(row, &query, &query.text);
            assert!(row["_value"].parse::<f64>().is_ok(), "{row:?}\n{}", query.text);
        }
    }
}

fn check_board(
    influx: &Influx,
    bucket: &str,
    board: &Board,
    choices: &[Choice<'_>; 3],
    may_be_empty: bool,
) {
    for query in queries(board) {
        // The languages differ only in texts.
        if board.lang == Lang::Zh && !query.text.contains("dict.get") {
            continue;
        }
        let rows_in_flux = || influx.query(&filled(&query.text, bucket, choices));
        if board.source == Source::InfluxQl {
            let found = check_influxql(influx, bucket, query, choices);
            let is_fine = found || query.may_be_empty || may_be_empty || rows_in_flux().is_empty();
            assert!(is_fine, "{}: no rows\n{:?}", board.path(), query.influxql);
            continue;
        }
        let text = filled(&query.text, bucket, choices);
        let rows = influx.query(&text);
        let is_fine = !rows.is_empty() || query.may_be_empty || may_be_empty;
        assert!(is_fine, "{}: no rows\n{text}", board.path());
        rows.iter().for_each(|row| has(row, query, &text));
    }
}

/// Runs a query in InfluxQL and checks the shape of its rows. Returns whether there are any.
fn check_influxql(influx: &Influx, bucket: &str, query: &Query, choices: &[Choice<'_>; 3]) -> bool {
    let found = query.influxql.iter().map(|select| {
        let rows = rows_in_influxql(influx, bucket, select, choices);
        !rows.is_empty()
    });
    // Each runs, also after one with rows.
    found.collect::<Vec<_>>().contains(&true)
}

fn rows_in_influxql(
    influx: &Influx,
    bucket: &str,
    select: &Select,
    choices: &[Choice<'_>; 3],
) -> Vec<Row> {
    let text = filled_influxql(&select.text, choices);
    let rows = influx.influxql(bucket, &text);
    for row in &rows {
        for column in &select.columns {
            assert!(row.contains_key(column), "no {column} in {row:?}\n{text}");
            let value = &row[column];
            let is_number = value.is_empty() || value.parse::<f64>().is_ok();
            assert!(is_number || !select.is_chart(), "{value} is not a number\n{text}");
        }
    }
    rows
}

fn has(row: &Row, query: &Query, text: &str) {
    for column in &query.columns {
        assert!(row.contains_key(column), "no {column} in {row:?}\n{text}");
    }
    if query.columns.iter().any(|column| column == "_field") {
        let value = &row["_value"];
        assert!(value.parse::<f64>().is_ok(), "{value} is not a number\n{text}");
    }
}

fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    now.as_secs() as i64
}

/// A second series beside that of [`points`].
const SECOND: [&str; 3] = ["elsewhere", "other", "chat"];

/// Points of every measurement around now: for a series, for a second one with other values, and for their roll-up.
fn points(region: &str, service: &str) -> String {
    let tag = |name: &str| name.replace(',', "\\,").replace(' ', "\\ ").replace('=', "\\=");
    let now = now_s();
    let window = now.div_euclid(900) * 900;
    let [second_region, second_service, second_channel] = SECOND;
    let (region, service_tag) = (tag(region), tag(service));
    let first = [region.as_str(), service_tag.as_str(), "phone"];
    let mut lines = Vec::new();
    for (n, [region, service, channel]) in [(1, first), (2, SECOND), (3, ["_all"; 3])] {
        let series = format!("region={region},service={service},channel={channel}");
        let scope = format!("region={region},service={service}");
        for step in -8..24i64 {
            if step <= 0 {
                lines.extend(counted(&series, &scope, n, (step, window)));
            }
            lines.extend(forecast(&series, n, (step, window)));
            if channel != "_all" {
                lines.extend(staffed(&series, region, n, (step, window)));
            }
        }
        lines.extend(of_series(&series, n, window));
    }
    lines.extend(of_scope(&region, &service_tag, service, 1, window));
    lines.extend(of_scope(second_region, second_service, second_service, 2, window));
    lines.push(format!(
        "planned,region={region},service={service_tag},channel=_all kind=\"cause\",text=\"LOS\",tickets=4.5,until=\"{}\",state=\"planned\" {}",
        iso(window + 21_600),
        nanos(window + 2)
    ));
    lines.push(format!(
        "service,region={second_region},service={second_service},channel={second_channel} offered=2i,answered=2i,abandoned=0i,\
         targeted=0i,in_time=0i {}",
        nanos(window - 9 * 900)
    ));
    lines.join("\n")
}

fn nanos(secs: i64) -> String {
    format!("{secs}000000000")
}

fn iso(secs: i64) -> String {
    let at = chrono::DateTime::from_timestamp(secs, 0).expect("a time");
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// Counts of a window, `step` windows after the newest one. Those of the `n`-th series are `n` times as large.
fn counted(series: &str, scope: &str, n: i64, (step, window): (i64, i64)) -> Vec<String> {
    let at = nanos(window + step * 900);
    let upto = if step == 0 { 7 } else { 0 };
    let level = 0.25 * (4 - n) as f64;
    vec![
        format!("tickets,{series} count={}i,late={n}i,upto={upto}i {at}", 5 * n),
        format!(
            "alarms,{scope} raised_critical={n}i,raised_major=0i,raised_minor=0i,raised_warning=0i,raised_indeterminate={}i,\
             cleared={n}i,active={}i {at}",
            2 * n,
            3 * n
        ),
        format!(
            "service,{series} offered={}i,answered={}i,abandoned={n}i,targeted={}i,in_time={}i,service_level={level},abandonment=0.2 {at}",
            5 * n,
            4 * n,
            4 * n,
            4 - n
        ),
        format!("forecast_lead,{series},lead_h=3 q10={n},q50={},q90={} {at}", 2 * n, 3 * n),
    ]
}

fn forecast(series: &str, n: i64, (step, window): (i64, i64)) -> Vec<String> {
    let [a, b, c, d, e, f, g] = [1, 2, 3, 4, 5, 6, 7].map(|value| value * n);
    vec![format!(
        "forecast,{series} mean={f},q025={a},q10={b},q25={c},q50={d},q75={e},q90={f},q975={g},baseline={e},alarm_effect={a},\
         issued_at=\"{}\" {}",
        iso(window),
        nanos(window + step * 900)
    )]
}

/// Plans, and open tickets. Nothing happens to tickets of the second series in every other window.
fn staffed(series: &str, region: &str, n: i64, (step, window): (i64, i64)) -> Vec<String> {
    let at = nanos(window + step * 900);
    let plan = format!(
        "positions={}i,agents={}i,scheduled=4i,gap={}i,service_level={}",
        3 * n,
        4 + n,
        n,
        0.25 * (4 - n) as f64
    );
    let mut lines = vec![
        format!("staffing,{series} {plan} {at}"),
        format!("team_staffing,team={region} {plan} {at}"),
    ];
    if step < 0 && step % n == 0 {
        lines.push(format!("backlog,{series} open={}i,opened={}i {at}", (9 + step) * n, 2 * n));
    }
    lines
}

/// Points of a series that are not of each window.
fn of_series(series: &str, n: i64, window: i64) -> Vec<String> {
    let day = now_s().div_euclid(86_400) * 86_400;
    let mut lines = vec![
        format!(
            "outlook,{series} peak={},peak_at=\"{1}\",over_baseline=1.{n},gap_max={2}i,gap_at=\"{1}\",minutes_to_breach={3}i,\
             breach_at=\"{1}\",rostered=1i,fallback=\"\" {4}",
            9 * n,
            iso(window + 3600 * n),
            1 + n,
            15 * n,
            nanos(window)
        ),
        format!(
            "accuracy,{series},lead_h=3 wape=0.{n},wape_naive=0.{},wape_floor=0.05,mase=0.5,coverage80=0.8,bias=0.0{n},surges={}i,\
             surges_hit={n}i,false_calls={n}i {}",
            n + 1,
            2 * n,
            nanos(day)
        ),
    ];
    for score in [4, 6] {
        lines.push(format!(
            "anomaly,{series} score={},kind=\"high\",text=\"say \\\"more\\\"\" {}",
            score * n,
            nanos(window - score * 900)
        ));
    }
    lines.push(format!(
        "planned,{series} kind=\"maintenance\",text=\"core\",until=\"{}\",state=\"planned\" {}",
        iso(window + 7200),
        nanos(window)
    ));
    lines.push(format!(
        "planned,{series} kind=\"billing\",text=\"run\",factor=1.5,until=\"{}\",state=\"planned\" {}",
        iso(window + 7200),
        nanos(window + 1)
    ));
    lines
}

/// Points of a region and service, whose name in a text is `service`, and of what has no series.
fn of_scope(region: &str, tag: &str, service: &str, n: i64, window: i64) -> Vec<String> {
    vec![
        format!(
            "alarm_types,region={region},service={tag},type=LOS raised={n}i,standing={}i,ticket_effect={} {}",
            2 * n,
            4.5 * n as f64,
            nanos(window)
        ),
        format!(
            "alert,rule=understaffed,severity=critical,region={region} state=\"firing\",incident=\"a{n}\",service=\"{}\",\
             since=\"{}\",agents_short={}i,summary=\"agents missing\",url=\"http://x/#/alerts/a{n}\" {}",
            service.replace('\\', "\\\\").replace('"', "\\\""),
            iso(window - 900),
            4 * n,
            nanos(window)
        ),
        format!(
            "recommendation,kind=call_in,team=calls{n} id=\"r{n}\",state=\"proposed\",source=\"\",from=\"{}\",until=\"{}\",\
             agents={}i,confidence=0.9,service_level_with=0.8,service_level_without=0.5,cost={},changes=0i,answered_by=\"\",\
             summary=\"call in\" {}",
            iso(window + 3600),
            iso(window + 7200),
            4 * n,
            120 * n,
            nanos(window)
        ),
        format!(
            "feed,source=network.alarms[{n}] lag={}i,frontier_age={}i,silent_for={}i,heard=1i,rejected=2i,malformed=1i,field=1i,\
             future=0i,limit=0i,late={n}i {}",
            3 * n,
            900 * n,
            5 * n,
            nanos(now_s() - 30)
        ),
    ]
}

#[test]
fn every_query_of_every_board_gives_rows_for_any_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let influx = Influx::start(folder.path());
    let names = [
        ("north", "broadband"),
        (r#"No"rth (1|2)"#, r#"fibre, 1 Gb = $x ${y} [z]+?*^."#),
        ("华北", "宽带 '家庭'"),
    ];
    for (n, (region, service)) in names.into_iter().enumerate() {
        let bucket = format!("names{n}");
        influx.create_bucket(&bucket);
        influx.write(&bucket, &points(region, service));
        use Choice::{All, These};
        let one = [These(&[region]), These(&[service]), These(&["phone"])];
        let several = [These(&[SECOND[0], region]), These(&[service, SECOND[1]]), All];
        for choices in [[All, All, All], one] {
            check_all(&influx, &bucket, &choices);
        }
        check_boards(&influx, &bucket, &several, true);
        let both = [
            These(&[SECOND[0], region]),
            These(&[service, SECOND[1]]),
            These(&["phone", SECOND[2]]),
        ];
        check_all(&influx, &bucket, &both);
    }
}

/// Values of a chart by the name of their series, in order of size. `None` for what is no chart.
type Values = BTreeMap<String, Vec<String>>;

fn values_in_flux(rows: &[Row]) -> Values {
    let mut values = Values::new();
    for row in rows {
        if let (Some(name), Some(value)) = (row.get("_field"), row.get("_value")) {
            let value = value.parse::<f64>().expect("a number");
            values.entry(name.clone()).or_default().push(format!("{value:.6}"));
        }
    }
    values.values_mut().for_each(|values| values.sort());
    values
}

fn values_in_influxql(rows: &[Row], columns: &[String], values: &mut Values) {
    for (row, column) in rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column)))
    {
        if let Ok(value) = row[column].parse::<f64>() {
            values.entry(column.clone()).or_default().push(format!("{value:.6}"));
        }
    }
    values.values_mut().for_each(|values| values.sort());
}

/// Whether it is a chart with one line.
fn is_one_line(flux: &[Row]) -> bool {
    let names: BTreeSet<Option<&String>> = flux.iter().map(|row| row.get("_field")).collect();
    names.len() == 1 && !names.contains(&None)
}

/// A chart that Grafana stacks in InfluxQL has the sums that Flux has. One of the queries may reach a later window than the other.
fn same_sums(flux: &[Row], rows: &[Row], select: &Select) {
    let mut sums: BTreeMap<i64, f64> = BTreeMap::new();
    for (row, column) in rows.iter().flat_map(|row| select.columns.iter().map(move |c| (row, c))) {
        if let Ok(value) = row[column].parse::<f64>() {
            *sums.entry(row["time"].parse().expect("milliseconds")).or_default() += value;
        }
    }
    let mut both = 0;
    for row in flux {
        let at = chrono::DateTime::parse_from_rfc3339(&row["_time"]).expect("a time");
        let value: f64 = row["_value"].parse().expect("a number");
        if let Some(sum) = sums.get(&at.timestamp_millis()) {
            assert!((sum - value).abs() < 1e-6, "{at}: {sum} and {value}\n{}", select.text);
            both += 1;
        }
    }
    assert!(both + 1 >= flux.len().max(sums.len()), "{both} of {}\n{}", flux.len(), select.text);
}

/// Figures that depend on the time of the query, and by how much they may differ: InfluxQL counts whole minutes, and a busy machine
/// takes its time between two queries.
const OF_NOW: [(&str, f64); 2] = [("age", 900.0), ("hours", 0.25)];
/// Figures that are instants: in Flux numbers, in InfluxQL texts.
const INSTANTS: [&str; 2] = ["at", "breach"];

/// Charts and figures have the same values in both query languages. Each figure has an age.
fn same_values(influx: &Influx, bucket: &str, choices: &[Choice<'_>; 3]) -> (usize, usize) {
    let (mut charts, mut figures) = (0, 0);
    for board in boards().iter().filter(|board| board.source == Source::InfluxQl) {
        for query in board.panels.iter().flat_map(|panel| &panel.queries) {
            let flux = influx.query(&filled(&query.text, bucket, choices));
            let mut found = Values::new();
            let mut rows = Vec::new();
            for select in &query.influxql {
                let of_select = rows_in_influxql(influx, bucket, select, choices);
                values_in_influxql(&of_select, &select.columns, &mut found);
                rows.extend(of_select);
            }
            let is_chart = query.influxql.iter().all(Select::is_plain_chart);
            if is_chart && flux.iter().all(|row| row.contains_key("_field")) {
                assert_eq!(found, values_in_flux(&flux), "{}\n{:?}", query.text, query.influxql);
                charts += 1;
            } else if let ([select], true) = (query.influxql.as_slice(), is_one_line(&flux)) {
                same_sums(&flux, &rows, select);
                charts += 1;
            } else if let ([one], true) =
                (flux.as_slice(), query.columns.iter().any(|column| column == "age"))
            {
                for column in query.influxql.iter().flat_map(|select| &select.columns) {
                    let value = one.get(column).and_then(|value| value.parse::<f64>().ok());
                    let Some(value) = value.filter(|_| !INSTANTS.contains(&column.as_str())) else {
                        continue;
                    };
                    let [there] = found.get(column).map(Vec::as_slice).unwrap_or_default() else {
                        panic!("{column}: {:?}\n{}", found.get(column), query.text);
                    };
                    let there: f64 = there.parse().expect("a number");
                    let of_now = OF_NOW.into_iter().find(|(figure, _)| figure == column);
                    let close = of_now.map_or(1e-6, |(_, close)| close);
                    assert!(
                        (there - value).abs() <= close,
                        "{column}: {value} and {there}\n{}",
                        query.text
                    );
                    figures += 1;
                }
            }
        }
    }
    (charts, figures)
}

/// Like [`check_boards`], where nothing may be empty.
fn check_all(influx: &Influx, bucket: &str, choices: &[Choice<'_>; 3]) {
    let mut empty = Vec::new();
    for board in boards().iter().filter(|board| board.source == Source::Flux) {
        for query in queries(board) {
            let text = filled(&query.text, bucket, choices);
            let rows = influx.query(&text);
            if rows.is_empty() {
                empty.push(text.clone());
            }
            rows.iter().for_each(|row| has(row, query, &text));
            for select in &query.influxql {
                if rows_in_influxql(influx, bucket, select, choices).is_empty() {
                    empty.push(filled_influxql(&select.text, choices));
                }
            }
        }
    }
    let (charts, figures) = same_values(influx, bucket, choices);
    assert!(charts > 20 && figures > 10, "{charts} charts, {figures} figures");
    assert!(
        empty.is_empty(),
        "{} queries give no rows for {choices:?}:\n{}",
        empty.len(),
        empty.join("\n-----\n")
    );
}

#[test]
fn an_empty_bucket_is_no_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let influx = Influx::start(folder.path());
    influx.create_bucket("empty");
    check_boards(&influx, "empty", &[Choice::All, Choice::All, Choice::All], true);
}
