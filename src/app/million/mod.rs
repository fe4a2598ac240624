//! Whether decoders stand whatever comes: a million spoilt samples each, or as many as `SURGECAST_FUZZ_INPUTS` says.
//!
//! A run is a function of its seed, so that what fails once fails again. What failed is printed.

mod forms;
mod shapes;
mod spoil;

use self::spoil::Spoiler;

/// Inputs of each test where nobody asks for more.
const INPUTS: u64 = 20_000;

fn inputs() -> u64 {
    // No configuration of the program: how long a person lets a test run.
    #[allow(clippy::disallowed_methods)]
    let asked = std::env::var("SURGECAST_FUZZ_INPUTS");
    asked.map_or(INPUTS, |text| text.parse().expect("SURGECAST_FUZZ_INPUTS is a number"))
}

/// Prints the input if the check of it panics.
struct Said<'a>(u64, &'a [u8]);

impl Drop for Said<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("input {}: {}", self.0, self.1.escape_ascii());
        }
    }
}

/// Checks many spoilt samples. `check` panics where something does not hold, and says whether the input was taken:
/// some have to be, and some not, or the test tests nothing.
pub(crate) fn spoilt(
    name: &str,
    samples: &[impl AsRef<[u8]>],
    mut check: impl FnMut(&[u8]) -> bool,
) {
    let samples: Vec<&[u8]> = samples.iter().map(AsRef::as_ref).collect();
    for sample in &samples {
        let _said = Said(0, sample);
        assert!(check(sample), "a sample as it was written is taken");
    }
    let (all, mut taken) = (inputs(), 0);
    let mut spoiler = Spoiler::new(name, &samples);
    for n in 1..=all {
        let input = spoiler.next();
        let _said = Said(n, &input);
        taken += u64::from(check(&input));
    }
    println!("{name}: {all} inputs, {taken} taken, {} refused", all - taken);
    assert!(taken * 1000 > all && taken < all, "{name}: {taken} of {all} taken");
}
