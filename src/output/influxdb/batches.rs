//! How far a write of many lines has come: its batches, and the search for lines that InfluxDB refuses.

use xxhash_rust::xxh3::Xxh3Default;

use super::fields::Line;
use crate::output::sink::Refused;

/// Maximum number of lines of a batch, as InfluxDB recommends for one request.
const LINES_MAX: usize = 5_000;
const BYTES_MAX: usize = 1 << 20;
/// Searches of one write for lines that InfluxDB refuses among others that it takes. Each is a request.
const SEARCHES_MAX: usize = 200;
/// Maximum number of characters of a refused line in a message.
const TEXT_CHARS_MAX: usize = 300;

/// The progress of one write. Lines are written from the front to the back. A batch with a refused line is halved until the line is
/// alone; afterwards batches grow again.
pub(super) struct Progress {
    /// Lines that are written or refused.
    done: usize,
    /// Maximum number of lines of the next batch.
    lines_max: usize,
    searches_left: usize,
    pub(super) refused: Vec<Refused>,
}

impl Default for Progress {
    fn default() -> Self {
        let refused = Vec::new();
        Self { done: 0, lines_max: LINES_MAX, searches_left: SEARCHES_MAX, refused }
    }
}

impl Progress {
    /// The next batch of a write; empty at its end.
    pub(super) fn next<'l>(&self, lines: &'l [Line]) -> &'l [Line] {
        let rest = lines.get(self.done..).unwrap_or_default();
        let mut bytes = 0;
        let fits = rest.iter().take(self.lines_max).take_while(|line| {
            bytes += line.len() + 1;
            bytes <= BYTES_MAX
        });
        let count = fits.count().max(1).min(rest.len());
        &rest[..count]
    }

    /// InfluxDB has taken the batch.
    pub(super) fn taken(&mut self, batch: &[Line]) {
        self.done += batch.len();
        self.lines_max = self.lines_max.saturating_mul(2).min(LINES_MAX);
    }

    /// InfluxDB has taken nothing of the batch.
    pub(super) fn not_taken(&mut self, batch: &[Line], why: &str) {
        if let [line] = batch {
            let shown: String =
                String::from_utf8_lossy(line).chars().take(TEXT_CHARS_MAX).collect();
            let why = format!("{why}: {}", shown.replace(char::is_control, " "));
            self.refused.push(Refused { lines: 1, why, point: Some(line.clone()) });
            self.taken(batch);
        } else {
            self.lines_max = batch.len() / 2;
        }
    }

    /// InfluxDB has taken the batch apart from some lines; `dropped` is their number, 0 if it is not known. Halves are written again,
    /// which changes nothing. After too many searches the lines are only counted.
    pub(super) fn partly_taken(&mut self, batch: &[Line], why: &str, dropped: usize) {
        if self.searches_left > 0 || batch.len() == 1 {
            self.searches_left = self.searches_left.saturating_sub(1);
            self.not_taken(batch, why);
        } else {
            self.refused.push(Refused { lines: dropped, why: why.to_owned(), point: None });
            self.taken(batch);
        }
    }
}

/// A hash by which the lines of a write are recognised.
pub(super) fn hash(lines: &[Line]) -> u64 {
    let mut hash = Xxh3Default::new();
    for line in lines {
        hash.update(line);
        hash.update(b"\n");
    }
    hash.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(number: usize) -> Vec<Line> {
        (0..number).map(|n| format!("tickets count={n}i {n}").into_bytes()).collect()
    }

    /// Writes lines to a server that refuses some of them, and returns the number of requests.
    fn write(lines: &[Line], progress: &mut Progress, bad: &[usize], is_partly: bool) -> usize {
        let mut requests = 0;
        loop {
            let batch = progress.next(lines);
            if batch.is_empty() {
                return requests;
            }
            requests += 1;
            let dropped = bad.iter().filter(|n| batch.contains(&lines[**n])).count();
            match (dropped, is_partly) {
                (0, _) => progress.taken(batch),
                (_, true) => progress.partly_taken(batch, "type conflict", dropped),
                (_, false) => progress.not_taken(batch, "invalid"),
            }
        }
    }

    #[test]
    fn refused_lines_are_found() {
        let lines = lines(12_000);
        for is_partly in [true, false] {
            for bad in [&[][..], &[0], &[4_999], &[5_000, 11_999], &[7, 8, 9, 6_000]] {
                let mut progress = Progress::default();
                let requests = write(&lines, &mut progress, bad, is_partly);
                let found: Vec<Line> =
                    progress.refused.iter().filter_map(|own| own.point.clone()).collect();
                let expected: Vec<Line> = bad.iter().map(|n| lines[*n].clone()).collect();
                assert_eq!(found, expected);
                assert!(progress.refused.iter().all(|own| own.why.contains("tickets count=")));
                assert!(requests <= 3 + 60 * bad.len(), "{requests} for {bad:?}");
            }
        }
    }

    #[test]
    fn a_search_ends_and_what_is_left_is_counted() {
        let lines = lines(4_000);
        let all: Vec<usize> = (0..lines.len()).collect();
        let mut progress = Progress::default();
        let requests = write(&lines, &mut progress, &all, true);
        assert!(requests < 2 * SEARCHES_MAX + 30, "{requests}");
        let named = progress.refused.iter().filter(|own| own.point.is_some()).count();
        assert!(named > SEARCHES_MAX / 3 && named < lines.len(), "{named}");
        let counted: usize = progress.refused.iter().map(|own| own.lines).sum();
        assert_eq!(counted, lines.len());
    }

    #[test]
    fn batches_are_bounded_in_lines_and_bytes() {
        let long = vec![vec![b'x'; BYTES_MAX / 2]; 3];
        let mut progress = Progress::default();
        assert_eq!(progress.next(&long).len(), 1);
        progress.taken(&long[..1]);
        assert_eq!(progress.next(&long).len(), 1);
        let huge = vec![vec![b'x'; BYTES_MAX * 2]];
        assert_eq!(Progress::default().next(&huge).len(), 1, "InfluxDB decides about it");
        assert_eq!(Progress::default().next(&lines(LINES_MAX + 1)).len(), LINES_MAX);
        assert!(Progress::default().next(&[]).is_empty());
    }

    #[test]
    fn lines_are_recognised() {
        assert_eq!(hash(&lines(3)), hash(&lines(3)));
        assert_ne!(hash(&lines(3)), hash(&lines(4)));
        assert_ne!(hash(&[b"ab".to_vec()]), hash(&[b"a".to_vec(), b"b".to_vec()]));
    }
}
