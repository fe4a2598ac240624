//! Medians, and limits of outliers.

/// Factor from the median absolute deviation to the standard deviation of a normal distribution.
pub const MAD_TO_SD: f64 = 1.4826;

/// Robust standard deviations beyond which a count is an outlier (Hampel's identifier).
const REACH: f64 = 2.5;
/// Minimum robust standard deviation, as a share of that of a Poisson count.
const POISSON_SHARE: f64 = 0.6;

/// A number to sort: `f32` or `f64`.
pub trait Real: Copy + Into<f64> {
    /// The total order of IEEE 754.
    fn order(&self, other: &Self) -> std::cmp::Ordering;
}

impl Real for f32 {
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.total_cmp(other)
    }
}

impl Real for f64 {
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.total_cmp(other)
    }
}

/// The median of values in any order; sorts them. It is the mean of the middle two for an even number. `None` without values.
pub fn median<T: Real>(values: &mut [T]) -> Option<f64> {
    values.sort_unstable_by(T::order);
    median_of_sorted(values)
}

/// The median of ascending values; `None` without values.
pub fn median_of_sorted<T: Real>(values: &[T]) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    Some(f64::midpoint(values[last / 2].into(), values[values.len() / 2].into()))
}

/// The middle value, or the larger one of two; reorders the values. `None` without values.
///
/// It is faster than [`median`] for many values, and always one of them.
pub fn upper_median<T: Real>(values: &mut [T]) -> Option<T> {
    let half = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(half, T::order).1)
}

/// Lower and upper limits beyond which a count is an outlier: 2.5 robust standard deviations from the median. The standard
/// deviation is at least 0.6 times that of a Poisson count. Sorts the values. `None` without values.
pub fn outlier_limits<T: Real>(values: &mut [T]) -> Option<(f64, f64)> {
    let middle = median(values)?;
    let mut deviations: Vec<f64> = values.iter().map(|v| ((*v).into() - middle).abs()).collect();
    let spread = MAD_TO_SD * median(&mut deviations)?;
    let reach = REACH * spread.max(middle.max(1.0).sqrt() * POISSON_SHARE);
    Some((middle - reach, middle + reach))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn medians_of_few() {
        assert_eq!(median::<f64>(&mut []), None);
        assert_eq!(median(&mut [3.0f32]), Some(3.0));
        assert_eq!(median(&mut [9.0, 1.0, 4.0]), Some(4.0));
        assert_eq!(median(&mut [9.0, 1.0, 4.0, 5.0]), Some(4.5));
        assert_eq!(median_of_sorted(&[1.0f32, 2.0, 8.0, 9.0]), Some(5.0));
        assert_eq!(upper_median(&mut [9.0, 1.0, 4.0, 5.0]), Some(5.0));
        assert_eq!(upper_median::<f32>(&mut []), None);
    }

    #[test]
    fn outliers_are_outside_and_poisson_noise_is_inside() {
        let (low, high) = outlier_limits(&mut [16.0, 17.0, 16.0, 15.0, 90.0]).expect("values");
        assert_eq!((low, high), (16.0 - 6.0, 16.0 + 6.0));
        let (low, high) = outlier_limits(&mut [10.0f32, 50.0, 30.0, 40.0, 20.0]).expect("values");
        assert!((high - 30.0 - 2.5 * 1.4826 * 10.0).abs() < 1e-9 && high - 30.0 == 30.0 - low);
    }

    proptest! {
        #[test]
        fn half_lie_on_either_side(mut values in prop::collection::vec(-50.0..900.0f64, 1..40)) {
            let middle = median(&mut values.clone()).expect("values");
            let upper = upper_median(&mut values).expect("values");
            let below = values.iter().filter(|v| **v < middle).count();
            let above = values.iter().filter(|v| **v > middle).count();
            prop_assert!(2 * below <= values.len() && 2 * above <= values.len());
            prop_assert!(upper >= middle && values.contains(&upper));
        }
    }
}
