//! Fuzz test of the holiday file.

use super::Calendar;
use crate::domain::fuzz::fuzz;

#[test]
fn holidays() {
    let sample = "days = [\"2026-01-01\", \"2026-02-17\"]\nworking_days = [\"2026-02-14\"]\n\
        school_holidays = []\n# a note\nevents = [\n  \"2026-11-11\",\n]\n";
    fuzz("holidays", &[sample], |bytes| {
        match Calendar::from_toml(&String::from_utf8_lossy(bytes)) {
            Ok(_) => true,
            Err(error) => {
                assert!(!error.is_empty());
                false
            }
        }
    });
}
