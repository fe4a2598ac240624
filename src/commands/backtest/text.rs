//! `--format text`: for planners.

use std::fmt::Write as _;

use super::evaluate::Evaluated;
use super::setting::Setting;
use crate::commands::words::plural;
use crate::domain::Timestamp;
use crate::domain::format_duration;
use crate::forecast::TARGET_ACCURACY;
use crate::forecast::backtest::{Entry, Summary};

/// Maximum number of series that are listed one by one.
const SERIES_MAX: usize = 40;

/// The whole report: a comparison of the models, then the first model in words, by lead and by series.
pub fn render(setting: &Setting, done: &[Evaluated<'_>]) -> String {
    let mut text = head(setting);
    if done.len() > 1 {
        text.push_str(&comparison(done));
    }
    let Some(first) = done.first() else { return text };
    text.push_str(&in_words(setting, first));
    text.push_str(&by_lead(first.board.overall()));
    if setting.counts.series.len() > 1 {
        text.push_str(&by_series(setting, first));
    }
    text.push_str(&legend());
    text.push_str("Time for fitting and forecasting:\n");
    for done in done {
        let (fit, predict) = (done.fit_seconds, done.predict_seconds);
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {:<16} {fit:>8.2} s {predict:>8.2} s", done.model);
    }
    text
}

fn head(setting: &Setting) -> String {
    let counts = &setting.counts;
    let (width, zone) = (counts.width, setting.options.zone);
    let shift = counts.shift;
    let local = |at: Timestamp| zone.local(at - shift).format("%Y-%m-%d %H:%M").to_string();
    let first = counts.series.values().map(|history| history.first).min().unwrap_or(0);
    let end = counts.series.values().map(crate::forecast::History::end).max().unwrap_or(0);
    let ends = |index: Option<&i64>| index.map_or(String::new(), |i| local(width.start(*i)));
    format!(
        "{}: {} in windows of {}, {} to {} ({zone})\n\
         {} of the next {}, made from {} to {}{}\n\n",
        setting.input,
        plural(counts.series.len(), "series", "series"),
        format_duration(width.length()),
        local(width.start(first)),
        local(width.start(end)),
        plural(setting.origins.len(), "forecast", "forecasts"),
        format_duration(width.length() * setting.windows as u32),
        ends(setting.origins.first()),
        ends(setting.origins.last()),
        setting.options.history.map_or_else(String::new, |span| format!(
            ", each from {} of history and the day so far",
            format_duration(span)
        )),
    )
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".into(), |share| format!("{:.1} %", share * 100.0))
}

fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "–".into(), |value| format!("{value:.decimals$}"))
}

/// Tickets, with one decimal below 20.
fn tickets(value: Option<f64>) -> String {
    number(
        value,
        if value.is_some_and(|value| value < 20.0 && value.fract() != 0.0) { 1 } else { 0 },
    )
}

fn accuracy(wape: Option<f64>) -> Option<f64> {
    wape.map(|wape| 1.0 - wape)
}

fn comparison(done: &[Evaluated<'_>]) -> String {
    let mut text = format!(
        "{:<16} {:>9} {:>7} {:>8} {:>10} {:>10}\n",
        "", "accuracy", "MASE", "WQL", "80 % band", "95 % band"
    );
    let row = |text: &mut String, name: &str, summary: &Summary| {
        let _ = writeln!(
            text,
            "{name:<16} {:>9} {:>7} {:>8} {:>10} {:>10}",
            percent(accuracy(summary.figures.wape)),
            number(summary.mase, 3),
            number(summary.figures.wql, 4),
            percent(summary.pit80),
            percent(summary.pit95),
        );
    };
    for done in done {
        row(&mut text, &done.model, &done.board.overall().all.summary());
        if done.board.unanswered() > 0 {
            let _ =
                writeln!(text, "{:<18}{} forecasts could not be made", "", done.board.unanswered());
        }
    }
    text.push('\n');
    text
}

/// A summary in sentences.
fn in_words(setting: &Setting, done: &Evaluated<'_>) -> String {
    let entry = done.board.overall();
    let summary = entry.all.summary();
    let mut text = format!("{}\n", done.model);
    if summary.figures.n == 0 {
        text.push_str("  No forecast window has a count, so there is nothing to score.\n\n");
        return text;
    }
    let _ = writeln!(
        text,
        "  In {}, half of all actual counts lie within {} of the forecast, nine in ten within\n  \
         {}. A window has {} tickets on average.",
        plural(setting.origins.len(), "forecast", "forecasts"),
        tickets(entry.errors.within(0.5)),
        tickets(entry.errors.within(0.9)),
        tickets(summary.mean),
    );
    if done.board.unanswered() > 0 {
        let _ = writeln!(text, "  {} forecasts could not be made.", done.board.unanswered());
    }
    for (why, n) in &done.fell_back {
        let _ = writeln!(
            text,
            "  {} made with a simpler method ({why}).",
            plural(*n, "forecast", "forecasts")
        );
    }
    let _ = writeln!(text, "  {}\n", verdict(&summary));
    text
}

/// Says whether 87 % accuracy is possible at this volume, and whether it is reached.
fn verdict(summary: &Summary) -> String {
    let (Some(found), Some(best)) =
        (accuracy(summary.figures.wape), accuracy(summary.figures.wape_floor))
    else {
        return "The forecast windows have no tickets, so accuracy is not defined.".into();
    };
    let shown = percent(Some(found));
    let best_shown = percent(Some(best));
    if found >= TARGET_ACCURACY && found > best {
        format!(
            "87 % accuracy is reached: {shown}. These counts vary less than random (Poisson) arrivals, whose\n  \
             accuracy at the noise floor is {best_shown}."
        )
    } else if found >= TARGET_ACCURACY {
        format!(
            "87 % accuracy is reached: {shown}. The accuracy at the noise floor is {best_shown}."
        )
    } else if best < TARGET_ACCURACY {
        format!(
            "87 % accuracy is out of reach at this volume: the accuracy at the noise floor is {best_shown}.\n  \
             This model reaches {shown}."
        )
    } else {
        format!(
            "87 % accuracy is not reached: {shown}. It is possible at this volume: the accuracy at the noise floor is {best_shown}."
        )
    }
}

fn by_lead(entry: &Entry) -> String {
    let columns = [&entry.all, &entry.leads[0], &entry.leads[1], &entry.leads[2]];
    let columns = columns.map(|tally| tally.summary());
    let mut text = format!(
        "  {:<26} {:>9} {:>9} {:>9} {:>9}\n",
        "", "all leads", "to 1 h", "1 to 3 h", "3 to 6 h"
    );
    let mut row = |name: &str, show: &dyn Fn(&Summary) -> String| {
        let [all, first, second, third] = columns.each_ref().map(show);
        let _ = writeln!(text, "  {name:<26} {all:>9} {first:>9} {second:>9} {third:>9}");
    };
    row("accuracy (1 − WAPE)", &|s| percent(accuracy(s.figures.wape)));
    row("  last week's count", &|s| percent(accuracy(s.figures.wape_naive)));
    row("  at the noise floor", &|s| percent(accuracy(s.figures.wape_floor)));
    row("bias (over-forecast +)", &|s| percent(s.figures.bias));
    row("MASE", &|s| number(s.mase, 3));
    row("WQL", &|s| number(s.figures.wql, 4));
    row("coverage of the 80 % band", &|s| percent(s.figures.coverage80));
    row("  randomised PIT coverage", &|s| percent(s.pit80));
    row("coverage of the 95 % band", &|s| percent(s.figures.coverage95));
    row("  randomised PIT coverage", &|s| percent(s.pit95));
    text.push('\n');
    text
}

fn by_series(setting: &Setting, done: &Evaluated<'_>) -> String {
    let mut text = format!(
        "  {:<34} {:>9} {:>9} {:>9} {:>7} {:>9}  {}\n",
        "series", "a window", "accuracy", "floor", "MASE", "80 % band", "87 %"
    );
    let mut entries: Vec<_> = done.board.series().collect();
    let volume = |entry: &Entry| entry.all.summary().mean.unwrap_or(0.0);
    entries.sort_by(|a, b| volume(b.1).total_cmp(&volume(a.1)));
    for (key, entry) in entries.iter().take(SERIES_MAX) {
        let summary = entry.all.summary();
        let (wape, floor) = (summary.figures.wape, summary.figures.wape_floor);
        let state = match (accuracy(wape), accuracy(floor)) {
            (Some(found), _) if found >= TARGET_ACCURACY => "yes",
            (Some(_), Some(best)) if best < TARGET_ACCURACY => "out of reach",
            (Some(_), Some(_)) => "not yet",
            _ => "–",
        };
        let _ = writeln!(
            text,
            "  {:<34} {:>9} {:>9} {:>9} {:>7} {:>9}  {state}",
            setting.counts.names.shown(key),
            tickets(summary.mean),
            percent(accuracy(wape)),
            percent(accuracy(floor)),
            number(summary.mase, 3),
            percent(summary.pit80),
        );
    }
    if entries.len() > SERIES_MAX {
        let more = entries.len() - SERIES_MAX;
        let _ = writeln!(text, "  and {more} smaller series: --format json lists all");
    }
    text.push('\n');
    text
}

fn legend() -> String {
    "\
Accuracy is 1 − Σ|actual − forecast| / Σ actual. The noise floor is the error that even a forecaster that knows the
true rate has, because arrivals are random (Poisson). The accuracy at the noise floor is the best that is possible at this
volume. MASE below 1 is better than last week's count.
WQL scores the whole band: lower is better. An 80 % band is right if it covers 80 % of the actual counts. A band ends on
whole numbers, so for small counts it covers more: compare the randomised PIT coverage with 80 % instead. Where models
or series are compared, the columns of bands show this PIT coverage. 87 % is a common target of operators. A – means no
data: no forecast window has a count or, for MASE, there is less than a week of counts before the first forecast.
"
    .into()
}
