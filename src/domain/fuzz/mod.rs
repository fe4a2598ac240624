//! Fuzz tests: decoders read mutated samples. `SURGECAST_FUZZ_INPUTS` sets the number of inputs.
//!
//! Each room tests its own decoders in a `fuzz` module. The inputs depend on the seed alone, so that a failure repeats.
//! The input that failed is printed.

mod mutate;

use self::mutate::Mutator;

/// Default number of inputs of each test.
const INPUTS: u64 = 20_000;

fn inputs() -> u64 {
    // This sets the length of a test. It is not configuration of the program.
    #[allow(clippy::disallowed_methods)]
    let text = std::env::var("SURGECAST_FUZZ_INPUTS");
    text.map_or(INPUTS, |text| text.parse().expect("SURGECAST_FUZZ_INPUTS is a number"))
}

/// Prints the number and the bytes of an input if its check panics.
struct PrintOnPanic<'a>(u64, &'a [u8]);

impl Drop for PrintOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("input {}: {}", self.0, self.1.escape_ascii());
        }
    }
}

/// Checks many mutated samples; `name` is the seed. `check` panics if a property is violated, and returns whether the
/// input was accepted. The test fails unless some inputs are accepted and some are refused.
pub(crate) fn fuzz(name: &str, samples: &[impl AsRef<[u8]>], mut check: impl FnMut(&[u8]) -> bool) {
    let samples: Vec<&[u8]> = samples.iter().map(AsRef::as_ref).collect();
    for sample in &samples {
        let _print = PrintOnPanic(0, sample);
        assert!(check(sample), "an unchanged sample is accepted");
    }
    let (all, mut accepted) = (inputs(), 0);
    let mut mutator = Mutator::new(name, &samples);
    for n in 1..=all {
        let input = mutator.next();
        let _print = PrintOnPanic(n, &input);
        accepted += u64::from(check(&input));
    }
    println!("{name}: {all} inputs, {accepted} accepted, {} refused", all - accepted);
    assert!(accepted * 1000 > all && accepted < all, "{name}: {accepted} of {all} accepted");
}
