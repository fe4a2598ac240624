//! The week: what came, how good forecasts were, staffing, and what to look at.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate, Weekday};

use super::text::{Part, Report};
use super::wording::{ROWS_MAX, accuracy, acknowledged, minutes_open, moment, percent};
use crate::alert::{Alert, Worst};
use crate::domain::{Name, SeriesKey, Timestamp, WEEK};
use crate::forecast::surge::{SURGE_LEADS, Surge, lead_minutes};
use crate::forecast::{Figures, TARGET_ACCURACY};
use crate::store::sums::sums;
use crate::store::{Filter, Reader, StoreError};

/// Alerts of a week that are looked at.
const ALERTS_MAX: usize = 10_000;
/// What planners are told of: bias beyond, and bands that hold less than.
const BIAS_MAX: f64 = 0.05;
const COVERAGE_MIN: f64 = 0.7;

/// An ISO week, Monday to Sunday in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week(NaiveDate);

impl Week {
    /// The last one that was over at `now`.
    pub fn before(now: Timestamp) -> Self {
        let today = now.utc().date_naive();
        let back = u64::from(today.weekday().num_days_from_monday()) + 7;
        Self(today.checked_sub_days(chrono::Days::new(back)).unwrap_or(today))
    }

    fn span(self) -> (Timestamp, Timestamp) {
        let start = self.0.and_time(chrono::NaiveTime::MIN).and_utc();
        let start = Timestamp::from_millis(start.timestamp_millis());
        (start, start + WEEK)
    }
}

impl FromStr for Week {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text}: use a week such as 2026-W46");
        let (year, week) = text.split_once("-W").ok_or_else(wrong)?;
        let (year, week) = (year.parse().map_err(|_| wrong())?, week.parse().map_err(|_| wrong())?);
        // Years that timestamps reach.
        let known = (1991..2099).contains(&year);
        let monday = NaiveDate::from_isoywd_opt(year, week, Weekday::Mon).filter(|_| known);
        monday.map(Self).ok_or_else(wrong)
    }
}

impl std::fmt::Display for Week {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.format("%G-W%V"))
    }
}

/// The report of a week.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn weekly(reader: &Reader, week: Week) -> Result<Report, StoreError> {
    let span = week.span();
    let mut report = Report::new(format!("Week {week}"));
    report.say(format!("{} to {}, in UTC.", moment(span.0), moment(span.1)));
    let mut look_at = Vec::new();
    arrivals(reader, span, &mut report)?;
    let alerts = alerts(reader, span)?;
    list_alerts(&alerts, &mut report, &mut look_at);
    surges(reader, span, &mut report, &mut look_at)?;
    forecasts(reader, span, &mut report, &mut look_at)?;
    staffing(reader, span, &mut report, &mut look_at)?;
    report.heading("What to look at");
    if look_at.is_empty() {
        report.say("Nothing stands out.");
    } else {
        look_at.truncate(ROWS_MAX);
        report.parts.push(Part::List(look_at));
    }
    Ok(report)
}

fn total() -> SeriesKey {
    SeriesKey::new(Name::all(), Name::all(), Name::all())
}

fn arrivals(
    reader: &Reader,
    (from, to): (Timestamp, Timestamp),
    report: &mut Report,
) -> Result<(), StoreError> {
    report.heading("What came");
    let (mut days, mut alarms, mut missing) = ([0u64; 7], 0u64, 0u32);
    let windows = reader.series_windows(&total(), from, to)?;
    for window in &windows {
        let day = window.start.since(from).as_secs() / 86_400;
        if let Some(sum) = days.get_mut(usize::try_from(day).unwrap_or(usize::MAX)) {
            *sum += u64::from(window.tickets);
        }
        alarms += window.raised.iter().map(|n| u64::from(*n)).sum::<u64>();
        missing += u32::from(window.missing);
    }
    let before = reader.series_windows(&total(), from - WEEK, from)?;
    // Part of a week says nothing of it.
    let is_whole = before.len() == reader.width().per(WEEK);
    // A week that goes on is held against as much of the one before.
    let end = windows.last().map_or(from, |window| window.start + reader.width().length());
    let before = before.iter().take_while(|window| window.start + WEEK < end);
    let before: u64 = before.map(|window| u64::from(window.tickets)).sum();
    let sum: u64 = days.iter().sum();
    let against = if end < to { "as much of the week before" } else { "the week before" };
    let change = (is_whole && before > 0).then(|| {
        format!(", {:+.1} % against {against}", (sum as f64 / before as f64 - 1.0) * 100.0)
    });
    if end < to {
        report.say(format!("So far: what came up to {}.", moment(end)));
    }
    report.say(format!("{sum} tickets{}, {alarms} alarms raised.", change.unwrap_or_default()));
    if missing > 0 {
        report.say(format!("{missing} windows are missing: a source did not report."));
    }
    let names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let begun = end.since(from).as_secs().div_ceil(86_400) as usize;
    let rows = names.iter().zip(days).take(begun);
    let rows = rows.map(|(name, sum)| vec![(*name).into(), sum.to_string()]);
    report.table(&["Day", "Tickets"], rows.collect(), "Nothing came.");
    Ok(())
}

/// Alerts that began in the week, oldest first.
fn alerts(reader: &Reader, (from, to): (Timestamp, Timestamp)) -> Result<Vec<Alert>, StoreError> {
    let (every, mut found, mut after) = (Filter::default(), Vec::new(), None::<String>);
    loop {
        let page = reader.alerts(&every, false, 500, after.as_deref())?;
        let Some(last) = page.last() else { break };
        let done = last.since < from || found.len() >= ALERTS_MAX;
        after = Some(last.id.clone());
        found.extend(page.into_iter().filter(|alert| (from..to).contains(&alert.since)));
        if done {
            break;
        }
    }
    found.reverse();
    Ok(found)
}

fn list_alerts(alerts: &[Alert], report: &mut Report, look_at: &mut Vec<String>) {
    report.heading("Alerts");
    // A need that went before anybody was told of it is no alert.
    let told: Vec<&Alert> = alerts.iter().filter(|alert| alert.notified_at.is_some()).collect();
    let taken = told.iter().filter(|alert| alert.acknowledged_by.is_some()).count();
    let mut minutes: Vec<u64> = told.iter().filter_map(|alert| minutes_open(alert)).collect();
    minutes.sort_unstable();
    let median = minutes.get(minutes.len() / 2);
    let median = median.map_or_else(String::new, |n| format!(", half of them within {n} min"));
    let alerts = if told.len() == 1 { "alert" } else { "alerts" };
    report.say(format!("{} {alerts}, {taken} acknowledged{median}.", told.len()));
    let mut by_gap: Vec<_> = told.iter().map(|alert| (alert, alert.at_worst())).collect();
    by_gap.sort_by_key(|(alert, worst)| (std::cmp::Reverse(worst.agents_short), alert.since));
    let row = |(alert, worst): &(&&Alert, Worst)| {
        vec![
            moment(alert.since),
            alert.scope.to_string(),
            worst.agents_short.to_string(),
            acknowledged(alert),
            worst.because.join("; "),
            alert.id.clone(),
        ]
    };
    let rows = by_gap.iter().take(ROWS_MAX).map(row).collect();
    let head = ["Since", "Where", "Agents short at most", "Acknowledged by", "Because", "Id"];
    report.table(&head, rows, "Nobody had to be told.");
    if !told.is_empty() {
        report.say("Times of day within a reason are the region's own.");
    }
    if told.len() > taken {
        look_at.push(format!(
            "{} alerts were acknowledged by nobody: is the receiver the right one?",
            told.len() - taken
        ));
    }
}

fn surges(
    reader: &Reader,
    span: (Timestamp, Timestamp),
    report: &mut Report,
    look_at: &mut Vec<String>,
) -> Result<(), StoreError> {
    report.heading("Surges");
    report.say(
        "More tickets for two windows than 99 of 100 times without alarms, of a region's service \
         over all channels.",
    );
    let every = Filter { channel: Some(Name::all()), ..Filter::default() };
    let is_place = |series: &SeriesKey| !series.region.is_all() && !series.service.is_all();
    let mut found = reader.surges(&every, span, Timestamp::MIN)?;
    found.retain(|surge| is_place(&surge.series));
    let mut calls = reader.calls(&every, span, Timestamp::MIN)?;
    calls.retain(|call| is_place(&call.series));
    let mut rows = Vec::new();
    for hours in SURGE_LEADS {
        let at_lead: Vec<&Surge> = found.iter().filter(|s| s.lead_hours == hours).collect();
        let count = |which: fn(&Surge) -> bool| at_lead.iter().filter(|s| which(s)).count();
        let is_false = calls.iter().filter(|c| c.lead_hours == hours && !c.good).count();
        let (alarmed, called) = (count(|s| s.alarmed), count(|s| s.called));
        let unheard = count(|s| s.alarmed && !s.called);
        if hours == 1 && unheard > 0 {
            look_at
                .push(format!("{unheard} surges had alarms an hour before and were not called."));
        }
        let numbers = [at_lead.len(), alarmed, called, is_false].map(|n| n.to_string());
        rows.push([vec![format!("{hours} h")], numbers.to_vec()].concat());
    }
    report.table(&["Ahead", "Surges", "With alarms by then", "Called", "False calls"], rows, "");
    let near = found.iter().filter(|surge| surge.lead_hours == 1);
    let rows = near.take(ROWS_MAX).map(|surge| {
        let warned = surge.warned_minutes.map_or_else(|| "none".into(), |m| format!("{m} min"));
        vec![moment(surge.start), surge.series.scope().to_string(), warned]
    });
    report.table(&["Start", "Where", "Warning"], rows.collect(), "None came.");
    Ok(())
}

fn forecasts(
    reader: &Reader,
    span: (Timestamp, Timestamp),
    report: &mut Report,
    look_at: &mut Vec<String>,
) -> Result<(), StoreError> {
    report.heading("How good forecasts were");
    let whole = sums(reader, &total(), span)?;
    let line = |label: String, figures: Figures| {
        let bias = figures.bias.map_or_else(|| "–".into(), |b| format!("{:+.1} %", b * 100.0));
        let shares = [
            accuracy(figures.wape),
            accuracy(figures.wape_naive),
            accuracy(figures.wape_floor),
            percent(figures.coverage80),
            bias,
        ];
        [vec![label], shares.to_vec()].concat()
    };
    let leads = SURGE_LEADS.into_iter().filter_map(|hours| {
        let score = whole.by_lead.get(&lead_minutes(hours, reader.width()))?;
        Some(line(format!("{hours} h"), score.figures()))
    });
    let mut rows: Vec<_> = leads.collect();
    if whole.overall.n > 0 {
        rows.push(line("all".into(), whole.overall.figures()));
    }
    report.say("All series together, by how long ahead:");
    let head = ["Ahead", "Accuracy", "Last week repeated", "Chance allows", "In 80 % band", "Bias"];
    report.table(&head, rows, "Nothing was scored.");
    let (mut reached, mut missed, mut beyond) = (0, Vec::new(), 0);
    for info in reader.series()? {
        if info.series.is_roll_up() {
            continue;
        }
        let figures = sums(reader, &info.series, span)?.overall.figures();
        match (figures.reached(), figures.reachable()) {
            (Some(true), _) => reached += 1,
            (Some(false), Some(true)) => missed.push((info.series.to_string(), figures)),
            (Some(false), _) => beyond += 1,
            (None, _) => {}
        }
        let said = figures.bias.filter(|b| b.abs() > BIAS_MAX && figures.reachable() == Some(true));
        if let Some(bias) = said {
            let word = if bias > 0.0 { "more" } else { "less" };
            let share = bias.abs() * 100.0;
            look_at.push(format!("{}: {share:.0} % {word} was forecast than came.", info.series));
        }
        if let Some(share) = figures.coverage80.filter(|share| *share < COVERAGE_MIN) {
            let share = share * 100.0;
            look_at.push(format!("{}: the 80 % band held {share:.0} % only.", info.series));
        }
    }
    report.say(format!(
        "{:.0} % accuracy: {reached} series reach it, {} could and do not, for {beyond} too few \
         tickets come: chance alone costs more.",
        TARGET_ACCURACY * 100.0,
        missed.len()
    ));
    missed.sort_by(|a, b| b.1.mean.unwrap_or(0.0).total_cmp(&a.1.mean.unwrap_or(0.0)));
    let rows = missed.into_iter().take(ROWS_MAX).map(|(series, f)| {
        vec![series, accuracy(f.wape), accuracy(f.wape_naive), accuracy(f.wape_floor)]
    });
    let head = ["Could and does not", "Accuracy", "Last week repeated", "Chance allows"];
    report.table(&head, rows.collect(), "No series could and does not.");
    Ok(())
}

fn staffing(
    reader: &Reader,
    (from, to): (Timestamp, Timestamp),
    report: &mut Report,
    look_at: &mut Vec<String>,
) -> Result<(), StoreError> {
    report.heading("Staffing");
    let width = reader.width();
    let hours = f64::from(width.secs()) / 3600.0;
    let mut teams: BTreeMap<SeriesKey, (f64, f64)> = BTreeMap::new();
    for index in width.index(from)..width.index(to) {
        for (series, target) in reader.staffed(width.start(index))? {
            let gap = f64::from(target.gap) * hours;
            let (short, over) = teams.entry(series).or_default();
            *short += gap.max(0.0);
            *over += (-gap).max(0.0);
        }
    }
    let sum = teams.values().fold((0.0, 0.0), |sum, team| (sum.0 + team.0, sum.1 + team.1));
    if !teams.is_empty() {
        let (short, over) = sum;
        report.say(format!(
            "By what each window was planned with when it began: {short:.0} agent hours short, \
             {over:.0} too many."
        ));
    }
    let mut teams: Vec<_> = teams.into_iter().collect();
    teams.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
    if let Some((series, (short, _))) = teams.first().filter(|(_, (short, _))| *short >= 1.0) {
        look_at.push(format!("{series} was short most: {short:.0} agent hours."));
    }
    let rows = teams.into_iter().take(ROWS_MAX).map(|(series, (short, over))| {
        vec![series.to_string(), format!("{short:.1}"), format!("{over:.1}")]
    });
    let none = "Plans are kept for 14 days; of this week there are none.";
    report.table(&["Team", "Agent hours short", "Too many"], rows.collect(), none);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn weeks_are_iso_weeks() {
        let week: Week = "2026-W46".parse().expect("a week");
        assert_eq!(week.to_string(), "2026-W46");
        assert_eq!(week.span().0.to_string(), "2026-11-09T00:00:00Z");
        let monday = Timestamp::parse("2026-11-16T00:00:00Z").expect("a time");
        assert_eq!(Week::before(monday), week);
        assert_eq!(Week::before(monday - Duration::from_secs(1)).to_string(), "2026-W45");
        for wrong in ["2026-46", "2026-W54", "2026-W00", "-W1", "9999-W01"] {
            assert!(wrong.parse::<Week>().is_err(), "{wrong}");
        }
    }
}
