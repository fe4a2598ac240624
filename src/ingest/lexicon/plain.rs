//! Normalizes texts, so that different spellings of a word are equal.

/// Characters of a text that are examined.
pub(in crate::ingest) const CHARS_MAX: usize = 1000;

/// Whether a character is a letter or digit of a script with spaces between words.
pub(in crate::ingest) fn is_joined(c: char) -> bool {
    c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphanumeric() && !is_dense(c))
}

/// Whether a character is of a dense script, which has no spaces between words: Han, kana, Thai; also Hangul, which has
/// no space between a word and its ending.
pub(in crate::ingest) fn is_dense(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{e7f}'
        | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

/// The normalized text: at most [`CHARS_MAX`] characters, without surrounding and repeated blanks, accents, full-width
/// letters and invisible characters. Letters outside ASCII are in lower case. ASCII letters keep their case, so that most
/// texts need no copy into `buffer`.
pub(in crate::ingest) fn plain<'t>(text: &'t str, buffer: &'t mut String) -> &'t str {
    if text.len() <= CHARS_MAX && (is_plain(text.as_bytes()) || is_plain_dense(text)) {
        return text.trim_ascii();
    }
    buffer.clear();
    buffer.reserve(text.len().min(4 * CHARS_MAX));
    for c in text.chars().take(CHARS_MAX) {
        match c {
            c if c.is_ascii_alphanumeric() || is_dense(c) => buffer.push(c.to_ascii_lowercase()),
            c if c.is_whitespace() || c.is_control() => blank(buffer),
            // Joiners, direction marks, variation selectors and combining marks.
            '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{feff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{300}'..='\u{36f}' => {}
            '\u{2018}' | '\u{2019}' | '\u{2bc}' | '\u{b4}' | '\u{ff07}' => buffer.push('\''),
            '\u{2010}'..='\u{2015}' => buffer.push('-'),
            '\u{ff01}'..='\u{ff5e}' => {
                let ascii = u32::from(c) - 0xfee0;
                buffer.extend(char::from_u32(ascii).map(|c| c.to_ascii_lowercase()));
            }
            c if c.is_ascii() => buffer.push(c),
            c => buffer.extend(c.to_lowercase().map(without_accent)),
        }
    }
    buffer.trim_ascii()
}

/// Adds a blank, unless there is one.
fn blank(buffer: &mut String) {
    if !buffer.ends_with(' ') {
        buffer.push(' ');
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Whether a text is normalized: ASCII without control characters and repeated blanks. Checks eight bytes at a time.
fn is_plain(bytes: &[u8]) -> bool {
    let odd = |byte: &u8| *byte < 0x20;
    if !bytes.is_ascii() {
        return false;
    }
    let Some(last) = bytes.len().checked_sub(9) else {
        return !bytes.iter().any(odd) && !bytes.windows(2).any(|pair| pair == b"  ");
    };
    let eight = |at: usize| {
        let eight = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok());
        eight.map_or(0, u64::from_le_bytes)
    };
    // All bytes are at most 0x7f, so that sums do not carry into the next byte.
    let blanks = |eight: u64| !((eight ^ (ONES * 0x20)) + ONES * 0x7f);
    let controls = |eight: u64| !(eight + ONES * 0x60);
    let found = |at: usize| {
        let (these, next) = (eight(at), eight(at + 1));
        controls(these) | controls(next) | (blanks(these) & blanks(next))
    };
    let all = (0..last).step_by(8).chain([last]).fold(0, |all, at| all | found(at));
    all & HIGHS == 0
}

/// Whether a text of a dense script, its punctuation and ASCII is normalized.
fn is_plain_dense(text: &str) -> bool {
    let mut before = 'x';
    text.chars().all(|c| {
        let pair = before == ' ' && c == ' ';
        before = c;
        let mark =
            matches!(c, '\u{3001}'..='\u{301f}' | '，' | '！' | '？' | '：' | '；' | '（' | '）');
        !pair && (is_dense(c) || mark || (' '..='~').contains(&c))
    })
}

/// A lower-case Latin letter without its accent; other characters unchanged.
fn without_accent(c: char) -> char {
    match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ì'..='ï' | 'ī' | 'į' => 'i',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò'..='ö' | 'ō' | 'ő' => 'o',
        'ś' | 'š' | 'ş' => 's',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        c => c,
    }
}
