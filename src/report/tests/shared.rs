//! What several reports say about one surge, one hour or one shortage.

use super::*;
use crate::anomaly::{AlarmSummary, Anomaly, AnomalyKind, Detail};
use crate::domain::Topic;
use crate::report::full as report_on;

/// Counts rise above the 80 % band at 06:00; two windows above the 99 % quantile are judged at `start`.
fn surged(start: &str, warned_minutes: Option<u32>) -> (TempDir, Reader) {
    let folder = TempDir::new().expect("a folder");
    let reader = store(&folder, |tx| {
        windows(tx, monday() - WEEK, monday() + WEEK)?;
        vintages(tx)?;
        alerts(tx)?;
        for (lead_hours, start, warned_minutes) in
            [(1, at(start), warned_minutes), (3, at(start) + HOUR, None)]
        {
            tx.put_surge(&Surge {
                series: key("north/broadband/_all"),
                lead_hours,
                start,
                upto: start + HOUR,
                hit: false,
                alarmed: false,
                warned_minutes,
            })?;
        }
        Ok(())
    });
    (folder, reader)
}

fn full_of(reader: &Reader) -> String {
    let days = (Some("2026-03-02"), Some("2026-03-09"));
    let span = span_of(reader, days, Zone::UTC).expect("reads").expect("a span");
    let extent = span.map(|span| Extent::of_span(span, Zone::UTC));
    let report = report_on(reader, extent, &Rules::default(), &Texts::new(Language::En));
    report.expect("a report").write(Format::Markdown)
}

fn incident_of(reader: &Reader, id: &str) -> String {
    let report = incident(reader, id, &Texts::new(Language::En)).expect("reads");
    report.expect("an alert").write(Format::Markdown)
}

/// A surge has the same beginning and the same first warning in all reports, even if it began before it was judged as a surge.
#[test]
fn a_surge_begins_once_in_all_reports() {
    let cases = [
        (Some(75), "was issued 15 min before.", "15 min", "15 min (1 of 1 surges)"),
        (Some(30), "was issued 30 min after that.", "only 30 min after the start", "–"),
        (None, "No forecast warned of it.", "no warning", "–"),
    ];
    for (warned, review, row, figure) in cases {
        let (_folder, reader) = surged("2026-03-03T07:00:00Z", warned);
        let alert = incident_of(&reader, "a1");
        // The review's zone is that of the alert: 14:00 is 06:00 UTC.
        assert!(alert.contains("The surge began on Tue 3 Mar 14:00."), "{alert}");
        assert!(alert.contains(review), "{review}: {alert}");
        for text in [week_in(&reader, Some("2026-W10"), Language::En), full_of(&reader)] {
            let row = format!("| Tue 3 Mar 06:00 | north/broadband | {row} |");
            assert_eq!(text.matches(&row).count(), 1, "{row}: {text}");
        }
        let week = week_in(&reader, Some("2026-W10"), Language::En);
        assert!(week.contains(&format!("| Warning time | {figure} |")), "{figure}: {week}");
    }
}

/// Recorded complaints, or else an unusual count, are the cause of an hour without another cause.
#[test]
fn an_anomaly_on_record_is_the_cause_of_an_hour() {
    let window = at("2026-03-03T07:00:00Z");
    let anomaly = |kind, detail: Detail| Anomaly {
        series: key("north/broadband/_all"),
        window,
        kind,
        score: 12.0,
        actual: 63.0,
        expected: 23.0,
        detail: detail.into(),
    };
    let high = anomaly(AnomalyKind::High, Detail::Outside { low: 12.0, high: 36.0 });
    let low = Anomaly { kind: AnomalyKind::Low, ..high.clone() };
    let topics = vec![Topic::Outage];
    let detail = Detail::Complaints { topics, alarms: AlarmSummary::default() };
    let complaints = anomaly(AnomalyKind::Complaints, detail);
    let elsewhere = Anomaly { window: window + HOUR * 5, ..high.clone() };
    let cases = [
        (vec![], "no cause on record"),
        (vec![low, elsewhere], "no cause on record"),
        (vec![high.clone()], "unusual count, no known reason: north/broadband"),
        (vec![high, complaints], "complaints about outage: north/broadband"),
    ];
    for (anomalies, cause) in cases {
        let folder = TempDir::new().expect("a folder");
        let reader = store(&folder, |tx| {
            windows(tx, monday() - WEEK, monday() + WEEK)?;
            vintages(tx)?;
            anomalies.iter().try_for_each(|own| tx.put_anomaly(own))
        });
        let week = week_in(&reader, Some("2026-W10"), Language::En);
        let row = week.lines().find(|line| line.starts_with("| Tue 3 Mar 07:00 | 63 |"));
        let row = row.unwrap_or_else(|| panic!("{week}"));
        assert!(row.ends_with(&format!("| {cause} |")), "{cause}: {row}");
    }
}

/// Agents to spare in one channel do not help another. The review says so, and names the series with the largest gap.
#[test]
fn a_review_explains_gaps_that_its_columns_do_not_add_up_to() {
    const CHANNELS: &str = "Spare agents of other channels are not subtracted.";
    const WORST: &str = "The largest gap of this alert, 4 agents, is the largest";
    for (email_gap, phone_gap, channels, worst) in
        [(0, 4, false, false), (-3, 4, true, false), (0, 3, false, true)]
    {
        let folder = TempDir::new().expect("a folder");
        let reader = store(&folder, |tx| {
            windows(tx, monday() - WEEK, monday() + WEEK)?;
            alerts(tx)?;
            for (series, gap) in
                [("north/broadband/phone", phone_gap), ("north/broadband/email", email_gap)]
            {
                put_gap(tx, series, gap)?;
            }
            Ok(())
        });
        let text = incident_of(&reader, "a1");
        assert_eq!(text.contains(CHANNELS), channels, "{email_gap}, {phone_gap}: {text}");
        assert_eq!(text.contains(WORST), worst, "{email_gap}, {phone_gap}: {text}");
    }
}

/// A plan of Tuesday 06:00: 14 agents needed.
fn put_gap(tx: &mut Tx<'_>, series: &str, gap: i32) -> Result<(), StoreError> {
    let start = at("2026-03-03T06:00:00Z");
    let target = PlanTarget {
        start,
        arrivals: 40.0,
        positions: 12,
        agents: 14,
        agents_low: 12,
        agents_high: 16,
        scheduled: Some((14 - gap) as u32),
        gap,
        service_level: 0.7,
    };
    let series = key(series);
    let basis = Stored::Sentence("Erlang C".into());
    let plan = Plan { series: series.clone(), issued_at: start, basis, targets: vec![target] };
    let outlook = Outlook {
        series,
        issued_at: start,
        peak: 40.0,
        peak_at: start,
        over_baseline: 1.8,
        gap_max: Some(gap),
        gap_at: Some(start),
        minutes_to_breach: Some(0),
    };
    tx.put_plan(Some(&plan), &outlook)
}
