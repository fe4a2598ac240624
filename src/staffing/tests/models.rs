//! Chat, deferred work, time-varying load, redials and uncertain arrivals: worked values, and the simulation.

use super::simulation::{Centre, Tally};
use super::*;

fn chat(rates: &[f64], aht: u64, within: f64, patience: u64) -> Profile {
    Profile {
        model: Model::Chat(Chat {
            patience: Duration::from_secs(patience),
            rates: Rates::new(rates).expect("rising"),
        }),
        concurrency: rates.len() as u32,
        ..profile(aht, 80.0, within, Some(patience))
    }
}

const USUAL: [f64; 3] = [1.0, 1.7, 2.5];

#[test]
fn chat_matches_the_exact_chain() {
    let chats = chat(&USUAL, 240, 30.0, 300);
    for (n, level, wait, gone) in [
        (3, 0.794_418, 0.288_277, 0.056_237),
        (4, 0.968_800, 0.056_232, 0.007_359),
        (5, 0.997_574, 0.005_705, 0.000_549),
    ] {
        let found = evaluate(90.0, n, &chats).expect("in range");
        near(found.service_level, level, 6e-7);
        near(found.p_wait, wait, 6e-7);
        near(found.p_abandon, gone, 6e-7);
    }
    let one = chat(&[1.0], 180, 20.0, 300);
    let [chats, calls] = [one, profile(180, 80.0, 20.0, Some(300))]
        .map(|p| evaluate(200.0, 14, &p).expect("in range"));
    near(chats.service_level, calls.service_level, 1e-12);
}

/// Above 5,000 states, chats are assumed to be spread evenly: `docs/staffing.md` has the table of errors.
#[test]
fn the_birth_death_chain_is_close_to_the_exact_one() {
    for (most, agents) in [
        (2, &[3, 10, 30, 60][..]),
        (3, &[3, 5, 10, 20, 28]),
        (4, &[3, 6, 10, 15]),
        (5, &[3, 6, 10]),
    ] {
        for n in agents {
            let rates = &[1.0, 1.7, 2.5, 2.9, 3.5][..most];
            let chats = chat(rates, 240, 30.0, 300);
            let mut quick = Table::new(chats.clone());
            let mut worst = 0.0f64;
            for percent in [60, 70, 80, 90, 95, 100, 110, 130] {
                let per_hour = f64::from(percent) / 100.0 * f64::from(*n) * 15.0 * rates[most - 1];
                let exact = evaluate(per_hour, *n, &chats).expect("in range").service_level;
                let level = quick.level(per_hour, f64::from(*n)).expect("in range");
                worst = worst.max((level - exact).abs());
            }
            println!("{most} at once, {n} agents: {worst:.5}");
            assert!(worst < 0.01, "{most} at once, {n} agents: {worst}");
        }
    }
}

#[test]
fn erlang_a_is_finite_for_every_input() {
    for (per_hour, aht, n, patience, within) in [
        (100_000.0, 180, 10, 300, 20.0),
        (100_000.0, 3600, 1, 1, 0.0),
        (3.6e8, 1, 1, 2_592_000, 20.0),
        (3.6e8, 1, 99_999, 2_592_000, 2_592_000.0),
        (1e-9, 1, 100_000, 1, 20.0),
        (1.0, 2_592_000, 1, 1, 1.0),
        (0.001, 30, 0, 1, 1.0),
    ] {
        let calls = profile(aht, 80.0, within, Some(patience));
        for calls in
            [calls.clone(), Profile { concurrency: 3, ..chat(&USUAL, aht, within, patience) }]
        {
            let found = evaluate(per_hour, n, &calls).expect("in range");
            for figure in [found.service_level, found.p_wait, found.p_abandon, found.occupancy] {
                assert!((0.0..=1.0).contains(&figure), "{per_hour} {n}: {found:?}");
            }
            assert!(found.asa_seconds.is_finite(), "{found:?}");
        }
    }
    // In heavy overload, those hang up for whom there is no capacity.
    let found = evaluate(100_000.0, 10, &profile(180, 80.0, 20.0, Some(300))).expect("in range");
    near(found.p_abandon, 1.0 - 10.0 / 5000.0, 1e-9);
}

#[test]
fn deferred_work_is_done_by_its_deadline() {
    let mail = |backlog, aht, target: &str, occupancy| Profile {
        model: Model::Deferred(Deferred { backlog }),
        target: parse_target(target).expect("a target"),
        max_occupancy: Some(occupancy),
        ..profile(aht, 80.0, 20.0, None)
    };
    let six_hours = mail(120.0, 720, "100/6h", 0.85);
    let found = required(60.0, &six_hours).expect("reached");
    assert_eq!((found.positions, found.agents, found.carry_over), (19, 28, Some(0.0)));
    let found = evaluate(60.0, 15, &six_hours).expect("in range");
    near(found.carry_over.expect("of deferred work"), 97.5, 1e-9);
    near(found.service_level, 382.5 / 480.0, 1e-12);
    let five_days = mail(200.0, 1500, "100/5d", 6.5 / 24.0);
    assert_eq!(required(80.0 / 24.0, &five_days).expect("reached").positions, 8);
    // A backlog without arrivals is work; and nobody may let the backlog grow, however low the target.
    assert_eq!(required(0.0, &six_hours).expect("reached").positions, 5);
    assert_eq!(required(60.0, &mail(0.0, 720, "50/6h", 1.0)).expect("reached").positions, 12);
}

#[test]
fn redials_inflate_what_is_offered() {
    let calls = Profile { redial: 0.5, ..profile(180, 80.0, 20.0, Some(300)) };
    for (n, offered, gone, level, without) in [
        (9, 113.006_036, 0.230_183, 0.213_560, 0.366_249),
        (10, 107.673_211, 0.142_528, 0.410_902, 0.516_810),
        (11, 104.400_370, 0.084_298, 0.599_154, 0.656_873),
        (12, 102.478_836, 0.048_378, 0.745_602, 0.772_279),
    ] {
        let found = evaluate(200.0, n, &calls).expect("in range");
        let per_hour = found.offered_per_hour.expect("with redials");
        near(per_hour / 2.0, offered, 6e-7);
        near(found.p_abandon, gone, 6e-7);
        near(found.service_level, level, 6e-7);
        let first_only = Profile { redial: 0.0, ..calls.clone() };
        near(evaluate(200.0, n, &first_only).expect("in range").service_level, without, 6e-7);
        near(fresh_of_model(per_hour, n, &calls).expect("in range"), 200.0, 1e-9);
        near(fresh_of_abandoned(per_hour, per_hour * found.p_abandon, 0.5), 200.0, 1e-9);
    }
}

#[test]
fn uncertain_arrivals_need_more() {
    near(square_root_staffing(100.0, 0.0, 0.84), 108.4, 1e-9);
    near(square_root_staffing(100.0, 0.1, 0.84), 111.88, 0.005);
    assert_eq!((quantile_of_costs(4.0, 1.0), quantile_of_costs(0.0, 1.0)), (Some(0.8), None));
    let calls = profile(180, 80.0, 20.0, Some(300));
    let levels = crate::forecast::QUANTILES;
    let known = ArrivalsDistribution::new(&levels, &[200.0; 7]).expect("seven");
    let found = required_expected(&known, &calls).expect("reached");
    assert_eq!(found.positions, required(200.0, &calls).expect("reached").positions);
    let spread = [120.0, 140.0, 170.0, 200.0, 240.0, 290.0, 340.0];
    let spread = ArrivalsDistribution::new(&levels, &spread).expect("seven");
    let wide = required_expected(&spread, &calls).expect("reached");
    assert!(wide.positions > found.positions && wide.service_level >= 0.8, "{wide:?}");
    assert!(spread.expected_level(wide.positions - 1, &calls).expect("in range") < 0.8);
    near(spread.quantile(0.5), 200.0, 1e-12);
    near(spread.quantile(0.8), 240.0 + 50.0 / 3.0, 1e-9);
    near(spread.quantile(0.999), 340.0, 1e-12);
    assert_eq!(ArrivalsDistribution::new(&levels, &[1.0]), None);
}

#[test]
fn the_offered_load_of_a_sinusoid_is_known() {
    // λ(t) = 100 + 20 sin t with a mean service time of 1.
    let steps = 200_000;
    let width = std::f64::consts::TAU / f64::from(steps);
    let mut load = OfferedLoad::steady(90.0, 1.0);
    for step in 0..steps {
        let t = (f64::from(step) + 0.5) * width;
        load.step(100.0 + 20.0 * t.sin(), width);
        let end = f64::from(step + 1) * width;
        near(load.load(), 100.0 + 10.0 * (end.sin() - end.cos()), 1e-3 + 0.0 * t);
    }
}

const HOUR: f64 = 3600.0;
const QUARTER: f64 = 900.0;
const HANDLING: f64 = 720.0;

/// Calls per hour in the surge of the reference.
fn surge(hours: f64) -> f64 {
    if hours < 1.0 {
        60.0
    } else if hours < 1.5 {
        60.0 + 360.0 * (hours - 1.0)
    } else {
        60.0 * (1.0 + 3.0 * (-(hours - 1.5)).exp2())
    }
}

/// Number of steps in a window, each of 1.44 s. The worked values use rate and load at the start of each step, which affects
/// the fourth digit of the waits.
const STEPS: u32 = 625;

/// Hours at `at` steps after the start.
fn hours(window: u32, step: u32, at: f64) -> f64 {
    0.25 * (f64::from(window) + (f64::from(step) + at) / f64::from(STEPS))
}

/// Mean and largest rate, mean and largest load of each window of six hours, and the load at the start of each step.
fn loads() -> (Vec<[f64; 4]>, Vec<f64>) {
    let mut load = OfferedLoad::steady(60.0 / HOUR, HANDLING);
    let mut by_step = Vec::new();
    let windows = (0..24).map(|window| {
        let [mut sum, mut most, mut sum_load, mut most_load] = [0.0, 0.0f64, 0.0, load.load()];
        for step in 0..STEPS {
            let rate = |at: f64| surge(hours(window, step, at));
            most = most.max(rate(0.0)).max(rate(1.0));
            sum += rate(0.5);
            sum_load += load.load();
            by_step.push(load.load());
            most_load = most_load.max(load.step(rate(0.5) / HOUR, QUARTER / f64::from(STEPS)));
        }
        let mean = |sum: f64| sum / f64::from(STEPS);
        [mean(sum), most, mean(sum_load) * HOUR / HANDLING, most_load * HOUR / HANDLING]
    });
    (windows.collect(), by_step)
}

/// P(N ≥ n) of a Poisson count.
fn poisson_tail(mean: f64, n: u32) -> f64 {
    let mut term = (-mean).exp();
    let mut below = 0.0;
    for k in 0..n {
        below += term;
        term *= mean / f64::from(k + 1);
    }
    1.0 - below
}

/// If patience equals the handling time, the number in the system has a Poisson distribution with the offered load as its mean.
#[test]
fn modified_offered_load_holds_every_window_of_a_surge() {
    let calls = profile(720, 80.0, 0.0, Some(720));
    let (windows, by_step) = loads();
    let lagged = {
        let rate = |w, step| surge((hours(w, step, 0.5) - HANDLING / HOUR).max(0.0));
        let mean = |w| (0..STEPS).map(|step| rate(w, step)).sum::<f64>() / f64::from(STEPS);
        (0..24).map(mean).collect::<Vec<_>>()
    };
    let need = |per_hour: f64| required(per_hour, &calls).expect("reached").positions;
    let of = |at: usize| windows.iter().map(|w| need(w[at])).collect::<Vec<u32>>();
    let rules = [
        ("SIPP, mean", of(0), 159.50, 0.3651, 11),
        ("SIPP, largest", of(1), 169.50, 0.2589, 2),
        ("lag SIPP", lagged.iter().map(|rate| need(*rate)).collect(), 159.0, 0.4644, 2),
        ("MOL, largest", of(3), 167.0, 0.1741, 0),
        ("MOL, mean", of(2), 159.0, 0.2767, 2),
    ];
    for (name, staff, staff_hours, worst, over) in &rules {
        assert_eq!(
            staff.iter().map(|n| f64::from(*n) * 0.25).sum::<f64>(),
            *staff_hours,
            "{name}: {staff:?}"
        );
        let waits: Vec<f64> = (0..24)
            .map(|w| {
                let (mut waiting, mut all) = (0.0, 0.0);
                for step in 0..STEPS {
                    let rate = surge(hours(w, step, 0.0));
                    waiting += rate
                        * poisson_tail(by_step[(w * STEPS + step) as usize], staff[w as usize]);
                    all += rate;
                }
                waiting / all
            })
            .collect();
        near(waits.iter().copied().fold(0.0, f64::max), *worst, 6e-5);
        assert_eq!(waits.iter().filter(|wait| **wait > 0.22).count(), *over, "{name}");
    }
    assert_eq!(rules[0].1[..12], [16, 16, 16, 16, 26, 45, 52, 46, 41, 37, 34, 31]);
    assert_eq!(rules[3].1[..12], [16, 16, 16, 16, 24, 41, 48, 48, 46, 42, 39, 35]);
    simulated_surge(&rules[3].1, &rules[0].1);
}

/// The simulation of the surge: no window fails under MOL, many do under SIPP.
fn simulated_surge(mol: &[u32], sipp: &[u32]) {
    let centre =
        Centre { aht: HANDLING, rates: vec![1.0], patience: HANDLING, redial: 0.0, within: 0.0 };
    let start = 4.0 * HOUR;
    let over = |staff: &[u32], seed: u64| {
        let agents = |t: f64| staff[(((t - start).max(0.0) / QUARTER) as usize).min(23)] as usize;
        let arrivals = |t: f64| surge(((t - start) / HOUR).max(0.0)) / HOUR;
        let mut sum = vec![Tally::default(); 24];
        for run in 0..60 {
            let time = (start, start + 6.0 * HOUR, QUARTER);
            let found = centre.run(seed + run, time, (&arrivals, 240.0 / HOUR), &agents);
            for (sum, tally) in sum.iter_mut().zip(found) {
                sum.offered += tally.offered;
                sum.waited += tally.waited;
            }
        }
        let waits: Vec<f64> = sum.iter().map(|tally| tally.waited / tally.offered).collect();
        // Waits within a run go together: two hundredths are about three standard errors.
        waits.iter().filter(|wait| **wait > 0.22 + 0.03).count()
    };
    assert_eq!(over(mol, 1), 0);
    assert!(over(sipp, 1_000) >= 5);
}

#[test]
fn the_simulation_agrees_with_the_models() {
    let simulated = |rates: &[f64], redial: f64, within: f64, aht: f64| Centre {
        aht,
        rates: rates.to_vec(),
        patience: 300.0,
        redial,
        within,
    };
    let calls = |redial| Profile { redial, ..profile(180, 80.0, 20.0, Some(300)) };
    for (centre, profile, per_hour, n) in [
        (simulated(&[1.0], 0.0, 20.0, 180.0), calls(0.0), 200.0, 13),
        (simulated(&[1.0], 0.0, 20.0, 180.0), calls(0.0), 300.0, 10),
        (simulated(&[1.0], 0.5, 20.0, 180.0), calls(0.5), 200.0, 10),
        (simulated(&USUAL, 0.0, 30.0, 240.0), chat(&USUAL, 240, 30.0, 300), 90.0, 3),
        (simulated(&USUAL, 0.0, 30.0, 240.0), chat(&USUAL, 240, 30.0, 300), 320.0, 9),
    ] {
        let found = evaluate(per_hour, n, &profile).expect("in range");
        let expected = [found.service_level, found.p_wait, found.p_abandon];
        let measured = centre.steady(7, per_hour, n as usize, 600.0);
        for ((mean, error), expected) in measured.into_iter().zip(expected) {
            assert!((mean - expected).abs() <= error, "{n}: {mean} ± {error}, expected {expected}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn more_agents_serve_better_and_more_contacts_worse(
        per_hour in 1.0f64..900.0,
        more in 1.0f64..300.0,
        aht in 30u64..900,
        percent in 50.0f64..97.0,
        within in 0.0f64..120.0,
        patience in 20u64..900,
        n in 1u32..80,
        most in 1usize..4,
        kind in 0..3,
    ) {
        let mut profile = match kind {
            0 => profile(aht, percent, within, None),
            1 => profile(aht, percent, within, Some(patience)),
            _ => chat(&USUAL[..most], aht, within, patience),
        };
        profile.target.fraction = percent / 100.0;
        let level = |n| evaluate(per_hour, n, &profile).expect("in range").service_level;
        // Above 5,000 states another chain is used, with its own small error.
        prop_assert!(level(n + 1) + 1e-3 >= level(n), "more agents lower the service level");
        let need = |per_hour, profile: &Profile| required(per_hour, profile).expect("reached").positions;
        let alone = need(per_hour, &profile);
        prop_assert!(need(per_hour + more, &profile) >= alone, "more load lowers positions");
        let pooled = need(per_hour + more, &profile);
        // The error of that other chain may be one agent.
        let states = (1..=most).fold(1, |states, at| states * (pooled as usize + at) / at);
        let error = u32::from(kind == 2 && states > EXACT_STATES_MAX);
        prop_assert!(pooled <= alone + need(more, &profile) + error, "pooling needs more");
        let mut higher = profile.clone();
        higher.target.fraction = (1.0 + profile.target.fraction) / 2.0;
        prop_assert!(need(per_hour, &higher) >= alone, "a higher target costs less");
    }

    #[test]
    fn a_wider_or_later_load_is_never_below_the_steady_one(
        arrivals in prop::collection::vec(0.0f64..100.0, 1..30),
        seconds in 10.0f64..7200.0,
    ) {
        let steady = equivalent_arrivals(&arrivals, 900.0, seconds);
        let (least, most) = arrivals.iter().fold((f64::MAX, 0.0f64), |(l, m), a| (l.min(*a), m.max(*a)));
        prop_assert!(steady.iter().all(|s| (least - 1e-9..=most + 1e-9).contains(s)), "{:?}", steady);
        prop_assert_eq!(steady.len(), arrivals.len());
    }
}

#[test]
fn targets_have_many_forms() {
    for (text, fraction, seconds) in [
        ("80/20", 0.8, 20.0),
        ("80/20s", 0.8, 20.0),
        ("80%/2m", 0.8, 120.0),
        ("80/0", 0.8, 0.0),
        ("80/0s", 0.8, 0.0),
        ("100/6h", 1.0, 21_600.0),
        ("90/14400", 0.9, 14_400.0),
    ] {
        let target = parse_target(text).expect(text);
        assert_eq!((target.fraction, target.within.as_secs_f64()), (fraction, seconds), "{text}");
    }
    for (text, reason) in [
        ("0.8/20", "means 0.8 percent, less than 1: write the percentage, such as 80/20"),
        ("101/20", "at most 100 %"),
        ("0/20", "at least 1 %"),
        ("-80/20", "at least 1 %"),
        ("80 in 20", "use PERCENT/TIME"),
        ("80/", "use PERCENT/TIME"),
        ("80/20x", "use PERCENT/TIME"),
        ("NaN/20", "use PERCENT/TIME"),
    ] {
        let error = parse_target(text).expect_err(text);
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn tables_answer_as_the_search_does() {
    for profile in [
        Profile { max_occupancy: Some(0.85), ..profile(300, 80.0, 20.0, Some(180)) },
        profile(240, 80.0, 20.0, None),
        chat(&USUAL, 600, 60.0, 300),
    ] {
        let mut table = TableBuilder::default().build(&profile, 30);
        for step in 0..60 {
            let per_hour = 0.7 + 3.7 * f64::from(step);
            let found = required(per_hour, &profile).expect("reached").positions;
            assert_eq!(table.positions(per_hour), Ok(found), "{per_hour}");
            for n in [found.saturating_sub(2), found, found + 1] {
                let level = evaluate(per_hour, n, &profile).expect("in range").service_level;
                near(table.level(per_hour, f64::from(n)).expect("in range"), level, 5e-5);
            }
        }
        assert_eq!((table.positions(0.0), table.level(0.0, 0.0)), (Ok(0), Ok(1.0)));
        let half = table.level(50.0, 5.5).expect("in range") * 2.0;
        let whole =
            table.level(50.0, 5.0).expect("in range") + table.level(50.0, 6.0).expect("in range");
        near(half, whole, 1e-12);
    }
}

#[test]
fn deferred_work_is_spread_until_its_deadline() {
    // Steady arrivals need their load; a surge is spread over the four windows in which it is due.
    let terms = (360.0, 3600.0, 900.0);
    assert_eq!(spread_work(&[10.0; 3], 0.0, terms), [4.0; 3]);
    let surge = spread_work(&[0.0, 40.0, 0.0, 0.0, 0.0, 0.0], 0.0, terms);
    assert_eq!(surge, [0.0, 4.0, 4.0, 4.0, 4.0, 0.0]);
    assert_eq!(spread_work(&[0.0; 5], 40.0, terms), [4.0, 4.0, 4.0, 4.0, 0.0]);
    // Open tickets that are known take the place of what is usual before the first window.
    assert_eq!(spread_backlog(&[10.0; 5], 0.0, terms), [1.0, 2.0, 3.0, 4.0, 4.0]);
    // As many as usually wait: the work stays level. More of them are spread evenly.
    assert_eq!(spread_backlog(&[10.0; 5], 15.0, terms), [4.0; 5]);
    assert_eq!(spread_backlog(&[10.0; 5], 40.0, terms), [6.5, 6.5, 6.5, 6.5, 4.0]);
    // A deadline within the window leaves nothing to spread.
    assert_eq!(spread_work(&[0.0, 40.0], 0.0, (360.0, 60.0, 900.0)), [0.0, 16.0]);
}
