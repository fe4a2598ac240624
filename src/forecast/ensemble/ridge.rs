//! Ridge regression on sums: normal equations that add up, solved by Cholesky.

/// Most regressors of one regression.
pub(super) const WIDE: usize = 24;

/// X'WX and X'Wz of a block of rows, lower triangle first.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    p: usize,
    xx: Vec<f64>,
    xz: Vec<f64>,
    pub weight: f64,
}

impl Sums {
    pub(super) fn new(p: usize) -> Self {
        Self { p, xx: vec![0.0; p * (p + 1) / 2], xz: vec![0.0; p], weight: 0.0 }
    }

    /// Adds a row `x` of weight `w` with response `z`.
    pub(super) fn add(&mut self, x: &[f32], w: f64, z: f64) {
        let mut at = 0;
        for (i, xi) in x.iter().enumerate() {
            let wx = w * f64::from(*xi);
            for (sum, xj) in self.xx[at..=at + i].iter_mut().zip(x) {
                *sum += wx * f64::from(*xj);
            }
            at += i + 1;
            self.xz[i] += wx * z;
        }
        self.weight += w;
    }

    pub(super) fn merge(&mut self, other: &Self, sign: f64) {
        for (a, b) in self.xx.iter_mut().zip(&other.xx) {
            *a += sign * b;
        }
        for (a, b) in self.xz.iter_mut().zip(&other.xz) {
            *a += sign * b;
        }
        self.weight += sign * other.weight;
    }

    fn at(&self, i: usize, j: usize) -> f64 {
        self.xx[i * (i + 1) / 2 + j]
    }

    /// Coefficients that minimise `Σ w (z − x'β)² + strength · Σ_j p_j s_j² β_j²`, where `s_j²` is the weighted
    /// mean square of regressor j: the penalty does not depend on the units of a regressor.
    pub(super) fn solve(&self, strength: f64, penalty: &[f64]) -> Vec<f64> {
        let p = self.p;
        let mut lower = [0.0f64; WIDE * (WIDE + 1) / 2];
        let index = |i: usize, j: usize| i * (i + 1) / 2 + j;
        for i in 0..p {
            for j in 0..=i {
                let mut sum = self.at(i, j);
                if i == j {
                    sum += strength * penalty[i] * sum / self.weight.max(1e-12)
                        + 1e-9 * self.weight
                        + 1e-12;
                }
                for k in 0..j {
                    sum -= lower[index(i, k)] * lower[index(j, k)];
                }
                lower[index(i, j)] =
                    if i == j { sum.max(1e-12).sqrt() } else { sum / lower[index(j, j)] };
            }
        }
        let mut beta = self.xz.clone();
        for i in 0..p {
            for k in 0..i {
                beta[i] -= lower[index(i, k)] * beta[k];
            }
            beta[i] /= lower[index(i, i)];
        }
        for i in (0..p).rev() {
            for k in i + 1..p {
                beta[i] -= lower[index(k, i)] * beta[k];
            }
            beta[i] /= lower[index(i, i)];
        }
        beta
    }
}
