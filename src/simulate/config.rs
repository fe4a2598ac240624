//! Configuration of the simulated operator.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Family;
use crate::domain::{Name, SeriesKey, Timestamp, Zone};

/// A region with its civil time and holidays.
#[derive(Clone, Debug)]
pub struct RegionConfig {
    pub name: Name,
    pub zone: Zone,
    /// Civil dates such as `2026-10-01`.
    pub holidays: BTreeSet<String>,
    /// Volume relative to the other regions.
    pub size: f64,
}

/// A service or channel and its volume relative to the others.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: Name,
    pub size: f64,
}

/// Everything that the generator depends on.
#[derive(Clone, Debug)]
pub struct OperatorConfig {
    pub seed: u64,
    pub regions: Vec<RegionConfig>,
    pub services: Vec<Part>,
    /// `phone`, `chat` and `email` have their own profiles and delays; others are like `phone`.
    pub channels: Vec<Part>,
    /// First day, UTC midnight: origin of growth and day-to-day level.
    pub start: Timestamp,
    /// Tickets per hour in an average series.
    pub volume: f64,
    /// Series with more tickets than follows from the sizes of their parts: (region, service, channel) positions and the
    /// factor.
    pub large: Vec<([usize; 3], f64)>,
    /// Starts of scripted outages, one region after the other.
    pub showcase: Vec<Timestamp>,
    /// How complaints follow faults.
    pub family: Family,
    /// Factor on the number of outages, surges without alarms, harmless groups of alarms and flapping devices; at least 0.
    pub faults: f64,
}

#[derive(Deserialize)]
struct Holidays {
    days: BTreeSet<String>,
}

fn holidays(text: &str) -> BTreeSet<String> {
    // A test parses these files, which are part of the program.
    toml::from_str::<Holidays>(text).map(|h| h.days).unwrap_or_default()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap_or_else(|_| Name::unknown())
}

fn parts(sizes: &[(&str, f64)]) -> Vec<Part> {
    sizes.iter().map(|(text, size)| Part { name: name(text), size: *size }).collect()
}

impl OperatorConfig {
    /// Four regions, three services, three channels; one region has daylight saving time. A small operator: its largest
    /// series has some 20 tickets in a busy quarter of an hour.
    pub fn standard(seed: u64, start: Timestamp) -> Self {
        let cn = holidays(include_str!("../../models/holidays/cn.toml"));
        let gb = holidays(include_str!("../../models/holidays/gb.toml"));
        let region = |text: &str, zone: &str, holidays: &BTreeSet<String>, size| RegionConfig {
            name: name(text),
            zone: zone.parse().unwrap_or(Zone::UTC),
            holidays: holidays.clone(),
            size,
        };
        Self {
            seed,
            regions: vec![
                region("north", "Asia/Shanghai", &cn, 1.3),
                region("east", "Asia/Shanghai", &cn, 1.1),
                region("south", "Asia/Singapore", &cn, 0.9),
                region("west", "Europe/London", &gb, 0.7),
            ],
            services: parts(&[("broadband", 1.2), ("mobile", 1.2), ("tv", 0.6)]),
            channels: parts(&[("phone", 1.6), ("chat", 1.0), ("email", 0.4)]),
            start,
            volume: 12.0,
            large: Vec::new(),
            showcase: Vec::new(),
            family: Family::default(),
            faults: 1.0,
        }
    }

    /// The operator of the demo: that of [`Self::standard`] with three call centres of 100 to 300 calls in a quarter of an hour
    /// by day, and with a region that has a Chinese name.
    pub fn demo(seed: u64, start: Timestamp) -> Self {
        let mut config = Self::standard(seed, start);
        for region in &mut config.regions {
            if region.name.as_str() == "south" {
                region.name = name("华南");
                region.zone = "Asia/Shanghai".parse().unwrap_or(Zone::UTC);
            }
        }
        // Calls of broadband and mobile in the north, and of broadband in the east.
        config.large = vec![([0, 0, 0], 12.0), ([0, 1, 0], 12.0), ([1, 0, 0], 10.0)];
        config
    }

    /// All series with their (region, service, channel) positions, in order.
    pub fn series(&self) -> Vec<(SeriesKey, [usize; 3])> {
        let mut all = Vec::new();
        for (r, region) in self.regions.iter().enumerate() {
            for (s, service) in self.services.iter().enumerate() {
                for (c, channel) in self.channels.iter().enumerate() {
                    let key = SeriesKey::new(
                        region.name.clone(),
                        service.name.clone(),
                        channel.name.clone(),
                    );
                    all.push((key, [r, s, c]));
                }
            }
        }
        all
    }
}
