//! Logistic regression.

use super::least_squares::{CoefficientPrior, NormalEquations, SparseRow, sparse_dot};

/// Maximum number of Newton steps, and the largest change of a coefficient at convergence.
const STEPS_MAX: usize = 12;
const CONVERGED: f64 = 1e-4;
/// Limits of log-odds, and of the step of one row.
const LOG_ODDS_MAX: f64 = 12.0;
const STEP_MAX: f64 = 3.0;

/// The probability that corresponds to log-odds.
pub fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// Coefficients of log-odds from soft labels 0–1 with a normal prior, by Newton's method (iteratively reweighted least
/// squares: McCullagh and Nelder 1989, § 2.5) from the coefficients `from`.
pub fn logistic_regression(
    rows: &[SparseRow],
    labels: &[f64],
    prior: &CoefficientPrior<'_>,
    from: &[f64],
) -> Vec<f64> {
    let mut coefficients = from.to_vec();
    for _ in 0..STEPS_MAX {
        let mut equations = NormalEquations::new(prior.mean.len());
        for (row, label) in rows.iter().zip(labels) {
            let log_odds = sparse_dot(row, &coefficients).clamp(-LOG_ODDS_MAX, LOG_ODDS_MAX);
            let p = logistic(log_odds);
            let weight = (p * (1.0 - p)).max(1e-3);
            // Limit the step where the curve is flat.
            let step = ((label - p) / weight).clamp(-STEP_MAX, STEP_MAX);
            equations.add_sparse(row, weight, log_odds + step);
        }
        let next = equations.with_prior(prior);
        let moved = next.iter().zip(&coefficients).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        coefficients = next.to_vec();
        if moved < CONVERGED {
            break;
        }
    }
    coefficients
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_odds_of_two_groups_are_found() {
        // 20 % in the first group, 90 % in the second.
        let rows: Vec<SparseRow> = (0..2000)
            .map(|i| if i % 2 == 0 { vec![(0, 1.0)] } else { vec![(0, 1.0), (1, 1.0)] })
            .collect();
        let labels: Vec<f64> = (0..2000).map(|i| if i % 2 == 0 { 0.2 } else { 0.9 }).collect();
        let prior = CoefficientPrior { mean: &[0.0, 0.0], precision: &[1e-6, 1e-6] };
        let found = logistic_regression(&rows, &labels, &prior, &[0.0, 0.0]);
        let (low, high) = (logistic(found[0]), logistic(found[0] + found[1]));
        assert!((low - 0.2).abs() < 1e-4 && (high - 0.9).abs() < 1e-4, "{low} {high}");
    }

    #[test]
    fn without_rows_the_prior_stays() {
        let prior = CoefficientPrior { mean: &[-1.5], precision: &[1.0] };
        assert_eq!(logistic_regression(&[], &[], &prior, &[0.0]), [-1.5]);
    }
}
