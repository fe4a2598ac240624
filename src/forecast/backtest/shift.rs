//! Detects models that read data after the origin: it replaces all data from the origin on, and the forecast must not change.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::{AlarmSpell, History, Model, Past, Place, PlannedWork, Vintage};
use super::steps;
use crate::domain::{Name, SeriesKey, WindowWidth};

/// Owns the data that a [`Past`] borrows.
#[derive(Clone)]
pub struct World {
    pub width: WindowWidth,
    pub series: BTreeMap<SeriesKey, History>,
    pub alarms: Vec<AlarmSpell>,
    pub work: Vec<PlannedWork>,
    pub places: BTreeMap<Name, Place>,
    pub place: Place,
}

impl World {
    /// The data in the form in which a model reads them.
    pub fn past(&self) -> Past<'_> {
        Past {
            width: self.width,
            series: &self.series,
            alarms: &self.alarms,
            work: &self.work,
            places: &self.places,
            place: &self.place,
        }
    }

    /// A copy with a different future from `origin` on. `variant`: counts are replaced, missing or cut off; later alarms and
    /// plans are removed or changed.
    fn with_other_future(&self, origin: i64, variant: u32) -> Self {
        let mut other = self.clone();
        let now = self.width.start(origin);
        for history in other.series.values_mut() {
            let known = usize::try_from(origin - history.first).unwrap_or(0);
            for (step, count) in history.counts.iter_mut().skip(known).enumerate() {
                *count = match variant {
                    0 => f32::NAN,
                    1 => 1e6,
                    _ => (step as f32 * 7.0 + 3.0) % 50.0,
                };
            }
            if variant == 2 {
                history.counts.truncate(known);
            }
        }
        for alarm in &mut other.alarms {
            // The clear of an active alarm is not known yet.
            if alarm.cleared_at.is_some_and(|cleared| cleared > now) {
                alarm.cleared_at = (variant > 0).then(|| now + Duration::from_secs(60));
            }
        }
        other.alarms.retain(|alarm| alarm.raised_at <= now);
        let sample = other.alarms.last().cloned();
        other.alarms.extend(sample.map(|alarm| AlarmSpell {
            raised_at: now + Duration::from_secs(1),
            cleared_at: None,
            alarm_type: Some(Arc::from("comesLater")),
            ..alarm
        }));
        other.work.retain(|work| work.announced_at <= now);
        for work in &mut other.work {
            work.cancelled_at = work.cancelled_at.filter(|cancelled| *cancelled <= now);
        }
        other
    }
}

fn predictions(
    model: &mut dyn Model,
    past: &Past<'_>,
    refit: Duration,
    origin: i64,
) -> Vec<Vintage> {
    for step in steps(past.width, refit, &[origin]) {
        if let Some(at) = step.refit {
            model.fit(past, at);
        }
    }
    model.predict(past, origin)
}

/// The first origin and variant at which a model's forecast depends on the future; `None` if there is none. Refits at
/// every origin and daily are checked.
pub fn reads_ahead(
    make: &dyn Fn() -> Box<dyn Model>,
    world: &World,
    origins: &[i64],
) -> Option<String> {
    for refit in [world.width.length(), Duration::from_secs(86_400)] {
        for origin in origins {
            let expected = predictions(&mut *make(), &world.past(), refit, *origin);
            for variant in 0..3 {
                let other = world.with_other_future(*origin, variant);
                let other = predictions(&mut *make(), &other.past(), refit, *origin);
                if expected != other {
                    let at = world.width.start(*origin);
                    return Some(format!("at {at}, future {variant}"));
                }
            }
        }
    }
    None
}
