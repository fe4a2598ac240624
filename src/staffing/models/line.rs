//! The waiting line of impatient customers, in closed form: one integral instead of a sum over its states.

/// Logarithm below which a weight no longer matters.
const NEGLIGIBLE: f64 = -45.0;
/// Panels on each side of the largest weight.
const PANELS: u32 = 8;

/// Nodes and weights of the Gauss–Legendre rule with 16 points, its positive half.
const GAUSS: [(f64, f64); 8] = [
    (0.095_012_509_837_637_44, 0.189_450_610_455_068_5),
    (0.281_603_550_779_258_9, 0.182_603_415_044_923_6),
    (0.458_016_777_657_227_4, 0.169_156_519_395_002_54),
    (0.617_876_244_402_643_7, 0.149_595_988_816_576_73),
    (0.755_404_408_355_003, 0.124_628_971_255_533_87),
    (0.865_631_202_387_831_8, 0.095_158_511_682_492_78),
    (0.944_575_023_073_232_6, 0.062_253_523_938_647_89),
    (0.989_400_934_991_649_9, 0.027_152_459_411_754_095),
];

/// The queue of customers who arrive while all places are taken: they wait, and hang up after an exponential patience.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// Arrivals per second.
    pub(super) arrivals: f64,
    /// Completions per second while somebody waits; above 0.
    pub(super) serve: f64,
    /// Rate at which a waiting customer hangs up; above 0.
    pub(super) abandon: f64,
}

/// The results for customers of a [`Line`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Waiting {
    /// Share that is answered within the target time.
    pub(super) service_level: f64,
    pub(super) p_wait: f64,
    pub(super) p_abandon: f64,
}

impl Line {
    /// Computes the results. The states with a free place have the weight `below`, and the state in which all places are taken
    /// and nobody waits has the weight 1.
    ///
    /// A customer who finds no free place and has infinite patience would wait for a time with a density proportional to `w(v)
    /// = exp(λ·(1 − e^(−θv))/θ − serve·v)`. All states without a free place together have the weight `serve · ∫ w`. A customer
    /// who would wait for the time `v` is answered with probability `e^(−θv)`. Weights are relative to the largest one, so that
    /// none overflows.
    pub(super) fn waiting(&self, below: f64, within: f64) -> Waiting {
        let peak = (self.arrivals / self.serve).ln().max(0.0) / self.abandon;
        let (from, to) = (peak - self.reach(peak, -1.0), peak + self.reach(peak, 1.0));
        let patient = |v: f64| (-self.abandon * v).exp();
        let weight = |v: f64| self.ln_weight(v - peak).exp();
        let sides = [(from, peak), (peak, to)];
        let (mut all, mut gone) = (0.0, 0.0);
        let mut answered = 0.0;
        for (from, to) in sides {
            integrate(from, to, |v, share| {
                let weight = share * weight(v);
                all += weight;
                gone -= weight * (-self.abandon * v).exp_m1();
            });
            integrate(from, to.min(within), |v, share| answered += share * weight(v) * patient(v));
        }
        // The largest weight is `e^peak` times that of an empty line.
        let scale = (-self.ln_weight(-peak)).exp();
        let below = below / self.serve / scale;
        if !below.is_finite() {
            return Waiting { service_level: 1.0, p_wait: 0.0, p_abandon: 0.0 };
        }
        let total = below + all;
        Waiting {
            service_level: ((below + answered) / total).clamp(0.0, 1.0),
            p_wait: all / total,
            p_abandon: gone / total,
        }
    }

    /// Logarithm of the weight at `d` seconds from the largest one, relative to it.
    fn ln_weight(&self, d: f64) -> f64 {
        let inflow = self.arrivals.min(self.serve);
        inflow * (-(-self.abandon * d).exp_m1()) / self.abandon - self.serve * d
    }

    /// The distance from the largest weight, to one side, within which weights matter.
    fn reach(&self, peak: f64, side: f64) -> f64 {
        let most = if side < 0.0 { peak } else { f64::INFINITY };
        let mut far = 1.0 / (self.arrivals + self.serve + self.abandon);
        while far < most && self.ln_weight(side * far) > NEGLIGIBLE {
            far *= 2.0;
        }
        let mut near = far / 2.0;
        for _ in 0..5 {
            let middle = f64::midpoint(near, far);
            if self.ln_weight(side * middle) > NEGLIGIBLE { near = middle } else { far = middle }
        }
        far.min(most)
    }
}

/// Calls `add` with points from `from` to `to`, each with the length that it represents.
fn integrate(from: f64, to: f64, mut add: impl FnMut(f64, f64)) {
    if to <= from {
        return;
    }
    let half = (to - from) / f64::from(PANELS) / 2.0;
    for panel in 0..PANELS {
        let middle = from + half * f64::from(2 * panel + 1);
        for (node, share) in GAUSS {
            add(middle - half * node, half * share);
            add(middle + half * node, half * share);
        }
    }
}
