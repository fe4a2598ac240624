//! What a lexicon's words begin with, so that most words of a text need no look.

/// Letters, digits, and anything else.
const CLASSES: usize = 37;

/// By the classes of three bytes, whether a word may begin with them.
#[derive(Debug)]
pub(super) struct Starts(Vec<bool>);

impl Starts {
    /// None where a word begins with ASCII that is no letter or digit: then it may begin within another.
    pub(super) fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<Self> {
        let mut all = vec![false; CLASSES * CLASSES * CLASSES];
        for word in words {
            let mut bytes = word.bytes();
            // Whatever is not ASCII stands in no text that is.
            let Some(first) = bytes.next().filter(u8::is_ascii) else { continue };
            if !first.is_ascii_alphanumeric() {
                return None;
            }
            // A word that is shorter may be followed by anything.
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

    /// The first place from here on where one of the words may begin in a text of ASCII, or its end.
    pub(super) fn next(&self, text: &[u8], from: usize) -> usize {
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

/// Below [`CLASSES`]; upper and lower case are one.
fn class(byte: u8) -> usize {
    match byte {
        b'a'..=b'z' => usize::from(byte - b'a') + 1,
        b'A'..=b'Z' => usize::from(byte - b'A') + 1,
        b'0'..=b'9' => usize::from(byte - b'0') + 27,
        _ => 0,
    }
}
