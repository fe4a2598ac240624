//! Published values, and properties.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

mod learned;
mod models;
mod simulation;
mod teams;

fn profile(aht_s: u64, percent: f64, within_s: f64, patience_s: Option<u64>) -> Profile {
    Profile {
        model: match patience_s {
            Some(seconds) => Model::ErlangA(ErlangA { patience: Duration::from_secs(seconds) }),
            None => Model::ErlangC(ErlangC),
        },
        aht: Duration::from_secs(aht_s),
        target: ServiceTarget {
            fraction: percent / 100.0,
            within: Duration::from_secs_f64(within_s),
        },
        shrinkage: 0.3,
        absence: 0.1,
        max_occupancy: None,
        max_asa: None,
        max_abandonment: None,
        concurrency: 1,
        redial: 0.0,
        aht_learning: None,
    }
}

#[track_caller]
fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

#[test]
fn erlang_b_matches_tables() {
    for (load, n, expected) in [
        (10.0, 18, 0.007_142_44),
        (10.0, 17, 0.012_948_88),
        (708.0, 736, 0.009_924_64),
        (708.0, 735, 0.010_420_56),
        (5.0, 10, 0.018_384_570_3),
        (20.0, 10, 0.537_963_168_6),
        (1.0, 1, 0.5),
        (1.0, 2, 0.2),
    ] {
        near(erlang_b(load, n), expected, 5e-9);
    }
    for (load, lines) in [(22.5, 33), (45.0, 58), (90.0, 107), (135.0, 154)] {
        assert!(erlang_b(load, lines) <= 0.01 && erlang_b(load, lines - 1) > 0.01, "{load}");
    }
}

#[test]
fn erlang_c_matches_published_examples() {
    let calls = profile(180, 80.0, 20.0, None);
    let figures = evaluate(200.0, 14, &calls).expect("in range");
    near(figures.p_wait, 0.174_131_933_595_05, 1e-12);
    near(figures.service_level, 0.888_350_019_179_47, 1e-12);
    near(figures.asa_seconds, 7.835_937_011_8, 1e-9);
    near(figures.occupancy, 0.714_285_7, 1e-7);
    assert_eq!((required(200.0, &calls).expect("reached").positions, figures.agents), (14, 20));
    near(evaluate(200.0, 11, &calls).expect("in range").asa_seconds, 122.78, 0.01);
    near(evaluate(200.0, 12, &calls).expect("in range").service_level, 0.640_158, 1e-6);

    let capped = Profile {
        max_occupancy: Some(0.7),
        max_asa: Some(Duration::from_secs_f64(19.8)),
        target: ServiceTarget { fraction: 0.8, within: Duration::from_secs_f64(19.8) },
        ..calls.clone()
    };
    let figures = required(200.0, &capped).expect("reached");
    assert_eq!((figures.positions, figures.agents), (15, 22));
    near(figures.service_level, 0.941_127, 1e-6);

    let mitan = profile(240, 80.0, 15.0, None);
    near(evaluate(720.0, 55, &mitan).expect("in range").service_level, 0.845_883, 1e-6);
    let in_twenty = profile(240, 80.0, 20.0, None);
    for (n, level) in [(51, 0.555), (52, 0.6661), (53, 0.7518), (54, 0.8172)] {
        let figures = evaluate(720.0, n, &in_twenty).expect("in range");
        near(figures.service_level, level, 5e-4);
    }
    assert_eq!(required(720.0, &in_twenty).expect("reached").positions, 54);
    assert_eq!(required(200.0, &profile(180, 80.0, 60.0, None)).expect("reached").positions, 13);
    // No more agents than load: unstable, said so without a NaN.
    assert_eq!(evaluate(200.0, 10, &calls).expect("in range").service_level, 0.0);
}

#[test]
fn erlang_a_matches_published_examples() {
    let calls = profile(180, 80.0, 20.0, Some(300));
    let figures = evaluate(200.0, 14, &calls).expect("in range");
    near(figures.p_wait, 0.145_260_1, 1e-7);
    near(figures.p_abandon, 0.013_983_74, 1e-8);
    near(figures.occupancy, 0.704_297_33, 1e-8);
    near(figures.asa_seconds / 60.0, 0.069_918_72, 1e-8);
    near(figures.service_level, 0.916_792_09, 1e-6);
    let figures = evaluate(200.0, 13, &calls).expect("in range");
    near(figures.p_abandon, 0.024_963_3, 1e-7);
    near(figures.service_level, 0.858_178, 1e-6);
    let capped = Profile { max_occupancy: Some(0.85), max_abandonment: Some(0.05), ..calls };
    let figures = required(200.0, &capped).expect("reached");
    assert_eq!((figures.positions, figures.agents), (13, 19));

    // Garnett, Mandelbaum and Reiman (2002), table 1.
    let setting = profile(60, 80.0, 20.0, Some(120));
    let figures = evaluate(2880.0, 50, &setting).expect("in range");
    near(figures.p_wait, 0.467_774, 1e-6);
    near(figures.p_abandon, 0.030_912_2, 1e-7);
    near(figures.asa_seconds, 3.709_5, 1e-4);
    near(figures.service_level, 0.943_019, 1e-6);
    // Where patience equals handling time, the number in system is Poisson.
    let equal = profile(60, 80.0, 20.0, Some(60));
    near(evaluate(2880.0, 50, &equal).expect("in range").p_wait, 0.405_404_395, 1e-8);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_smallest_number_is_what_a_walk_from_one_finds(
        per_hour in 0.0f64..900.0,
        aht in 30u64..900,
        percent in 40.0f64..97.0,
        within in 0.0f64..120.0,
        patience in prop::option::of(20u64..900),
        occupancy in prop::option::of(0.5f64..1.0),
        deferred in any::<bool>(),
    ) {
        let mut profile = profile(aht, percent, within, patience);
        profile.max_occupancy = occupancy;
        if deferred {
            profile.model = Model::Deferred(Deferred { backlog: 0.0 });
        }
        let found = required(per_hour, &profile).expect("reached").positions;
        let walked = (0..).find(|n| {
            meets_targets(&evaluate(per_hour, *n, &profile).expect("in range"), &profile)
        });
        prop_assert_eq!(Some(found), walked);
    }
}

#[test]
fn bad_numbers_are_refused() {
    let calls = profile(180, 80.0, 20.0, None);
    assert!(matches!(required(-1.0, &calls), Err(StaffingError::Arrivals(_))));
    assert!(matches!(required(f64::NAN, &calls), Err(StaffingError::Arrivals(_))));
    assert!(matches!(required(1e12, &calls), Err(StaffingError::Load(_))));
    assert_eq!(required(0.0, &calls).expect("nobody").agents, 0);
}

#[test]
fn every_default_profile_is_valid_and_wrong_keys_are_named() {
    for channel in ["phone", "chat", "email", "social", "app"] {
        assert!(Profile::default_of(channel).is_some(), "{channel}");
    }
    let name = |text| crate::domain::Name::new(text).expect("valid");
    let spec = |text: &str| toml::from_str::<ProfileSpec>(text).expect("parses");
    let phone = spec("aht = \"4m\"").profile(&name("phone")).expect("defaults for the rest");
    assert_eq!((phone.aht, phone.concurrency), (Duration::from_secs(240), 1));
    for (text, channel, message) in [
        (
            "target = \"80-20\"",
            "phone",
            "target: `80-20` is not a target: use PERCENT/TIME, such as 80/20 for 80 % within 20 s, or 100/6h",
        ),
        ("shrinkage = 1.5", "phone", "shrinkage: 1.5 is not a share: use a number from 0 to 0.95"),
        ("", "fax", "aht: is missing: how long does one contact take, such as 300s?"),
        (
            "model = \"erlang-a\"",
            "email",
            "patience: is missing: erlang-a asks how long callers wait, such as 180s",
        ),
        ("concurrency = 0", "chat", "concurrency: 0: use 1 to 10 contacts at once"),
    ] {
        let error = spec(text).profile(&name(channel)).expect_err(text);
        assert_eq!(error.to_string(), message);
    }
    assert!(toml::from_str::<ProfileSpec>("ath = \"4m\"").is_err(), "unknown keys are errors");
    let error = toml::from_str::<ProfileSpec>("model = \"erlang-x\"").expect_err("unknown");
    let text =
        "unknown variant `erlang-x`, expected one of `erlang-c`, `erlang-a`, `deferred`, `chat`";
    assert_eq!(error.message(), text);
}
