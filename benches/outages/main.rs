//! Gain from the alarm response on the simulated operator.
//!
//! `cargo bench --bench outages -- [SEEDS] [FAMILY] [WEEKS]`, such as `1,2,3 long-tail 4`: the weeks are scored, after eight
//! weeks of history. Four weeks of a seed take about a minute. The response is fitted every other day, base models once a
//! week. Losses are summed every third hour; surges and warnings are judged every hour.
//!
//! Six forecasts are compared. The first five use the same base model (`surgecast::forecast::Ensemble`):
//!
//! 1. without alarms;
//! 2. with the alarm response (the base model reads history without effects of alarms);
//! 3. an oracle that knows the simulator's **parameters**;
//! 4. an oracle that knows the true **response** to the alarms so far, but not the end of each incident;
//! 5. an oracle that knows the whole **course** of these incidents;
//! 6. the true rate.
//!
//! Definitions are in `oracles.rs`, `score.rs` and `surges.rs`.

mod oracles;
mod run;
mod score;
mod surges;
mod world;

use score::Totals;
use world::Arguments;

fn main() {
    let Arguments { seeds, families, weeks } = Arguments::new(4);
    for family in families {
        let mut totals = Totals::default();
        for seed in &seeds {
            let one = run::run(*seed, family, weeks);
            if seeds.len() > 1 {
                one.print(&format!("{family}, seed {seed}"));
            }
            totals.merge(&one);
        }
        totals.print(&format!("{family}, seeds {seeds:?}, {weeks} weeks each"));
    }
}
