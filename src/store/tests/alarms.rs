//! Alarms and planned work, in any order of arrival.

use super::*;

#[test]
fn active_alarms_of_a_past_instant_are_exact() {
    use AlarmAction::{Change, Clear, Raise};
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    put(&mut store, |tx| {
        for (offset, id, action, ts) in [
            (1, "a", Raise, 10),
            (2, "a", Change, 20),
            (3, "a", Clear, 30),
            (4, "a", Raise, 40),
            (5, "b", Raise, 15),
        ] {
            tx.put_alarm(&position(offset), &alarm(id, action, ts))?;
            tx.put_alarm(&position(offset), &alarm(id, action, ts))?;
        }
        Ok(())
    });
    let reader = reader(&store);
    let active = |ms| -> Vec<(String, i64, i64)> {
        let found = reader.active_alarms(&Filter::default(), at(ms), 10).expect("reads");
        let since = |t: Timestamp| t.millis() - at(0).millis();
        found
            .iter()
            .map(|s| (s.event.alarm_id.to_string(), since(s.raised_at), since(s.event.ts)))
            .collect()
    };
    let row = |id: &str, raised, newest| (id.to_owned(), raised, newest);
    assert_eq!(active(5), []);
    assert_eq!(active(12), [row("a", 10, 10)]);
    assert_eq!(active(25), [row("b", 15, 15), row("a", 10, 20)]);
    assert_eq!(active(35), [row("b", 15, 15)]);
    assert_eq!(active(99), [row("a", 40, 40), row("b", 15, 15)]);
    assert_eq!(reader.alarm_transitions(at(20), at(40)).expect("reads").len(), 2);
    let elsewhere =
        Filter { region: Some(Name::new("south").expect("a name")), ..Filter::default() };
    assert_eq!(reader.active_alarms(&elsewhere, at(99), 10).expect("reads"), []);
    // An alarm stays active, with its age, after its messages were deleted.
    store.prune(at(8 * DAY)).expect("prunes");
    assert_eq!(active(9 * DAY), [row("a", 40, 40), row("b", 15, 15)]);
    put(&mut store, |tx| tx.put_alarm(&position(9), &alarm("b", Clear, 8 * DAY)));
    assert_eq!(active(9 * DAY), [row("a", 40, 40)]);
    assert_eq!(active(7 * DAY), [row("a", 40, 40), row("b", 15, 15)]);
}

#[test]
fn a_cursor_of_messages_misses_none_after_old_ones_were_deleted() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let put_at = |store: &mut Store, offset: i64, ms: i64| {
        let id = format!("a{offset}");
        put(store, |tx| tx.put_alarm(&position(offset), &alarm(&id, AlarmAction::Clear, ms)));
    };
    for offset in 0..5 {
        put_at(&mut store, offset, 10 + offset);
    }
    let reader = reader(&store);
    let (cursor, old) = reader.alarm_messages(0, 99).expect("reads");
    assert_eq!(old.len(), 5);
    store.prune(at(8 * DAY)).expect("prunes");
    for offset in 5..8 {
        put_at(&mut store, offset, 8 * DAY + offset);
    }
    let (_, new) = reader.alarm_messages(cursor, 99).expect("reads");
    let offsets: Vec<i64> = new.iter().map(|(position, _)| position.offset).collect();
    assert_eq!(offsets, [5, 6, 7]);
}

#[test]
fn every_alarm_of_a_record_is_kept() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let list = ListRebuilt { ts: at(50), system: Some("EMS1".into()), object: None };
    put(&mut store, |tx| {
        for id in ["a", "b", "c"] {
            tx.put_alarm(&position(1), &alarm(id, AlarmAction::Raise, 10))?;
        }
        tx.put_alarm(&position(1), &alarm("a", AlarmAction::Clear, 20))?;
        tx.put_rebuilt(&position(2), &list)?;
        tx.put_rebuilt(&position(2), &list)
    });
    let reader = reader(&store);
    assert_eq!(reader.alarm_transitions(at(0), at(99)).expect("reads").len(), 4);
    let found = reader.active_alarms(&Filter::default(), at(99), 9).expect("reads");
    assert_eq!(found.len(), 2);
    assert_eq!(reader.rebuilt_lists(at(50)).expect("reads"), [(position(2), list)]);
    assert_eq!(reader.rebuilt_lists(at(51)).expect("reads"), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// In any order of arrival, the newest message decides the state, now and at any past instant.
    #[test]
    fn the_newest_alarm_wins_in_any_order(
        script in proptest::collection::vec((0i64..6, 0u8..3), 1..9),
        order in proptest::collection::vec(any::<u32>(), 9),
    ) {
        let events: Vec<_> = script.iter().enumerate().map(|(i, (ts, action))| {
            let action = [AlarmAction::Raise, AlarmAction::Change, AlarmAction::Clear][usize::from(*action)];
            (position(i as i64), alarm("a", action, *ts))
        }).collect();
        let mut shuffled: Vec<_> = events.iter().zip(&order).collect();
        shuffled.sort_by_key(|(_, key)| **key);
        let dir = TempDir::new().expect("directory");
        let mut store = open(&dir);
        put(&mut store, |tx| shuffled.iter().try_for_each(|((p, e), _)| tx.put_alarm(p, e)));
        let reader = reader(&store);
        for now in 0..7 {
            let mut past: Vec<_> = events.iter().filter(|(_, e)| e.ts <= at(now)).collect();
            past.sort_by_key(|(p, e)| (e.ts, p.offset));
            let active_from = past.iter().rposition(|(_, e)| e.action == AlarmAction::Clear);
            let since_clear = &past[active_from.map_or(0, |i| i + 1)..];
            let want = since_clear.first().zip(since_clear.last()).map(|(first, last)| ActiveAlarm {
                raised_at: first.1.ts,
                event: last.1.clone(),
            });
            let found = reader.active_alarms(&Filter::default(), at(now), 9).expect("reads");
            prop_assert_eq!(found, Vec::from_iter(want), "at {}", now);
        }
    }
}

#[test]
fn the_newest_event_of_planned_work_wins() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let planned = |id: &str, action, ts| MaintenanceEvent {
        event_id: id.into(),
        action,
        ts: at(ts),
        starts_at: at(HOUR),
        ends_at: at(2 * HOUR),
        region: None,
        service: None,
        impact: None,
        text: None,
    };
    put(&mut store, |tx| {
        tx.put_maintenance(&position(3), &planned("m1", MaintenanceAction::Cancel, 9))?;
        tx.put_maintenance(&position(1), &planned("m1", MaintenanceAction::Plan, 5))?;
        tx.put_maintenance(&position(2), &planned("m2", MaintenanceAction::Plan, 5))
    });
    let reader = reader(&store);
    let found = reader.maintenance(at(0), at(HOUR + 1)).expect("reads");
    assert_eq!(found, [planned("m2", MaintenanceAction::Plan, 5)]);
    assert_eq!(reader.maintenance(at(2 * HOUR), at(DAY)).expect("reads"), []);
}
