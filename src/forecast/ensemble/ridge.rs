//! Ridge regression on sums: normal equations that add up, solved by Cholesky.

use super::design::WIDTH;

/// X'WX and X'Wz of some rows.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    /// By row of the matrix; only what lies on the diagonal and to the right of it is kept.
    xx: [[f64; WIDTH]; WIDTH],
    xz: [f64; WIDTH],
    pub weight: f64,
}

/// A row `x` of weight `w` with response `z`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weighed<'a> {
    pub x: &'a [f32; WIDTH],
    pub w: f64,
    pub z: f64,
}

impl Sums {
    pub(super) fn new() -> Self {
        Self { xx: [[0.0; WIDTH]; WIDTH], xz: [0.0; WIDTH], weight: 0.0 }
    }

    /// Adds rows, in order. Four go together: a sum is read and written once for all of them.
    pub(super) fn add(&mut self, rows: &[Weighed<'_>]) {
        let (fours, rest) = rows.as_chunks::<4>();
        fours.iter().for_each(|rows| self.add_some(rows));
        rest.iter().for_each(|row| self.add_some(&[*row]));
    }

    fn add_some<const N: usize>(&mut self, rows: &[Weighed<'_>; N]) {
        let mut x = [[0.0; WIDTH]; N];
        for (x, row) in x.iter_mut().zip(rows) {
            x.iter_mut().zip(row.x).for_each(|(x, value)| *x = f64::from(*value));
        }
        for (i, sums) in self.xx.iter_mut().enumerate() {
            let wx: [f64; N] = std::array::from_fn(|n| rows[n].w * x[n][i]);
            for j in i..WIDTH {
                for n in 0..N {
                    sums[j] += wx[n] * x[n][j];
                }
            }
            for n in 0..N {
                self.xz[i] += wx[n] * rows[n].z;
            }
        }
        rows.iter().for_each(|row| self.weight += row.w);
    }

    /// Adds the rows of another, or with `sign` −1 takes them out.
    pub(super) fn merge(&mut self, other: &Self, sign: f64) {
        for (a, b) in self.xx.as_flattened_mut().iter_mut().zip(other.xx.as_flattened()) {
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
        // Row by row it becomes the upper factor.
        let mut upper = self.xx;
        for (i, row) in upper.iter_mut().enumerate() {
            row[i] += strength * penalty[i] * row[i] / weight + 1e-9 * weight;
        }
        for k in 0..WIDTH {
            let (done, left) = upper.split_at_mut(k + 1);
            let row = &mut done[k];
            row[k] = row[k].max(1e-12 * weight).sqrt();
            let inverse = row[k].recip();
            row[k + 1..].iter_mut().for_each(|value| *value *= inverse);
            for (i, other) in (k + 1..).zip(left) {
                let factor = row[i];
                for (value, above) in other[i..].iter_mut().zip(&row[i..]) {
                    *value -= factor * above;
                }
            }
        }
        let mut beta = self.xz;
        for k in 0..WIDTH {
            beta[k] /= upper[k][k];
            let known = beta[k];
            for (value, factor) in beta[k + 1..].iter_mut().zip(&upper[k][k + 1..]) {
                *value -= factor * known;
            }
        }
        for i in (0..WIDTH).rev() {
            for k in i + 1..WIDTH {
                beta[i] -= upper[i][k] * beta[k];
            }
            beta[i] /= upper[i][i];
        }
        beta
    }
}
