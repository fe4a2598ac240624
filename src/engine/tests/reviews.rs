//! The review of a simulated outage, sentence by sentence and row by row: it is compared with the simulator's true values, with
//! the events that it sent, and with the store. A line without a check is an error.

use std::collections::BTreeMap;

use regex::{Captures, Regex};

use super::*;
use crate::alert::Alert;
use crate::config::core::staffing::default_profiles;
use crate::domain::{DAY, HOUR, Severity};
use crate::engine::RefitConfig;
use crate::forecast::HORIZON;
use crate::report::{Format, incident};
use crate::simulate::{Incident, Operator, OperatorConfig, Spell};
use crate::staffing::Rules;
use crate::store::{Filter, Served};
use crate::text::{Language, Say, Texts};

/// Days of history, and hours after them.
const DAYS: u32 = 16;
const LIVE_HOURS: u32 = 8;
/// Minutes from the end of the history to the outage.
const OUTAGE_MINUTES: u64 = 95;
/// A surge is found within this time of the first complaint.
const FOUND_WITHIN: Duration = Duration::from_secs(3600);
/// How long before the beginning of the surge a review looks.
const BEFORE: Duration = Duration::from_secs(7200);
/// Quantiles of the 80 % band.
const LOW: usize = 1;
const HIGH: usize = 5;

/// The facts of the outage, its alert and its review.
struct Case {
    forecaster: Forecaster,
    /// Tickets of all channels by window, as the simulator drew them.
    drawn: BTreeMap<Timestamp, u32>,
    outage: Incident,
    /// Alarms of the region and service.
    spells: Vec<Spell>,
    alert: Alert,
    served: Vec<Served>,
    texts: Texts,
    text: String,
    /// The beginning and the end of the surge, as the review gives them.
    began: Timestamp,
    ended: Timestamp,
    /// Final windows that the review shows.
    shown: (Timestamp, Timestamp),
    /// The end of the review. Alarms up to this time are shown, even if their windows are not finalized.
    until: Timestamp,
    _dir: TempDir,
}

/// Runs a simulated operator with one outage.
fn simulated(seed: u64) -> Case {
    let start = Timestamp::parse("2026-03-02T00:00:00Z").expect("a time");
    let live = start + DAY * DAYS;
    let mut operator = OperatorConfig::standard(seed, start);
    operator.regions.truncate(1);
    operator.services.truncate(2);
    operator.showcase = vec![live + Duration::from_secs(OUTAGE_MINUTES * 60)];
    let zone = operator.regions[0].zone;
    let zones = operator.regions.iter().map(|r| (r.name.clone(), r.zone)).collect();
    let mut operator = Operator::new(operator);
    let dir = TempDir::new().expect("directory");
    let mut config = ForecasterConfig { nowcasts: true, series_max: 100, ..config() };
    config.receivers = vec![("lead".into(), Route::default())];
    config.issue.staffing = Arc::new(Rules::of_channels(default_profiles()));
    config.issue.zones = zones;
    for from in [
        &mut config.issue.vintages_from,
        &mut config.issue.plans_from,
        &mut config.issue.alerts_from,
        &mut config.issue.notify_from,
    ] {
        *from = live;
    }
    config.refit = Some(RefitConfig {
        width: WIDTH,
        every: DAY / 4,
        from: live,
        used_from: live,
        patience: Duration::from_secs(600),
    });
    let store = Store::open(dir.path(), WIDTH).expect("a store");
    let mut forecaster = Forecaster::open(config, store, Arc::default()).expect("a forecaster");
    forecaster.leads = true;
    let mut processor = processor();
    let first = start.millis() / 3_600_000;
    for hour in first..first + i64::from(DAYS * 24 + LIVE_HOURS) {
        let mut events = operator.hour(hour).into_iter().peekable();
        let begin = Timestamp::from_secs(hour * 3600);
        let round = if begin < live { 3600 } else { 300 };
        for end in (1..=3600 / round).map(|n| begin + Duration::from_secs(n * round)) {
            while let Some(event) = events.next_if(|event| event.append_at < end) {
                let headers = Headers::default();
                processor.take(&RecordRef {
                    offset: event.offset,
                    appended_at: event.append_at,
                    hint: None,
                    headers,
                    bytes: &event.line,
                });
            }
            let report = processor.report(Some(end));
            forecaster.apply(&[report], None, end).expect("stored");
        }
    }
    case(operator, forecaster, dir, zone, live)
}

fn case(
    mut operator: Operator,
    forecaster: Forecaster,
    dir: TempDir,
    zone: Zone,
    live: Timestamp,
) -> Case {
    let day = live.millis() / 86_400_000;
    let outage = operator.incidents(day, day + 1).into_iter().find(|own| own.id == "showcase-0");
    let outage = outage.expect("the outage");
    let series = operator.series().to_vec();
    let here = |key: &[usize; 3]| (key[0], key[1]) == (outage.region, outage.service);
    let scope = series.iter().find(|(_, at)| here(at)).expect("series").0.scope();
    let mut drawn = BTreeMap::new();
    // The review begins before the surge.
    let before = 4;
    for quarter in 0..(before + LIVE_HOURS) * 4 {
        let at = live - HOUR * before + WIDTH.length() * quarter;
        let all = series.iter().enumerate().filter(|(_, (_, place))| here(place));
        let numbers: Vec<usize> = all.map(|(number, _)| number).collect();
        drawn.insert(at, numbers.into_iter().map(|number| operator.count(number, at)).sum());
    }
    let mut spells = operator.spells(day - 1, day + 1);
    spells.retain(|own| (own.region, own.service) == (outage.region, outage.service));
    let reader = forecaster.reader();
    let alerts = reader.alerts(&Filter::default(), false, 100, None).expect("reads");
    let is_it =
        |own: &Alert| own.notified_at.is_some() && own.finding.is_none() && own.scope == scope;
    let alert = alerts.into_iter().rev().find(is_it).expect("an alert that was sent");
    let texts = Texts::new(Language::En).local(zone);
    let report = incident(reader, &alert.id, &texts).expect("reads").expect("an alert");
    // Markdown escapes some characters.
    let text = report.write(Format::Markdown).replace('\\', "");
    let all = scope.all_channels();
    let served = reader.served_between(&all, live - HORIZON, live + DAY).expect("reads");
    let mut case = Case {
        drawn,
        outage,
        spells,
        alert,
        served,
        texts,
        text,
        began: live,
        ended: live,
        shown: (live, live),
        until: live,
        _dir: dir,
        forecaster,
    };
    let found = case.find(r"\n- The surge began on (.+?)\. ");
    case.began = case.time(&found[1]);
    let found = case.find(r"\n- [\d,]+ tickets came until (.+?); the window with the most was ");
    case.ended = case.time(&found[1]);
    let next = case.forecaster.reader().state::<i64>("next_window").expect("reads");
    let next = Timestamp::from_millis(next.expect("windows"));
    let end = case.alert.to.max(case.alert.since + HOUR).max(case.ended);
    let from = case.began.min(case.alert.since) - BEFORE;
    // Nothing is known of what has not happened yet.
    (case.shown, case.until) = ((from, end.min(next)), end.min(live + HOUR * LIVE_HOURS));
    case
}

fn number(text: &str) -> f64 {
    text.replace(',', "").replace('−', "-").parse().unwrap_or_else(|_| panic!("{text:?}"))
}

impl Case {
    /// Agents needed, scheduled and short in the hours of the review.
    fn hours(&self) -> impl Iterator<Item = [f64; 3]> + '_ {
        let row = Regex::new(r"^\| (.+?) \| (\d+) \| (\d+) \| (\d+) \|$").expect("a pattern");
        let part = self.text.split("\n## ").find(|part| part.starts_with("Agents needed and"));
        part.unwrap_or_default().lines().filter_map(move |line| {
            let found = row.captures(line)?;
            Some([2, 3, 4].map(|at| number(&found[at])))
        })
    }

    fn find(&self, form: &str) -> Vec<String> {
        let form = Regex::new(form).expect("a pattern");
        let found = form.captures(&self.text).unwrap_or_else(|| panic!("{form}: {}", self.text));
        found.iter().map(|part| part.map_or("", |part| part.as_str()).to_owned()).collect()
    }

    /// The minute that a text names.
    fn time(&self, text: &str) -> Timestamp {
        let start = self.outage.starts - DAY;
        let mut minutes = (0..3 * 1440u32).map(|n| start + Duration::from_secs(60) * n);
        let start = minutes.find(|at| self.texts.day_time(*at) == text);
        start.unwrap_or_else(|| self.wrong(text))
    }

    #[track_caller]
    fn wrong(&self, what: &str) -> ! {
        let Self { outage, began, ended, shown, drawn, .. } = self;
        panic!(
            "{what:?} is wrong; {outage:?}\nsurge: {began} {ended}, shown: {shown:?}\n{drawn:?}\n{}",
            self.text
        )
    }

    #[track_caller]
    fn holds(&self, condition: bool, what: &str) {
        if !condition {
            self.wrong(what);
        }
    }

    #[track_caller]
    fn drawn(&self, at: Timestamp) -> u32 {
        *self.drawn.get(&at).unwrap_or_else(|| self.wrong(&format!("no window begins at {at}")))
    }

    /// The first forecast of a window.
    fn first(&self, at: Timestamp) -> Option<(f64, [f64; 7])> {
        let points = self.served.iter().flat_map(|own| &own.vintage.targets);
        points.filter(|point| point.start == at).map(|p| (p.mean, p.quantiles)).next()
    }

    /// The first critical or major alarm of the outage.
    fn severe(&self) -> Option<Timestamp> {
        let own = self.spells.iter().filter(|own| own.incident() == self.outage.id);
        own.filter(|own| own.severity <= Severity::Major).map(|own| own.raised).min()
    }

    /// Windows of the surge.
    fn surge(&self) -> impl Iterator<Item = Timestamp> {
        (WIDTH.index(self.began)..WIDTH.index(self.ended)).map(|index| WIDTH.start(index))
    }

    /// Checks a number in a text against the value that it rounds.
    #[track_caller]
    fn equal(&self, text: &str, value: f64, digits: usize) {
        self.holds(text == self.texts.number(value, digits), &format!("{text}, not {value}"));
    }
}

type Check = fn(&Case, &Captures<'_>);

/// Sentences with facts, by part of the review.
const SENTENCES: [(&str, &str, Check); 20] = [
    (
        "",
        r"^(\S+): (.+?)(?: to (.+?)|, still open)\. All times are in the zone (\S+)\. Not acknowledged\. Id: (\S+)\.$",
        |case, found| {
            case.holds(found[1] == case.alert.scope.to_string(), "the scope");
            let from = found[2].trim_start_matches("since ");
            case.holds(from == case.texts.year_time(case.alert.since), "since");
            let end = found.get(3).map(|end| end.as_str().to_owned());
            case.holds(end == case.alert.ended_at.map(|at| case.texts.year_time(at)), "the end");
            case.holds(found[4] == case.alert.zone.to_string(), "the zone");
            case.holds(found[5] == case.alert.id, "the id");
        },
    ),
    (
        "Summary",
        r"^- The surge began on (.+)\. The first forecast that warned of it was issued (\d+) min (before|after that)\.$",
        |case, found| {
            // The truth: when customers began to complain.
            let felt = case.outage.felt_from;
            case.holds(WIDTH.end(case.began) > felt, "it began before anybody complained");
            case.holds(
                case.began <= felt + FOUND_WITHIN,
                "it began long after the first complaint",
            );
            let minutes = Duration::from_secs(60) * number(&found[2]) as u32;
            let at =
                if &found[3] == "before" { case.began - minutes } else { case.began + minutes };
            case.holds(
                case.outage.first_alarm.is_some_and(|alarm| at >= alarm),
                "a warning before any alarm",
            );
            // Warnings are issued with a vintage, which is stored as it was.
            let warns = |own: &&Served| own.vintage.surges.as_ref().is_some_and(|own| own.warns);
            let during = |own: &&Served| own.vintage.issued_at >= case.outage.starts;
            let first = case.served.iter().filter(during).find(warns);
            let first = first.unwrap_or_else(|| case.wrong("nothing warns")).vintage.issued_at;
            case.holds(at <= first && at + WIDTH.length() > first, "the first warning");
        },
    ),
    ("Summary", r"^- The surge began on (.+)\. No forecast warned of it\.$", |case, _| {
        let warned = case.served.iter().any(|own| {
            own.vintage.surges.as_ref().is_some_and(|own| own.warns)
                && own.vintage.issued_at <= case.ended
        });
        case.holds(!warned, "there was one");
    }),
    (
        "Summary",
        r"^- ([\d,]+) tickets came until (.+?); the window with the most was (.+?): ([\d,]+)\. The first forecasts of these windows, issued up to six hours before, were ([\d,]+) in all\. The actual number differs by (.+)\.$",
        |case, found| {
            let actual: u32 = case.surge().map(|at| case.drawn(at)).sum();
            case.holds(number(&found[1]) == f64::from(actual), "the tickets");
            let peak = case.time(&found[3]);
            case.holds(number(&found[4]) == f64::from(case.drawn(peak)), "the tickets of the peak");
            let most = case.drawn.iter().filter(|(at, _)| (case.began..case.shown.1).contains(*at));
            case.holds(most.map(|(_, n)| *n).max() == Some(case.drawn(peak)), "the peak");
            let first: f64 = case.surge().filter_map(|at| case.first(at)).map(|own| own.0).sum();
            case.equal(&found[5], first, 0);
            let change = f64::from(actual) / first - 1.0;
            let sign = if change >= 0.0 { "+" } else { "" };
            case.holds(
                found[6] == format!("{sign}{}", case.texts.percent(Some(change))),
                "the change",
            );
        },
    ),
    (
        "Summary",
        r"^- The network reported first: the first critical or major alarm came (\d+) min before the surge began\.$",
        |case, found| {
            let first = case.severe().unwrap_or_else(|| case.wrong("there was no such alarm"));
            case.holds(first <= case.began, "customers were first");
            let minutes = case.began.since(first).as_secs() / 60;
            case.holds(
                number(&found[1]) == minutes as f64,
                &format!("the first alarm of the outage came {minutes} min before"),
            );
        },
    ),
    (
        "Summary",
        r"^- Customers noticed first: the surge began (\d+) min before the first critical or major alarm\.$",
        |case, _| {
            case.holds(case.severe().is_none_or(|at| at > case.began), "the network was first");
        },
    ),
    (
        "What was known when",
        r"^In the window at (.+?), ([\d,]+) tickets came\. The table has the first forecast of each hour before it, and every nowcast: a forecast issued in between because of new alarms or tickets\. Nowcasts do not warn of surges\.$",
        |case, found| {
            let peak = case.time(&found[1]);
            case.holds(number(&found[2]) == f64::from(case.drawn(peak)), "the tickets");
        },
    ),
    (
        "What was known when",
        r"^\| (.+?) \| (forecast|nowcast: .+?) \| (\S+) \| (\S+)–(\S+) \| (\S+) \| (yes|no|–) \|$",
        |case, found| {
            let peak = case.find(r"In the window at (.+?), [\d,]+ tickets came").remove(1);
            let peak = case.time(&peak);
            let (at, is_nowcast) = (case.time(&found[1]), &found[2] != "forecast");
            let issued = |own: &&Served| {
                let issued = own.vintage.issued_at;
                at <= issued
                    && issued < at + Duration::from_secs(60)
                    && own.reason.is_some() == is_nowcast
            };
            let own = case.served.iter().find(issued).unwrap_or_else(|| case.wrong("its vintage"));
            let point = own.vintage.targets.iter().find(|point| point.start == peak);
            let point = point.unwrap_or_else(|| case.wrong("its window"));
            case.equal(&found[3], point.mean, 1);
            case.equal(&found[4], point.quantiles[LOW], 0);
            case.equal(&found[5], point.quantiles[HIGH], 0);
            case.equal(&found[6], point.alarm_effect, 1);
            let warns = own.vintage.surges.as_ref().is_some_and(|own| own.warns);
            case.holds(warns == (&found[7] == "yes"), "whether it warns");
            case.holds(is_nowcast || &found[7] != "–", "only nowcasts do not warn");
            let reason =
                own.reason.as_ref().map(|reason| format!("nowcast: {}", reason.say(&case.texts)));
            case.holds(reason.is_none_or(|reason| reason == found[2]), "the reason");
            // What is known before the first alarm is not due to the outage.
            let first = case.outage.first_alarm.unwrap_or(Timestamp::MAX);
            case.holds(
                own.vintage.issued_at > first || point.alarm_effect < point.mean / 2.0,
                "hindsight",
            );
        },
    ),
    (
        "Actual and forecast by hour",
        r"^\| (.+?) \| ([\d,]+) \| (\S+) \| (\S+) \|$",
        |case, found| {
            let (hour, so_far) = match found[1].strip_suffix(" (so far)") {
                Some(hour) => (case.time(hour), true),
                None => (case.time(&found[1]), false),
            };
            let is_over = case.alert.ended_at.is_some() || hour + HOUR <= case.shown.1;
            case.holds(so_far != is_over, "whether the hour is over");
            let windows = (0..4).map(|n| hour + WIDTH.length() * n);
            let windows: Vec<Timestamp> =
                windows.filter(|at| (case.shown.0..case.shown.1).contains(at)).collect();
            let actual: u32 = windows.iter().map(|at| case.drawn(*at)).sum();
            case.holds(
                number(&found[2]) == f64::from(actual),
                &format!("{}: {actual} came", &found[1]),
            );
            let first: Option<f64> =
                windows.iter().map(|at| case.first(*at).map(|own| own.0)).sum();
            let dash = || "–".to_owned();
            case.holds(
                found[3] == first.map_or_else(dash, |sum| case.texts.number(sum, 0)),
                "the first forecast",
            );
            let known = |at: Timestamp| {
                let issued = case.served.iter().filter(|own| own.vintage.issued_at == at);
                issued.map(|own| &own.vintage).next_back()
            };
            let vintage = known(case.alert.since).or_else(|| known(WIDTH.floor(case.alert.since)));
            let vintage = vintage.unwrap_or_else(|| case.wrong("the forecast of the alert"));
            let mean =
                |at: &Timestamp| vintage.targets.iter().find(|p| p.start == *at).map(|p| p.mean);
            let at_start: Option<f64> = windows.iter().map(mean).sum();
            let at_start = at_start.filter(|_| hour >= vintage.issued_at);
            let at_start = at_start.map_or_else(dash, |sum| case.texts.number(sum, 0));
            case.holds(found[4] == at_start, &format!("{}: {at_start} at the start", &found[1]));
        },
    ),
    (
        "Agents needed",
        r"^\| (.+?) \| (.+?) \| (\S+) \((\S+) to (\S+)\) \| (\d+) \| (\d+) \| (-?\d+) \|$",
        |case, found| {
            let (at, worst) = (case.time(&found[2]), case.alert.at_worst());
            let own = worst
                .shortfalls
                .iter()
                .find(|own| case.texts.channel(own.series.channel.as_str()) == found[1]);
            let own = own.filter(|own| own.at == at).unwrap_or_else(|| case.wrong("its shortfall"));
            case.equal(&found[3], own.arrivals, 1);
            case.equal(&found[4], own.arrivals_low, 0);
            case.equal(&found[5], own.arrivals_high, 0);
            let numbers = [6, 7, 8].map(|at| number(&found[at]));
            case.holds(
                numbers == [f64::from(own.agents), f64::from(own.scheduled), f64::from(own.gap)],
                "agents",
            );
        },
    ),
    (
        "Agents needed and scheduled by hour",
        r"^\| (.+?) \| (\d+) \| (\d+) \| (\d+) \|$",
        |case, found| {
            let hour = case.time(&found[1]);
            let reader = case.forecaster.reader();
            let all = reader.staffed_between(None, hour, hour + HOUR).expect("reads");
            let mut windows: BTreeMap<Timestamp, [f64; 3]> = BTreeMap::new();
            let from = WIDTH.floor(case.began.min(case.alert.since));
            for (series, target) in all {
                if series.scope() == case.alert.scope && target.start >= from {
                    let own = windows.entry(target.start).or_default();
                    let there = i64::from(target.agents) - i64::from(target.gap);
                    own[0] += f64::from(target.agents);
                    own[1] += there.max(0) as f64;
                    own[2] += f64::from(target.gap.max(0));
                }
            }
            let row = [2, 3, 4].map(|at| number(&found[at]));
            case.holds(windows.values().any(|own| *own == row), &format!("{row:?} of {windows:?}"));
            case.holds(windows.values().all(|own| own[2] <= row[2]), "another window is worse");
        },
    ),
    ("Alarms", r"^\| (.+?) \| (\S+) \| (\d+) \| (.+?) \|$", |case, found| {
        let (from, to) = (case.shown.0, case.until);
        let severity = Severity::EVERY.into_iter().find(|own| own.as_str() == &found[2]);
        let severity = severity.unwrap_or_else(|| case.wrong("the severity"));
        let first = case.time(&found[4]);
        let kind = |own: &&Spell| own.kind == &found[1] && own.severity == severity;
        // An alarm whose severity changed counts under one of the two.
        let is_either = |own: &&Spell| {
            let changed = own.changed.is_some_and(|(_, other)| other == severity);
            own.kind == &found[1] && (own.severity == severity || changed)
        };
        let own = case.spells.iter().filter(|own| (from..to).contains(&own.raised));
        let raised = own.clone().filter(kind).filter(|own| own.changed.is_none()).count();
        let most = own.filter(is_either).count();
        // Alarms that were active before keep their number, and may have another severity by then.
        let before = case.spells.iter().filter(|own| own.kind == &found[1] && own.raised < from);
        let active = before.filter(|own| own.cleared >= from).count();
        let n = number(&found[3]) as usize;
        case.holds(
            (raised..=most + active).contains(&n),
            &format!("{n}: {raised} to {most} were raised, {active} active before"),
        );
        let is_first =
            |own: &&Spell| own.kind == &found[1] && case.texts.day_time(own.raised) == found[4];
        case.holds(case.spells.iter().any(|own| is_first(&own)), "nothing was raised then");
        let earlier =
            case.spells.iter().filter(kind).any(|own| own.raised >= from && own.raised < first);
        case.holds(!earlier, "an earlier one");
    }),
    (
        "Actions",
        r"^- (.+?): page to (\S+): (delivered|not delivered yet|given up)\.$",
        |case, found| {
            let pages = case.forecaster.reader().pages_of(&case.alert.id).expect("reads");
            let is_it = pages.iter().any(|own| {
                own.receiver == found[2] && case.texts.day_time(own.created_at) == found[1]
            });
            case.holds(is_it, "the page");
        },
    ),
    (
        "What to change",
        r"^- Find out why no forecast warned of the surge (\d+) min or more ahead: check the alarms of (\S+) before the surge\.",
        |case, found| {
            case.holds(found[2] == case.alert.scope.to_string(), "the scope");
            let warned =
                Regex::new(r"The first forecast that warned of it was issued (\d+) min before\.")
                    .expect("a pattern");
            let early =
                warned.captures(&case.text).is_some_and(|own| number(&own[1]) >= number(&found[1]));
            case.holds(!early, "the warning came early enough");
        },
    ),
    (
        "What to change",
        r"^- Ask network operations for earlier alarms of (\S+): customers noticed before the first alarm\.$",
        |case, _| {
            case.holds(case.severe().is_none_or(|at| at > case.began), "the network was first");
        },
    ),
    (
        "What to change",
        r"^- Agree on a reserve of (\d+) agents for (\S+): agents were missing, and no recommendation was accepted\.$",
        |case, found| {
            case.holds(
                number(&found[1]) == f64::from(case.alert.at_worst().agents_short),
                "the agents",
            );
            case.holds(found[2] == case.alert.scope.to_string(), "the scope");
        },
    ),
    (
        "What to change",
        r"^- (?:If the cause was known in advance, enter it earlier next time|Release extra agents earlier): for the window at (.+?), ([\d,]+) tickets were forecast an hour before, and ([\d,]+) came\.$",
        |case, found| {
            let at = case.time(&found[1]);
            case.holds(number(&found[3]) == f64::from(case.drawn(at)), "the tickets");
            let known = case.served.iter().rev().filter(|own| own.vintage.issued_at <= at - HOUR);
            let point = known.flat_map(|own| &own.vintage.targets).find(|point| point.start == at);
            case.equal(&found[2], point.unwrap_or_else(|| case.wrong("its forecast")).mean, 0);
        },
    ),
    (
        "Agents needed and scheduled by hour",
        r"^Each hour shows its window with the largest shortage, by the plan at the start of the window\. The largest gap of this alert, (\d+) agents?, is the largest that any forecast during the alert expected\.$",
        |case, found| {
            let worst = number(&found[1]);
            case.holds(worst == f64::from(case.alert.at_worst().agents_short), "the agents");
            case.holds(case.hours().all(|own| own[2] != worst), "an hour has this gap");
        },
    ),
    (
        "Agents needed and scheduled by hour",
        r"^Short: the sum over the channels that lack agents\. Spare agents of other channels are not subtracted\.$",
        |case, _| case.holds(case.hours().any(|own| own[2] > own[0] - own[1]), "they add up"),
    ),
    (
        "",
        r"^The incident goes on\. Counts are those of final windows, up to (.+)\.$",
        |case, found| {
            case.holds(case.alert.ended_at.is_none(), "it is over");
            case.holds(case.time(&found[1]) == case.shown.1, "the end of the final windows");
        },
    ),
];

/// Sentences without facts of the outage, each with its part and what has to be true for it.
const FIXED: [(&str, &str); 9] = [
    ("Agents needed", "By channel, in the window with the largest gap of all channels together:"),
    ("What to change", "- Send pages to a second receiver: nobody acknowledged this alert."),
    ("What to change", "- Say whether the alert was useful: there is no feedback."),
    ("Agents needed", "There were enough agents."),
    ("Actions", "No action is on record."),
    ("Alarms", "No alarms are on record for this alert."),
    (
        "What to change",
        "- Answer recommendations on the web page: no answer and no planner’s entry is on record, so nobody can see what helped.",
    ),
    (
        "What to change",
        "- Keep what worked: agree now who provides the agents when the next page comes.",
    ),
    ("What was known when", "No forecast for this time is stored."),
];

/// Checks every line of the review. Returns how often each sentence was checked.
fn held(case: &Case) -> Vec<usize> {
    let rows =
        SENTENCES.map(|(part, form, check)| (part, Regex::new(form).expect("a pattern"), check));
    let mut seen = vec![0; SENTENCES.len()];
    let (title, body) = (case.alert.title(&case.texts), case.alert.body(&case.texts));
    let mut part = "";
    let mut lines = case.text.lines().filter(|line| !line.is_empty());
    case.holds(lines.next() == Some(&*format!("# {title}")), "the title");
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            part = heading;
            continue;
        }
        // The text of the alert: another test holds its sentences.
        let is_alerts =
            line.strip_prefix("- ").is_some_and(|line| body.lines().any(|own| own == line));
        if (part.is_empty() && is_alerts) || FIXED.contains(&(part, line)) {
            continue;
        }
        // A table: the row below its head has only dashes.
        if line.starts_with("| ")
            && lines.clone().next().is_some_and(|next| next.starts_with("| ---"))
        {
            lines.next();
            continue;
        }
        let found = rows.iter().position(|(own, form, _)| *own == part && form.is_match(line));
        let at = found.unwrap_or_else(|| case.wrong(&format!("{part}: {line}")));
        let (_, form, check) = &rows[at];
        if let Some(found) = form.captures(line) {
            check(case, &found);
        }
        seen[at] += 1;
    }
    seen
}

#[test]
fn every_sentence_of_the_review_of_a_simulated_outage_is_true() {
    let mut case = simulated(5);
    let seen = held(&case);
    // Its span, the surge with its warning, what came, who was first, the forecasts of the peak, hours, agents and alarms.
    let at_least = [
        (0, 1),
        (3, 1),
        (4, 1),
        (6, 1),
        (7, 3),
        (8, 3),
        (9, 1),
        (10, 2),
        (11, 1),
        (12, 1),
        (17, 1),
    ];
    for (at, n) in at_least {
        assert!(
            seen[at] >= n,
            "{} was checked {} times: {seen:?}\n{}",
            SENTENCES[at].1,
            seen[at],
            case.text
        );
    }
    // Changes: two to four points.
    let points = case.text.split("## What to change\n").nth(1).expect("the last part");
    assert!((2..=4).contains(&points.matches("\n- ").count()), "{points}");
    // Checks that cannot fail hold nothing: each number of the review that is changed is noticed.
    for (form, other) in [
        (r"(\n- )([\d,]+)( tickets came until)", "1"),
        (r"(major alarm came )(\d+)( min)", "999"),
        (r"(warned of it was issued )(\d+)( min)", "400"),
        (r"(the window with the most was .+?: )([\d,]+)(\. )", "2"),
    ] {
        let form = Regex::new(form).expect("a pattern");
        let wrong = form.replace(&case.text, format!("${{1}}{other}${{3}}")).into_owned();
        assert_ne!(wrong, case.text, "{form}");
        let right = std::mem::replace(&mut case.text, wrong);
        let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| held(&case)));
        assert!(held.is_err(), "{form}: a wrong number was not noticed");
        case.text = right;
    }
}
