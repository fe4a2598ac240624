//! Scores: losses by kind of window, hits and false alarms of surge warnings.

use surgecast::forecast::QUANTILES;
use surgecast::forecast::surge::SURGE_LEADS;

use crate::surges::{PROBABILITIES, THRESHOLDS};

/// Weighted quantile loss: 2 Σ loss / Σ tickets, over the seven quantiles.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loss {
    pub loss: f64,
    pub tickets: f64,
    /// Windows inside the 80 % interval, and all scored windows.
    pub covered: (f64, f64),
}

impl Loss {
    pub fn add(&mut self, quantiles: &[f64; 7], actual: f64) {
        let loss = |(p, q): (f64, &f64)| {
            if actual >= *q { p * (actual - q) } else { (1.0 - p) * (q - actual) }
        };
        self.loss += 2.0 / 7.0 * QUANTILES.into_iter().zip(quantiles).map(loss).sum::<f64>();
        self.tickets += actual;
        self.covered.0 += f64::from(u8::from((quantiles[1]..=quantiles[5]).contains(&actual)));
        self.covered.1 += 1.0;
    }

    pub fn merge(&mut self, other: &Self) {
        self.loss += other.loss;
        self.tickets += other.tickets;
        self.covered.0 += other.covered.0;
        self.covered.1 += other.covered.1;
    }

    pub fn wql(&self) -> f64 {
        self.loss / self.tickets.max(1e-9)
    }

    pub fn coverage(&self) -> f64 {
        self.covered.0 / self.covered.1.max(1.0)
    }
}

/// Losses of the six forecasts: without alarms, with alarms, the oracles that know parameters, response and course
/// ([`crate::oracles`]), and the true rate.
pub type Losses = [Loss; 6];

/// Kind of a forecast window of one series, by true rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Incidents with alarms raise the rate by a fifth or more.
    Outage,
    /// Incidents raise the rate by at most a hundredth.
    Quiet,
    /// Only incidents without alarms raise the rate, by a fifth or more.
    Silent,
    Other,
}

pub fn kind(rate: f64, ordinary: f64, alarmed: f64) -> Kind {
    if alarmed >= 0.2 * ordinary && alarmed >= 0.05 {
        Kind::Outage
    } else if rate <= 1.01 * ordinary {
        Kind::Quiet
    } else if rate - ordinary - alarmed >= 0.2 * ordinary && alarmed <= 0.01 * ordinary {
        Kind::Silent
    } else {
        Kind::Other
    }
}

/// Upper ends of the lead buckets, windows.
pub const BUCKETS: [usize; 3] = [4, 12, 24];

/// Number of forecasters with warnings: the model, and the oracles that know parameters, response and course.
pub const FORECASTERS: usize = 4;

/// Surges with alarms by the origin, and hits by threshold and forecaster.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hits {
    pub surges: f64,
    pub hits: [[f64; FORECASTERS]; THRESHOLDS],
    /// Hits of both the model and the oracle that knows the response.
    pub shared: [f64; THRESHOLDS],
    /// Surges caused by these alarms, and hits among them.
    pub caused: f64,
    pub caused_hits: [[f64; FORECASTERS]; THRESHOLDS],
}

#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// By bucket.
    pub outage: [Losses; 3],
    pub quiet: Losses,
    pub silent: Losses,
    /// Windows of series with an active severe alarm at the origin.
    pub active: Losses,
    /// By lead.
    pub surges: [Hits; 3],
    /// False alarms by threshold and forecaster: at any lead, and at three hours.
    pub false_alarms: [[[f64; FORECASTERS]; THRESHOLDS]; 2],
    /// By tenths of the model's surge probability: origins, Σ probabilities, and actual surges.
    pub reliability: [[f64; 3]; 10],
    /// Weeks × regions.
    pub region_weeks: f64,
}

impl Totals {
    pub fn merge(&mut self, other: &Self) {
        for (to, from) in self.outage.iter_mut().flatten().zip(other.outage.iter().flatten()) {
            to.merge(from);
        }
        self.quiet.iter_mut().zip(&other.quiet).for_each(|(to, from)| to.merge(from));
        self.silent.iter_mut().zip(&other.silent).for_each(|(to, from)| to.merge(from));
        self.active.iter_mut().zip(&other.active).for_each(|(to, from)| to.merge(from));
        for (to, from) in self.surges.iter_mut().zip(&other.surges) {
            to.surges += from.surges;
            to.caused += from.caused;
            add(&mut to.hits, &from.hits);
            add(&mut to.caused_hits, &from.caused_hits);
            to.shared.iter_mut().zip(from.shared).for_each(|(to, from)| *to += from);
        }
        for (to, from) in self.false_alarms.iter_mut().zip(&other.false_alarms) {
            add(to, from);
        }
        add(&mut self.reliability, &other.reliability);
        self.region_weeks += other.region_weeks;
    }

    pub fn print(&self, title: &str) {
        let mut all = Losses::default();
        for bucket in &self.outage {
            all.iter_mut().zip(bucket).for_each(|(to, from)| to.merge(from));
        }
        let gap = |l: &Losses| {
            let closed = |oracle: usize| (l[0].wql() - l[1].wql()) / (l[0].wql() - l[oracle].wql());
            [closed(2), closed(3), closed(4)].map(|closed| closed * 100.0)
        };
        println!("{title}");
        println!(
            "  {:<24} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}  gap closed to the oracles: parameters, response, course",
            "WQL", "without", "with", "params", "response", "course", "truth"
        );
        let line = |name: &str, l: &Losses| {
            let wql: Vec<String> = l.iter().map(|l| format!("{:>9.4}", l.wql())).collect();
            let covered: Vec<String> =
                l[..5].iter().map(|l| format!("{:.2}", l.coverage())).collect();
            let [parameters, response, course] = gap(l);
            println!(
                "  {name:<24} {}  {parameters:>5.1} %, {response:>5.1} %, {course:>5.1} %  cov80 {}",
                wql.join(" "),
                covered.join("/")
            );
        };
        line("outage windows", &all);
        for (name, bucket) in ["  0-1 h", "  1-3 h", "  3-6 h"].iter().zip(&self.outage) {
            line(name, bucket);
        }
        line("active severe alarm", &self.active);
        let change = (self.quiet[1].wql() / self.quiet[0].wql() - 1.0) * 100.0;
        line("quiet windows", &self.quiet);
        line("incidents without alarms", &self.silent);
        println!("  quiet: with alarms {change:+.2} %");
        for i in 0..THRESHOLDS {
            let threshold = match i.checked_sub(1) {
                None => "adaptive threshold".to_owned(),
                Some(fixed) => format!("threshold {}", PROBABILITIES[fixed]),
            };
            let hits = SURGE_LEADS.iter().zip(&self.surges).map(|(lead, found)| {
                let ([model, oracles @ ..], caused) = (found.hits[i], found.caused_hits[i]);
                format!(
                    "{lead} h {model} of {} (parameters {}; response {}, of which {}; course {}), caused by alarms {} of {} (parameters {}; response {})",
                    found.surges, oracles[0], oracles[1], found.shared[i], oracles[2], caused[0], found.caused, caused[1], caused[2]
                )
            });
            let [[model, parameters, response, course], [at_three, ..]] =
                self.false_alarms.map(|all| all[i].map(|n| n / self.region_weeks));
            let hits: Vec<String> = hits.collect();
            println!(
                "  surge hits, {threshold}: {}; false alarms a region and week {model:.2} (parameters {parameters:.2}, response {response:.2}, course {course:.2}), at 3 h {at_three:.2}",
                hits.join(", ")
            );
        }
        let bins = self.reliability.iter().filter(|[n, ..]| *n > 0.0);
        let bins = bins.map(|[n, p, surges]| format!("{:.2}→{:.2} ({n})", p / n, surges / n));
        println!("  surge probability → frequency: {}", bins.collect::<Vec<_>>().join(", "));
        println!();
    }
}

fn add<const N: usize>(to: &mut [[f64; N]], from: &[[f64; N]]) {
    to.iter_mut().flatten().zip(from.iter().flatten()).for_each(|(to, from)| *to += from);
}
