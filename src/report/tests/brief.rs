//! The brief for the call team: golden files, hostile texts, and a comparison of its numbers with the API.

use super::whole::{put_work, work};
use super::*;
use crate::domain::{MaintenanceAction, MaintenanceEvent};
use crate::report::{brief as brief_on, work as find};

const START: &str = "2026-03-03T06:00:00Z";

/// A store whose windows are finalized up to `upto`, with work on Tuesday from 06:00 to 09:00 and the same work a week before.
fn known(folder: &TempDir, upto: &str, own: &[MaintenanceEvent]) -> Reader {
    store(folder, |tx| {
        windows(tx, monday() - WEEK, at(upto))?;
        vintages(tx)?;
        own.iter().try_for_each(|own| put_work(tx, own))
    })
}

fn planned() -> MaintenanceEvent {
    work("w1", at(START), MaintenanceAction::Plan)
}

fn text_of(reader: &Reader, own: &MaintenanceEvent, texts: &Texts) -> String {
    brief_on(reader, own, texts).expect("a brief").write(Format::Markdown)
}

#[test]
fn a_call_team_is_briefed_in_both_languages() {
    let folder = TempDir::new().expect("a folder");
    let reader = known(&folder, "2026-03-03T05:00:00Z", &[planned()]);
    let chinese = texts(Language::Zh, "Asia/Shanghai");
    let before = brief_on(&reader, &planned(), &Texts::new(Language::En)).expect("a brief");
    insta::assert_snapshot!("brief_before_en", before.write(Format::Markdown));
    insta::assert_snapshot!("brief_before_zh", text_of(&reader, &planned(), &chinese));
    let folder = TempDir::new().expect("a folder");
    let reader = known(&folder, "2026-03-09T00:00:00Z", &[planned()]);
    insta::assert_snapshot!(
        "brief_after_en",
        text_of(&reader, &planned(), &Texts::new(Language::En))
    );
    let after = brief_on(&reader, &planned(), &chinese).expect("a brief");
    insta::assert_snapshot!("brief_after_zh", after.write(Format::Markdown));
    insta::assert_snapshot!("brief_after_zh_html", after.write(Format::Html));
}

/// Counts and forecasts are those of `GET /timeline` as of the beginning of the work.
#[test]
fn numbers_are_those_of_the_timeline() {
    let folder = TempDir::new().expect("a folder");
    let reader = known(&folder, "2026-03-09T00:00:00Z", &[planned()]);
    let words = Texts::new(Language::En);
    let text = text_of(&reader, &planned(), &words);
    let span = (at(START), at(START) + HOUR * 5);
    let series = key("north/broadband/_all");
    let known = views::timeline(&reader, &series, span, at(START), Zone::UTC);
    let windows = known.expect("windows").windows;
    let (mut actual, mut expected) = (0, 0.0);
    for own in &windows {
        let (tickets, forecast) = (own.tickets.expect("a count"), own.forecast.as_ref());
        let mean = forecast.expect("a forecast").mean;
        actual += tickets;
        expected += mean;
        let hour = words.day_time(at(&own.start));
        let row = text.lines().find(|line| line.starts_with(&format!("| {hour} |")));
        let row = row.unwrap_or_else(|| panic!("{hour}: {text}"));
        assert!(row.ends_with(&format!("| {} | {tickets} |", words.number(mean, 0))), "{row}");
    }
    assert_eq!((windows.len(), actual), (5, 37 + 63 + 32 + 23 + 23));
    let sum = format!(
        "{actual} contacts came; {} were expected ({})",
        words.number(expected, 0),
        crate::report::wording::signed(&words, Some(f64::from(actual) / expected - 1.0))
    );
    assert!(text.contains(&sum), "{sum}: {text}");
}

/// An effect that the forecast does not know is not written as 0. Here no fit exists, and there was no earlier work.
#[test]
fn an_effect_that_is_not_known_is_not_zero() {
    let folder = TempDir::new().expect("a folder");
    let reader = known(&folder, "2026-03-03T05:00:00Z", &[planned()]);
    let text = text_of(&reader, &planned(), &Texts::new(Language::En));
    let said = "Usual: 115 contacts. For some or all hours, it is not known how many extra contacts the work brings.";
    assert!(text.contains(said), "{text}");
    assert!(text.contains("| Tue 3 Mar 07:00 | 23 | – | – | – |"), "{text}");
    assert!(!text.contains("extra contacts, on top of"), "{text}");
    // A model that uses alarms and planned work and expects nothing: 0 is its forecast.
    let folder = TempDir::new().expect("a folder");
    let reader = store(&folder, |tx| {
        windows(tx, monday() - WEEK, at("2026-03-03T05:00:00Z"))?;
        let issued_at = at("2026-03-03T05:00:00Z");
        let target = |n: u32| ForecastPoint {
            start: issued_at + HOUR * n,
            mean: 23.0,
            quantiles: [12.0, 16.0, 20.0, 23.0, 27.0, 31.0, 36.0],
            baseline: 23.0,
            level: 1.0,
            alarm_effect: 0.0,
        };
        tx.put_vintage(&Vintage {
            series: key("north/broadband/_all"),
            issued_at,
            targets: (0..6).map(target).collect(),
            members: vec!["profile".into(), "level".into()],
            causes: Vec::new(),
            surges: None,
            fallback: None,
        })?;
        put_work(tx, &planned())
    });
    let text = text_of(&reader, &planned(), &Texts::new(Language::En));
    assert!(text.contains("Expected: 0 extra contacts, on top of 115 usual ones."), "{text}");
}

/// Work beyond the horizon of forecasts is expected to cause as many contacts as earlier work did.
#[test]
fn far_work_follows_earlier_work() {
    let folder = TempDir::new().expect("a folder");
    let next = work("w2", at("2026-03-10T06:00:00Z"), MaintenanceAction::Plan);
    let reader = known(&folder, "2026-03-09T00:00:00Z", &[planned(), next.clone()]);
    let text = text_of(&reader, &next, &Texts::new(Language::En));
    // In the week before, the same hours had 37, 63, 32, 23 and 23; 115 are usual by the forecasts without the effect.
    assert!(text.contains("5 hours have no forecast yet."), "{text}");
    assert!(text.contains("| w1 | Tue 3 Mar 06:00 | 115 | 178 | +54.8 % |"), "{text}");
    assert!(text.contains("Expected: 98 extra contacts, on top of 178 usual ones."), "{text}");
    assert!(text.contains("| Tue 10 Mar 07:00 | 63 | 35 | 98 | – |"), "{text}");
    assert!(!text.contains("## Actual contacts"), "{text}");
}

/// A date that is not in the year of the newest counts has its year.
#[test]
fn dates_of_another_year_have_their_year() {
    let folder = TempDir::new().expect("a folder");
    let far = work("w9", at("2027-01-02T06:00:00Z"), MaintenanceAction::Plan);
    let reader = known(&folder, "2026-03-09T00:00:00Z", std::slice::from_ref(&far));
    let text = text_of(&reader, &far, &Texts::new(Language::En));
    assert!(text.contains("Sat 2 Jan 2027, 06:00 to Sat 2 Jan 2027, 09:00"), "{text}");
}

#[test]
fn the_next_work_is_the_first_that_is_not_over() {
    let of = |id: &str, starts: &str, action| work(id, at(starts), action);
    let (plan, cancel) = (MaintenanceAction::Plan, MaintenanceAction::Cancel);
    let all = [
        planned(),
        of("gone", "2026-03-05T06:00:00Z", cancel),
        of("far", "2026-03-08T06:00:00Z", plan),
        of("near", "2026-03-06T06:00:00Z", plan),
    ];
    let cases = [
        ("2026-03-03T05:00:00Z", "w1"),
        ("2026-03-03T08:00:00Z", "w1"),
        ("2026-03-03T09:00:00Z", "near"),
        ("2026-03-07T00:00:00Z", "far"),
    ];
    for (upto, id) in cases {
        let folder = TempDir::new().expect("a folder");
        let reader = known(&folder, upto, &all);
        let found = find(&reader, None).expect("reads").expect("work");
        assert_eq!(&*found.event_id, id, "{upto}");
    }
    let folder = TempDir::new().expect("a folder");
    let reader = known(&folder, "2026-03-09T00:00:00Z", &all);
    assert_eq!(find(&reader, None).expect("reads"), None);
    assert_eq!(find(&reader, Some("nothing")).expect("reads"), None);
    let gone = find(&reader, Some("gone")).expect("reads").expect("work");
    let text = text_of(&reader, &gone, &Texts::new(Language::En));
    assert!(text.contains("The work is cancelled."), "{text}");
    assert!(!text.contains("Expected contacts"), "{text}");
}

/// Work whose alarms are still active after its planned end takes longer.
#[test]
fn an_overrun_is_reported() {
    let folder = TempDir::new().expect("a folder");
    let own = MaintenanceEvent { starts_at: at("2026-03-03T05:00:00Z"), ..planned() };
    let reader = store(&folder, |tx| {
        windows(tx, monday() - WEEK, at("2026-03-03T10:00:00Z"))?;
        alarms(tx)?;
        put_work(tx, &own)
    });
    let text = text_of(&reader, &own, &Texts::new(Language::En));
    assert!(text.contains("It takes longer; we do not know the new end yet."), "{text}");
    assert!(text.contains("3 alarms of the work are still active."), "{text}");
    assert!(text.contains("3 alarms raised."), "{text}");
}

/// Texts of planned work come from outside and are not interpreted as markup.
#[test]
fn hostile_texts_are_data() {
    let folder = TempDir::new().expect("a folder");
    let own = MaintenanceEvent {
        event_id: "<script>x</script>".into(),
        text: Some("<b>now</b>\n## Forged\n| a |".into()),
        impact: Some("[none](http://x)\u{202e}".into()),
        ..planned()
    };
    let reader = known(&folder, "2026-03-09T00:00:00Z", std::slice::from_ref(&own));
    for language in Language::ALL {
        let report = brief_on(&reader, &own, &Texts::new(language)).expect("a brief");
        let html = report.write(Format::Html);
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        let markdown = report.write(Format::Markdown);
        assert!(
            !markdown.contains("\n## Forged") && !markdown.contains("[none](http"),
            "{markdown}"
        );
        assert!(!markdown.contains('\u{202e}'), "{markdown}");
        assert!(markdown.contains(r"\<script\>x\</script\>"), "{markdown}");
    }
    // `{ id }` as a selector of plural forms or a place in a message is never read from outside.
    let odd = MaintenanceEvent { text: Some("{ $n } { id }".into()), ..planned() };
    let text = text_of(&reader, &odd, &Texts::new(Language::En));
    assert!(text.contains("What is done: { $n } { id }"), "{text}");
}

/// A receiver gets the same brief as the API. The work may have any id.
#[test]
fn a_scheduled_brief_is_that_of_its_work() {
    let folder = TempDir::new().expect("a folder");
    let own = MaintenanceEvent { event_id: "w/1 割接".into(), ..planned() };
    let reader = known(&folder, "2026-03-03T05:00:00Z", std::slice::from_ref(&own));
    for (language, title) in [
        (Language::En, "Brief for the call team: planned work w/1 割接"),
        (Language::Zh, "坐席团队简报：计划作业 w/1 割接"),
    ] {
        let due = |id: &str| DueReport {
            report: ReportKind::Brief,
            due: at(START) - HOUR * 12,
            zone: "Asia/Shanghai".parse().expect("a zone"),
            language,
            work: Some(BriefedWork { id: id.into(), time: BriefTime::Before }),
        };
        let sent = scheduled(&reader, &due(&own.event_id).page(), &Rules::default());
        let sent = sent.expect("reads").expect("a report");
        let whole = brief_on(&reader, &own, &texts(language, "Asia/Shanghai")).expect("a brief");
        assert_eq!((&*sent.title, &sent.html), (title, &whole.write(Format::Html)));
        let code = if language == Language::Zh { "zh" } else { "en" };
        let address =
            format!("/api/v1/reports/brief?maintenance=w%2F1%20%E5%89%B2%E6%8E%A5&language={code}");
        assert_eq!(sent.path, address);
        // Work that was removed meanwhile is not an alert.
        let none = scheduled(&reader, &due("other").page(), &Rules::default());
        let none = none.expect("reads").expect("a report");
        assert!(none.title.ends_with("other") && !none.text.is_empty(), "{none:?}");
    }
}
