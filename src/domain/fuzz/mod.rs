//! Whether decoders stand whatever comes: each reads mutated samples, as many as `SURGECAST_FUZZ_INPUTS` says.
//!
//! Each room tests what it decodes, in a `fuzz` module of its own. A run is a function of its seed, so that what fails
//! once fails again. What failed is printed.

mod mutate;

use self::mutate::Mutator;

/// Inputs of each test where nobody asks for more.
const INPUTS: u64 = 20_000;

fn inputs() -> u64 {
    // No configuration of the program: how long a person lets a test run.
    #[allow(clippy::disallowed_methods)]
    let asked = std::env::var("SURGECAST_FUZZ_INPUTS");
    asked.map_or(INPUTS, |text| text.parse().expect("SURGECAST_FUZZ_INPUTS is a number"))
}

/// Prints the input of that number if the check of it panics.
struct PrintOnPanic<'a>(u64, &'a [u8]);

impl Drop for PrintOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("input {}: {}", self.0, self.1.escape_ascii());
        }
    }
}

/// Checks many mutated samples; `name` is the seed. `check` panics where something does not hold, and returns whether
/// the input was accepted: some have to be, and some not, or the test tests nothing.
pub(crate) fn fuzz(name: &str, samples: &[impl AsRef<[u8]>], mut check: impl FnMut(&[u8]) -> bool) {
    let samples: Vec<&[u8]> = samples.iter().map(AsRef::as_ref).collect();
    for sample in &samples {
        let _print = PrintOnPanic(0, sample);
        assert!(check(sample), "a sample as it was written is accepted");
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
