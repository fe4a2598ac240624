//! Small ridge regressions: few figures, hundreds of rows.

/// A row's figures, sparse: (column, value).
pub(super) type Row = Vec<(usize, f64)>;

pub(super) fn dot(row: &[(usize, f64)], coefficients: &[f64]) -> f64 {
    row.iter().map(|(i, v)| v * coefficients.get(*i).copied().unwrap_or(0.0)).sum()
}

pub(super) fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// Where the coefficients are before any row, and how surely.
pub(super) struct Start<'a> {
    pub(super) mean: &'a [f64],
    /// 1 / variance.
    pub(super) precision: &'a [f64],
}

/// Weighted least squares with a normal prior on the coefficients.
pub(super) fn linear(rows: &[Row], y: &[f64], weight: &[f64], start: &Start<'_>) -> Vec<f64> {
    let d = start.mean.len();
    let mut a = vec![0.0; d * d];
    let mut b = vec![0.0; d];
    for i in 0..d {
        a[i * d + i] = start.precision[i];
        b[i] = start.precision[i] * start.mean[i];
    }
    for ((row, y), w) in rows.iter().zip(y).zip(weight) {
        for (i, v) in row {
            b[*i] += w * v * y;
            for (j, u) in row {
                a[i * d + j] += w * v * u;
            }
        }
    }
    cholesky_solve(&mut a, b, d)
}

/// Logistic regression on soft labels 0–1 with a normal prior, by Newton steps.
pub(super) fn log_odds(rows: &[Row], label: &[f64], start: &Start<'_>, from: &[f64]) -> Vec<f64> {
    let mut coefficients = from.to_vec();
    for _ in 0..12 {
        let (mut target, mut weight) =
            (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for (row, label) in rows.iter().zip(label) {
            let eta = dot(row, &coefficients).clamp(-12.0, 12.0);
            let p = logistic(eta);
            let w = (p * (1.0 - p)).max(1e-3);
            // The step is held back where the curve is flat.
            target.push(eta + ((label - p) / w).clamp(-3.0, 3.0));
            weight.push(w);
        }
        let next = linear(rows, &target, &weight, start);
        let moved = next.iter().zip(&coefficients).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        coefficients = next;
        if moved < 1e-4 {
            break;
        }
    }
    coefficients
}

/// Solves a symmetric positive definite system in place.
fn cholesky_solve(a: &mut [f64], mut b: Vec<f64>, d: usize) -> Vec<f64> {
    for j in 0..d {
        for i in j..d {
            let sum: f64 = (0..j).map(|k| a[i * d + k] * a[j * d + k]).sum();
            let rest = a[i * d + j] - sum;
            a[i * d + j] = if i == j { rest.max(1e-12).sqrt() } else { rest / a[j * d + j] };
        }
    }
    for i in 0..d {
        let sum: f64 = (0..i).map(|k| a[i * d + k] * b[k]).sum();
        b[i] = (b[i] - sum) / a[i * d + i];
    }
    for i in (0..d).rev() {
        let sum: f64 = (i + 1..d).map(|k| a[k * d + i] * b[k]).sum();
        b[i] = (b[i] - sum) / a[i * d + i];
    }
    b
}
