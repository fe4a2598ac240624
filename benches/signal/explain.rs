//! What was true at a false page, and what happened before it.

use surgecast::domain::{DAY, HOUR, Timestamp};
use surgecast::simulate::{Incident, IncidentKind};

use super::score::Page;
use super::world::{IN_TIME, WIDTH, World};

/// Incidents that ended up to so many hours before a page are printed.
const BEFORE: u32 = 6;
/// Windows before the page whose true need is printed.
const WINDOWS: i64 = 4;

impl World {
    /// Prints a false page: its text, the incidents of its scopes, and what the true rates need.
    pub fn explain(&mut self, page: &Page, incidents: &[Incident]) {
        println!("false, at {}: {}", page.at, page.text);
        for (scope, (from, to, agents)) in page.parts.clone() {
            println!("  {scope:?}: up to {agents} from {from} to {to}");
            let here = incidents.iter().filter(|one| {
                let severe = !matches!(one.kind, IncidentKind::Chatter | IncidentKind::Flapping);
                let near = one.starts <= page.at + HOUR && one.ends + HOUR * BEFORE >= page.at;
                severe && near && self.scope(one) == scope
            });
            for one in here {
                println!(
                    "    {} from {} to {}, alarm {:?}, felt from {}, size {:.2}",
                    one.kind.as_str(),
                    one.starts,
                    one.ends,
                    one.first_alarm.map(|at| at.to_string()),
                    one.felt_from,
                    one.size
                );
            }
            let own = self.operator.series().to_vec();
            for (series, place) in own.into_iter().filter(|(series, _)| series.scope() == scope) {
                let first = WIDTH.index(page.at) - WINDOWS;
                let last = WIDTH.index(to).max(first + WINDOWS + 4);
                let mut said = Vec::new();
                for index in first..=last {
                    let true_rate = self.operator.rate(place, WIDTH.start(index));
                    let at = usize::try_from(index - WIDTH.index(self.live)).unwrap_or(usize::MAX);
                    let Some(gap) = self.lacks.get(&series).and_then(|gaps| gaps.get(at)) else {
                        continue;
                    };
                    let mark = if index == WIDTH.index(page.at) { "*" } else { "" };
                    said.push(format!(
                        "{mark}{:.0}/{:.0} {}-{:.1}",
                        true_rate.rate, true_rate.without_incidents, gap.needed, gap.scheduled
                    ));
                }
                println!("    {}: {}", series.channel, said.join("  "));
            }
        }
        println!();
    }

    /// Prints when the first alarm, alert and page of each outage that needs staff came, in minutes after the start of the need.
    pub fn delays(&mut self, pages: &[Page], oracle: &[Page]) {
        let day = |at: Timestamp| at.millis().div_euclid(DAY.as_millis() as i64);
        let incidents = self.operator.incidents(day(self.live), day(self.end));
        for one in incidents.iter().filter(|one| one.kind == IncidentKind::Outage) {
            let Some((begins, ends)) = self.need_of(one) else { continue };
            let scope = self.scope(one);
            let after = |at| (Timestamp::millis(at) - begins.millis()) / 60_000;
            let of = |pages: &[Page]| {
                let near = |page: &&Page| {
                    page.at + IN_TIME >= one.starts
                        && page.at < ends
                        && page.parts.contains_key(&scope)
                };
                pages.iter().find(near).map(|page| (after(page.since), after(page.at)))
            };
            println!(
                "delay {} need from {begins} for {} min: alarm {:?}, felt {}, alert and page {:?}, oracle {:?}, size {:.2}",
                one.id,
                after(ends),
                one.first_alarm.map(after),
                after(one.felt_from),
                of(pages),
                of(oracle).map(|(_, at)| at),
                one.size,
            );
        }
    }
}
