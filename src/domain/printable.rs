//! Invisible characters that change what a reader sees. A line break can forge a line of a page (message) or a log, and a
//! bidirectional control can reverse a text.

use std::borrow::Cow;

/// Whether a character is a control character (C0, C1, DEL), a line or paragraph separator, or a bidirectional control.
pub fn unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text on one line, with escapes such as `\n` and `\u{202e}` for unprintable characters.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) || !text.chars().any(unprintable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match unprintable(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unprintable_characters_become_escapes() {
        let cases = [
            ("OLT-17", "OLT-17"),
            ("东区 Ω «é»", "东区 Ω «é»"),
            ("a\nDo: call 555", "a\\nDo: call 555"),
            ("a\r\tb\0", "a\\r\\tb\\u{0}"),
            ("\x1b[31mred\x7f", "\\u{1b}[31mred\\u{7f}"),
            ("\u{85}\u{9b}", "\\u{85}\\u{9b}"),
            ("a\u{202e}b\u{2066}c\u{2069}", "a\\u{202e}b\\u{2066}c\\u{2069}"),
            ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}"),
        ];
        for (text, shown) in cases {
            assert_eq!(printable(text), shown);
            assert!(!printable(text).chars().any(unprintable));
        }
    }
}
