//! A broker and process measurements, for benchmarks of the whole program.
#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop")]
#![allow(dead_code, reason = "each benchmark needs a part of it")]

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;

/// A child process, killed when dropped.
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The arguments of a benchmark, without those of cargo. `None` if it is only to be tested or listed.
pub fn arguments() -> Option<Vec<String>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--test" || arg == "--list") {
        return None;
    }
    // `cargo bench` adds `--bench`.
    Some(args.into_iter().filter(|arg| !arg.starts_with("--")).collect())
}

pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

pub fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn broker(folder: &Path) -> (Killed, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/kafka.sh");
    let [a, b, c] = [port(), port(), port()].map(|port| port.to_string());
    let mut command = Command::new(script);
    let child = command.arg("run").arg(folder.join("kafka")).args([&a, &b, &c]).spawn();
    let broker = Killed(child.expect("Kafka starts: run tests/servers/kafka.sh install first"));
    let log = folder.join("kafka/broker.log");
    let deadline = Instant::now() + Duration::from_secs(120);
    let up = || {
        TcpStream::connect(format!("127.0.0.1:{a}")).is_ok()
            && std::fs::read_to_string(&log).is_ok_and(|log| log.contains("Kafka Server started"))
    };
    while !up() {
        assert!(Instant::now() < deadline, "Kafka did not start: {}", log.display());
        std::thread::sleep(Duration::from_millis(200));
    }
    (broker, format!("127.0.0.1:{a}"))
}

pub fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config
}

/// CPU seconds of a process so far.
pub fn cpu(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|t| t.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// Peak resident memory of a process so far, megabytes.
pub fn peak_megabytes(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
