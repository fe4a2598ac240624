//! An InfluxDB that fails again and again has what another one has that never did.
//!
//! Of 20 requests, a proxy refuses two with 503, loses the answer of one that InfluxDB has taken, and holds back the answer of another
//! one until the client gives up. It spoils two points, so that InfluxDB refuses them: one with the rest of its batch, one alone. InfluxDB
//! is killed and starts again while points are written, and the clock jumps a day ahead and a day back.
#![allow(clippy::disallowed_methods, reason = "InfluxDB keeps real times")]

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use surgecast::clock::WallClock;
use surgecast::domain::{Clock as _, WindowWidth};

use super::outage::{BUCKET, Control, Operator, compare, compare_newest, range};
use super::servers::Influx;

const WIDTH: WindowWidth = WindowWidth::QUARTER;
const SERIES: usize = 60;
const WINDOWS: i64 = 48;
/// After so many windows InfluxDB is killed in the middle of them.
const KILLED_EVERY: i64 = 8;
/// In these windows the clock is a day ahead, and a day back.
const AHEAD_IN: i64 = 13;
const BACK_IN: i64 = 29;
const DAY_MS: i64 = 86_400_000;
/// How long the client waits for an answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);

/// What the proxy did.
#[derive(Debug, Default)]
struct Counts {
    requests: AtomicUsize,
    refused: AtomicUsize,
    lost: AtomicUsize,
    held: AtomicUsize,
}

/// A line that the proxy spoils whenever it is written. Its length stays the same.
#[derive(Clone)]
struct Spoiled {
    /// Measurement and tags.
    series: &'static str,
    /// Window, from the first one on.
    window: i64,
    /// What is replaced, and by what.
    change: (&'static str, &'static str),
}

/// Without an equals sign, no line of the batch is taken. A count without sign conflicts with the type of the field: the other lines
/// are taken.
const SPOILED: [Spoiled; 2] = [
    Spoiled {
        series: "tickets,region=region-000,service=service-00,channel=phone ",
        window: 20,
        change: ("count=", "count "),
    },
    Spoiled {
        series: "tickets,region=region-000,service=service-00,channel=chat ",
        window: 30,
        change: ("i,late", "u,late"),
    },
];

impl Spoiled {
    /// Whether it is this line.
    fn is(&self, line: &str, first: i64) -> bool {
        let at = WIDTH.start(first + self.window).millis();
        line.starts_with(self.series) && line.ends_with(&format!(" {at}000000"))
    }
}

/// A proxy before a server.
struct Proxy {
    server: String,
    /// The first window.
    first: i64,
    counts: Counts,
}

impl Proxy {
    /// Starts it. It works until the test ends. Returns its address.
    fn start(server: &Influx, first: i64) -> (String, Arc<Self>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let server = server.url().trim_start_matches("http://").to_owned();
        let proxy = Arc::new(Self { server, first, counts: Counts::default() });
        let own = proxy.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A client or a server that goes away is what this test is about.
                let _ = own.forward(client);
            }
        });
        (address, proxy)
    }

    /// Forwards one request, or lets it fail.
    fn forward(&self, mut client: TcpStream) -> io::Result<()> {
        let request = self.spoil(request(&mut client)?);
        let Counts { requests, refused, lost, held } = &self.counts;
        let number = requests.fetch_add(1, Ordering::Relaxed) % 20;
        if number % 10 == 4 {
            refused.fetch_add(1, Ordering::Relaxed);
            let answer =
                "HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            return client.write_all(answer.as_bytes());
        }
        let mut server = TcpStream::connect(&self.server)?;
        server.write_all(&request)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        if number == 9 {
            lost.fetch_add(1, Ordering::Relaxed);
            return client.shutdown(Shutdown::Both);
        }
        if number == 19 {
            held.fetch_add(1, Ordering::Relaxed);
            // Returns once the client has closed the connection.
            return client.read(&mut [0; 1]).map(drop);
        }
        client.write_all(&answer)
    }

    /// A request with its spoiled lines.
    fn spoil(&self, request: Vec<u8>) -> Vec<u8> {
        let text = String::from_utf8(request).expect("UTF-8");
        let spoiled = |line: &str| match SPOILED.iter().find(|own| own.is(line, self.first)) {
            Some(Spoiled { change: (from, to), .. }) => line.replace(from, to),
            None => line.to_owned(),
        };
        text.split('\n').map(spoiled).collect::<Vec<_>>().join("\n").into_bytes()
    }
}

/// One request, which asks the server to close the connection after its answer.
fn request(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    let mut part = [0; 65_536];
    let end = loop {
        let bytes = client.read(&mut part)?;
        if bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        read.extend_from_slice(&part[..bytes]);
        if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
    };
    let head = String::from_utf8_lossy(&read[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = read.split_off(end + 4);
    while body.len() < length.unwrap_or(0) {
        let bytes = client.read(&mut part)?;
        if bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        body.extend_from_slice(&part[..bytes]);
    }
    let mut request = format!("{head}\r\nconnection: close\r\n\r\n").into_bytes();
    request.extend(body);
    Ok(request)
}

/// The points that were refused, without the comments before them.
fn kept(data: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(data.join("refused-influxdb.txt")).expect("refused points");
    let mut lines = text.lines();
    let mut points = Vec::new();
    while let (Some(reason), Some(point)) = (lines.next(), lines.next()) {
        let place = point.split(' ').next().expect("tags");
        assert!(reason.starts_with("# ") && reason.contains(place), "{reason}\n{point}");
        points.push(point.to_owned());
    }
    points
}

/// Values of the spoiled points.
fn values_of_spoiled(influx: &Influx, first: i64) -> usize {
    let count = |Spoiled { series, window, .. }: &Spoiled| {
        let channel = series.rsplit('=').next().expect("a channel").trim();
        let at = WIDTH.start(first + window).millis();
        let query = format!(
            "SELECT count(\"count\") FROM \"tickets\" WHERE region = 'region-000' AND service = 'service-00' AND channel = '{channel}' \
             AND time = {at}ms"
        );
        influx.influxql(BUCKET, &query).len()
    };
    SPOILED.iter().map(count).sum()
}

#[test]
fn points_are_complete_after_failed_requests_spoiled_points_jumps_of_the_clock_and_kill_9() {
    let folder = tempfile::tempdir().expect("a folder");
    let [data, one, two] = ["data", "one", "two"].map(|name| folder.path().join(name));
    std::fs::create_dir_all(&data).expect("a folder");
    let (mut influx, control) = (Influx::start(&one), Influx::start(&two));
    let now = WIDTH.index(WallClock.now()) - 1;
    // It ends at a full hour, because the accuracy of a day is written every hour.
    let first = now - now % 4 - WINDOWS;
    let (address, proxy) = Proxy::start(&influx, first);
    let mut operator = Operator::new(&data, SERIES, first);
    let writers = [
        operator
            .write(&data, (&influx, Some(&address)), |sink| sink.answered_within(ANSWERED_WITHIN)),
        operator.write(&data, (&control, None), Control::new),
    ];
    for n in 0..WINDOWS {
        operator.window_with_clock_off_by(match n {
            AHEAD_IN => DAY_MS,
            BACK_IN => -DAY_MS,
            _ => 0,
        });
        if n % KILLED_EVERY == KILLED_EVERY - 1 {
            influx.kill();
            influx.restart();
        }
        operator.wait_until_written("influxdb");
        operator.wait_until_written("control");
    }
    assert_eq!(values_of_spoiled(&control, first), 2);
    assert_eq!(values_of_spoiled(&influx, first), 0, "they are refused");
    let kept = kept(&data);
    for own in &SPOILED {
        assert!(kept.iter().any(|line| own.is(line, first)), "{kept:?}");
    }
    let others = kept.iter().find(|line| SPOILED.iter().all(|own| !own.is(line, first)));
    assert_eq!(others, None, "nothing else is refused");
    // As an operator does once the reason is gone.
    influx.write(BUCKET, &kept.join("\n"));

    let range = range(first);
    let (values, measurements) = compare(&influx, &control, &range);
    let newest = compare_newest(&influx, &control, &range);
    assert!(newest.contains(&"outlook"), "{newest:?}");
    let Counts { requests, refused, lost, held } = &proxy.counts;
    let [requests, refused, lost, held] =
        [requests, refused, lost, held].map(|of| of.load(Ordering::Relaxed));
    assert!(refused >= 5 && lost >= 5 && held >= 5, "{:?} are too few", proxy.counts);
    println!(
        "{values} values of {measurements} measurements, and the newest points of {newest:?}, after {requests} requests: {refused} were \
         refused, {lost} lost their answer, {held} timed out; {} refused points were written again",
        kept.len()
    );
    operator.end(writers);
}
