//! The beginnings of a lexicon's words, to skip most words of a text.

/// Classes of bytes: 26 letters, 10 digits, and all other bytes.
const CLASSES: usize = 37;

/// For the classes of three bytes: whether a word may begin with them.
#[derive(Debug)]
pub(in crate::ingest) struct Starts(Vec<bool>);

impl Starts {
    /// `None` if a word begins with ASCII other than a letter or digit: it may begin inside another word.
    pub(in crate::ingest) fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<Self> {
        let mut all = vec![false; CLASSES * CLASSES * CLASSES];
        for word in words {
            let mut bytes = word.bytes();
            // Words that begin outside ASCII do not occur in ASCII texts.
            let Some(first) = bytes.next().filter(u8::is_ascii) else { continue };
            if !first.is_ascii_alphanumeric() {
                return None;
            }
            // Any byte may follow a shorter word.
            let next =
                |byte: Option<u8>| byte.map_or(0..CLASSES, |byte| class(byte)..class(byte) + 1);
            let (second, third) = (next(bytes.next()), next(bytes.next()));
            for second in second {
                for third in third.clone() {
                    all[at([class(first), second, third])] = true;
                }
            }
        }
        Some(Self(all))
    }

    /// The first position at or after `from` where a word may begin in an ASCII text, or the text's end.
    pub(in crate::ingest) fn next(&self, text: &[u8], from: usize) -> usize {
        let is_joined = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
        let class = |at: usize| text.get(at).map_or(0, |byte| class(*byte));
        let mut next = from;
        let mut is_within = from > 0 && is_joined(from - 1);
        while next < text.len() {
            if !is_joined(next) {
                is_within = false;
            } else if !is_within {
                if self.0[at([class(next), class(next + 1), class(next + 2)])] {
                    return next;
                }
                is_within = true;
            }
            next += 1;
        }
        next
    }
}

fn at([first, second, third]: [usize; 3]) -> usize {
    (first * CLASSES + second) * CLASSES + third
}

/// The class of a byte, below [`CLASSES`]. Upper and lower case have the same class.
fn class(byte: u8) -> usize {
    match byte {
        b'a'..=b'z' => usize::from(byte - b'a') + 1,
        b'A'..=b'Z' => usize::from(byte - b'A') + 1,
        b'0'..=b'9' => usize::from(byte - b'0') + 27,
        _ => 0,
    }
}
