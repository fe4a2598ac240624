//! Erlang C and Erlang A by recursions that stay finite at any load.

use super::{Model, Profile, Staffing};

/// Relative weight below which a queue state no longer matters.
const TINY: f64 = 1e-18;

/// Erlang B: probability that all `n` servers are busy and nobody waits.
///
/// `B(0) = 1, B(k) = A·B(k−1) / (k + A·B(k−1))`.
pub fn erlang_b(load: f64, n: u32) -> f64 {
    (1..=n).fold(1.0, |b, k| {
        let carried = load * b;
        carried / (f64::from(k) + carried)
    })
}

/// Erlang C: probability of waiting; 1 where the load is not below `n`.
///
/// `C = n·B / (n − A(1 − B))`.
pub fn erlang_c(load: f64, n: u32) -> f64 {
    let servers = f64::from(n);
    if servers <= load {
        return 1.0;
    }
    let b = erlang_b(load, n);
    servers * b / (servers - load * (1.0 - b))
}

/// Figures of `n` positions for a load in Erlang, contacts a second and seconds each.
pub(super) fn evaluate(load: f64, arrivals: f64, aht: f64, n: u32, profile: &Profile) -> Staffing {
    let agents = super::gross(n, profile.shrinkage);
    let blank = Staffing {
        offered_load: load,
        positions: n,
        agents,
        service_level: 1.0,
        asa_seconds: 0.0,
        occupancy: 0.0,
        p_wait: 0.0,
        p_abandon: 0.0,
    };
    if load <= 0.0 {
        return blank;
    }
    match (profile.model, profile.patience) {
        (Model::Deferred, _) => deferred(load, n, profile, blank),
        (Model::ErlangA, Some(patience)) => {
            abandonment(arrivals, aht, patience.as_secs_f64(), n, profile, blank)
        }
        _ => waiting(load, aht, n, profile, blank),
    }
}

fn waiting(load: f64, aht: f64, n: u32, profile: &Profile, blank: Staffing) -> Staffing {
    let spare = f64::from(n) - load;
    if spare <= 0.0 {
        // The queue grows without end: nobody is answered in time, in the long run.
        return Staffing {
            service_level: 0.0,
            asa_seconds: f64::INFINITY,
            occupancy: 1.0,
            p_wait: 1.0,
            ..blank
        };
    }
    let c = erlang_c(load, n);
    let within = profile.target.within.as_secs_f64();
    Staffing {
        service_level: 1.0 - c * (-spare * within / aht).exp(),
        asa_seconds: c * aht / spare,
        occupancy: load / f64::from(n),
        p_wait: c,
        ..blank
    }
}

/// Work that may wait inside its window: what matters is that there is enough capacity.
fn deferred(load: f64, n: u32, profile: &Profile, blank: Staffing) -> Staffing {
    let capacity = f64::from(n) * profile.max_occupancy.unwrap_or(1.0);
    let done = if n == 0 { 0.0 } else { (capacity / load).min(1.0) };
    let occupancy = if n == 0 { 1.0 } else { (load / f64::from(n)).min(1.0) };
    Staffing { service_level: done, occupancy, p_wait: 1.0, ..blank }
}

/// Erlang A (M/M/n+M). State weights are taken relative to state `n`, so that none overflows.
fn abandonment(
    lambda: f64,
    aht: f64,
    patience: f64,
    n: u32,
    profile: &Profile,
    blank: Staffing,
) -> Staffing {
    let (mu, theta, servers) = (1.0 / aht, 1.0 / patience, f64::from(n));
    let mut below = 0.0;
    let mut weight = 1.0;
    for k in (1..=n).rev() {
        weight *= f64::from(k) * mu / lambda;
        below += weight;
        if weight < TINY * below {
            break;
        }
    }
    let mut queue = vec![1.0];
    let (mut above, mut length) = (1.0, 0.0);
    let mut weight = 1.0;
    for waiting in 1.. {
        let j = f64::from(waiting);
        weight *= lambda / (servers * mu + j * theta);
        above += weight;
        length += j * weight;
        queue.push(weight);
        if weight < TINY * above || waiting >= 1_000_000 {
            break;
        }
    }
    let total = below + above;
    let queued = length / total;
    let p_abandon = theta * queued / lambda;
    let occupancy =
        if n == 0 { 1.0 } else { (lambda * (1.0 - p_abandon) / (servers * mu)).min(1.0) };
    let within = profile.target.within.as_secs_f64();
    let answered = answered_in_time(&queue, servers * mu, theta, within);
    Staffing {
        service_level: if n == 0 { 0.0 } else { ((below + answered) / total).clamp(0.0, 1.0) },
        asa_seconds: queued / lambda,
        occupancy,
        p_wait: above / total,
        p_abandon,
        ..blank
    }
}

/// Σ_j w_j · P(a caller who finds j before him is answered within `t`), by uniformisation.
///
/// A caller with j before him moves up at rate `serve + j·theta` and leaves at rate `theta`; `G_j(t)`
/// solves `G_j' = (serve + j·θ) G_{j−1} − (serve + (j+1)·θ) G_j` with `G_{−1} = 1`, `G_j(0) = 0`.
fn answered_in_time(queue: &[f64], serve: f64, theta: f64, t: f64) -> f64 {
    if serve <= 0.0 || t <= 0.0 {
        return 0.0;
    }
    // Queue places that hold all but a millionth of the weight.
    let whole: f64 = queue.iter().sum();
    let mut kept = 0.0;
    let places = queue
        .iter()
        .position(|w| {
            kept += w;
            kept >= whole * (1.0 - 1e-12)
        })
        .map_or(queue.len(), |last| last + 1);
    let rate = serve + places as f64 * theta;
    let steps = rate * t;
    // g[j] after k steps; the answer mixes them with Poisson(rate·t) weights.
    let mut g = vec![0.0f64; places];
    let mut answered = 0.0;
    let mut ln_weight = -steps;
    let most = (steps + 12.0 * steps.sqrt() + 40.0) as u32;
    for k in 0..=most {
        let now: f64 = g.iter().zip(queue).map(|(g, w)| g * w).sum();
        answered += ln_weight.exp() * now;
        ln_weight += steps.ln() - f64::from(k + 1).ln();
        let mut before = 1.0;
        for (j, slot) in g.iter_mut().enumerate() {
            let (up, leave) = (serve + j as f64 * theta, theta);
            let old = *slot;
            *slot = (up * before + (rate - up - leave) * old) / rate;
            before = old;
        }
    }
    answered
}
