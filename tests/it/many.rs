//! The page with 2,000 leaf series.
#![allow(clippy::disallowed_methods, reason = "the windows end shortly before now")]

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use surgecast::domain::{Name, SeriesKey, Timestamp, WindowWidth};
use surgecast::input::LocalFeed;
use surgecast::store::{SourceRecord, Store, WindowRecord};
use surgecast::window::{AggregationKey, Beside, Counts};

use crate::page;
use crate::program::Program;

const WIDTH: WindowWidth = WindowWidth::QUARTER;
const CHANNELS: [&str; 5] = ["phone", "chat", "email", "social", "app"];
/// Windows of the history: two days.
const WINDOWS: i64 = 192;

/// 40 regions of ten services and five channels.
fn leaves() -> impl Iterator<Item = SeriesKey> {
    let name = |text: String| Name::new(&text).expect("a name");
    (0..2000).map(move |n| {
        let (channel, service, region) = (n % 5, n / 5 % 10, n / 50);
        let channel = name(CHANNELS[channel].to_owned());
        SeriesKey::new(
            name(format!("region-{region:02}")),
            name(format!("service-{service:02}")),
            channel,
        )
    })
}

/// A store in which all windows are finalized except for the last ones, which are finalized at the start of the program.
fn fill(folder: &Path) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let end = WIDTH.index(Timestamp::from_secs(now as i64 - 660)) - 2;
    let mut store = Store::open(folder, WIDTH).expect("a store");
    let mut tx = store.begin().expect("begins");
    for (n, leaf) in leaves().enumerate() {
        let key = AggregationKey::Tickets(leaf);
        let windows = (end - WINDOWS..end).map(|index| {
            let tickets = (n as i64 % 7 + index % 96 / 16) as u32;
            let counts = Counts { tickets, ..Counts::default() };
            let record = WindowRecord { counts, settled: true, ..WindowRecord::default() };
            (key.clone(), WIDTH.start(index), record)
        });
        tx.put_windows(&windows.collect::<Vec<_>>()).expect("puts");
    }
    let end = WIDTH.start(end);
    tx.put_source(&SourceRecord {
        source: LocalFeed::source_id(),
        closed: end,
        decided_upto: 0,
        resume_at: 0,
        caught_up_at: Some(end),
        reported_at: end,
        beside: Beside::default(),
    })
    .expect("puts");
    tx.put_state("next_window", &end.millis()).expect("puts");
    tx.commit().expect("commits");
}

#[test]
fn the_page_shows_two_thousand_series_a_part_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    fill(&folder.path().join("data"));
    let config = folder.path().join("surgecast.toml");
    let text = "[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"data\"\n\
                [forecast]\nbackfill = \"1h\"\n";
    std::fs::write(&config, text).expect("config");
    let program = Program::start(&["serve", "--config", config.to_str().expect("UTF-8")]);
    let all = program.wait_for("/api/v1/overview?limit=3", |all| all["figures"]["leaves"] == 2000);
    assert_eq!((all["series"].as_u64(), all["matching"].as_u64()), (Some(2000), Some(2000)));
    let rows = all["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 3);
    // A row of the overview has the same outlook as the outlook of its series.
    for row in rows {
        let names =
            ["region", "service", "channel"].map(|kind| row[kind].as_str().expect("a name"));
        let [region, service, channel] = names;
        let one = format!("/api/v1/outlook?region={region}&service={service}&channel={channel}");
        assert_eq!(program.get(&one).json(), row["outlook"]);
    }
    let total = program.get("/api/v1/outlook?region=_all&service=_all&channel=_all").json();
    let next = total["next"].as_array().expect("medians").iter().filter_map(|n| n.as_f64());
    let expected = all["figures"]["tickets"].as_f64().expect("tickets");
    assert!((next.sum::<f64>() - expected).abs() < 1e-6 * expected, "{total}");
    let part = program.get("/api/v1/overview?q=REGION-07%20chat%7Csocial").json();
    assert_eq!((&part["matching"], &part["figures"]["leaves"]), (&20.into(), &20.into()));
    let windows = "/api/v1/windows?region=region-07&service=_all&channel=_all";
    let counted = program.get(windows).json();
    let last = counted.as_array().expect("windows").iter().rfind(|w| w["settled"] == true);
    let outlook = program.get("/api/v1/outlook?region=region-07&service=_all&channel=_all").json();
    let past = outlook["past"].as_array().expect("counts");
    assert_eq!((past.len(), past.last()), (48, last.map(|window| &window["tickets"])));

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(page::check_many(&program.url));
    let (status, said) = program.interrupt();
    assert!(status.success(), "{said}");
}
