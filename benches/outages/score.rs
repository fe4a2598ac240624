//! What is counted: losses by kind of window, surges called, false calls.

use surgecast::forecast::QUANTILES;
use surgecast::forecast::surge::SURGE_LEADS;

use crate::surges::{CHANCES, WAYS};

/// Weighted quantile loss: 2 Σ loss / Σ tickets, over the seven quantiles.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loss {
    pub loss: f64,
    pub tickets: f64,
    /// Inside the 80 % interval, and scored.
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

/// Without alarms, with them, to those who know the laws, the response and the course ([`crate::known`]), and of the true rate.
pub type Losses = [Loss; 6];

/// Kind of a target window of one series, by the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Incidents that raise alarms lift the rate by a fifth or more.
    Outage,
    /// No incident lifts it by more than a hundredth.
    Quiet,
    /// Incidents that raise no alarm lift it by a fifth or more, and no others.
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

/// Who calls: the model, and those who know the laws, the response and the course.
pub const WHO: usize = 4;

/// Surges that had alarms by then, and those called, by way and who called.
#[derive(Clone, Copy, Debug, Default)]
pub struct Called {
    pub surges: f64,
    pub called: [[f64; WHO]; WAYS],
    /// Called by the model and by those who know the response.
    pub foretold: [f64; WAYS],
    /// Of the surges, those that are due to these alarms, and those of them called.
    pub due: f64,
    pub due_called: [[f64; WHO]; WAYS],
}

#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// By bucket.
    pub outage: [Losses; 3],
    pub quiet: Losses,
    pub silent: Losses,
    /// All windows whose series has a severe alarm standing at the origin.
    pub standing: Losses,
    /// By lead.
    pub surges: [Called; 3],
    /// False calls by way and who called: at any lead, and at three hours.
    pub false_calls: [[[f64; WHO]; WAYS]; 2],
    /// By tenths of the chance that the model gives a surge within the horizon: origins, chances, and surges that came.
    pub said: [[f64; 3]; 10],
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
        self.standing.iter_mut().zip(&other.standing).for_each(|(to, from)| to.merge(from));
        for (to, from) in self.surges.iter_mut().zip(&other.surges) {
            to.surges += from.surges;
            to.due += from.due;
            add(&mut to.called, &from.called);
            add(&mut to.due_called, &from.due_called);
            to.foretold.iter_mut().zip(from.foretold).for_each(|(to, from)| *to += from);
        }
        for (to, from) in self.false_calls.iter_mut().zip(&other.false_calls) {
            add(to, from);
        }
        add(&mut self.said, &other.said);
        self.region_weeks += other.region_weeks;
    }

    pub fn print(&self, title: &str) {
        let mut all = Losses::default();
        for bucket in &self.outage {
            all.iter_mut().zip(bucket).for_each(|(to, from)| to.merge(from));
        }
        let gap = |l: &Losses| {
            let closed = |who: usize| (l[0].wql() - l[1].wql()) / (l[0].wql() - l[who].wql());
            [closed(2), closed(3), closed(4)].map(|closed| closed * 100.0)
        };
        println!("{title}");
        println!(
            "  {:<24} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}  gap closed to laws, response, course",
            "WQL", "without", "with", "laws", "response", "course", "truth"
        );
        let line = |name: &str, l: &Losses| {
            let wql: Vec<String> = l.iter().map(|l| format!("{:>9.4}", l.wql())).collect();
            let covered: Vec<String> =
                l[..5].iter().map(|l| format!("{:.2}", l.coverage())).collect();
            let [laws, response, course] = gap(l);
            println!(
                "  {name:<24} {}  {laws:>5.1} %, {response:>5.1} %, {course:>5.1} %  cov80 {}",
                wql.join(" "),
                covered.join("/")
            );
        };
        line("outage windows", &all);
        for (name, bucket) in ["  0-1 h", "  1-3 h", "  3-6 h"].iter().zip(&self.outage) {
            line(name, bucket);
        }
        line("a severe alarm stands", &self.standing);
        let change = (self.quiet[1].wql() / self.quiet[0].wql() - 1.0) * 100.0;
        line("quiet windows", &self.quiet);
        line("no alarm was raised", &self.silent);
        println!("  quiet: with alarms {change:+.2} %");
        for i in 0..WAYS {
            let way = match i.checked_sub(1) {
                None => "so that false calls keep to one".to_owned(),
                Some(fixed) => format!("at a chance of {}", CHANCES[fixed]),
            };
            let called = SURGE_LEADS.iter().zip(&self.surges).map(|(lead, found)| {
                let ([model, known @ ..], due) = (found.called[i], found.due_called[i]);
                format!(
                    "{lead} h {model} of {} (laws {}; response {}, of which {}; course {}), due {} of {} (laws {}; response {})",
                    found.surges, known[0], known[1], found.foretold[i], known[2], due[0], found.due, due[1], due[2]
                )
            });
            let [[model, laws, response, course], [at_three, ..]] =
                self.false_calls.map(|all| all[i].map(|n| n / self.region_weeks));
            let called: Vec<String> = called.collect();
            println!(
                "  surges called {way}: {}; false calls {model:.2} (laws {laws:.2}, response {response:.2}, course {course:.2}), at 3 h {at_three:.2}",
                called.join(", ")
            );
        }
        let said = self.said.iter().filter(|[n, ..]| *n > 0.0);
        let said = said.map(|[n, said, came]| format!("{:.2}→{:.2} ({n})", said / n, came / n));
        println!("  chance said → came: {}", said.collect::<Vec<_>>().join(", "));
        println!();
    }
}

fn add<const N: usize>(to: &mut [[f64; N]], from: &[[f64; N]]) {
    to.iter_mut().flatten().zip(from.iter().flatten()).for_each(|(to, from)| *to += from);
}
