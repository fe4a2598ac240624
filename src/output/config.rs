//! `[grafana]`: its keys are known, and nothing connects to it yet.

use crate::config::Reader;

/// Checks the section and refuses it: silence would look like success.
pub fn refuse_grafana(section: Reader<'_>) {
    if section.is_there() {
        section.problem_here(
            "this version does not connect to Grafana yet: take the section out".into(),
        );
        section.missing("url", "use an http:// or https:// address");
    }
    // Asked for their checks: no key of a section that is known is unknown.
    let _ =
        (section.url("url"), section.secret("token", "token_file"), section.flag("annotations"));
    section.finish();
}
