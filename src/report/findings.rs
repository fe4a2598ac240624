//! The findings of reports: alerts, surges, the accuracy of forecasts, staffing, and points to check.

use super::extent::Extent;
use super::figures::{Staffed, Warned, shortest};
use super::text::{Part, Report};
use super::wording::{ROWS_MAX, accuracy, acknowledged, hours, minutes_open, named, signed};
use crate::alert::{Alert, Worst};
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::surge::{SURGE_LEADS, Surge, lead_minutes};
use crate::forecast::{self, TARGET_ACCURACY};
use crate::store::sums::sums;
use crate::store::{Reader, StoreError};
use crate::text::{Say, args};

/// A bias above this is a point to check.
pub const BIAS_MAX: f64 = 0.05;
/// A coverage of the 80 % band below this is a point to check.
pub const COVERAGE_MIN: f64 = 0.7;

/// Shown if nobody acknowledged an alert.
const NOBODY: &str = "report-acknowledged-by-nobody";

/// Adds the alerts that were sent.
pub fn list_alerts(alerts: &[Alert], report: &mut Report, checks: &mut Vec<String>) {
    let texts = report.texts;
    report.heading("report-alerts");
    // An alert that was resolved before it was sent is not listed.
    let sent: Vec<&Alert> = alerts.iter().filter(|alert| alert.notified_at.is_some()).collect();
    let taken = sent.iter().filter(|alert| alert.acknowledged_by.is_some()).count();
    let mut minutes: Vec<u64> = sent.iter().filter_map(|alert| minutes_open(alert)).collect();
    minutes.sort_unstable();
    let median = minutes.get(minutes.len() / 2);
    let median = median.map(|n| texts.text("report-alerts-median", args!["n" => *n]));
    if !sent.is_empty() {
        let args = args!["n" => sent.len(), "acknowledged" => taken];
        let sum = texts.text("report-alerts-sum", args);
        report.sentences([Some(sum), median].into_iter().flatten());
    }
    let mut by_gap: Vec<_> = sent.iter().map(|alert| (alert, alert.at_worst())).collect();
    by_gap.sort_by_key(|(alert, worst)| (std::cmp::Reverse(worst.agents_short), alert.since));
    let row = |(alert, worst): &(&&Alert, Worst)| {
        vec![
            texts.day_time(alert.since),
            alert.scope.to_string(),
            worst.agents_short.to_string(),
            acknowledged(&texts, alert).unwrap_or_else(|| texts.text(NOBODY, None)),
            texts.clauses(worst.because.iter().map(|cause| cause.say(&texts.as_of(alert.since)))),
            alert.id.clone(),
        ]
    };
    let rows = by_gap.iter().take(ROWS_MAX).map(row).collect();
    let head = [
        "report-since",
        "report-scope",
        "report-agents-short",
        "report-acknowledged-by",
        "report-cause",
        "report-id",
    ];
    report.table(&head, rows, "report-alerts-none");
    if sent.len() > taken {
        let args = args!["n" => sent.len() - taken];
        checks.push(texts.text("report-alerts-unacknowledged", args));
    }
}

/// Adds surges and warnings by lead, and the beginning of each surge.
pub fn surges(
    reader: &Reader,
    extent: &Extent,
    warned: &Warned,
    report: &mut Report,
    checks: &mut Vec<String>,
) -> Result<(), StoreError> {
    let texts = report.texts;
    report.heading("report-surges");
    report.say("report-surges-help", None);
    let (every, span) = (extent.places(), extent.days);
    let is_place = |series: &SeriesKey| !series.region.is_all() && !series.service.is_all();
    let mut found = reader.surges(&every, span, Timestamp::MIN)?;
    found.retain(|surge| is_place(&surge.series));
    let mut warnings = reader.warnings(&every, span, Timestamp::MIN)?;
    warnings.retain(|warning| is_place(&warning.series));
    let mut rows = Vec::new();
    for lead in SURGE_LEADS {
        let at_lead: Vec<&Surge> = found.iter().filter(|s| s.lead_hours == lead).collect();
        let count = |which: fn(&Surge) -> bool| at_lead.iter().filter(|s| which(s)).count();
        let is_false = warnings.iter().filter(|c| c.lead_hours == lead && !c.good).count();
        let (alarmed, called) = (count(|s| s.alarmed), count(|s| s.hit));
        let unwarned = count(|s| s.alarmed && !s.hit);
        if lead == 1 && unwarned > 0 {
            checks.push(texts.text("report-surges-unwarned", args!["n" => unwarned]));
        }
        let numbers = [at_lead.len(), alarmed, called, is_false].map(|n| n.to_string());
        rows.push([vec![hours(&texts, lead)], numbers.to_vec()].concat());
    }
    let head = [
        "report-lead",
        "report-surges",
        "report-surges-alarmed",
        "report-surges-hits",
        "report-surges-false",
    ];
    report.table(&head, rows, "report-surges-none");
    let rows = warned.surges.iter().filter_map(|span| {
        let minutes = match span.warning_minutes() {
            Some(n) if n < 0 => texts.text("report-surges-late", args!["n" => -n]),
            Some(n) => texts.text("report-minutes", args!["n" => n]),
            None => texts.text("report-surges-no-warning", None),
        };
        let scope = span.near()?.series.scope().to_string();
        Some(vec![texts.day_time(span.began), scope, minutes])
    });
    let rows = rows.take(ROWS_MAX);
    let head = ["report-surges-start", "report-scope", "report-surges-warning"];
    report.table(&head, rows.collect(), "report-surges-none");
    if !warned.surges.is_empty() {
        report.say("report-surges-began", None);
    }
    Ok(())
}

/// Adds the accuracy of forecasts by lead, and the series that do not reach the target.
pub fn forecasts(
    reader: &Reader,
    targets: &Targets,
    extent: &Extent,
    report: &mut Report,
    checks: &mut Vec<String>,
) -> Result<(), StoreError> {
    let texts = report.texts;
    report.heading("report-accuracy");
    let whole = sums(reader, &extent.total(), extent.days)?;
    let line = |label: String, figures: forecast::Figures| {
        let shares = [
            accuracy(&texts, figures.wape),
            accuracy(&texts, figures.wape_naive),
            accuracy(&texts, figures.wape_floor),
            texts.percent(figures.coverage80),
            signed(&texts, figures.bias),
        ];
        [vec![label], shares.to_vec()].concat()
    };
    let leads = SURGE_LEADS.into_iter().filter_map(|lead| {
        let score = whole.by_lead.get(&lead_minutes(lead, reader.width()))?;
        Some(line(hours(&texts, lead), score.figures()))
    });
    let mut rows: Vec<_> = leads.collect();
    if whole.overall.n > 0 {
        rows.push(line(texts.text("report-accuracy-all-leads", None), whole.overall.figures()));
    }
    if rows.is_empty() {
        report.say("report-accuracy-none", None);
        return Ok(());
    }
    report.say("report-accuracy-leads", None);
    let head = [
        "report-lead",
        "report-accuracy-value",
        "report-accuracy-persistence",
        "report-accuracy-floor",
        "report-accuracy-band",
        "report-accuracy-bias",
    ];
    report.table(&head, rows, "report-accuracy-none");
    report.say("report-accuracy-help", None);
    targets.list(report, checks);
    Ok(())
}

/// Accuracy of single series (one region, service and channel), compared with the target.
pub struct Targets {
    reached: usize,
    /// Series with enough tickets to reach the target that do not reach it, the series with the most tickets first.
    pub missed: Vec<(SeriesKey, forecast::Figures)>,
    /// Number of series with too few tickets to reach the target.
    beyond: usize,
    /// Series with a bias or a coverage to check.
    doubtful: Vec<(SeriesKey, forecast::Figures)>,
}

impl Targets {
    /// Reads the accuracies for the series of a report.
    pub fn read(reader: &Reader, extent: &Extent) -> Result<Self, StoreError> {
        let mut all = Self { reached: 0, missed: Vec::new(), beyond: 0, doubtful: Vec::new() };
        for info in reader.series()? {
            if info.series.is_roll_up() || !extent.admits(&info.series) {
                continue;
            }
            let figures = sums(reader, &info.series, extent.days)?.overall.figures();
            if bias(&figures).is_some() || coverage(&figures).is_some() {
                all.doubtful.push((info.series.clone(), figures));
            }
            match (figures.reached(), figures.reachable()) {
                (Some(true), _) => all.reached += 1,
                (Some(false), Some(true)) => all.missed.push((info.series, figures)),
                (Some(false), _) => all.beyond += 1,
                (None, _) => {}
            }
        }
        let mean = |own: &(SeriesKey, forecast::Figures)| own.1.mean.unwrap_or(0.0);
        all.missed.sort_by(|a, b| mean(b).total_cmp(&mean(a)));
        Ok(all)
    }

    fn list(&self, report: &mut Report, checks: &mut Vec<String>) {
        let texts = report.texts;
        for (series, figures) in &self.doubtful {
            let point = |id: &str, share: f64| {
                let share = texts.text("percent", args!["value" => texts.number(share * 100.0, 0)]);
                texts.text(id, args!["series" => named(&texts, series), "share" => share])
            };
            if let Some(bias) = bias(figures) {
                let id = if bias > 0.0 { "report-accuracy-over" } else { "report-accuracy-under" };
                checks.push(point(id, bias.abs()));
            }
            if let Some(share) = coverage(figures) {
                checks.push(point("report-accuracy-coverage", share));
            }
        }
        let target =
            texts.text("percent", args!["value" => texts.number(TARGET_ACCURACY * 100.0, 0)]);
        let args = args![
            "target" => target,
            "reached" => self.reached,
            "missed" => self.missed.len(),
            "beyond" => self.beyond,
        ];
        report.say("report-accuracy-target", args);
        let rows = self.missed.iter().take(ROWS_MAX).map(|(series, f)| {
            let shares = [f.wape, f.wape_naive, f.wape_floor].map(|error| accuracy(&texts, error));
            [vec![named(&texts, series)], shares.to_vec()].concat()
        });
        let head = [
            "report-accuracy-missed",
            "report-accuracy-value",
            "report-accuracy-persistence",
            "report-accuracy-floor",
        ];
        report.table(&head, rows.collect(), "report-accuracy-missed-none");
    }
}

/// The bias, if it is a point to check.
fn bias(figures: &forecast::Figures) -> Option<f64> {
    figures.bias.filter(|b| b.abs() > BIAS_MAX && figures.reachable() == Some(true))
}

/// The coverage of the 80 % band, if it is a point to check.
fn coverage(figures: &forecast::Figures) -> Option<f64> {
    figures.coverage80.filter(|share| *share < COVERAGE_MIN)
}

/// Adds agent hours short and spare.
pub fn staffing(staffed: Option<&Staffed>, report: &mut Report, checks: &mut Vec<String>) {
    let texts = report.texts;
    report.heading("report-staffing");
    let Some(staffed) = staffed else { return report.say("report-staffing-none", None) };
    let sum = staffed.series.values().fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
    let (short, spare) = (texts.number(sum.0, 0), texts.number(sum.1, 0));
    report.say("report-staffing-sum", args!["short" => short, "spare" => spare]);
    let most = shortest(staffed).into_iter().next().filter(|(_, short)| *short >= 1.0);
    if let Some((series, short)) = most {
        let args = args!["series" => named(&texts, series), "n" => texts.number(short, 0)];
        checks.push(texts.text("report-staffing-worst", args));
    }
    let mut teams: Vec<_> = staffed.series.iter().collect();
    teams.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
    let rows = teams.into_iter().take(ROWS_MAX).map(|(series, (short, spare))| {
        vec![named(&texts, series), texts.number(*short, 1), texts.number(*spare, 1)]
    });
    let head = ["report-staffing-series", "report-staffing-short", "report-staffing-spare"];
    report.table(&head, rows.collect(), "report-staffing-none");
}

/// Adds the points to check.
pub fn to_check(mut checks: Vec<String>, report: &mut Report) {
    report.heading("report-check");
    if checks.is_empty() {
        return report.say("report-check-none", None);
    }
    checks.truncate(ROWS_MAX);
    report.parts.push(Part::List(checks));
}
