//! Ordinary days: usual tickets of a series without incidents.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xxhash_rust::xxh3::xxh3_64;

/// An independent random stream for each purpose, place and time, so that hours can be generated in any order.
pub fn stream(seed: u64, purpose: &str, place: u64, at: i64) -> ChaCha8Rng {
    let mut bytes = Vec::with_capacity(48);
    bytes.extend_from_slice(&seed.to_le_bytes());
    bytes.extend_from_slice(purpose.as_bytes());
    bytes.extend_from_slice(&place.to_le_bytes());
    bytes.extend_from_slice(&at.to_le_bytes());
    ChaCha8Rng::seed_from_u64(xxh3_64(&bytes))
}

/// A hump of the daily profile: hour, width in hours, height.
type Hump = (f64, f64, f64);

/// Daily profile by local hour and channel, about 1 on average.
pub fn hour_profile(channel: &str, hour: f64) -> f64 {
    let (floor, humps): (f64, [Hump; 3]) = match channel {
        "chat" => (0.12, [(11.0, 2.4, 1.1), (15.5, 2.5, 1.0), (20.5, 2.2, 1.9)]),
        "email" => (0.15, [(9.5, 1.8, 1.8), (14.5, 2.6, 1.7), (21.0, 2.0, 0.5)]),
        _ => (0.06, [(10.0, 1.7, 2.3), (15.0, 2.3, 1.9), (19.0, 2.0, 0.8)]),
    };
    let bumps = humps.iter().map(|(at, width, height)| {
        let away = (hour - at).abs().min(24.0 - (hour - at).abs());
        height * (-0.5 * (away / width).powi(2)).exp()
    });
    floor + bumps.sum::<f64>()
}

/// Weekday factor, Monday first.
pub fn weekday_factor(channel: &str, weekday: u32) -> f64 {
    let by_day: [f64; 7] = match channel {
        "chat" => [1.05, 1.0, 1.0, 1.0, 1.0, 1.0, 0.95],
        "email" => [1.35, 1.15, 1.05, 1.0, 0.95, 0.5, 0.45],
        _ => [1.25, 1.1, 1.05, 1.0, 1.0, 0.75, 0.55],
    };
    by_day[weekday as usize % 7]
}

/// Factor on holidays by channel.
pub fn holiday_factor(channel: &str) -> f64 {
    if channel == "chat" { 0.85 } else { 0.6 }
}

/// Growth of 1 % in four weeks, from `day` 0 on.
pub fn growth(day: i64) -> f64 {
    (0.000_355 * day as f64).exp()
}

/// Day-to-day level of a region: an AR(1) process of the log (coefficient 0.6, innovations of 7 %), truncated after twelve
/// days, where the weight is 0.2 %.
pub fn day_level(seed: u64, region: usize, day: i64) -> f64 {
    let log: f64 = (0..12)
        .map(|age| {
            let mut rng = stream(seed, "level", region as u64, day - age);
            // The sum of four uniforms is approximately normal with a variance of 1/3.
            let unit: f64 = (0..4).map(|_| rng.random::<f64>()).sum::<f64>() - 2.0;
            0.6f64.powi(age as i32) * 0.07 * unit * 3f64.sqrt()
        })
        .sum();
    log.exp()
}
