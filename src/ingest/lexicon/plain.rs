//! Texts as they are compared: without what people type differently for the same word.

/// Characters of a text that are looked at.
pub(super) const CHARS_MAX: usize = 1000;

/// Whether a letter or digit belongs to the word beside it: not in scripts that write no spaces.
pub(super) fn is_joined(c: char) -> bool {
    c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphanumeric() && !is_dense(c))
}

/// Characters of scripts that write no spaces: Han, kana, Hangul (which does, but not between word and ending), Thai.
pub(super) fn is_dense(c: char) -> bool {
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

/// A text of at most [`CHARS_MAX`] characters without blanks around it, runs of blanks, accents, full-width letters and
/// invisible characters. Outside ASCII it is in lower case; ASCII is left as it is, so that most texts need no copy.
pub(super) fn plain<'t>(text: &'t str, room: &'t mut String) -> &'t str {
    if text.len() <= CHARS_MAX && (is_plain(text.as_bytes()) || is_plain_dense(text)) {
        return text.trim_ascii();
    }
    room.clear();
    room.reserve(text.len().min(4 * CHARS_MAX));
    for c in text.chars().take(CHARS_MAX) {
        match c {
            c if c.is_ascii_alphanumeric() || is_dense(c) => room.push(c.to_ascii_lowercase()),
            c if c.is_whitespace() || c.is_control() => blank(room),
            // Joiners, marks of direction, selectors of glyphs, combining marks.
            '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{feff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{300}'..='\u{36f}' => {}
            '\u{2018}' | '\u{2019}' | '\u{2bc}' | '\u{b4}' | '\u{ff07}' => room.push('\''),
            '\u{2010}'..='\u{2015}' => room.push('-'),
            '\u{ff01}'..='\u{ff5e}' => {
                let ascii = u32::from(c) - 0xfee0;
                room.extend(char::from_u32(ascii).map(|c| c.to_ascii_lowercase()));
            }
            c if c.is_ascii() => room.push(c),
            c => room.extend(c.to_lowercase().map(without_accent)),
        }
    }
    room.trim_ascii()
}

/// One blank, never two.
fn blank(room: &mut String) {
    if !room.ends_with(' ') {
        room.push(' ');
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Whether there is nothing to do: ASCII without control characters and two blanks in a row. Eight bytes at a time.
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
    // No byte is above 0x7f, so that no sum carries into the next.
    let blanks = |eight: u64| !((eight ^ (ONES * 0x20)) + ONES * 0x7f);
    let controls = |eight: u64| !(eight + ONES * 0x60);
    let found = |at: usize| {
        let (these, next) = (eight(at), eight(at + 1));
        controls(these) | controls(next) | (blanks(these) & blanks(next))
    };
    let all = (0..last).step_by(8).chain([last]).fold(0, |all, at| all | found(at));
    all & HIGHS == 0
}

/// The same of a text with characters of a dense script and its punctuation.
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

/// A small Latin letter without its accent; others as they are.
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
