//! Pages over kill -9 of the leader between decision and delivery: the standby takes over, and each page arrives under one id.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reqwest::Method;

use surgecast::store::{DeliveryState, OutboxRow};

use super::cluster::Instance;
use super::servers::{Kafka, until};
use crate::page_kills::{Lead, REGIONS, calls, kills_or, receiver, roster};
use crate::program::answer;

/// Kills of one group.
const KILLS: usize = 5;
/// Kills of all groups, unless `SURGECAST_PAGE_KILLS` says another number.
const ALL_KILLS: usize = 2;
/// Of ten requests, so many are answered before the last kill: most pages wait over several leaders.
const ANSWERED: u32 = 1;
/// The leader is killed at the latest after this, at a random moment.
const KILLED_WITHIN_MS: u64 = 5000;
/// A leader that is killed is missed soon.
const SESSION: &str =
    "[kafka.properties]\n\"session.timeout.ms\" = \"6000\"\n\"heartbeat.interval.ms\" = \"1000\"\n";

/// The pages in an instance's store.
fn pages(instance: &Instance) -> Vec<OutboxRow> {
    if !instance.site.folder.join("data/state.db").exists() {
        return Vec::new();
    }
    let rows = instance.site.reader().outbox(None, None, 1000, None).unwrap_or_default();
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Their ids.
fn stored(instance: &Instance) -> BTreeSet<String> {
    pages(instance).into_iter().map(|row| row.notice.id).collect()
}

/// A group of two instances: its leader is killed so many times, then the receiver works.
/// Returns how often a page had arrived whose answer was missing, and how many pages waited at the kills.
fn round(seed: u64, kills: usize) -> (usize, usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let kafka = Kafka::start(folder.path());
    let lead = Lead::new(seed, ANSWERED);
    let more = format!("{SESSION}{}", receiver(lead.address));
    let start =
        |name: &str| Instance::start_with(folder.path(), name, (&kafka, None, &more), "both");
    let mut leader = start("a");
    until("a leader", || leader.leads());
    let mut standby = start("b");
    let program = &leader.program;
    until("the leader to answer", || program.get("/api/v1/status").status == 200);
    let put = program.request(Method::PUT, "/api/v1/roster").body(roster());
    assert_eq!(answer(put.header("content-type", "application/json")).status, 204);
    assert_eq!(program.post("/api/v1/events", calls()).status, 202);
    until("pages to be decided", || stored(&leader).len() >= REGIONS);
    let mut rng = ChaCha8Rng::seed_from_u64(seed + 1000);
    let (mut unanswered, mut waiting) = (0, 0);
    for kill in 0..kills {
        until("the standby to have all pages", || {
            let ids = stored(&leader);
            stored(&standby) == ids
        });
        assert!(leader.leads() && !standby.leads(), "kill {kill}");
        let within = Duration::from_millis(rng.random_range(0..KILLED_WITHIN_MS));
        unanswered += usize::from(lead.held(within));
        let before = stored(&leader);
        let waits = |row: &&OutboxRow| row.state == DeliveryState::Pending;
        waiting += pages(&leader).iter().filter(waits).count();
        let killed = leader.killed_until(|| until("the standby to lead", || standby.leads()));
        until("the killed one to know the leader", || {
            killed.program.said().contains("leader announced")
        });
        let after = stored(&standby);
        assert!(before.is_subset(&after), "{before:?} {after:?}");
        (leader, standby) = (standby, killed);
    }
    lead.works();
    lead.check(&leader.program, &format!("seed {seed}"));
    until("both to have the same pages", || stored(&leader) == stored(&standby));
    assert!(leader.leads() && !standby.leads());
    assert!(waiting > 0, "no page was between decision and delivery");
    (unanswered, waiting)
}

#[test]
fn each_page_arrives_under_one_id_after_kills_of_the_leader() {
    let mut left = kills_or(ALL_KILLS);
    let mut seed = 1;
    while left > 0 {
        let kills = left.min(KILLS);
        let (unanswered, waiting) = round(seed, kills);
        println!(
            "seed {seed}: {kills} kills of the leader with {waiting} pages undelivered, {unanswered} kills between the arrival of a page and its answer"
        );
        left -= kills;
        seed += 1;
    }
}
