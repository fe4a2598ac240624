//! What the alarm response is worth on the simulated operator.
//!
//! `cargo bench --bench outages -- [SEEDS] [FAMILY] [WEEKS]`, such as `1,2,3 long-tail 4`: weeks that are scored, after
//! eight of history. A minute's work for four weeks of a seed: the response is fitted every other day, base
//! models once a week, and losses are summed every third hour; surges and calls are looked at every hour.
//!
//! Six forecasts are compared, five of the same base model (`surgecast::forecast::Ensemble`): without alarms; with the
//! alarm response (the base sees history without what alarms account for); by someone who knows the operator's laws; by someone
//! who knows the true response to the alarms so far, of every incident that has raised one whether it is felt, when and how
//! much, but not how long it will last; by someone who knows that, too; and the true rate. Definitions are in `known.rs`, `score.rs` and `surges.rs`.

mod known;
mod run;
mod score;
mod surges;
mod world;

use score::Totals;
use world::Asked;

fn main() {
    let Asked { seeds, families, weeks } = Asked::new(4);
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
