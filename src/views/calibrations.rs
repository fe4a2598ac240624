//! Expected against attained service level of all series, kept by day. So a request reads only the days that changed, however many
//! series and windows there are.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::service::{ServiceReader, calibrated_from, is_compared};
use crate::domain::{DAY, SeriesKey, Timestamp};
use crate::staffing::Calibration;
use crate::store::{Reader, StoreError};

/// What each series expected and attained.
type BySeries = BTreeMap<SeriesKey, Calibration>;

/// The days of the past two weeks, as far as they were read.
#[derive(Debug, Default)]
pub struct CalibrationCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Number of the newest change of the store that is taken into account.
    seq: i64,
    /// By the day's midnight.
    days: BTreeMap<Timestamp, Day>,
}

#[derive(Debug)]
struct Day {
    sums: BySeries,
    /// End of the last finalized window when the day was read.
    read_upto: Timestamp,
    /// Whether no contact of the day may still be served in time.
    is_over: bool,
}

impl CalibrationCache {
    /// The sums over the past two weeks.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub(super) fn sums(
        &self,
        reader: &Reader,
        service: &ServiceReader<'_>,
    ) -> Result<BySeries, StoreError> {
        // A day is complete or not there, also if a holder of the lock panicked.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.forget_changed(reader)?;
        let upto = service.finalized_upto();
        let from = calibrated_from(upto);
        kept.days.retain(|day, _| *day >= from);
        let mut sums = BySeries::new();
        let mut day = from;
        while day < upto {
            let is_known = |own: &Day| own.is_over || own.read_upto == upto;
            if !kept.days.get(&day).is_some_and(is_known) {
                kept.days.insert(day, Day::read(reader, service, day)?);
            }
            for (series, own) in kept.days.get(&day).iter().flat_map(|day| &day.sums) {
                sums.entry(series.clone()).or_default().plus(own);
            }
            day = day + DAY;
        }
        Ok(sums)
    }
}

impl Kept {
    /// Forgets the days of which something changed since the last call.
    fn forget_changed(&mut self, reader: &Reader) -> Result<(), StoreError> {
        // What changes while this reads has a larger number, and is seen by the next call.
        let newest = reader.newest_change()?;
        if self.days.is_empty() {
            self.seq = newest;
            return Ok(());
        }
        for start in reader.service_changes(self.seq)? {
            self.days.remove(&start.utc_midnight());
        }
        self.seq = newest;
        Ok(())
    }
}

impl Day {
    fn read(
        reader: &Reader,
        service: &ServiceReader<'_>,
        midnight: Timestamp,
    ) -> Result<Self, StoreError> {
        let (width, upto) = (reader.width(), service.finalized_upto());
        let end = midnight + DAY;
        let mut day = Self { sums: BySeries::new(), read_upto: upto, is_over: end <= upto };
        let mut start = midnight;
        while start < end.min(upto) {
            let attained = reader.attained_at(start)?;
            let attained = attained.into_iter().filter(|(_, own)| is_compared(own.goal));
            let (open, over): (Vec<_>, Vec<_>) =
                attained.partition(|(_, own)| service.is_open(start, own.goal));
            day.is_over &= open.is_empty();
            if !over.is_empty() {
                let plans = reader.staffed(start)?.into_iter();
                let plans = plans.filter(|(_, plan)| plan.scheduled.is_some());
                let plans: BTreeMap<SeriesKey, f64> =
                    plans.map(|(series, plan)| (series, plan.service_level)).collect();
                for (series, own) in over {
                    let Some(level) = plans.get(&series) else { continue };
                    let sum = day.sums.entry(series).or_default();
                    sum.add(own.targeted, own.in_time, *level);
                }
            }
            start = width.end(start);
        }
        Ok(day)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;
    use crate::config::core::staffing::default_profiles;
    use crate::domain::{LifeStep, TicketMessage, TicketNews, TicketStep, WindowWidth, Zone};
    use crate::staffing::{Outlook, Plan, PlanTarget, Rules};
    use crate::store::{Store, Tx};
    use crate::views::{CalibrationRow, ServiceCalibration, ServiceRow};
    use crate::window::{SeriesTerms, ServedBy, ServiceGoal, Terms, TicketBook};

    const WIDTH: WindowWidth = WindowWidth::QUARTER;

    /// Minutes after 2026-01-02T00:00:00Z.
    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_secs(1_767_312_000 + minutes * 60)
    }

    fn series(text: &str) -> SeriesKey {
        SeriesKey::parse(text).expect("a series")
    }

    struct Site {
        store: Store,
        book: TicketBook,
        cache: CalibrationCache,
        rules: Rules,
        _dir: TempDir,
    }

    impl Site {
        fn new() -> Self {
            let dir = TempDir::new().expect("a directory");
            let of = |series: &SeriesKey| {
                let by = if series.channel.as_str() == "email" {
                    ServedBy::End
                } else {
                    ServedBy::Answer
                };
                let goal = Some(ServiceGoal { by, within_seconds: 20 });
                SeriesTerms { goal, zone: Zone::UTC }
            };
            Self {
                store: Store::open(dir.path(), WIDTH).expect("a store"),
                book: TicketBook::default().judged_by(Terms::new(WIDTH, of)),
                cache: CalibrationCache::default(),
                rules: Rules::of_channels(default_profiles()),
                _dir: dir,
            }
        }

        fn put(&mut self, write: impl FnOnce(&mut Tx<'_>)) {
            let mut tx = self.store.begin().expect("begins");
            write(&mut tx);
            tx.commit().expect("commits");
        }

        /// A contact that is answered and resolved after some seconds.
        fn contact(&mut self, id: &str, of: &str, minute: i64, seconds: u64) {
            let steps = [
                (LifeStep::Opened, 0),
                (LifeStep::FirstResponse, seconds),
                (LifeStep::Resolved, seconds),
            ];
            for (step, seconds) in steps {
                let step = TicketStep {
                    ticket_id: id.into(),
                    step,
                    opened_at: None,
                    handled_seconds: None,
                };
                self.book.observe(&TicketMessage {
                    ts: at(minute) + Duration::from_secs(seconds),
                    series: series(of),
                    news: TicketNews::Step(step),
                    facts: None,
                });
            }
        }

        /// Finalizes all windows before a minute.
        fn finalize(&mut self, minute: i64) {
            let changes = self.book.advance(at(minute), SeriesKey::clone);
            self.put(|tx| {
                tx.put_tickets(at(minute - 15), &changes).expect("puts");
                tx.put_state("next_window", &at(minute).millis()).expect("puts");
            });
        }

        fn plan(&mut self, of: &str, minute: i64, service_level: f64) {
            let (series, issued_at) = (series(of), at(minute));
            let target = PlanTarget {
                start: issued_at,
                arrivals: 9.0,
                positions: 3,
                agents: 5,
                agents_low: 4,
                agents_high: 6,
                scheduled: Some(4),
                gap: 1,
                service_level,
            };
            let basis = crate::text::Stored::Sentence("basis".into());
            let plan = Plan { series: series.clone(), issued_at, basis, targets: vec![target] };
            let outlook = Outlook {
                series,
                issued_at,
                peak: 9.0,
                peak_at: issued_at,
                over_baseline: 1.0,
                gap_max: None,
                gap_at: None,
                minutes_to_breach: None,
            };
            self.put(|tx| tx.put_plan(Some(&plan), &outlook).expect("puts"));
        }

        fn rows(&self) -> Vec<CalibrationRow> {
            let reader = self.store.reader().expect("a reader");
            let service = ServiceReader::new(&reader).expect("reads");
            let rows = service.calibrations(&self.cache, &self.rules, |_| true, (0, 10));
            rows.expect("reads")
        }

        /// The only row, which has to be that of the series: contacts, expected and attained level.
        fn compared(&self) -> (u32, f64, f64) {
            let reader = self.store.reader().expect("a reader");
            let service = ServiceReader::new(&reader).expect("reads");
            let key = series("north/tv/phone");
            let row = ServiceRow::Series(&key, None);
            let all = service.together(std::slice::from_ref(&key), (at(0), at(60)), &row);
            let own = all.expect("reads").calibration.expect("contacts and a plan");
            let rows = self.rows();
            let [row] = &rows[..] else { panic!("{rows:?}") };
            assert_eq!(row.service.as_deref(), Some("tv"));
            let figures = |own: &ServiceCalibration| {
                (own.contacts, own.expected_service_level, own.service_level)
            };
            assert_eq!(figures(&own), figures(&row.calibration));
            figures(&own)
        }
    }

    #[test]
    fn what_is_kept_is_what_the_store_has() {
        let mut site = Site::new();
        assert!(site.rows().is_empty());
        for channel in ["phone", "email"] {
            let of = format!("north/tv/{channel}");
            site.plan(&of, -120, 0.9);
            site.plan(&of, 0, 0.6);
            site.contact(&format!("{channel}1"), &of, -119, 10);
        }
        site.finalize(-60);
        assert_eq!(site.compared(), (1, 0.9, 1.0), "deferred work is not compared");
        // Today's contact counts once its window is finalized.
        site.contact("b", "north/tv/phone", 2, 60);
        site.finalize(60);
        assert_eq!(site.compared(), (2, 0.75, 0.5));
        // News of yesterday that come late.
        site.contact("c", "north/tv/phone", -118, 90);
        site.finalize(75);
        assert_eq!(site.compared(), (3, 0.8, 0.3333));
        // A day without news is not read again: plans of past windows do not change, except in this test.
        site.plan("north/tv/phone", -120, 0.0);
        site.finalize(90);
        assert_eq!(site.rows()[0].calibration.expected_service_level, 0.8);
        // Two weeks later it no longer counts.
        site.finalize(14 * 24 * 60);
        assert!(site.rows().is_empty());
    }
}
