//! Systems of linear equations with a symmetric positive definite matrix.

use ndarray::{Array1, Array2, ArrayViewMut1, Axis};

/// Solves `a x = b` by Cholesky factorisation. Only the upper triangle of `a` is read.
///
/// A pivot below `floor` counts as `floor`, so that an undetermined direction stays near zero.
///
/// It works on rows as slices: `ndarray`'s slicing and `scaled_add` take eight times as long for 18 unknowns, and a fit
/// solves hundreds of such systems a series.
///
/// # Panics
/// If `a` is not square, or `b` has another length.
pub fn solve_positive_definite(mut a: Array2<f64>, mut b: Array1<f64>, floor: f64) -> Array1<f64> {
    assert!(a.is_square() && a.nrows() == b.len(), "{:?} equations of {}", a.dim(), b.len());
    // Replace `a` by the upper factor, row by row.
    for k in 0..a.nrows() {
        let (mut done, mut left) = a.view_mut().split_at(Axis(0), k + 1);
        let row = slice(done.row_mut(k));
        row[k] = row[k].max(floor).sqrt();
        let inverse = row[k].recip();
        row[k + 1..].iter_mut().for_each(|value| *value *= inverse);
        for (i, other) in (k + 1..).zip(left.rows_mut()) {
            let factor = row[i];
            for (value, above) in slice(other)[i..].iter_mut().zip(&row[i..]) {
                *value -= factor * above;
            }
        }
    }
    let x = slice(b.view_mut());
    for (k, row) in a.rows_mut().into_iter().enumerate() {
        let row = slice(row);
        x[k] /= row[k];
        let known = x[k];
        for (value, factor) in x[k + 1..].iter_mut().zip(&row[k + 1..]) {
            *value -= factor * known;
        }
    }
    for (k, row) in a.rows_mut().into_iter().enumerate().rev() {
        let row = slice(row);
        let known: f64 = row[k + 1..].iter().zip(&x[k + 1..]).map(|(factor, x)| factor * x).sum();
        x[k] = (x[k] - known) / row[k];
    }
    b
}

#[expect(clippy::expect_used, reason = "rows of an owned array in standard order are contiguous")]
fn slice(row: ArrayViewMut1<'_, f64>) -> &mut [f64] {
    row.into_slice().expect("rows of an owned array in standard order are contiguous")
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_small_system_is_solved_from_the_upper_triangle() {
        let a = array![[4.0, 2.0, 0.6], [99.0, 5.0, 1.0], [99.0, 99.0, 3.0]];
        let x = solve_positive_definite(a, array![9.8, 15.0, 11.6], 0.0);
        for (found, expected) in x.iter().zip([1.0, 2.0, 3.0]) {
            assert!((found - expected).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn an_undetermined_unknown_stays_finite() {
        let x = solve_positive_definite(array![[4.0, 0.0], [0.0, 0.0]], array![8.0, 0.0], 1e-12);
        assert_eq!(x, array![2.0, 0.0]);
    }

    proptest! {
        #[test]
        fn solutions_solve(
            values in prop::collection::vec(-2.0..2.0f64, 25),
            x in prop::collection::vec(-9.0..9.0f64, 5),
        ) {
            let root = Array2::from_shape_vec((5, 5), values).expect("25 values");
            let a = root.t().dot(&root) + Array2::<f64>::eye(5);
            let x = Array1::from(x);
            let found = solve_positive_definite(a.clone(), a.dot(&x), 0.0);
            prop_assert!((&found - &x).iter().all(|miss| miss.abs() < 1e-8), "{found} {x}");
        }
    }
}
