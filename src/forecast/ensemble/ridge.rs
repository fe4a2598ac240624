//! Ridge regression on sums: normal equations that add up, solved by Cholesky.

use super::design::WIDTH;

const TRIANGLE: usize = WIDTH * (WIDTH + 1) / 2;

/// X'WX, its lower triangle by rows, and X'Wz, of some rows.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    xx: [f64; TRIANGLE],
    xz: [f64; WIDTH],
    pub weight: f64,
}

fn at(i: usize, j: usize) -> usize {
    i * (i + 1) / 2 + j
}

impl Sums {
    pub(super) fn new() -> Self {
        Self { xx: [0.0; TRIANGLE], xz: [0.0; WIDTH], weight: 0.0 }
    }

    /// Adds a row `x` of weight `w` with response `z`.
    pub(super) fn add(&mut self, x: &[f32; WIDTH], w: f64, z: f64) {
        let x = x.map(f64::from);
        for i in 0..WIDTH {
            let wx = w * x[i];
            for (sum, xj) in self.xx[at(i, 0)..=at(i, i)].iter_mut().zip(&x) {
                *sum += wx * xj;
            }
            self.xz[i] += wx * z;
        }
        self.weight += w;
    }

    /// Adds the rows of another, or with `sign` −1 takes them out.
    pub(super) fn merge(&mut self, other: &Self, sign: f64) {
        for (a, b) in self.xx.iter_mut().zip(&other.xx) {
            *a += sign * b;
        }
        for (a, b) in self.xz.iter_mut().zip(&other.xz) {
            *a += sign * b;
        }
        self.weight += sign * other.weight;
    }

    /// Coefficients that minimise `Σ w (z − x'β)² + strength · Σ_j p_j s_j² β_j²`, where `s_j²` is the weighted
    /// mean square of regressor j: the penalty does not depend on the units of a regressor. By Cholesky.
    pub(super) fn solve(&self, strength: f64, penalty: &[f64; WIDTH]) -> [f64; WIDTH] {
        let weight = self.weight.max(1e-12);
        let mut lower = [0.0f64; TRIANGLE];
        for i in 0..WIDTH {
            for j in 0..=i {
                let mut sum = self.xx[at(i, j)];
                if i == j {
                    sum += strength * penalty[i] * sum / weight + 1e-9 * weight;
                }
                for k in 0..j {
                    sum -= lower[at(i, k)] * lower[at(j, k)];
                }
                lower[at(i, j)] =
                    if i == j { sum.max(1e-12 * weight).sqrt() } else { sum / lower[at(j, j)] };
            }
        }
        let mut beta = self.xz;
        for i in 0..WIDTH {
            for k in 0..i {
                beta[i] -= lower[at(i, k)] * beta[k];
            }
            beta[i] /= lower[at(i, i)];
        }
        for i in (0..WIDTH).rev() {
            for k in i + 1..WIDTH {
                beta[i] -= lower[at(k, i)] * beta[k];
            }
            beta[i] /= lower[at(i, i)];
        }
        beta
    }
}
