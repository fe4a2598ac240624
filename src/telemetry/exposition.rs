//! The two text formats of `/metrics`, and content negotiation between them.

use std::collections::BTreeSet;

/// A text format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposition {
    /// Prometheus' text format 0.0.4.
    Classic,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Exposition {
    /// The format for an `Accept` header: OpenMetrics only if the header names it with at least the weight of plain text.
    pub fn accepted(accept: &str) -> Self {
        let (mut open, mut plain) = (0.0f64, 0.0f64);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            let weight = weight.map_or(1.0, |weight| weight.trim().parse().unwrap_or(0.0));
            if kind.eq_ignore_ascii_case("application/openmetrics-text") {
                open = open.max(weight);
            } else if kind.eq_ignore_ascii_case("text/plain") {
                plain = plain.max(weight);
            }
        }
        if open > 0.0 && open >= plain { Self::OpenMetrics } else { Self::Classic }
    }

    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Converts OpenMetrics text to the classic format. Adds `_total` to the names of counters in comments, as in their
/// samples, and removes units and the end marker. Samples are the same, because there are no exemplars and timestamps.
pub(super) fn classic(open: &str) -> String {
    let counters: BTreeSet<&str> = open
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut text = String::with_capacity(open.len() + 8 * counters.len());
    for line in open.lines() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        match comment(line) {
            Some((keyword, name, rest)) if counters.contains(name) && !name.ends_with("_total") => {
                text.extend(["# ", keyword, " ", name, "_total ", rest]);
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

/// Keyword, name and rest of a comment such as `# HELP name text`.
fn comment(line: &str) -> Option<(&str, &str, &str)> {
    let mut parts = line.strip_prefix("# ")?.splitn(3, ' ');
    Some((parts.next()?, parts.next()?, parts.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_header_selects_the_format() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        let cases = [
            (prometheus, Exposition::OpenMetrics),
            ("application/openmetrics-text; version=1.0.0", Exposition::OpenMetrics),
            ("text/plain;q=0.2, Application/OpenMetrics-Text;q=0.2", Exposition::OpenMetrics),
            ("text/plain, application/openmetrics-text;q=0.9", Exposition::Classic),
            ("application/openmetrics-text;q=0", Exposition::Classic),
            ("application/openmetrics-text;q=much", Exposition::Classic),
            ("text/plain", Exposition::Classic),
            ("*/*", Exposition::Classic),
            ("", Exposition::Classic),
        ];
        for (accept, format) in cases {
            assert_eq!(Exposition::accepted(accept), format, "{accept}");
        }
    }

    #[test]
    fn comments_name_counters_like_their_samples() {
        let open = "# HELP jobs Jobs counter.\n# TYPE jobs counter\njobs_total{a=\"# EOF\"} 1\n\
                    # HELP jobs_open Jobs.\n# TYPE jobs_open gauge\njobs_open 2\n\
                    # HELP wait_seconds Wait.\n# TYPE wait_seconds histogram\n# UNIT wait_seconds seconds\n\
                    wait_seconds_sum 0.5\n# EOF\n";
        let plain = "# HELP jobs_total Jobs counter.\n# TYPE jobs_total counter\njobs_total{a=\"# EOF\"} 1\n\
                     # HELP jobs_open Jobs.\n# TYPE jobs_open gauge\njobs_open 2\n\
                     # HELP wait_seconds Wait.\n# TYPE wait_seconds histogram\nwait_seconds_sum 0.5\n";
        assert_eq!(classic(open), plain);
        assert_eq!(classic(plain), plain);
    }
}
