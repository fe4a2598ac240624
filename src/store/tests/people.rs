//! Dead letters, alerts, notifications, roster.

use super::*;
use crate::alert::Silence;

#[test]
fn dead_letters_are_stored_once_and_listed_in_pages() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    put(&mut store, |tx| {
        for offset in [1, 2, 3, 2] {
            let reason = if offset == 2 { Reason::Late } else { Reason::Malformed };
            tx.put_dead_letter(&letter(offset, reason), None)?;
        }
        Ok(())
    });
    let reader = reader(&store);
    let page = reader.dead_letters(None, 2, None).expect("reads");
    let offsets: Vec<_> = page.iter().map(|(_, letter)| letter.position.offset).collect();
    assert_eq!(offsets, [3, 2]);
    let rest = reader.dead_letters(None, 9, Some(page[1].0)).expect("reads");
    assert_eq!(rest[0].1, letter(1, Reason::Malformed));
    assert_eq!(reader.dead_letters(Some(Reason::Late), 9, None).expect("reads").len(), 1);
    let counts = reader.dead_letter_counts().expect("reads");
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(Reason::Malformed, 2), (Reason::Late, 1)]);
}

#[test]
fn a_notification_is_kept_until_it_is_delivered() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let alert = alert("a1", 0, AlertState::Firing);
    let notice =
        Notification { id: "n1".into(), kind: NotificationKind::Firing, alert, report: None };
    let to = ["mail", "pager"];
    put(&mut store, |tx| {
        tx.put_notification(&notice, &to, at(0))?;
        tx.put_notification(&notice, &to, at(9))
    });
    let reader = reader(&store);
    let pending = |receiver| -> Vec<_> {
        let rows = reader.outbox_pending(receiver, 9).expect("reads");
        rows.into_iter().map(|row| (row.next_at, row.attempts)).collect()
    };
    assert_eq!((pending("mail"), pending("pager")), (vec![(at(0), 0)], vec![(at(0), 0)]));
    let retry = DeliveryOutcome::Retry { at: at(50), error: "timed out".into() };
    put(&mut store, |tx| {
        tx.mark_delivery("n1", "mail", &DeliveryOutcome::Delivered { at: at(1) })?;
        tx.mark_delivery("n1", "pager", &retry)
    });
    assert_eq!((pending("mail"), pending("pager")), (Vec::new(), vec![(at(50), 1)]));
    assert_eq!(reader.outbox_receivers().expect("reads"), ["pager".to_owned()].into());
    let dead = DeliveryOutcome::Dead { at: at(60), error: "gone".into() };
    put(&mut store, |tx| tx.mark_delivery("n1", "pager", &dead));
    let all = reader.outbox(None, None, 9, None).expect("reads");
    let all: Vec<OutboxRow> = all.into_iter().map(|(_, row)| row).collect();
    assert_eq!(all[0].state, DeliveryState::Dead);
    assert_eq!(all[0].last_error.as_deref(), Some("gone"));
    assert_eq!((all[1].state, &all[1].notice), (DeliveryState::Delivered, &notice));
    put(&mut store, |tx| {
        tx.resend("n1", "pager", at(70))?;
        tx.resend("n1", "mail", at(70))
    });
    assert_eq!((pending("mail"), pending("pager")), (Vec::new(), vec![(at(70), 0)]));
}

#[test]
fn lists_are_newest_first_and_continue_after_a_cursor() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let anomaly = |window: i64, score| Anomaly {
        series: series("phone"),
        window: at(window),
        kind: AnomalyKind::High,
        score,
        actual: 80.0,
        expected: 20.0,
        detail: sentence("four times the forecast"),
    };
    let because = vec![sentence("12 alarms")];
    let worst = Worst { agents_short: 9, shortfalls: Vec::new(), because };
    put(&mut store, |tx| {
        for (id, since, state) in [
            ("a", 1, AlertState::Resolved),
            ("b", 2, AlertState::Firing),
            ("c", 2, AlertState::Pending),
        ] {
            tx.put_alert(&alert(id, since, state))?;
        }
        tx.put_alert(&Alert {
            acknowledged_by: Some("Li Wei".into()),
            acknowledged_at: Some(at(HOUR)),
            worst: Some(worst.clone()),
            ..alert("b", 2, AlertState::Acknowledged)
        })?;
        tx.put_anomaly(&anomaly(HOUR, 5.0))?;
        tx.put_anomaly(&anomaly(0, 6.0))?;
        tx.put_anomaly(&anomaly(HOUR, 7.0))
    });
    let reader = reader(&store);
    let every = Filter::default();
    let ids = |open, limit, after| -> Vec<String> {
        let found = reader.alerts(&every, open, limit, after).expect("reads");
        found.into_iter().map(|alert| alert.id).collect()
    };
    assert_eq!(ids(false, 2, None), ["c", "b"]);
    assert_eq!(ids(false, 2, Some("b")), ["a"]);
    assert_eq!(ids(true, 9, None), ["c", "b"]);
    let b = reader.alert("b").expect("reads").expect("there");
    assert_eq!(b.state, AlertState::Acknowledged);
    assert_eq!((b.acknowledged_by.as_deref(), b.acknowledged_at), (Some("Li Wei"), Some(at(HOUR))));
    assert_eq!((b.agents_short, b.at_worst()), (4, worst));
    assert_eq!(reader.alerts(&every, true, 9, None).expect("reads")[1], b);
    let page = reader.anomalies(&every, at(0), at(DAY), 1, None).expect("reads");
    assert_eq!(page[0].1, anomaly(HOUR, 7.0));
    let rest = reader.anomalies(&every, at(0), at(DAY), 9, Some(page[0].0)).expect("reads");
    assert_eq!(rest.into_iter().map(|row| row.1).collect::<Vec<_>>(), [anomaly(0, 6.0)]);
    let later = anomaly(2 * HOUR, 6.0);
    put(&mut store, |tx| tx.put_anomaly(&later));
    let asked = [later, anomaly(0, 6.0)];
    let episodes = reader.episodes_of(&asked).expect("reads");
    let spans = episodes.iter().map(|own| (own.since, own.until, own.peak)).collect::<Vec<_>>();
    // An hour and less lies between these windows of a quarter of an hour.
    assert_eq!(spans, [(at(0), at(2 * HOUR + 900_000), at(HOUR)); 2]);
    put(&mut store, |tx| tx.put_anomaly(&anomaly(4 * HOUR, 6.0)));
    let last = reader.episodes_of(&[anomaly(4 * HOUR, 6.0)]).expect("reads");
    assert_eq!((last[0].since, last[0].until), (at(4 * HOUR), at(4 * HOUR + 900_000)));
    assert_eq!(last[0].id, format!("high.north.mobile.phone.{}", at(4 * HOUR).secs()));
    let chat = Filter { channel: Some(Name::new("chat").expect("a name")), ..Filter::default() };
    assert_eq!(reader.anomalies(&chat, at(0), at(DAY), 9, None).expect("reads"), []);
}

#[test]
fn new_shifts_replace_overlapping_ones() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let shift = |channel: &str, from: i64, to: i64, agents| Shift {
        series: series(channel),
        start: at(from * HOUR),
        end: at(to * HOUR),
        agents,
    };
    let old = [shift("phone", 0, 8, 5), shift("phone", 8, 16, 6), shift("chat", 0, 8, 2)];
    put(&mut store, |tx| tx.put_shifts(&old));
    put(&mut store, |tx| tx.put_shifts(&[shift("phone", 8, 12, 9)]));
    let found = reader(&store).shifts(&Filter::default(), at(0), at(DAY)).expect("reads");
    assert_eq!(found, [shift("chat", 0, 8, 2), shift("phone", 0, 8, 5), shift("phone", 8, 12, 9)]);
}

#[test]
fn recommendations_are_replaced_and_listed_newest_first() {
    use crate::staffing::{Recommendation, RecommendationState};
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let own = |id: &str, hour: i64, state| Recommendation {
        id: id.into(),
        issued_at: at(hour * HOUR),
        to: at((hour + 3) * HOUR),
        state,
        ..sample::recommendation()
    };
    let first = own("a", 0, RecommendationState::Proposed);
    let all = [
        own("a", 0, RecommendationState::Declined),
        own("b", 1, RecommendationState::Accepted),
        Recommendation { team: "chats".into(), ..own("c", 1, RecommendationState::Proposed) },
    ];
    put(&mut store, |tx| {
        tx.put_recommendation(&first)?;
        all.iter().try_for_each(|own| tx.put_recommendation(own))?;
        tx.put_uncovered(&sample::uncovered())
    });
    let reader = reader(&store);
    let ids = |team, state, open, after| -> Vec<String> {
        let found = reader.recommendations(team, (state, open), 9, after).expect("reads");
        found.into_iter().map(|own| own.id).collect()
    };
    assert_eq!(ids(None, None, None, None), ["c", "b", "a"]);
    assert_eq!(ids(None, None, None, Some("b")), ["a"]);
    assert_eq!(ids(None, Some(RecommendationState::Declined), None, None), ["a"]);
    assert_eq!(ids(Some("chats"), None, None, None), ["c"]);
    assert_eq!(ids(Some("mobile"), None, None, None), ["c", "b", "a"], "as the source");
    assert_eq!(ids(None, None, Some(at(2 * HOUR)), None), ["c", "b"]);
    assert!(ids(None, None, Some(at(4 * HOUR)), None).is_empty());
    assert_eq!(reader.recommendation("a").expect("reads").as_ref(), Some(&all[0]));
    let begin = |team, from: i64, to: i64| -> Vec<String> {
        let mut found = Vec::new();
        let span = (at(from * HOUR), at(to * HOUR));
        reader.each_recommendation(team, span, |own| found.push(own.id)).expect("reads");
        found.sort();
        found
    };
    assert_eq!(begin(None, 1, 2), ["a", "b", "c"], "all begin an hour after the start");
    assert_eq!(begin(Some("chats"), 0, 9), ["c"]);
    assert!(begin(None, 0, 1).is_empty() && begin(None, 2, 9).is_empty());
    assert_eq!(reader.recommendations_since(at(3 * HOUR)).expect("reads"), all[1..]);
    assert_eq!(reader.uncovered().expect("reads"), sample::uncovered());
    let changes = reader.changes(0, 99).expect("reads").into_iter().map(|(_, change)| change);
    assert!(changes.into_iter().any(|own| own == Change::Recommendation(at(0), "a".into())));
}

#[test]
fn a_silence_is_replaced_and_listed_until_its_end() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let open = Silence { id: "s2".into(), ended_by: None, ends_at: at(9), ..sample::silence() };
    let ended = Silence { ends_at: at(5), ..sample::silence() };
    put(&mut store, |tx| {
        tx.put_silence(&open)?;
        tx.put_silence(&Silence { ends_at: at(90), ..ended.clone() })?;
        tx.put_silence(&ended)
    });
    let known = |after| reader(&store).silences(at(after)).expect("reads");
    assert_eq!(known(0), [open.clone(), ended]);
    assert_eq!((known(5), known(9)), (vec![open], Vec::new()));
}
