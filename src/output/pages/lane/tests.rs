//! A lane whose receiver was down, with a store and a clock that the test sets.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver as Inbox, sync_channel};

use super::super::tests::page;
use super::*;
use crate::alert::{Notification, NotificationKind};
use crate::clock::ManualClock;
use crate::domain::WindowWidth;
use crate::engine::Leading;
use crate::output::receivers::Limit;
use crate::store::{DeliveryState, Store};
use crate::telemetry::Health;

const UP_AT_S: i64 = 3600;
const ASKED_TO_WAIT_S: i64 = 40;

/// Seconds after the pages were stored.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_767_225_600 + seconds)
}

/// What a receiver saw: the times of tries, and the pages that it accepted.
#[derive(Default)]
struct Seen {
    tries: Vec<Timestamp>,
    taken: Vec<(Timestamp, String)>,
}

/// A receiver that is down for an hour. Then it is busy once, and accepts two pages per minute.
struct Down(Arc<Mutex<Seen>>);

impl Receiver for Down {
    fn kind(&self) -> &'static str {
        "webhook"
    }

    fn deliver(&self, page: &Notification, now: Timestamp) -> Attempt {
        let mut seen = self.0.lock().expect("a lock");
        let was_busy = seen.tries.last().is_some_and(|last| *last >= at(UP_AT_S));
        seen.tries.push(now);
        if now < at(UP_AT_S) {
            return Attempt::failed(Some(0), Refusal::new(Fault::Receiver, "connection refused"));
        }
        if !was_busy {
            let retry_after = Some(Duration::from_secs(ASKED_TO_WAIT_S.unsigned_abs()));
            let refusal = Refusal { retry_after, ..Refusal::new(Fault::Receiver, "429") };
            return Attempt::failed(Some(429), refusal);
        }
        seen.taken.push((now, page.id.clone()));
        Attempt::done(Some(200))
    }

    fn limit(&self) -> Option<Limit> {
        Some(Limit { pages: 2, per: Duration::from_secs(60) })
    }
}

/// Runs the lane until `end`. The test stores outcomes as the forecaster does.
fn run(
    lane: &Lane,
    memory: &mut Memory,
    store: &mut Store,
    inbox: &Inbox<Message>,
    clock: &ManualClock,
    end: Timestamp,
) {
    while clock.now() < end {
        let wait = lane.look(memory).expect("the leader is there");
        for message in inbox.try_iter() {
            let Message::Deliveries(outcomes, stored) = message else { panic!("no outcomes") };
            let mut tx = store.begin().expect("begins");
            for (page, receiver, outcome) in &outcomes {
                tx.mark_delivery(page, receiver, outcome).expect("stored");
            }
            tx.commit().expect("committed");
            stored.send(()).expect("the lane waits");
        }
        clock.advance(wait);
    }
}

/// Pages in the order in which they are stored, with the end of the span that each warns of.
fn pages() -> Vec<Notification> {
    [
        ("over", NotificationKind::Firing, 1800),
        ("grows", NotificationKind::Firing, 7200),
        ("lasts", NotificationKind::Firing, 7200),
        ("grows", NotificationKind::Escalated, 7200),
        ("unheard", NotificationKind::Firing, 7200),
        ("unheard", NotificationKind::Resolved, 1800),
    ]
    .map(|(alert, kind, to)| {
        let mut page = page(alert, kind);
        page.alert.to = at(to);
        page
    })
    .into()
}

#[test]
fn a_receiver_that_was_down_for_an_hour_gets_what_still_matters() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(folder.path(), WindowWidth::QUARTER).expect("a store");
    let mut tx = store.begin().expect("begins");
    for page in pages() {
        tx.put_notification(&page, &["lead"], at(0)).expect("stored");
    }
    tx.commit().expect("committed");
    let reader = store.reader().expect("a reader");
    let (clock, health) = (Arc::new(ManualClock::new(at(0))), Arc::new(Health::default()));
    let (leader, inbox) = sync_channel(100);
    let seen = Arc::<Mutex<Seen>>::default();
    let lane = Lane {
        name: "lead".into(),
        route: Route::default(),
        receiver: Box::new(Down(seen.clone())),
        reader: store.reader().expect("a reader"),
        rules: Arc::default(),
        leader,
        clock: clock.clone(),
        metrics: Arc::default(),
        failing: Arc::new(FailingReceivers::new(health.clone())),
        leadership: Arc::new(Leading),
        page_signal: Arc::default(),
        stop: Arc::default(),
    };
    let mut memory = Memory::new(1);
    run(&lane, &mut memory, &mut store, &inbox, &clock, at(UP_AT_S));
    assert_eq!(health.report().status, "degraded", "the service says that pages do not arrive");
    run(&lane, &mut memory, &mut store, &inbox, &clock, at(UP_AT_S + 600));
    assert_ne!(health.report().status, "degraded");

    let seen = seen.lock().expect("a lock");
    let ids: Vec<&str> = seen.taken.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(ids, ["lasts.firing.1", "grows.worse.1", "unheard.firing.1", "unheard.resolved.1"]);
    let (down, up): (Vec<Timestamp>, Vec<Timestamp>) =
        seen.tries.iter().copied().partition(|now| *now < at(UP_AT_S));
    let waits: Vec<u64> = down.windows(2).map(|pair| pair[1].since(pair[0]).as_secs()).collect();
    assert!(waits.iter().all(|wait| *wait <= 60), "it is probed all the time: {waits:?}");
    assert!(waits.len() < 250, "but not without a pause: {}", waits.len());
    let asked = up[0].since(at(UP_AT_S)).as_secs();
    assert!(asked <= 60, "it is noticed within a minute that it is back: {asked} s");
    assert!(up[1].since(up[0]).as_secs() >= ASKED_TO_WAIT_S.unsigned_abs(), "{up:?}");
    for three in seen.taken.windows(3) {
        assert!(three[2].0.since(three[0].0).as_secs() >= 60, "{:?}", seen.taken);
    }

    // What was given up can be listed, with the reason.
    let dead = |alert: &str| {
        let rows = reader.pages_of(alert).expect("pages").into_iter();
        let mut rows = rows.filter(|row| row.state == DeliveryState::Dead);
        let row = rows.next().expect("a page was given up");
        assert!(rows.next().is_none());
        (row.notice.kind, row.last_error.unwrap_or_default())
    };
    let (kind, why) = dead("over");
    assert_eq!(kind, NotificationKind::Firing);
    assert!(
        why.starts_with("came too late: the span") && why.ends_with("connection refused"),
        "{why}"
    );
    let (kind, why) = dead("grows");
    assert_eq!(kind, NotificationKind::Firing);
    assert!(why.starts_with("was replaced by a later page of the same alert"), "{why}");
    assert!(reader.outbox_pending("lead", 10).expect("pages").is_empty());
}
