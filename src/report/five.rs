//! The table of the five figures, each compared with that of the week before.

use super::figures::{Figures, Pages, Staffed, Warned};
use super::text::Report;
use super::wording::{accuracy, signed};
use crate::domain::Zone;
use crate::text::{Texts, args};

/// Figures in words.
struct Words(Texts);

/// A row: this week, the week before, the change.
type Row = [String; 3];

fn dash() -> String {
    "–".into()
}

impl Words {
    fn count(&self, n: Option<u64>) -> String {
        n.map_or_else(dash, |n| self.0.number(n as f64, 0))
    }

    /// A change of counts.
    fn relative(&self, now: Option<u64>, then: Option<u64>) -> String {
        let known = now.zip(then).filter(|(_, then)| *then > 0);
        signed(&self.0, known.map(|(now, then)| now as f64 / then as f64 - 1.0))
    }

    /// A change of shares, in points.
    fn points(&self, now: Option<f64>, then: Option<f64>) -> String {
        let change = now.zip(then).map(|(now, then)| (now - then) * 100.0);
        change.map_or_else(dash, |change| {
            let sign = if change >= 0.05 { "+" } else { "" };
            let n = format!("{sign}{}", self.0.number(change, 1));
            self.0.text("report-figures-points", args!["n" => n])
        })
    }

    fn counts(&self, now: Option<u64>, then: Option<u64>) -> Row {
        [self.count(now), self.count(then), self.relative(now, then)]
    }

    fn accuracy(&self, week: &Figures, before: &Figures) -> Row {
        let texts = &self.0;
        let share = |own: &Figures| own.accuracy.wape.map(|error| (1.0 - error).max(0.0));
        let value = |own: &Figures| {
            let floor = accuracy(texts, own.accuracy.wape_floor);
            let args = args!["value" => accuracy(texts, own.accuracy.wape), "floor" => floor];
            own.accuracy.wape.map_or_else(dash, |_| texts.text("report-figures-floor", args))
        };
        [value(week), value(before), self.points(share(week), share(before))]
    }

    fn precision(&self, week: &Pages, before: &Pages) -> Row {
        let value = |own: &Pages| {
            let args = args![
                "share" => self.0.percent(own.precision()),
                "right" => own.right,
                "judged" => own.judged,
            ];
            own.precision().map_or_else(dash, |_| self.0.text("report-figures-of", args))
        };
        [value(week), value(before), self.points(week.precision(), before.precision())]
    }

    fn warning(&self, week: &Warned, before: &Warned) -> Row {
        let value = |own: &Warned| {
            let mean = own.mean().map_or(0.0, f64::round);
            let args = args!["n" => mean, "warned" => own.warned, "surges" => own.surges.len()];
            own.mean().map_or_else(dash, |_| self.0.text("report-figures-warning-of", args))
        };
        let change = week.mean().zip(before.mean()).map(|(now, then)| now.round() - then.round());
        let change = change.map_or_else(dash, |change| {
            let sign = if change > 0.0 { "+" } else { "" };
            let n = format!("{sign}{}", self.0.number(change, 0));
            self.0.text("report-figures-minutes", args!["n" => n])
        });
        [value(week), value(before), change]
    }
}

/// Adds the table of the five figures and those of the week before.
pub fn table(week: &Figures, before: &Figures, report: &mut Report) {
    let words = Words(report.texts);
    // A week whose plans are deleted in part is not compared.
    let windows = |own: &Figures| own.staffed.as_ref().map_or(0, |own| own.windows);
    let comparable = before.staffed.as_ref().filter(|_| windows(before) >= windows(week));
    let below = |own: Option<&Staffed>| own.map(|own| own.below);
    let rows = [
        ("report-figures-arrivals", words.counts(week.tickets, before.tickets)),
        ("report-figures-accuracy", words.accuracy(week, before)),
        ("report-figures-below", words.counts(below(week.staffed.as_ref()), below(comparable))),
        ("report-figures-precision", words.precision(&week.pages, &before.pages)),
        ("report-figures-warning", words.warning(&week.warned, &before.warned)),
    ];
    let rows =
        rows.into_iter().map(|(id, row)| [vec![words.0.text(id, None)], row.to_vec()].concat());
    report.heading("report-figures");
    let head = [
        "report-figures-figure",
        "report-figures-week",
        "report-figures-before",
        "report-figures-change",
    ];
    report.table(&head, rows.collect(), "report-volume-none");
    report.say("report-figures-help", None);
    if words.0.zone() != Zone::UTC {
        report.say("report-figures-utc", None);
    }
}
