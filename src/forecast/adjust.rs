//! Adjustments by planners: campaigns, billing runs, overrides.
//!
//! An adjustment changes the forecast of leaves without the effect of alarms, which is added on top. A roll-up changes by
//! the sum of its leaves. Overlapping adjustments are applied in the order of entry, each to the result of the earlier
//! ones. The model's own vintage does not change; the adjusted one is stored beside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Cause, Vintage};
use crate::domain::{Name, SeriesKey, Timestamp, WindowWidth};

/// Prefix of causes that planners entered.
pub const ADJUSTMENT: &str = "adjustment: ";
/// Effects below this count as zero (tickets per window), because vintages are stored to three decimals.
const NEGLIGIBLE: f64 = 0.0005;
/// Smallest factor by which a count is divided. If a window was damped further, its usual count cannot be derived from it.
const FACTOR_MIN: f64 = 0.2;

/// Reason of an adjustment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdjustmentKind {
    Campaign,
    Billing,
    Override,
    Other,
}

/// Amount of an adjustment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentAmount {
    /// Multiple of the usual tickets.
    Factor(f64),
    /// Tickets per window of all covered leaves together, divided among them in proportion to the forecast.
    TicketsPerWindow(f64),
}

/// One entry of a planner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adjustment {
    pub id: String,
    /// Name in drivers and pages, such as "billing run".
    pub label: String,
    pub kind: AdjustmentKind,
    /// `None` means all, here and below.
    pub region: Option<Name>,
    pub service: Option<Name>,
    pub channel: Option<Name>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    #[serde(rename = "says")]
    pub amount: AdjustmentAmount,
    /// Who entered it.
    pub by: String,
    pub note: Option<String>,
    pub entered_at: Timestamp,
}

impl Adjustment {
    /// Whether the adjustment applies to a leaf.
    pub fn covers(&self, leaf: &SeriesKey) -> bool {
        let here = |part: &Option<Name>, name: &Name| part.as_ref().is_none_or(|part| part == name);
        here(&self.region, &leaf.region)
            && here(&self.service, &leaf.service)
            && here(&self.channel, &leaf.channel)
    }

    /// Share of the window starting at `start` that lies within the adjustment, 0 to 1.
    pub fn share(&self, start: Timestamp, width: WindowWidth) -> f64 {
        let from = self.starts_at.max(start);
        let within = self.ends_at.min(width.end(start)).since(from);
        within.as_secs_f64() / f64::from(width.secs())
    }
}

/// The count of a leaf's window without the adjustments, from which models learn; NaN if it cannot be computed.
pub fn unadjusted(
    adjustments: &[Adjustment],
    leaf: &SeriesKey,
    start: Timestamp,
    width: WindowWidth,
    count: f32,
) -> f32 {
    let mut factor = 1.0;
    for adjustment in adjustments.iter().filter(|a| a.covers(leaf)) {
        let share = adjustment.share(start, width);
        match adjustment.amount {
            AdjustmentAmount::Factor(multiple) => factor *= 1.0 + share * (multiple - 1.0),
            AdjustmentAmount::TicketsPerWindow(_) if share > 0.0 => return f32::NAN,
            AdjustmentAmount::TicketsPerWindow(_) => {}
        }
    }
    if factor < FACTOR_MIN { f32::NAN } else { (f64::from(count) / factor) as f32 }
}

/// Extra tickets of one series: by forecast point, and by adjustment over the horizon.
#[derive(Clone, Debug)]
struct Extra {
    by_target: Vec<f64>,
    by_adjustment: Vec<f64>,
}

/// The adjusted vintages of one issue time. Vintages that do not change are left out.
pub fn adjusted(
    vintages: &BTreeMap<SeriesKey, Vintage>,
    adjustments: &[Adjustment],
    width: WindowWidth,
) -> BTreeMap<SeriesKey, Vintage> {
    let Some(horizon) = vintages.values().find_map(|v| v.targets.first().zip(v.targets.last()))
    else {
        return BTreeMap::new();
    };
    let (from, to) = (horizon.0.start, width.end(horizon.1.start));
    let meets = |a: &&Adjustment| a.starts_at < to && a.ends_at > from;
    let mut applying: Vec<&Adjustment> = adjustments.iter().filter(meets).collect();
    if applying.is_empty() {
        return BTreeMap::new();
    }
    applying.sort_by(|a, b| (a.entered_at, &a.id).cmp(&(b.entered_at, &b.id)));
    let mut sums: BTreeMap<SeriesKey, Extra> = BTreeMap::new();
    for (leaf, extra) in extras(vintages, &applying, width) {
        for key in leaf.roll_ups().filter(|key| vintages.contains_key(key)) {
            match sums.get_mut(&key) {
                Some(sum) => {
                    add(&mut sum.by_target, &extra.by_target);
                    add(&mut sum.by_adjustment, &extra.by_adjustment);
                }
                None => _ = sums.insert(key, extra.clone()),
            }
        }
        sums.insert(leaf.clone(), extra);
    }
    let changed = sums.into_iter().filter_map(|(key, extra)| {
        let touched = extra.by_target.iter().any(|tickets| tickets.abs() >= NEGLIGIBLE);
        let vintage = vintages.get(&key).filter(|_| touched)?;
        Some((key, with(vintage, &extra, &applying)))
    });
    changed.collect()
}

fn add(sums: &mut [f64], more: &[f64]) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

/// Extra tickets of each leaf.
fn extras<'v>(
    vintages: &'v BTreeMap<SeriesKey, Vintage>,
    applying: &[&Adjustment],
    width: WindowWidth,
) -> BTreeMap<&'v SeriesKey, Extra> {
    let mut extras: BTreeMap<&SeriesKey, Extra> = BTreeMap::new();
    for (number, adjustment) in applying.iter().enumerate() {
        let covered = vintages.iter().filter(|(k, _)| !k.is_roll_up() && adjustment.covers(k));
        let covered: Vec<(&SeriesKey, &Vintage)> = covered.collect();
        let steps = covered.iter().map(|(_, v)| v.targets.len()).max().unwrap_or(0);
        for step in 0..steps {
            let usual = covered.iter().map(|(leaf, vintage)| {
                let target = vintage.targets.get(step)?;
                let so_far = extras.get(leaf).map_or(0.0, |extra| extra.by_target[step]);
                Some((target.start, (target.mean - target.alarm_effect).max(0.0) + so_far))
            });
            let usual: Vec<Option<(Timestamp, f64)>> = usual.collect();
            let total: f64 = usual.iter().flatten().map(|(_, tickets)| tickets).sum();
            for ((leaf, vintage), usual) in covered.iter().zip(&usual) {
                let Some((start, usual)) = usual else { continue };
                let share = adjustment.share(*start, width);
                let wanted = match adjustment.amount {
                    AdjustmentAmount::Factor(factor) => factor * usual,
                    AdjustmentAmount::TicketsPerWindow(all) if total > 0.0 => all * usual / total,
                    AdjustmentAmount::TicketsPerWindow(all) => all / covered.len() as f64,
                };
                let extra = extras.entry(leaf).or_insert_with(|| Extra {
                    by_target: vec![0.0; vintage.targets.len()],
                    by_adjustment: vec![0.0; applying.len()],
                });
                let tickets = share * (wanted - usual);
                extra.by_target[step] += tickets;
                extra.by_adjustment[number] += tickets;
            }
        }
    }
    extras
}

fn with(vintage: &Vintage, extra: &Extra, applying: &[&Adjustment]) -> Vintage {
    let mut changed = vintage.clone();
    for (target, tickets) in changed.targets.iter_mut().zip(&extra.by_target) {
        if tickets.abs() >= NEGLIGIBLE {
            target.shift(*tickets);
        }
    }
    let named = applying.iter().zip(&extra.by_adjustment).filter(|(_, n)| n.abs() >= NEGLIGIBLE);
    let named = named.map(|(by, tickets)| (format!("{ADJUSTMENT}{}", by.label), *tickets));
    let known = changed.causes.drain(..).map(|cause| (cause.what, cause.tickets));
    changed.causes = Cause::sorted(known.chain(named).collect::<Vec<_>>());
    changed
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::forecast::{ForecastPoint, quantiles};

    const WIDTH: WindowWidth = WindowWidth::QUARTER;

    fn key(text: &str) -> SeriesKey {
        SeriesKey::parse(text).expect("a series")
    }

    fn vintage(series: &str, mean: f64, alarms: f64) -> (SeriesKey, Vintage) {
        let target = |step: i64| ForecastPoint {
            start: WIDTH.start(step),
            mean: mean + alarms,
            quantiles: quantiles(mean + alarms, 0.05),
            baseline: mean,
            level: 1.0,
            alarm_effect: alarms,
        };
        let vintage = Vintage {
            series: key(series),
            issued_at: WIDTH.start(0),
            targets: (0..24).map(target).collect(),
            members: vec![],
            causes: vec![],
            surges: None,
            fallback: None,
        };
        (key(series), vintage)
    }

    /// Two regions with a roll-up over them.
    fn vintages() -> BTreeMap<SeriesKey, Vintage> {
        BTreeMap::from([
            vintage("north/tv/phone", 10.0, 0.0),
            vintage("south/tv/phone", 30.0, 5.0),
            vintage("_all/tv/phone", 41.0, 5.0),
        ])
    }

    fn entry(
        id: &str,
        region: Option<&str>,
        from: i64,
        to: i64,
        amount: AdjustmentAmount,
    ) -> Adjustment {
        let minutes = |n: i64| Timestamp::from_secs(n * 60);
        Adjustment {
            id: id.into(),
            label: format!("run {id}"),
            kind: AdjustmentKind::Billing,
            region: region.map(|name| Name::new(name).expect("a name")),
            service: None,
            channel: None,
            starts_at: minutes(from),
            ends_at: minutes(to),
            amount,
            by: "Li".into(),
            note: None,
            entered_at: Timestamp::from_secs(0),
        }
    }

    fn means(all: &BTreeMap<SeriesKey, Vintage>, series: &str) -> Vec<f64> {
        all[&key(series)].targets.iter().map(|t| t.mean).collect()
    }

    #[test]
    fn a_factor_changes_its_hours_and_the_roll_up_by_the_same_tickets() {
        let model = vintages();
        // From the middle of the first window to the end of the third.
        let entries = [entry("a", Some("north"), 7, 45, AdjustmentAmount::Factor(2.0))];
        let all = adjusted(&model, &entries, WIDTH);
        assert_eq!(all.keys().collect::<Vec<_>>(), [&key("_all/tv/phone"), &key("north/tv/phone")]);
        let north = means(&all, "north/tv/phone");
        assert!((north[0] - (10.0 + 10.0 * 8.0 / 15.0)).abs() < 1e-3, "{north:?}");
        assert_eq!((north[1], north[2], north[3]), (20.0, 20.0, 10.0));
        assert_eq!(means(&all, "_all/tv/phone")[1], 56.0);
        let causes = &all[&key("north/tv/phone")].causes;
        assert_eq!((causes[0].what.as_str(), causes[0].tickets), ("adjustment: run a", 25.3));
        let (wide, narrow) = (&all[&key("north/tv/phone")], &model[&key("north/tv/phone")]);
        let band = |v: &Vintage| v.targets[1].quantiles[5] - v.targets[1].quantiles[1];
        assert!(band(wide) > 1.3 * band(narrow) && band(wide) < 2.2 * band(narrow));
        assert_eq!(wide.targets[3], narrow.targets[3]);
    }

    #[test]
    fn a_count_is_divided_among_leaves_and_alarm_effects_are_added_on_top() {
        let amount = AdjustmentAmount::TicketsPerWindow(80.0);
        let all = adjusted(&vintages(), &[entry("a", None, 0, 360, amount)], WIDTH);
        assert_eq!(means(&all, "north/tv/phone")[0], 20.0);
        assert_eq!(means(&all, "south/tv/phone")[0], 65.0);
        assert_eq!(means(&all, "_all/tv/phone")[0], 86.0);
        // Closed hours share evenly.
        let closed = BTreeMap::from([
            vintage("north/tv/phone", 0.0, 0.0),
            vintage("south/tv/phone", 0.0, 0.0),
        ]);
        let all = adjusted(&closed, &[entry("a", None, 0, 360, amount)], WIDTH);
        assert_eq!(means(&all, "south/tv/phone")[9], 40.0);
        assert!(all[&key("south/tv/phone")].targets[9].quantiles[3] > 30.0);
    }

    #[test]
    fn overlapping_entries_are_applied_in_order_of_entry() {
        let (double, count) =
            (AdjustmentAmount::Factor(2.0), AdjustmentAmount::TicketsPerWindow(7.0));
        let mut late = entry("a", Some("north"), 0, 360, double);
        late.entered_at = late.entered_at + Duration::from_secs(1);
        let early = entry("b", Some("north"), 0, 360, count);
        let all = adjusted(&vintages(), &[late.clone(), early.clone()], WIDTH);
        assert_eq!(means(&all, "north/tv/phone")[5], 14.0);
        (late.amount, late.id) = (count, "c".into());
        let early = Adjustment { amount: double, ..early };
        let all = adjusted(&vintages(), &[late, early], WIDTH);
        assert_eq!(means(&all, "north/tv/phone")[5], 7.0);
    }

    #[test]
    fn history_is_learned_from_without_adjustments() {
        let (leaf, start) = (key("north/tv/phone"), WIDTH.start(0));
        let without =
            |entries: &[Adjustment], count| unadjusted(entries, &leaf, start, WIDTH, count);
        let north = |amount| entry("a", Some("north"), 0, 60, amount);
        assert_eq!(without(&[north(AdjustmentAmount::Factor(2.0))], 30.0), 15.0);
        assert_eq!(
            without(&[entry("a", Some("south"), 0, 60, AdjustmentAmount::Factor(2.0))], 30.0),
            30.0
        );
        assert_eq!(
            without(&[entry("a", None, 15, 60, AdjustmentAmount::TicketsPerWindow(9.0))], 30.0),
            30.0
        );
        assert!(without(&[north(AdjustmentAmount::TicketsPerWindow(9.0))], 30.0).is_nan());
        assert!(without(&[north(AdjustmentAmount::Factor(0.0))], 0.0).is_nan());
        assert!(without(&[north(AdjustmentAmount::Factor(2.0))], f32::NAN).is_nan());
    }

    proptest! {
        #[test]
        fn quantiles_stay_ascending_and_parts_sum_up(
            mean in 0.0f64..400.0, factor in 0.0f64..10.0, from in -60i64..300, minutes in 1i64..400,
        ) {
            let model = BTreeMap::from([
                vintage("north/tv/phone", mean, 0.0),
                vintage("south/tv/phone", mean / 3.0, 2.0),
                vintage("_all/tv/phone", mean * 4.0 / 3.0, 2.0),
            ]);
            let entries = [entry("a", None, from, from + minutes, AdjustmentAmount::Factor(factor))];
            let all = adjusted(&model, &entries, WIDTH);
            for vintage in all.values() {
                for target in &vintage.targets {
                    prop_assert!(target.quantiles.is_sorted() && target.quantiles[0] >= 0.0);
                }
            }
            let extra = |series: &str, step: usize| {
                let after = all.get(&key(series)).map_or(0.0, |v| v.targets[step].mean);
                if after == 0.0 { 0.0 } else { after - model[&key(series)].targets[step].mean }
            };
            for step in 0..24 {
                let parts = extra("north/tv/phone", step) + extra("south/tv/phone", step);
                let differ = (extra("_all/tv/phone", step) - parts).abs();
                prop_assert!(factor == 0.0 || mean == 0.0 || differ < 0.01, "{differ}");
            }
        }
    }
}
