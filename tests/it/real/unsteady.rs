//! An InfluxDB that fails again and again has what another one has that never did.
//!
//! A proxy refuses every fifth request with 503, or loses the answer of one that InfluxDB has taken. Meanwhile InfluxDB is killed and
//! starts again while points are written.
#![allow(clippy::disallowed_methods, reason = "InfluxDB keeps real times")]

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use surgecast::clock::WallClock;
use surgecast::domain::{Clock as _, WindowWidth};

use super::outage::{Control, Operator, compare, range};
use super::servers::Influx;

const WIDTH: WindowWidth = WindowWidth::QUARTER;
const SERIES: usize = 60;
const WINDOWS: i64 = 48;
/// After so many windows InfluxDB is killed in the middle of them.
const KILLED_EVERY: i64 = 8;

/// What the proxy did.
#[derive(Debug, Default)]
struct Counts {
    requests: AtomicUsize,
    refused: AtomicUsize,
    lost: AtomicUsize,
}

/// Starts a proxy before a server. It works until the test ends.
fn proxy(server: &Influx) -> (String, Arc<Counts>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let server = server.url().trim_start_matches("http://").to_owned();
    let counts = Arc::<Counts>::default();
    let own = counts.clone();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A client or a server that goes away is what this test is about.
            let _ = forward(client, &server, &own);
        }
    });
    (address, counts)
}

/// Forwards one request, or lets it fail.
fn forward(mut client: TcpStream, server: &str, counts: &Counts) -> io::Result<()> {
    let request = request(&mut client)?;
    let number = counts.requests.fetch_add(1, Ordering::Relaxed);
    if number % 10 == 4 {
        counts.refused.fetch_add(1, Ordering::Relaxed);
        let answer = "HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        return client.write_all(answer.as_bytes());
    }
    let mut server = TcpStream::connect(server)?;
    server.write_all(&request)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    if number % 10 == 9 {
        counts.lost.fetch_add(1, Ordering::Relaxed);
        return client.shutdown(Shutdown::Both);
    }
    client.write_all(&answer)
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

#[test]
fn points_are_complete_after_refusals_lost_answers_and_kill_9() {
    let folder = tempfile::tempdir().expect("a folder");
    let [data, one, two] = ["data", "one", "two"].map(|name| folder.path().join(name));
    std::fs::create_dir_all(&data).expect("a folder");
    let (mut influx, control) = (Influx::start(&one), Influx::start(&two));
    let (address, counts) = proxy(&influx);
    let now = WIDTH.index(WallClock.now()) - 1;
    // It ends at a full hour, because the accuracy of a day is written every hour.
    let first = now - now % 4 - WINDOWS;
    let mut operator = Operator::new(&data, SERIES, first);
    let writers = [
        operator.write(&data, (&influx, Some(&address)), |sink| sink),
        operator.write(&data, (&control, None), Control::new),
    ];
    for n in 0..WINDOWS {
        operator.window();
        if n % KILLED_EVERY == KILLED_EVERY - 1 {
            influx.kill();
            influx.restart();
        }
        operator.wait_until_written("influxdb");
        operator.wait_until_written("control");
    }
    let (values, measurements) = compare(&influx, &control, &range(first));
    let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
    let (requests, refused, lost) =
        (count(&counts.requests), count(&counts.refused), count(&counts.lost));
    assert!(refused >= 5 && lost >= 5, "{counts:?} are too few to prove anything");
    println!(
        "{values} values of {measurements} measurements after {requests} requests, of which {refused} were refused and {lost} had no \
         answer"
    );
    operator.end(writers);
}
