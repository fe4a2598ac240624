//! Stored form of a vintage: numbers in thousandths, as differences. Adjusted vintages and nowcasts are bodies of their
//! own, about 400 bytes of varints. The other vintages share blocks (`block.rs`).

use rusqlite::Row;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::body::{self, Body};
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::surge::Surges;
use crate::forecast::{Cause, Fallback, ForecastPoint, Vintage};
use crate::text::Stored;

/// Numbers have three decimals, which is precise enough.
const SCALE: f64 = 1000.0;
/// Numbers of one forecast point: start, mean, baseline, level, alarm effect and seven quantiles.
pub(super) const NUMBERS: usize = 12;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Main {
    members: Vec<String>,
    fallback: Option<Stored<Fallback>>,
    /// Whether all quantiles are whole tickets, and thus not scaled.
    whole: bool,
    /// For each forecast point: the change of the step between starts, then the other [`NUMBERS`] - 1 as differences.
    /// Postcard writes zigzag varints, so small numbers take a byte.
    numbers: Vec<i64>,
}

/// In thousandths: upper limits, probabilities of a surge, probability of any surge; and whether a warning is issued.
type SurgeNumbers = (Vec<i64>, Vec<i64>, i64, bool);

/// Stored form of a vintage, without its series and issue time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Parts {
    main: Main,
    causes: Vec<Cause>,
    surges: Option<SurgeNumbers>,
}

impl Parts {
    /// The stored form of a vintage. Numbers are rounded to three decimals.
    pub(super) fn of(vintage: &Vintage) -> Self {
        let whole = vintage
            .targets
            .iter()
            .flat_map(|target| target.quantiles)
            .all(|quantile| quantile.fract() == 0.0);
        let quantile_scale = if whole { 1.0 } else { SCALE };
        let mut numbers = Vec::with_capacity(vintage.targets.len() * NUMBERS);
        let (mut start, mut step) = (vintage.issued_at.millis(), 0);
        let mut before = [0i64; 4];
        for target in &vintage.targets {
            let this_step = target.start.millis().wrapping_sub(start);
            numbers.push(this_step.wrapping_sub(step));
            (start, step) = (target.start.millis(), this_step);
            let now = [target.mean, target.baseline, target.level, target.alarm_effect]
                .map(|number| scaled(number, SCALE));
            numbers.extend(now.iter().zip(before).map(|(now, before)| now.wrapping_sub(before)));
            before = now;
            let mut last = 0;
            for quantile in target.quantiles {
                let quantile = scaled(quantile, quantile_scale);
                numbers.push(quantile.wrapping_sub(last));
                last = quantile;
            }
        }
        let (members, fallback) = (vintage.members.clone(), vintage.fallback.clone());
        let surges = vintage.surges.as_ref().map(|Surges { high, probabilities, any, warns }| {
            let thousandths = |numbers: &[f64]| -> Vec<i64> {
                numbers.iter().map(|number| scaled(*number, SCALE)).collect()
            };
            (thousandths(high), thousandths(probabilities), scaled(*any, SCALE), *warns)
        });
        let main = Main { members, fallback, whole, numbers };
        Self { main, causes: vintage.causes.clone(), surges }
    }

    /// The vintage of a stored form.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a forecast point with too few numbers.
    pub(super) fn vintage(
        self,
        series: &SeriesKey,
        issued_at: Timestamp,
    ) -> Result<Vintage, StoreError> {
        let Self { main, causes, surges } = self;
        let numbers = |thousandths: Vec<i64>| -> Vec<f64> {
            thousandths.into_iter().map(|number| number as f64 / SCALE).collect()
        };
        let quantile_scale = if main.whole { 1.0 } else { SCALE };
        let (mut start, mut step) = (issued_at.millis(), 0i64);
        let mut sums = [0i64; 4];
        let (rows, rest) = main.numbers.as_chunks::<NUMBERS>();
        if !rest.is_empty() {
            return Err(StoreError::corrupt("a vintage ends in the middle"));
        }
        let mut targets = Vec::with_capacity(rows.len());
        for [step_change, mean, baseline, level, effect, quantiles @ ..] in rows {
            step = step.wrapping_add(*step_change);
            start = start.wrapping_add(step);
            for (sum, change) in sums.iter_mut().zip([mean, baseline, level, effect]) {
                *sum = sum.wrapping_add(*change);
            }
            let [mean, baseline, level, alarm_effect] = sums.map(|sum| sum as f64 / SCALE);
            let mut last = 0i64;
            let quantiles = quantiles.map(|change| {
                last = last.wrapping_add(change);
                last as f64 / quantile_scale
            });
            let start = Timestamp::from_millis(start);
            targets.push(ForecastPoint { start, mean, quantiles, baseline, level, alarm_effect });
        }
        Ok(Vintage {
            series: series.clone(),
            issued_at,
            targets,
            members: main.members,
            causes,
            surges: surges.map(|(high, probabilities, any, warns)| {
                let any = any as f64 / SCALE;
                Surges { high: numbers(high), probabilities: numbers(probabilities), any, warns }
            }),
            fallback: main.fallback,
        })
    }

    /// The [`NUMBERS`] numbers of each forecast point.
    pub(super) fn numbers(&self) -> &[i64] {
        &self.main.numbers
    }

    pub(super) fn numbers_mut(&mut self) -> &mut Vec<i64> {
        &mut self.main.numbers
    }
}

impl Body for Parts {
    const VERSION: u32 = 1;

    /// Version 0 ends before the causes, or before the surges, if there are none.
    fn earlier(_: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        let (main, rest) = postcard::take_from_bytes(bytes)?;
        let (causes, rest) = match rest {
            [] => (Vec::new(), rest),
            _ => postcard::take_from_bytes(rest)?,
        };
        let surges = if rest.is_empty() { None } else { Some(postcard::from_bytes(rest)?) };
        Ok(Self { main, causes, surges })
    }
}

/// Encodes a vintage as a body, in [`Parts::VERSION`].
pub(super) fn encode(vintage: &Vintage) -> Result<Vec<u8>, StoreError> {
    body::encode(&Parts::of(vintage))
}

/// Reads a vintage from the body in a column and the version in the next one.
pub(super) fn column(
    row: &Row<'_>,
    column: usize,
    series: &SeriesKey,
    issued_at: Timestamp,
) -> Result<Vintage, StoreError> {
    body::column::<Parts>(row, column)?.vintage(series, issued_at)
}

/// Scales and rounds a number. NaN becomes 0; numbers out of range become the nearest ones in range.
fn scaled(number: f64, scale: f64) -> i64 {
    (number * scale).round() as i64
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::tests::{at, series, vintage};

    /// The form of releases that did not store versions.
    pub(in crate::store) fn without_version(vintage: &Vintage) -> Vec<u8> {
        let Parts { main, causes, surges } = Parts::of(vintage);
        let pack = |bytes| postcard::to_extend(&main, bytes).expect("packs");
        let mut bytes = pack(Vec::new());
        if !causes.is_empty() || surges.is_some() {
            bytes = postcard::to_extend(&causes, bytes).expect("packs");
        }
        match surges {
            Some(surges) => postcard::to_extend(&surges, bytes).expect("packs"),
            None => bytes,
        }
    }

    proptest! {
        #[test]
        fn three_decimals_survive(
            thousandths in proptest::collection::vec(proptest::array::uniform11(-1_000_000i64..100_000_000), 0..25),
            whole: bool,
        ) {
            let mut v = vintage(0);
            v.targets = thousandths.iter().enumerate().map(|(i, n)| {
                let n = n.map(|n| n as f64 / 1000.0);
                let [mean, baseline, level, alarm_effect, q @ ..] = n;
                let quantiles = if whole { q.map(f64::round) } else { q };
                let start = v.issued_at + std::time::Duration::from_secs(900 * i as u64);
                ForecastPoint { start, mean, quantiles, baseline, level, alarm_effect }
            }).collect();
            v.surges = (thousandths.len() % 2 == 1)
                .then(|| Surges { high: vec![12.125; 3], probabilities: vec![0.25, 1.0, 0.0], any: 0.5, warns: true });
            v.causes = vec![Cause { what: "linkDown".into(), tickets: 12.5 }; thousandths.len() % 3];
            let parts: Parts = body::decode(Parts::VERSION, &encode(&v).expect("encodes")).expect("decodes");
            let back = parts.vintage(&v.series, v.issued_at).expect("is whole");
            prop_assert_eq!(back, v);
        }

        #[test]
        fn damage_is_an_error_not_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..90)) {
            for version in 0..=Parts::VERSION {
                let parts = body::decode::<Parts>(version, &bytes);
                let _ = parts.map(|parts| parts.vintage(&series("phone"), at(0)));
            }
        }
    }

    #[test]
    fn six_hours_take_at_most_600_bytes() {
        let vintage = vintage(0);
        assert_eq!(vintage.targets.len(), 24);
        assert!(encode(&vintage).expect("encodes").len() <= 600);
    }
}
