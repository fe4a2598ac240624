//! A bucket with weeks of all measurements that boards read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat};
use surgecast::domain::SeriesKey;

use super::servers::{Influx, ORG, TOKEN};
use super::site::Site;

const WINDOW_S: i64 = 900;
const DAY_S: i64 = 86_400;
const LINES_MAX: usize = 5_000;
/// Outlooks of the last two days are written.
const OUTLOOKS_S: i64 = 2 * DAY_S;
const TEAMS: i64 = 50;
/// Windows of a forecast.
const AHEAD: i64 = 24;
/// Alarm types of a scope that raise alarms.
const TYPES: [&str; 3] = ["linkDown", "LOS", "temperature"];
const SOURCES: [&str; 4] = ["tickets[0]", "tickets[1]", "alarms[0]", "maintenance[0]"];

/// Writes lines in bodies as large as those of the sink.
struct Writer {
    http: reqwest::blocking::Client,
    address: String,
    body: String,
    lines: usize,
    written: u64,
}

impl Writer {
    fn new(influx: &Influx, bucket: &str) -> Self {
        Self {
            http: reqwest::blocking::Client::builder().timeout(None).build().unwrap(),
            address: format!("{}/api/v2/write?org={ORG}&bucket={bucket}&precision=s", influx.url()),
            body: String::new(),
            lines: 0,
            written: 0,
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        self.body.write_fmt(line).unwrap();
        self.body.push('\n');
        self.lines += 1;
        if self.lines == LINES_MAX {
            self.send();
        }
    }

    fn send(&mut self) {
        self.written += self.lines as u64;
        self.lines = 0;
        let request =
            self.http.post(&self.address).header("authorization", format!("Token {TOKEN}"));
        let answer = request.body(std::mem::take(&mut self.body)).send().unwrap();
        assert_eq!(answer.status().as_u16(), 204, "{}", answer.text().unwrap_or_default());
    }
}

/// A number between 0 and 1 that depends on its arguments alone.
fn chance(a: i64, b: i64) -> f64 {
    let mut x = (a as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (b as u64).wrapping_mul(0xd1b5_4a32_d192_ed03);
    x ^= x >> 31;
    x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 29;
    (x >> 11) as f64 / (1u64 << 53) as f64
}

/// Mean tickets a window.
fn rate(nth: i64, start: i64) -> f64 {
    let turn = (start.rem_euclid(DAY_S) as f64 / 3600.0 - 2.0) / 24.0 * std::f64::consts::TAU;
    (0.5 + 10.0 * chance(nth, 0).powi(2)) * (1.05 - turn.cos())
}

fn iso(at: i64) -> String {
    DateTime::from_timestamp(at, 0).unwrap().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Fills a bucket with windows from `weeks` before `now` until then, and forecasts of six hours. Returns the number of points.
pub fn fill(influx: &Influx, bucket: &str, series: usize, weeks: i64, now: i64) -> u64 {
    let site = Site::new(series);
    let mut all: BTreeSet<SeriesKey> = site.leaves.iter().cloned().collect();
    all.extend(site.leaves.iter().flat_map(SeriesKey::roll_ups));
    let all: Vec<(i64, SeriesKey)> = (0..).zip(all).collect();
    let mut scopes = BTreeMap::new();
    for (nth, key) in all.iter().filter(|(_, key)| key.is_scope()) {
        scopes.insert(format!("region={},service={}", key.region, key.service), *nth);
    }
    let last = now.div_euclid(WINDOW_S) * WINDOW_S;
    let starts: Vec<i64> = (-weeks * 7 * 96..=AHEAD).map(|n| last + n * WINDOW_S).collect();
    let (front, back) = all.split_at(all.len() / 2);
    std::thread::scope(|scope| {
        let halves = [front, back].map(|half| {
            let starts = &starts;
            scope.spawn(move || {
                let mut writer = Writer::new(influx, bucket);
                for start in starts {
                    half.iter()
                        .for_each(|(nth, key)| of_series(&mut writer, *nth, key, *start, last));
                    if start.rem_euclid(DAY_S) == 0 {
                        eprintln!("{}: {} points", iso(*start), writer.written);
                    }
                }
                writer.send();
                writer.written
            })
        });
        let mut writer = Writer::new(influx, bucket);
        for start in &starts {
            for team in 0..TEAMS {
                let gap = (chance(team, *start) * 20.0) as i64 - 10;
                writer.line(format_args!(
                    "team_staffing,team=team-{team:02} positions=30i,agents=40i,scheduled={}i,gap={gap}i,service_level=0.8 {start}",
                    40 - gap
                ));
            }
        }
        for start in starts.iter().filter(|start| **start <= last) {
            for (tags, nth) in &scopes {
                of_scope(&mut writer, *nth, tags, *start);
            }
            events(&mut writer, &all, *start);
        }
        writer.send();
        writer.written + halves.into_iter().map(|half| half.join().unwrap()).sum::<u64>()
    })
}

/// The points of a series in a window.
fn of_series(writer: &mut Writer, nth: i64, key: &SeriesKey, start: i64, last: i64) {
    let SeriesKey { region, service, channel } = key;
    let tags = format!("region={region},service={service},channel={channel}");
    let is_leaf = ![region, service, channel].iter().any(|name| name.as_str() == "_all");
    let rate = rate(nth, start);
    let count = (rate * 2.0 * chance(nth, start)) as i64;
    let issued = iso(start.min(last));
    let quantile = |factor: f64| (rate * factor * 100.0).round() / 100.0;
    let [a, b, c, d, e, f, g] = [0.3, 0.5, 0.75, 1.0, 1.3, 1.6, 2.0].map(quantile);
    writer.line(format_args!(
        "forecast,{tags} mean={d},q025={a},q10={b},q25={c},q50={d},q75={e},q90={f},q975={g},baseline={c},alarm_effect=0,issued_at=\"{issued}\" \
         {start}"
    ));
    let agents = (rate / 2.0) as i64 + 1;
    let gap = (chance(nth, start + 1) * 6.0) as i64 - 3;
    if is_leaf {
        let scheduled = agents - gap;
        writer.line(format_args!(
            "staffing,{tags} positions={agents}i,agents={}i,scheduled={scheduled}i,gap={gap}i,service_level={} {start}",
            agents + 1,
            (chance(nth, start + 2) * 100.0).round() / 100.0
        ));
    }
    if start > last {
        return;
    }
    writer.line(format_args!("tickets,{tags} count={count}i,late=0i,upto=0i {start}"));
    for lead in [1, 3, 6] {
        writer.line(format_args!(
            "forecast_lead,{tags},lead_h={lead} q10={b},q50={d},q90={f} {start}"
        ));
    }
    writer.line(format_args!(
        "service,{tags} offered={count}i,answered={count}i,abandoned=0i,targeted={count}i,in_time={}i,service_level=0.8,abandonment=0 {start}",
        count * 4 / 5
    ));
    // No board reads older outlooks.
    if start > last - OUTLOOKS_S {
        let peak_at = iso(start + 7200);
        let issued_at = start + WINDOW_S + 600;
        writer.line(format_args!(
            "outlook,{tags} peak={f},peak_at=\"{peak_at}\",over_baseline=1.1,gap_max={gap}i,gap_at=\"{peak_at}\",minutes_to_breach=45i,\
             breach_at=\"{peak_at}\",rostered=1i,fallback=\"\" {issued_at}"
        ));
    }
    if is_leaf {
        writer.line(format_args!(
            "backlog,{tags} open={}i,opened={count}i,resolved={count}i,reopened=0i,first_responses={count}i,first_response_seconds={}i,\
             handled={count}i,handled_seconds={}i {start}",
            20 + count,
            count * 40,
            count * 600
        ));
    }
    if start.rem_euclid(DAY_S) == 0 {
        for lead in [1, 3, 6] {
            writer.line(format_args!(
                "accuracy,{tags},lead_h={lead} wape={},wape_naive=0.5,wape_floor=0.2,mase=0.7,coverage80=0.8,bias=0.01,surges=1i,surges_hit=1i,\
                 false_calls=0i {start}",
                0.2 + 0.2 * chance(nth, start)
            ));
        }
    }
    if chance(nth, start + 3) < 0.002 {
        writer.line(format_args!(
            "anomaly,{tags} score=5.1,kind=\"high\",text=\"more tickets than usual\" {start}"
        ));
    }
}

/// The points of a region and service in a window.
fn of_scope(writer: &mut Writer, nth: i64, tags: &str, start: i64) {
    let raised = (chance(nth, start) * 4.0) as i64;
    writer.line(format_args!(
        "alarms,{tags} raised_critical=0i,raised_major={raised}i,raised_minor=1i,raised_warning=0i,raised_indeterminate=0i,cleared={raised}i,\
         active={raised}i {start}"
    ));
    for kind in TYPES {
        if chance(nth, start + kind.len() as i64) < 0.5 {
            writer.line(format_args!(
                "alarm_types,{tags},type={kind} raised=1i,standing={raised}i,ticket_effect=0.5 {start}"
            ));
        }
    }
}

/// What happens now and then: alerts, recommendations, planned work and its causes, and the state of the sources.
fn events(writer: &mut Writer, all: &[(i64, SeriesKey)], start: i64) {
    let leaves: Vec<&SeriesKey> =
        all.iter().map(|(_, key)| key).filter(|key| key.channel.as_str() == "phone").collect();
    let place = leaves[(chance(start, 1) * leaves.len() as f64) as usize];
    let SeriesKey { region, service, channel } = place;
    let until = iso(start + 7200);
    let since = iso(start);
    writer.line(format_args!(
        "planned,region={region},service={service},channel={channel} kind=\"cause\",text=\"linkDown\",tickets=3.5,until=\"{until}\",\
         state=\"planned\" {}",
        start + 600
    ));
    if start.rem_euclid(3600) == 0 {
        writer.line(format_args!(
            "planned,region={region},service={service},channel=_all kind=\"maintenance\",text=\"core router\",until=\"{until}\",\
             state=\"planned\" {start}"
        ));
        writer.line(format_args!(
            "alert,rule=understaffed,severity=critical,region={region} state=\"resolved\",incident=\"{start}\",service=\"{service}\",\
             since=\"{since}\",agents_short=4i,summary=\"4 agents missing\",url=\"http://surgecast.example/#/alerts/{start}\" {start}"
        ));
        writer.line(format_args!(
            "recommendation,kind=call_in,team=calls id=\"r{start}\",state=\"expired\",source=\"\",from=\"{since}\",until=\"{until}\",agents=4i,\
             confidence=0.9,service_level_with=0.8,service_level_without=0.5,cost=120,changes=0i,answered_by=\"\",summary=\"call in 4\" {start}"
        ));
    }
    for minute in 0..WINDOW_S / 60 {
        for source in SOURCES {
            writer.line(format_args!(
                "feed,source={source} lag=3i,frontier_age=900i,silent_for=5i,heard=1i,rejected=2i,malformed=1i,field=1i,future=0i,limit=0i,late=1i {}",
                start + minute * 60
            ));
        }
    }
}
