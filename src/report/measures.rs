//! Recommendations and risks of a full report. Each follows from a figure of the report by a stated rule.

use std::collections::BTreeMap;

use chrono::Timelike;

use super::extent::Counted;
use super::figures::{places, shortest};
use super::findings::{BIAS_MAX, COVERAGE_MIN};
use super::full::Findings;
use super::priorities::SHORT_LEAST;
use super::quality::reason_words;
use super::text::Report;
use super::wording::{accuracy, named};
use crate::domain::{DAY, HOUR, SeriesKey};
use crate::store::{Reader, StoreError};
use crate::text::{Texts, args};

/// Maximum number of recommendations.
const MOST: usize = 7;
/// The precision of pages is used only with at least this many judged pages.
const JUDGED_LEAST: usize = 10;
/// Planned work within this many days after the span is a risk.
const AHEAD_DAYS: u32 = 14;

/// Who carries out a recommendation. Teams have their own names.
mod owner {
    /// The people who are responsible for the event sources.
    pub const DATA: &str = "report-owner-data";
    /// The shift leads.
    pub const LEADS: &str = "report-owner-leads";
    /// The workforce planners.
    pub const PLANNING: &str = "report-owner-planning";
    /// The network operations centre.
    pub const NETWORK: &str = "report-owner-network";
}

/// How long something takes.
mod time {
    /// Some hours.
    pub const HOURS: &str = "report-takes-hours";
    /// A day.
    pub const DAY: &str = "report-takes-day";
    /// A week.
    pub const WEEK: &str = "report-takes-week";
    /// Some weeks.
    pub const WEEKS: &str = "report-takes-weeks";
}

/// A recommendation.
pub struct Measure {
    pub what: String,
    effect: String,
    /// The message that says how long it takes.
    takes: &'static str,
    owner: String,
}

/// The recommendations that the findings lead to, in the order of the rule that the report states.
pub fn measures(own: &Findings<'_>, texts: &Texts) -> Result<Vec<Measure>, StoreError> {
    let measure = |what, effect, takes, owner: &str| Measure {
        what,
        effect,
        takes,
        owner: texts.text(owner, None),
    };
    let mut found = Vec::new();
    if own.quality.missing > 0 {
        let n = own.quality.missing;
        let what = texts.text("report-next-missing", args!["n" => n]);
        let effect = texts.text("report-effect-windows", args!["n" => n]);
        found.push(measure(what, effect, time::DAY, owner::DATA));
    }
    let unanswered = own.figures.pages.unanswered();
    if unanswered > 0 {
        let args = args!["n" => unanswered, "sent" => own.figures.pages.sent];
        let effect = texts.text("report-effect-pages", args!["n" => unanswered]);
        let what = texts.text("report-next-pages", args);
        found.push(measure(what, effect, time::HOURS, owner::LEADS));
    }
    found.extend(short(own, texts)?);
    found.extend(
        unwarned(own, texts)
            .map(|(what, effect)| measure(what, effect, time::WEEK, owner::NETWORK)),
    );
    if let Some((series, figures)) = own.targets.missed.first() {
        let (value, floor) = (figures.wape, figures.wape_floor);
        let args = args![
            "series" => named(texts, series),
            "value" => accuracy(texts, value),
            "floor" => accuracy(texts, floor),
        ];
        let more = value.zip(floor).map_or(0.0, |(value, floor)| (value - floor).max(0.0));
        let effect = args!["n" => texts.number(more * 100.0, 1)];
        let effect = texts.text("report-effect-accuracy", effect);
        let what = texts.text("report-next-accuracy", args);
        found.push(measure(what, effect, time::WEEKS, owner::PLANNING));
    }
    if let Some((n, reason)) = own.quality.rejected() {
        let args = args!["n" => n, "reason" => reason_words(reason, texts)];
        let what = texts.text("report-measure-letters", args);
        let effect = texts.text("report-effect-letters", args!["n" => n]);
        found.push(measure(what, effect, time::DAY, owner::DATA));
    }
    let wrong = own.figures.pages.judged - own.figures.pages.right;
    if wrong > 0 {
        let what = texts.text("report-measure-wrong", args!["n" => wrong]);
        let effect = texts.text("report-effect-wrong", args!["n" => wrong]);
        found.push(measure(what, effect, time::DAY, owner::LEADS));
    }
    found.truncate(MOST);
    Ok(found)
}

fn unwarned(own: &Findings<'_>, texts: &Texts) -> Option<(String, String)> {
    let warned = &own.figures.warned;
    let missed = warned.missed();
    if missed.is_empty() {
        return None;
    }
    let scopes = texts.list(places(&missed).into_iter().take(3));
    let what = texts.text("report-next-surges", args!["scopes" => scopes]);
    let args = args!["n" => missed.len(), "surges" => warned.surges.len()];
    Some((what, texts.text("report-effect-surges", args)))
}

/// Agent hours short of a series by hour of the local day, and the largest number of agents short in that hour.
fn short_by_hour(
    reader: &Reader,
    series: &SeriesKey,
    counted: &Counted,
) -> Result<BTreeMap<u32, (f64, i32)>, StoreError> {
    let hours = f64::from(reader.width().secs()) / HOUR.as_secs_f64();
    let mut found: BTreeMap<u32, (f64, i32)> = BTreeMap::new();
    let (from, to) = counted.span;
    for (_, target) in reader.staffed_between(Some(series), from, to)? {
        let own = found.entry(counted.zone().local(target.start).hour()).or_default();
        own.0 += f64::from(target.gap.max(0)) * hours;
        own.1 = own.1.max(target.gap);
    }
    Ok(found)
}

/// A recommendation to add agents to the series with the most agent hours short, at the hour of the day with the most.
fn short(own: &Findings<'_>, texts: &Texts) -> Result<Option<Measure>, StoreError> {
    let Some(staffed) = &own.figures.staffed else { return Ok(None) };
    let worst = shortest(staffed).into_iter().next();
    let Some((series, _)) = worst.filter(|(_, short)| *short >= SHORT_LEAST) else {
        return Ok(None);
    };
    let hours = short_by_hour(own.reader, series, &own.counted)?;
    let most = hours.into_iter().reduce(|best, own| if own.1.0 > best.1.0 { own } else { best });
    let Some((hour, (short, agents))) = most else { return Ok(None) };
    let all: f64 = staffed.series.values().map(|(short, _)| short).sum();
    let clock = |hour: u32| format!("{hour:02}:00");
    let args = args![
        "agents" => agents,
        "series" => named(texts, series),
        "from" => clock(hour),
        "to" => clock((hour + 1) % 24),
    ];
    let effect = args!["n" => texts.number(short, 1), "all" => texts.number(all, 1)];
    let team = own.rules.team_of(series).map(|team| team.name.to_string());
    Ok(Some(Measure {
        what: texts.text("report-measure-short", args),
        effect: texts.text("report-effect-short", effect),
        takes: time::WEEK,
        owner: team.unwrap_or_else(|| texts.text(owner::PLANNING, None)),
    }))
}

/// Adds the recommendations and the rule that they follow.
pub fn list(measures: Vec<Measure>, report: &mut Report) {
    let texts = report.texts;
    report.heading("report-measures");
    let rows = measures
        .into_iter()
        .map(|own| vec![own.what, own.effect, texts.text(own.takes, None), own.owner]);
    let head = ["report-measure", "report-effect", "report-takes", "report-owner"];
    report.table(&head, rows.collect(), "report-measures-none");
    report.say("report-measures-rule", None);
}

/// Adds risks, what indicates them, and what helps.
pub fn risks(own: &Findings<'_>, report: &mut Report) -> Result<(), StoreError> {
    let texts = report.texts;
    let mut rows = Vec::new();
    let mut add = |risk: [&str; 2], why: String| {
        let [risk, help] = risk.map(|id| texts.text(id, None));
        rows.push(vec![risk, why, help]);
    };
    let warned = &own.figures.warned;
    let unannounced = warned.unannounced();
    if unannounced > 0 {
        let args = args!["n" => unannounced, "surges" => warned.surges.len()];
        add(
            ["report-risk-silent", "report-risk-silent-help"],
            texts.text("report-risk-silent-why", args),
        );
    }
    if let Some(share) = own.accuracy.coverage80.filter(|share| *share < COVERAGE_MIN) {
        let args = args!["share" => texts.percent(Some(share))];
        add(
            ["report-risk-band", "report-risk-band-help"],
            texts.text("report-risk-band-why", args),
        );
    }
    if let Some(bias) = own.accuracy.bias.filter(|bias| *bias < -BIAS_MAX) {
        let args = args!["share" => texts.percent(Some(-bias))];
        add(
            ["report-risk-bias", "report-risk-bias-help"],
            texts.text("report-risk-bias-why", args),
        );
    }
    let ahead = ahead(own)?;
    if ahead > 0 {
        add(
            ["report-risk-work", "report-risk-work-help"],
            texts.text("report-risk-work-why", args!["n" => ahead, "days" => AHEAD_DAYS]),
        );
    }
    let pages = &own.figures.pages;
    if pages.sent > 0 && pages.judged < JUDGED_LEAST {
        let args = args!["n" => pages.judged, "sent" => pages.sent];
        add(
            ["report-risk-judged", "report-risk-judged-help"],
            texts.text("report-risk-judged-why", args),
        );
    }
    report.heading("report-risks");
    let head = ["report-risk", "report-risk-why", "report-risk-help"];
    report.table(&head, rows, "report-risks-none");
    Ok(())
}

/// Planned work that begins within two weeks after the span.
fn ahead(own: &Findings<'_>) -> Result<usize, StoreError> {
    let end = own.counted.span.1;
    let works = own.reader.maintenance(end, end + DAY * AHEAD_DAYS)?;
    let is_ahead = |work: &&_| own.counted.extent.touches(work) && work.starts_at >= end;
    Ok(works.iter().filter(is_ahead).count())
}
