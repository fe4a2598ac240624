//! Statistics for forecasts, anomalies and staffing: distributions, medians and least squares.
//!
//! | item | content |
//! | --- | --- |
//! | [`normal`] | the standard normal distribution: probabilities, tails, quantiles |
//! | [`NegativeBinomial`] | counts with a variance of `mean + mean² / size`, Poisson where the size is large |
//! | [`GammaApproximation`] | counts with large means, by a cube root |
//! | [`median`], [`median_of_sorted`], [`upper_median`], [`outlier_limits`] | robust locations and spreads |
//! | [`NormalEquations`] | additive weighted least squares, ridge penalties, normal priors |
//! | [`logistic_regression`] | log-odds of soft labels with a normal prior |
//! | [`solve_positive_definite`] | systems of linear equations, by Cholesky |
//!
//! It builds on `statrs` (special functions, distributions) and `ndarray` (matrices), and is independent of tickets, windows
//! and series.

mod cholesky;
mod least_squares;
mod logistic;
mod medians;
mod negative_binomial;
pub mod normal;
mod wilson_hilferty;

pub use cholesky::solve_positive_definite;
pub use least_squares::{CoefficientPrior, NormalEquations, SparseRow, sparse_dot};
pub use logistic::{logistic, logistic_regression};
pub use medians::{MAD_TO_SD, median, median_of_sorted, outlier_limits, upper_median};
pub use negative_binomial::NegativeBinomial;
pub use wilson_hilferty::GammaApproximation;
