//! Nowcasts: an outage changes the forecast before its window is finalized.

use serde_json::Value;

use crate::program::Program;

/// The demo's first outage begins in the north shortly after going live.
#[test]
fn an_outage_causes_a_nowcast_within_the_window() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::demo(folder.path(), &["--days", "15", "--speed", "60"]);
    let path = "/api/v1/forecasts?region=north&service=broadband&channel=phone";
    let nowcast = program.wait_for(path, |forecast| forecast["nowcast"].is_string());
    let time = |value: &Value| {
        let text = value.as_str().expect("a time");
        chrono::DateTime::parse_from_rfc3339(text).expect("RFC 3339").timestamp()
    };
    let issued_at = time(&nowcast["issued_at"]);
    assert_ne!(issued_at % 900, 0, "{nowcast}");
    let first = time(&nowcast["targets"][0]["start"]);
    assert!(first < issued_at && issued_at < first + 900, "{nowcast}");
    let why = nowcast["nowcast"].as_str().expect("words");
    assert!(why.contains("alarm") || why.contains("tickets so far"), "{why}");
    // Staffing and the roll-up of the region and service use the nowcast.
    let staffing = "/api/v1/staffing?region=north&service=broadband&channel=phone";
    program.wait_for(staffing, |plan| plan["issued_at"].as_str() >= nowcast["issued_at"].as_str());
    let total = "/api/v1/forecasts?region=north&service=broadband&channel=_all";
    let at = nowcast["issued_at"].as_str().expect("a time");
    let total = program.get(&format!("{total}&issued_at={at}")).json();
    assert!(
        total["nowcast"].as_str().is_some_and(|why| why.contains("north/broadband")),
        "{total}"
    );
    // Both end with the scheduled forecasts, so that sums over series have no step at their end.
    let last = |forecast: &Value| {
        let targets = forecast["targets"].as_array().expect("targets");
        time(&targets.last().expect("a target")["start"])
    };
    assert_eq!(last(&nowcast), last(&total), "{nowcast} {total}");
    assert!(last(&total) < issued_at + 6 * 3600, "{total}");
    // It is scored separately after its windows are finalized.
    let accuracy = "/api/v1/accuracy?region=north&service=broadband&channel=phone";
    let scored =
        program.wait_for(accuracy, |found| found["nowcasts"]["nowcasts"]["n"].as_u64() >= Some(1));
    let both = &scored["nowcasts"];
    assert_eq!(both["nowcasts"]["n"], both["scheduled"]["n"]);
}
