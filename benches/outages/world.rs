//! A simulated operator as input of a model, with its true rates.

use std::collections::BTreeMap;
use std::sync::Arc;

use surgecast::domain::{Name, Scope, SeriesKey, Timestamp, WindowWidth, Zone};
use surgecast::forecast::{AlarmSpell, Calendar, History, Past, Place, PlannedWork};
use surgecast::simulate::{Family, IncidentKind, Operator, OperatorConfig};

pub const WIDTH: WindowWidth = WindowWidth::QUARTER;
pub const HOUR: i64 = 4;
pub const DAY: i64 = 24 * HOUR;
pub const WEEK: i64 = 7 * DAY;
const DAY_MS: i64 = 86_400_000;

/// Arguments of a bench: `[SEEDS] [FAMILY] [WEEKS]`, such as `1,2,3 long-tail 4`.
pub struct Arguments {
    pub seeds: Vec<u64>,
    pub families: Vec<Family>,
    pub weeks: i64,
}

impl Arguments {
    /// `weeks` is the default.
    pub fn new(weeks: i64) -> Self {
        // `cargo bench` adds `--bench`.
        let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
        let seeds = args.next().unwrap_or_else(|| "1,2,3".into());
        let seeds = seeds.split(',').map(|s| s.parse().expect("seeds such as 1,2,3")).collect();
        let families = match args.next().as_deref() {
            None | Some("all") => Family::EVERY.to_vec(),
            Some(name) => vec![name.parse().expect("a family")],
        };
        let weeks = args.next().map_or(weeks, |n| n.parse().expect("weeks"));
        Self { seeds, families, weeks }
    }
}

/// True expected tickets a quarter of an hour.
pub struct Truth {
    pub rate: Vec<f64>,
    pub ordinary: Vec<f64>,
    /// Excess of incidents with alarms at any time.
    pub alarmed: Vec<f64>,
}

pub struct World {
    pub operator: Operator,
    pub first: i64,
    pub end: i64,
    pub series: BTreeMap<SeriesKey, History>,
    pub leaves: Vec<(SeriesKey, [usize; 3], Truth)>,
    pub alarms: Vec<AlarmSpell>,
    pub work: Vec<PlannedWork>,
    places: BTreeMap<Name, Place>,
    place: Place,
}

impl World {
    pub fn new(seed: u64, family: Family, weeks: i64) -> Self {
        let start = Timestamp::parse("2026-03-02T00:00:00Z").expect("a date");
        let mut config = OperatorConfig::standard(seed, start);
        config.family = family;
        let places = config.regions.iter().map(|region| {
            let place = Place { zone: region.zone, calendar: Arc::new(Calendar::default()) };
            (region.name.clone(), place)
        });
        let places = places.collect();
        let first = WIDTH.index(start);
        let end = first + weeks * WEEK;
        let mut operator = Operator::new(config);
        let day = start.millis() / DAY_MS;
        let (alarms, work) = events(&mut operator, day, day + weeks * 7);
        let (mut series, mut leaves) = (BTreeMap::new(), Vec::new());
        let keys = operator.series().to_vec();
        let mut histories = vec![History::new(WIDTH, first); keys.len()];
        let mut truths: Vec<Truth> = keys
            .iter()
            .map(|_| Truth { rate: vec![], ordinary: vec![], alarmed: vec![] })
            .collect();
        for index in first..end {
            let at = WIDTH.start(index);
            for (number, (_, place)) in keys.iter().enumerate() {
                let (rate, known) =
                    (operator.rate(*place, at), operator.rate_known(*place, at, Timestamp::MAX));
                histories[number].set(index, operator.count(number, at) as f32);
                let truth = &mut truths[number];
                truth.rate.push(rate.rate);
                truth.ordinary.push(rate.without_incidents);
                truth.alarmed.push(known.rate - known.without_incidents);
            }
        }
        for (((key, place), history), truth) in keys.into_iter().zip(histories).zip(truths) {
            let total = key.scope().all_channels();
            let sum = series.entry(total).or_insert_with(|| History {
                counts: vec![0.0; history.counts.len()],
                ..History::new(WIDTH, first)
            });
            sum.counts.iter_mut().zip(&history.counts).for_each(|(sum, count)| *sum += count);
            series.insert(key.clone(), history);
            leaves.push((key, place, truth));
        }
        let place = Place { zone: Zone::UTC, calendar: Arc::new(Calendar::default()) };
        Self { operator, first, end, series, leaves, alarms, work, places, place }
    }

    pub fn past(&self) -> Past<'_> {
        Past {
            width: WIDTH,
            series: &self.series,
            alarms: &self.alarms,
            work: &self.work,
            places: &self.places,
            place: &self.place,
        }
    }
}

fn events(operator: &mut Operator, from: i64, to: i64) -> (Vec<AlarmSpell>, Vec<PlannedWork>) {
    let config = operator.config().clone();
    let scope = |region: usize, service: usize| Scope {
        region: config.regions[region].name.clone(),
        service: config.services[service].name.clone(),
    };
    let (mut alarms, mut work) = (Vec::new(), Vec::new());
    // The operator caches plans of a few days only.
    for day in from..to {
        for spell in operator.spells(day, day + 1) {
            alarms.push(AlarmSpell {
                scope: scope(spell.region, spell.service),
                severity: spell.severity,
                alarm_type: Some(spell.kind.into()),
                device: Some(spell.device.as_str().into()),
                raised_at: spell.raised,
                cleared_at: Some(spell.cleared),
            });
        }
        for incident in operator.incidents(day, day + 1) {
            if incident.kind == IncidentKind::Maintenance {
                let place = scope(incident.region, incident.service);
                work.push(PlannedWork {
                    announced_at: Timestamp::from_millis(incident.starts.millis() - DAY_MS),
                    cancelled_at: None,
                    starts_at: incident.starts,
                    ends_at: Timestamp::from_millis(incident.starts.millis() + 3 * 3_600_000),
                    region: Some(place.region),
                    service: Some(place.service),
                });
            }
        }
    }
    alarms.sort_by_key(|a| a.raised_at);
    (alarms, work)
}
