//! Every sentence of every alert and page of simulated days is checked against the store and the operator's log: numbers,
//! spans, causes, times.

use std::collections::BTreeMap;

use regex::{Captures, Regex};

use super::*;
use crate::alert::{Alert, AlertState, UNDERSTAFFED};
use crate::config::core::staffing::default_profiles;
use crate::domain::{DAY, Severity};
use crate::simulate::{Operator, OperatorConfig};
use crate::staffing::{Plan, Rules};
use crate::store::{AlertFilter, Filter};
use crate::text::{Language, Texts};

/// Seconds of one round. Reports are applied once in each round.
const ROUND: i64 = 60;
/// How long an alarm may be shown after its clear: a clear is held for a minute, and that of a chattering alarm for ten.
const ENDS_WITHIN: Duration = Duration::from_secs(700);
/// A nowcast knows alarms that were raised up to this long after its issue time.
const KNOWN_WITHIN: Duration = Duration::from_secs(10);

/// A message of an alarm as the operator sent it.
struct Sent {
    ts: Timestamp,
    known_at: Timestamp,
    alarm: String,
    action: String,
    severity: Severity,
    kind: String,
    device: String,
    scope: Scope,
}

/// The events that the operator sent, for comparison.
#[derive(Default)]
struct Truth {
    alarms: Vec<Sent>,
    /// Announced work: start and end.
    work: Vec<(Timestamp, Timestamp)>,
}

/// An alarm that a text names or might name.
struct Known<'a> {
    /// Its last raise, and all its raises.
    raise: &'a Sent,
    raises: Vec<&'a Sent>,
    /// Whether the alarm is certainly active. Otherwise it is about to begin or to end.
    is_sure: bool,
    /// Its severities, in order of time.
    severities: Vec<Severity>,
}

impl std::fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Sent { alarm, ts, kind, device, .. } = self.raise;
        write!(f, "{alarm} {kind} {device} {ts} {:?} sure: {}", self.severities, self.is_sure)
    }
}

impl Truth {
    fn take(&mut self, line: &[u8], known_at: Timestamp) {
        let event: serde_json::Value = serde_json::from_slice(line).expect("JSON");
        let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        let time = |key: &str| Timestamp::parse(&text(key)).expect("a time");
        match event["kind"].as_str() {
            Some("maintenance") => self.work.push((time("starts_at"), time("ends_at"))),
            Some("alarm") => self.alarms.push(Sent {
                ts: time("ts"),
                known_at,
                alarm: text("alarm_id"),
                action: text("action"),
                severity: Severity::EVERY
                    .into_iter()
                    .find(|severity| severity.as_str() == text("severity"))
                    .expect("a severity"),
                kind: text("type"),
                device: text("device"),
                scope: Scope {
                    region: Name::new(&text("region")).expect("a name"),
                    service: Name::new(&text("service")).expect("a name"),
                },
            }),
            _ => {}
        }
    }

    /// Alarms of a scope that may be active at `at` and explain a shortage, according to what was known at `now`.
    fn active(&self, scope: &Scope, at: Timestamp, now: Timestamp) -> Vec<Known<'_>> {
        let mut by_id: BTreeMap<&str, Vec<&Sent>> = BTreeMap::new();
        let upto = at + KNOWN_WITHIN;
        let here = |sent: &&Sent| sent.scope == *scope && sent.ts <= upto && sent.known_at <= now;
        for sent in self.alarms.iter().filter(here) {
            by_id.entry(&sent.alarm).or_default().push(sent);
        }
        let mut known = Vec::new();
        for mut sent in by_id.into_values() {
            sent.sort_by_key(|sent| sent.ts);
            let Some(last) = sent.last() else { continue };
            let Some(raise) = sent.iter().rev().find(|sent| sent.action == "raise") else {
                continue;
            };
            let is_sure = last.action != "clear" && raise.ts <= at;
            let just_over = last.action == "clear" && last.ts + ENDS_WITHIN > at;
            if (is_sure || just_over || raise.ts > at) && last.severity <= Severity::Minor {
                let raises = sent.iter().filter(|sent| sent.action == "raise").copied().collect();
                let messages = sent.iter().filter(|sent| sent.action != "clear");
                let severities = messages.map(|sent| sent.severity).collect();
                known.push(Known { raise, raises, severities, is_sure });
            }
        }
        known
    }
}

/// Sentences of pages, each with the function that checks it.
struct Checks {
    rows: Vec<(Regex, Check)>,
    /// How often each sentence was checked.
    seen: Vec<usize>,
}

type Check = fn(&Case<'_>, &Captures<'_>);

/// An alert, and the facts at that time.
struct Case<'a> {
    alert: &'a Alert,
    forecaster: &'a Forecaster,
    truth: &'a Truth,
    now: Timestamp,
    texts: Texts,
}

impl Case<'_> {
    /// The quarter of an hour that a text names, at or after the open window.
    fn ahead(&self, text: &str) -> Timestamp {
        let open = WIDTH.floor(self.alert.as_of());
        let mut quarters = (0..30u32).map(|n| open + WIDTH.length() * n);
        quarters.find(|at| self.texts.moment(*at) == text).unwrap_or_else(|| self.wrong(text))
    }

    /// The quarter of an hour that a text names, before the open window.
    fn before(&self, text: &str) -> Timestamp {
        let open = WIDTH.floor(self.alert.as_of());
        let mut quarters = (0..30u32).map(|n| open - WIDTH.length() * n);
        quarters.find(|at| self.texts.moment(*at) == text).unwrap_or_else(|| self.wrong(text))
    }

    fn wrong(&self, what: &str) -> ! {
        let texts = Texts::new(Language::En);
        panic!(
            "{what:?} is wrong, as of {} at {}:\n{}\n{}\nsteps: {:?}",
            self.alert.as_of(),
            self.now,
            self.alert.title(&texts),
            self.alert.body(&texts),
            self.alert.need(),
        )
    }

    fn holds(&self, condition: bool, what: &str) {
        if !condition {
            self.wrong(what);
        }
    }

    /// The newest plans of the scope.
    fn plans(&self) -> Vec<Plan> {
        let reader = self.forecaster.reader();
        let keys = reader.series_keys().expect("reads").into_iter();
        let own = keys.filter(|key| !key.is_roll_up() && key.scope() == self.alert.scope);
        own.filter_map(|key| reader.plan(&key).expect("reads")).collect()
    }

    /// Issue time of the newest plans.
    fn newest(&self) -> Option<Timestamp> {
        self.plans().iter().map(|plan| plan.issued_at).max()
    }

    /// Agents that the plans lack in a window: of each channel, and together.
    fn gaps(&self, start: Timestamp) -> (BTreeMap<String, i32>, i32) {
        let mut gaps = BTreeMap::new();
        for plan in self.plans() {
            let target = plan.targets.iter().find(|target| target.start == start);
            if let Some(target) = target.filter(|target| target.gap > 0) {
                let channel = self.texts.channel(plan.series.channel.as_str());
                gaps.insert(channel, target.gap);
            }
        }
        let sum = gaps.values().sum();
        (gaps, sum)
    }

    /// `13 from now until 08:30`, `up to 7 from 08:30 until 10:30`: the number, whether it is a maximum, and the span.
    fn need(&self, text: &str) -> (i32, bool, Timestamp, Timestamp) {
        let form =
            Regex::new(r"^(up to )?([\d,]+) (?:(?:from )?now|from (\d\d:\d\d)) until (\d\d:\d\d)$");
        let form = form.expect("a pattern");
        let found = form.captures(text).unwrap_or_else(|| self.wrong(text));
        let open = WIDTH.floor(self.alert.as_of());
        let from = found.get(3).map_or(open, |from| self.ahead(from.as_str()));
        (number(&found[2]), found.get(1).is_some(), from, self.ahead(&found[4]))
    }

    /// Checks a stretch: at most this number of agents is missing in each of its windows, and exactly this number in one of
    /// them.
    fn stretch(&self, text: &str) -> (i32, Timestamp) {
        let (n, is_most, from, to) = self.need(text);
        let windows = (WIDTH.index(from)..WIDTH.index(to)).map(|at| WIDTH.start(at));
        let sums: Vec<i32> = windows.map(|start| self.gaps(start).1).collect();
        self.holds(sums.iter().max() == Some(&n), text);
        self.holds(sums.iter().all(|sum| *sum > 0), text);
        self.holds(is_most == sums.iter().any(|sum| *sum != n), text);
        (n, from)
    }

    /// Checks `phone 8, chat 3`: the gaps of one window.
    fn parts(&self, text: &str, start: Timestamp) {
        let part = |part: &str| {
            let (channel, n) = part.rsplit_once(' ').unwrap_or_else(|| self.wrong(text));
            (channel.to_owned(), number(n))
        };
        self.holds(
            text.split(", ").map(part).collect::<BTreeMap<_, _>>() == self.gaps(start).0,
            text,
        );
    }
}

fn number(text: &str) -> i32 {
    text.replace(',', "").replace('−', "-").parse().expect("a number")
}

/// All sentences. A line that matches none of them is an error.
const SENTENCES: [(&str, Check); 21] = [
    (r"^As of (\S+) \((\S+)\); first seen at (.+)\.$", |case, found| {
        let alert = case.alert;
        case.holds(found[1] == case.texts.moment(alert.as_of()), "as of");
        case.holds(found[2] == alert.zone.to_string(), "the zone");
        case.holds(found[3] == case.texts.moment(alert.since), "since");
        case.holds(case.newest() == Some(alert.as_of()), "it is older than the newest forecast");
    }),
    (r"^Eased: no longer critical since (.+)\.$", |case, found| {
        let at = case.alert.trend.eased_at.map(|at| case.texts.moment(at));
        case.holds(at.as_deref() == Some(&found[1]), "eased");
    }),
    (
        r"^The forecast of (\S+) no longer shows a shortage that is large enough for an alert\. The last page reported ([\d,]+) missing agents?\.",
        |case, found| {
            case.holds(found[1] == case.texts.moment(case.alert.as_of()), "its time");
            case.holds(number(&found[2]) == case.alert.notified_gap, "the last page");
        },
    ),
    (r"^Missing: (.*?) \(([^()]*)\)\.$", |case, found| {
        let (need, at) = match found[1].split_once("; most at ") {
            Some((need, at)) => (need, Some(case.ahead(at))),
            None => (&found[1], None),
        };
        let (n, from) = case.stretch(need);
        let at = at.unwrap_or(from);
        case.parts(&found[2], at);
        case.holds(case.gaps(at).1 == n, "the most");
    }),
    (r"^Missing later: (\d+) more periods?, until (\S+)\.$", |case, found| {
        let end = case.alert.need().last().map(|step| step.to);
        case.holds(end == Some(case.ahead(&found[2])), "the end");
    }),
    (r"^Action (?:by (\S+)|now): find ([\d,]+) more agents? \((.*)\)\.$", |case, found| {
        let need = case.alert.need();
        let first = need.first().unwrap_or_else(|| case.wrong("nothing is missing"));
        let at = found.get(1).map_or(WIDTH.floor(case.alert.as_of()), |at| case.ahead(at.as_str()));
        case.holds(first.from == at, "when they are needed");
        let named = need.iter().find(|step| step.agents == number(&found[2]));
        case.parts(&found[3], named.unwrap_or_else(|| case.wrong("their number")).from);
    }),
    (
        r"^Action at (\S+): look at the newest forecast before you release the extra agents\.$",
        |case, found| {
            let end = case.alert.need().last().map(|step| step.to);
            case.holds(end == Some(case.ahead(&found[1])), "the end");
        },
    ),
    (
        r"^Action at (\S+): ([\d,]+) extra agents? (?:is|are) enough from then until (\S+)\.$",
        |case, found| {
            later(case, found);
        },
    ),
    (
        r"^Action by (\S+): raise the number of extra agents to ([\d,]+), until (\S+)\.$",
        |case, found| {
            later(case, found);
        },
    ),
    (r"^Action by (\S+): find ([\d,]+) extra agents? again, until (\S+)\.$", |case, found| {
        later(case, found);
    }),
    (
        r"^Action now: ask network operations when the fault(?: that began on (\S+))? will be repaired\.$",
        |case, found| {
            let active = case.truth.active(&case.alert.scope, case.alert.as_of(), case.now);
            let device = found.get(1).map(|device| device.as_str());
            let is_known = device.is_none_or(|name| active.iter().any(|a| a.raise.device == name));
            case.holds(is_known, "the device");
        },
    ),
    (
        r"^Action now: tell network operations that customers complain and that no alarm explains why\.$",
        |case, _| {
            no_alarm(case);
        },
    ),
    (
        r"^Action now: check the roster of this time and what customers complain about\.",
        |case, _| no_alarm(case),
    ),
    (
        r"^Cause: the forecast needs more agents than are available; no relevant alarm is active here\.$",
        |case, _| {
            no_alarm(case);
        },
    ),
    (
        r"^Cause: ([\d,]+) (\S+) (\S+) alarms? active since (.+?), first on (\S+?)(?:, flapping: one alarm was raised \d+ times)?\.$",
        |case, found| {
            let active = case.truth.active(&case.alert.scope, case.alert.as_of(), case.now);
            let of = |known: &&Known<'_>| known.raise.kind == found[3];
            let is_it = |severity: &Severity| severity.as_str() == &found[2];
            let most = active.iter().filter(of);
            let most = most.filter(|known| known.severities.iter().any(is_it)).count();
            let sure = active.iter().filter(of).filter(|known| known.is_sure);
            let sure = sure.filter(|known| known.severities.last().is_some_and(is_it)).count();
            let named = number(&found[1]) as usize;
            case.holds(named <= most, "alarms that are over, or of another severity");
            let known = || active.iter().map(|known| known.to_string()).collect::<Vec<_>>();
            case.holds(
                named >= sure,
                &format!("{}: alarms are left out: {:#?}", &found[0], known()),
            );
            let is_first = |known: &Known<'_>| {
                let is_it = |raise: &&&Sent| {
                    case.texts.moment(raise.ts) == found[4] && raise.device == found[5]
                };
                known.raises.iter().any(|raise| is_it(&raise))
            };
            let chatters = found[0].contains("flapping");
            case.holds(chatters || active.iter().any(is_first), "the first alarm");
        },
    ),
    (r"^Cause: ([\d,]+) more alarms? of (?:another type|other types)\.$", |case, found| {
        let active = case.truth.active(&case.alert.scope, case.alert.as_of(), case.now);
        case.holds(number(&found[1]) as usize <= active.len(), "the number of alarms");
    }),
    (
        r"^Cause: planned work of (.+?)–(.+?) overruns; ([\d,]+) of its alarms (?:is|are) still active\.$",
        |case, found| {
            let time = |at| case.texts.moment(at);
            let is_it = |(from, to): &(Timestamp, Timestamp)| {
                time(*from) == found[1] && time(*to) == found[2]
            };
            case.holds(case.truth.work.iter().any(is_it), "the work");
            let active = case.truth.active(&case.alert.scope, case.alert.as_of(), case.now);
            case.holds(number(&found[3]) as usize <= active.len(), "its alarms");
        },
    ),
    (
        r"^Cause: ([\d,]+) tickets? about an outage, poor coverage or slow service from (\S+) to (\S+); (\S+) are usual in that time\.$",
        |case, found| {
            let (from, to) = (case.before(&found[2]), case.before(&found[3]));
            let Scope { region, service } = case.alert.scope.clone();
            let filter = Filter { region: Some(region), service: Some(service), channel: None };
            let said = case.forecaster.reader().topics(&filter, from, to, false).expect("reads");
            let trouble: u32 = said.values().map(|said| said.topics[..3].iter().sum::<u32>()).sum();
            case.holds(number(&found[1]) as u32 == trouble, "the number of complaints");
        },
    ),
    (
        r"^(.+): ([\d,]+) agents needed at (\S+)(?:, ([\d,]+) scheduled| \(usually ([\d,]+) at this time\)), ([\d,]+) short\. Forecast for that window: ([\d,]+) tickets? \(([\d,]+) to ([\d,]+) with 80 % probability\)\.( Most of this need is work left from the windows before\.)?$",
        |case, found| {
            let (at, plans) = (case.ahead(&found[3]), case.plans());
            let plan =
                plans.iter().find(|p| case.texts.channel(p.series.channel.as_str()) == found[1]);
            let plan = plan.unwrap_or_else(|| case.wrong("the channel"));
            let target = plan.targets.iter().find(|target| target.start == at);
            let target = target.unwrap_or_else(|| case.wrong("the window"));
            let worst = case.alert.need().iter().map(|step| step.agents).max();
            case.holds(Some(case.gaps(at).1) == worst, "another window is worse");
            case.holds(number(&found[2]) == target.agents as i32, "agents");
            case.holds(number(&found[6]) == target.gap, "the gap");
            case.holds(
                target.scheduled.is_some() == found.get(4).is_some(),
                "roster or usual number",
            );
            let present = found.get(4).or(found.get(5)).map(|n| number(n.as_str()));
            case.holds(present == Some(target.agents as i32 - target.gap), "the agents present");
            let reader = case.forecaster.reader();
            let served = reader.served(&plan.series, Some(plan.issued_at)).expect("reads");
            let served = served.unwrap_or_else(|| case.wrong("the forecast")).vintage;
            let point = served.targets.iter().find(|point| point.start == at);
            let point = point.unwrap_or_else(|| case.wrong("the forecast's window"));
            case.holds(
                number(&found[7]) == target.arrivals.round() as i32
                    || (f64::from(number(&found[7])) - target.arrivals).abs() <= 0.5,
                "tickets",
            );
            let [_, low, .., high, _] = point.quantiles;
            case.holds(
                (f64::from(number(&found[8])), f64::from(number(&found[9]))) == (low, high),
                "the band",
            );
            if found.get(10).is_some() {
                let mut before = plan.targets.iter().filter(|own| own.start < at);
                let is_more = before.any(|own| own.arrivals > 2.0 * target.arrivals);
                case.holds(is_more, "no window before has more");
            }
            // A window that is open is never certain.
            let is_open = at <= case.alert.as_of();
            case.holds(!is_open || high > low, "a band without width");
        },
    ),
    (r"^Affected: customers of (\S+) in (\S+) \((.*)\)\.$", |case, found| {
        case.holds(found[1] == *case.alert.scope.service.as_str(), "the service");
        case.holds(found[2] == *case.alert.scope.region.as_str(), "the region");
        for channel in found[3].split(", ") {
            let is_short =
                |step: &crate::alert::NeedStep| case.gaps(step.from).0.contains_key(channel);
            case.holds(case.alert.need().iter().any(is_short), channel);
        }
    }),
    (
        r"^The forecast of (\S+) no longer shows a shortage that is large enough for an alert\. The alert ends if the next forecast confirms this\.$",
        |case, found| {
            case.holds(found[1] == case.texts.moment(case.alert.as_of()), "its time");
            case.holds(case.alert.notified_at.is_none(), "a page was sent");
        },
    ),
];

/// Checks missing agents that are too few for an alert: the largest number in one window, and the span from the first to the
/// last such window.
fn below_limits(case: &Case<'_>, line: &str) {
    let form = Regex::new(
        r"^Agents still missing, but too few for an alert: up to ([\d,]+) at a time between (\S+) and (\S+); most at (\S+) \((.*)\)\.$",
    );
    let form = form.expect("a pattern");
    let found = form.captures(line).unwrap_or_else(|| case.wrong(line));
    let (from, to, at) = (case.ahead(&found[2]), case.ahead(&found[3]), case.ahead(&found[4]));
    let open = WIDTH.floor(case.alert.as_of());
    let all = (0..24).map(|n| open + WIDTH.length() * n).filter(|start| case.gaps(*start).1 > 0);
    let all: Vec<Timestamp> = all.collect();
    case.holds(all.first() == Some(&from), "the first window");
    case.holds(all.last().map(|last| WIDTH.end(*last)) == Some(to), "the last window");
    case.holds(all.iter().map(|start| case.gaps(*start).1).max() == Some(number(&found[1])), line);
    case.holds(case.gaps(at).1 == number(&found[1]), "when it is most");
    case.parts(&found[5], at);
}

/// Sentences that state no facts.
const FIXED: [&str; 1] = [
    "If you take this on, acknowledge the alert; another page then follows only if it gets clearly worse.",
];

/// Checks an action at the beginning of a later stretch: the number of agents is missing from then on.
fn later(case: &Case<'_>, found: &Captures<'_>) {
    let (from, to) = (case.ahead(&found[1]), case.ahead(&found[3]));
    let windows = (WIDTH.index(from)..WIDTH.index(to)).map(|at| case.gaps(WIDTH.start(at)).1);
    case.holds(windows.max() == Some(number(&found[2])), &found[0]);
}

fn no_alarm(case: &Case<'_>) {
    let active = case.truth.active(&case.alert.scope, case.alert.as_of(), case.now);
    // Minor alarms of types that bring no tickets are not named.
    let is_severe = |known: &Known<'_>| known.severities.last() <= Some(&Severity::Major);
    case.holds(!active.iter().any(|known| known.is_sure && is_severe(known)), "an alarm is active");
}

impl Checks {
    fn new() -> Self {
        let rows = SENTENCES.map(|(form, check)| (Regex::new(form).expect("a pattern"), check));
        Self { rows: rows.into(), seen: vec![0; SENTENCES.len()] }
    }

    fn check(&mut self, case: &Case<'_>) {
        let texts = Texts::new(Language::En);
        let (title, body) = (case.alert.title(&texts), case.alert.body(&texts));
        case.holds(title.chars().count() <= 130, "the title is long");
        case.holds((title.clone() + &body).split_whitespace().count() <= 300, "it has many words");
        self.title(case, &title);
        if case.alert.state == AlertState::Resolved {
            let (from, to) =
                (case.texts.moment(case.alert.since), case.texts.moment(case.alert.as_of()));
            let span = format!("The alert lasted from {from} to {to} ({}).", case.alert.zone);
            let mut lines = body.lines();
            case.holds(lines.next().is_some_and(|line| line.ends_with(&span)), "its span");
            let left = lines.next();
            case.holds(left.is_some() != case.alert.notes.below_limits.is_empty(), "what is left");
            left.into_iter().for_each(|line| below_limits(case, line));
            return;
        }
        for line in body.lines().filter(|line| !FIXED.contains(line)) {
            if let Some(at) = line.strip_prefix("Next checkpoint: ") {
                let last = case.forecaster.finalized_upto().unwrap_or_else(|| case.wrong(line));
                let next = WIDTH.end(last) + LATENESS;
                let said = format!("{}, when the next forecast is due.", case.texts.moment(next));
                case.holds(at == said, line);
                case.holds(next > case.now, "it is over");
                continue;
            }
            if line.starts_with("Agents still missing, but too few") {
                below_limits(case, line);
                continue;
            }
            if let Some(said) = line.strip_prefix("Complaints are counted up to ") {
                let last = case.forecaster.finalized_upto().unwrap_or_else(|| case.wrong(line));
                case.holds(said.starts_with(&format!("{} so far.", case.texts.moment(last))), line);
                case.holds(last < case.alert.as_of(), "no forecast is newer");
                continue;
            }
            let found = self.rows.iter().position(|(form, _)| form.is_match(line));
            let at = found.unwrap_or_else(|| case.wrong(line));
            let (form, check) = &self.rows[at];
            if let Some(found) = form.captures(line) {
                check(case, &found);
            }
            self.seen[at] += 1;
        }
    }

    /// Checks that the title names the first stretch, the largest of the others, and the end of the last one.
    fn title(&self, case: &Case<'_>, title: &str) {
        let is_critical = case.alert.severity == crate::alert::AlertSeverity::Critical;
        let Some((_, said)) = title.split_once(" lacks agents: ") else {
            return case.holds(case.alert.agents_short == 0, "the title hides the shortage");
        };
        case.holds(title.starts_with("CRITICAL ") == is_critical, "the severity");
        // `up to 13 now, up to 7 from 08:30 until 10:30`: the first ends where the second begins.
        let begin = Regex::new(r"from (\d\d:\d\d)").expect("a pattern");
        let mut parts: Vec<&str> = said.split(", ").collect();
        let end = said.rsplit(' ').next().map(|end| case.ahead(end));
        case.holds(end == case.alert.need().last().map(|step| step.to), "the title ends too early");
        parts.retain(|part| !part.starts_with("shortages until "));
        for (at, part) in parts.iter().enumerate() {
            let next = parts.get(at + 1).and_then(|next| begin.captures(next));
            match next.filter(|_| !part.contains(" until ")) {
                Some(next) => _ = case.stretch(&format!("{part} until {}", &next[1])),
                None => _ = case.stretch(part),
            }
        }
        let most = case.alert.need().iter().map(|step| step.agents).max();
        let said = parts.iter().filter_map(|part| {
            let form = Regex::new(r"^(?:up to )?([\d,]+) ").expect("a pattern");
            form.captures(part).map(|found| number(&found[1]))
        });
        case.holds(said.max() == most, "the title leaves out the largest number");
    }
}

/// Checks every sentence of `hours` live hours after `days` of history. Returns the number of pages, and how often each
/// sentence was checked.
fn held(seed: u64, days: u32, hours: i64, showcase: &[u64]) -> (usize, Vec<usize>) {
    let start = Timestamp::parse("2026-03-02T00:00:00Z").expect("a time");
    let live = start + DAY * days;
    let mut operator = OperatorConfig::standard(seed, start);
    operator.regions.truncate(1);
    operator.services.truncate(2);
    operator.showcase =
        showcase.iter().map(|minute| live + Duration::from_secs(minute * 60)).collect();
    let zones = operator.regions.iter().map(|r| (r.name.clone(), r.zone)).collect();
    let mut operator = Operator::new(operator);
    let dir = TempDir::new().expect("directory");
    let mut config = ForecasterConfig { nowcasts: true, series_max: 100, ..config() };
    config.receivers = vec![("lead".into(), Route::default())];
    config.issue.staffing = Arc::new(Rules::of_channels(default_profiles()));
    config.issue.zones = zones;
    config.issue.vintages_from = live;
    config.issue.plans_from = live;
    config.issue.alerts_from = live;
    config.issue.notify_from = live;
    let store = Store::open(dir.path(), WIDTH).expect("a store");
    let mut forecaster = Forecaster::open(config, store, Arc::default()).expect("a forecaster");
    forecaster.leads = true;
    let mut processor = processor();
    let (mut truth, mut checks) = (Truth::default(), Checks::new());
    let (mut pages, mut last) = (0, None);
    let mut known: BTreeMap<String, Alert> = BTreeMap::new();
    // The sentences of the other rules have no forecast behind them.
    let which = AlertFilter { rule: Some(UNDERSTAFFED), open_only: true };
    let first = start.millis() / 3_600_000;
    for hour in first..first + i64::from(days) * 24 + hours {
        let mut events = operator.hour(hour).into_iter().peekable();
        let begin = Timestamp::from_secs(hour * 3600);
        let round = if begin < live { 3600 } else { ROUND };
        for end in (1..=3600 / round).map(|n| begin + Duration::from_secs((n * round) as u64)) {
            while let Some(event) = events.next_if(|event| event.append_at < end) {
                truth.take(&event.line, event.append_at);
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
            if begin < live {
                continue;
            }
            let reader = forecaster.reader();
            let fresh = reader.outbox(None, None, 1000, None).expect("reads");
            let new = fresh.iter().take_while(|(id, _)| Some(*id) > last);
            let told: Vec<Alert> = new.map(|(_, row)| row.notice.alert.clone()).collect();
            pages += told.len();
            last = fresh.first().map(|(id, _)| *id).or(last);
            let open = reader.alerts_of(&Filter::default(), which, 100, None).expect("reads");
            let case = |alert| {
                let texts = Texts::new(Language::En).local(Alert::clone(alert).zone);
                let texts = texts.as_of(alert.as_of());
                Case { alert, forecaster: &forecaster, truth: &truth, now: end, texts }
            };
            for alert in &told {
                // A page that a newer forecast followed in the same round: the alert is held against that.
                let case = case(alert);
                if case.newest().is_none_or(|newest| newest <= alert.as_of()) {
                    checks.check(&case);
                }
            }
            for alert in &open {
                let case = case(alert);
                let is_newest = case.newest() == Some(alert.as_of());
                case.holds(is_newest, "the alert is older than the newest forecast");
                if known.insert(alert.id.clone(), alert.clone()).as_ref() != Some(alert) {
                    checks.check(&case);
                }
            }
        }
    }
    (pages, checks.seen)
}

#[test]
fn every_sentence_of_the_pages_of_a_simulated_day_is_true() {
    let (pages, seen) = held(5, 8, 10, &[95, 300]);
    assert!(pages >= 2, "{pages} pages");
    // Times, stretches, people to find, alarms, channels, and whose customers wait.
    for (at, n) in [0, 3, 5, 14, 18, 19].map(|at| (at, seen[at])) {
        assert!(n > 10, "sentence {at} was checked {n} times: {seen:?}");
    }
}

/// This takes long: `cargo test --release --lib four_simulated_weeks -- --ignored --nocapture`.
#[test]
#[ignore = "takes long; CONTRIBUTING.md says how to run it"]
fn every_sentence_of_the_pages_of_four_simulated_weeks_is_true() {
    let (pages, seen) = held(31, 28, 28 * 24, &[95, 1300, 5000, 9000]);
    println!("{pages} pages; sentences checked: {seen:?}");
    assert!(pages >= 10, "{pages} pages");
}
