//! Reads plain JSON: strings without escapes, and whole numbers. Skips other values.

#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Whole(u64),
}

/// A position in a record. `None` from its functions means that the record is not plain: a parser has to read it.
pub(super) struct Cursor<'a> {
    text: &'a str,
    pub(super) next: usize,
    /// Whether the text is known to be valid JSON.
    is_valid: bool,
}

/// Deepest nesting of a value that is skipped.
const DEPTH_MAX: usize = 64;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Sets the high bit of each zero byte. Bytes before the first zero byte stay zero.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, next: 0, is_valid: false }
    }

    /// For a part of a text that was parsed before. Values that are skipped are not checked again.
    pub(super) fn valid(text: &'a str) -> Self {
        Self { is_valid: true, ..Self::new(text) }
    }

    /// The bytes from the position on.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.next..]
    }

    /// Whether nothing follows.
    pub(super) fn is_at_end(&self) -> bool {
        self.next == self.text.len()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.next).copied()
    }

    pub(super) fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.next += 1;
        Some(byte)
    }

    pub(super) fn expect(&mut self, byte: u8) -> Option<()> {
        (self.take()? == byte).then_some(())
    }

    #[inline(always)]
    pub(super) fn space(&mut self) {
        // All blanks are at most a blank.
        if self.peek().is_none_or(|byte| byte <= b' ') {
            self.blanks();
        }
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.next += 1;
        }
    }

    /// The rest of a string after its opening quote; `None` if it has an escape or a control character.
    pub(super) fn string(&mut self) -> Option<&'a str> {
        let start = self.next;
        match self.special()? {
            // A quote byte is never part of a longer UTF-8 character.
            b'"' => self.text.get(start..self.next - 1),
            _ => None,
        }
    }

    /// Moves after the next quote, backslash or control character, and returns it.
    #[inline(always)]
    fn special(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        let mut rest = bytes.get(self.next..)?;
        // Eight bytes at a time.
        while let Some((eight, others)) = rest.split_first_chunk::<8>() {
            let word = u64::from_le_bytes(*eight);
            let quotes = zeros(word ^ (ONES * u64::from(b'"')));
            let escapes = zeros(word ^ (ONES * u64::from(b'\\')));
            let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
            let found = quotes | escapes | controls;
            if found != 0 {
                let bits = found.trailing_zeros() & 0x38;
                self.next = bytes.len() - rest.len() + (bits / 8) as usize + 1;
                return Some((word >> bits) as u8);
            }
            rest = others;
        }
        // The end of the record is near.
        let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        let at = rest.iter().position(is_special)?;
        self.next = bytes.len() - rest.len() + at + 1;
        rest.get(at).copied()
    }

    /// Skips a value, and checks that it is valid JSON.
    pub(super) fn skip(&mut self) -> Option<&'a str> {
        let start = self.next;
        match self.peek()? {
            b'{' | b'[' if self.is_valid => self.skip_container()?,
            _ => self.skip_value(DEPTH_MAX)?,
        }
        self.text.get(start..self.next)
    }

    /// Skips a valid object or array: only brackets are counted.
    fn skip_container(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.take()? {
                b'"' => self.skip_string()?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 1 => return Some(()),
                b'}' | b']' => depth -= 1,
                _ => {}
            }
        }
    }

    fn skip_value(&mut self, depth: usize) -> Option<()> {
        match self.take()? {
            b'"' => self.skip_string(),
            b'{' => self.skip_members(depth.checked_sub(1)?),
            b'[' => self.skip_items(depth.checked_sub(1)?),
            b'n' => self.word(b"ull"),
            b't' => self.word(b"rue"),
            b'f' => self.word(b"alse"),
            b'-' => {
                let first = self.take()?;
                self.skip_number(first)
            }
            first => self.skip_number(first),
        }
    }

    /// Skips the rest of an object after its opening brace.
    fn skip_members(&mut self, depth: usize) -> Option<()> {
        self.space();
        if self.peek()? == b'}' {
            self.next += 1;
            return Some(());
        }
        loop {
            self.expect(b'"')?;
            self.skip_string()?;
            self.space();
            self.expect(b':')?;
            self.space();
            self.skip_value(depth)?;
            self.space();
            match self.take()? {
                b',' => self.space(),
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Skips the rest of an array after its opening bracket.
    fn skip_items(&mut self, depth: usize) -> Option<()> {
        self.space();
        if self.peek()? == b']' {
            self.next += 1;
            return Some(());
        }
        loop {
            self.skip_value(depth)?;
            self.space();
            match self.take()? {
                b',' => self.space(),
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Skips the rest of a string after its opening quote.
    fn skip_string(&mut self) -> Option<()> {
        loop {
            match self.special()? {
                b'"' => return Some(()),
                b'\\' => self.skip_escape()?,
                _ => return None,
            }
        }
    }

    /// Skips the rest of an escape after its backslash.
    fn skip_escape(&mut self) -> Option<()> {
        match self.take()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
            b'u' => {
                let digits = self.text.as_bytes().get(self.next..self.next + 4)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                self.next += 4;
            }
            _ => return None,
        }
        Some(())
    }

    /// Skips the rest of a number after its first digit.
    fn skip_number(&mut self, first: u8) -> Option<()> {
        match first {
            b'0' => {}
            b'1'..=b'9' => _ = self.digits(),
            _ => return None,
        }
        if self.peek() == Some(b'.') {
            self.next += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.next += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.next += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// Skips digits; `None` if there is none.
    fn digits(&mut self) -> Option<()> {
        let start = self.next;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.next += 1;
        }
        (self.next > start).then_some(())
    }

    /// Skips the rest of `null`, `true` or `false`.
    pub(super) fn word(&mut self, rest: &[u8]) -> Option<()> {
        let is_next = self.text.as_bytes().get(self.next..)?.starts_with(rest);
        self.next += rest.len();
        is_next.then_some(())
    }

    /// The key of the next member of an object, and moves to its value; `None` after the last member. `is_first` is true
    /// after the opening brace.
    pub(super) fn key(&mut self, is_first: bool) -> Option<Option<&'a str>> {
        self.space();
        match self.take()? {
            b'}' => return Some(None),
            b'"' if is_first => {}
            b',' if !is_first => {
                self.space();
                self.expect(b'"')?;
            }
            _ => return None,
        }
        let key = self.string()?;
        self.space();
        self.expect(b':')?;
        self.space();
        Some(Some(key))
    }

    /// Moves to the next item of an array. False after the last item.
    pub(super) fn item(&mut self, is_first: bool) -> Option<bool> {
        self.space();
        match self.peek()? {
            b']' => {
                self.next += 1;
                return Some(false);
            }
            b',' if !is_first => {
                self.next += 1;
                self.space();
            }
            _ if is_first => {}
            _ => return None,
        }
        Some(true)
    }

    /// A plain string or number.
    pub(super) fn value(&mut self) -> Option<Value<'a>> {
        match self.take()? {
            b'"' => self.string().map(Value::Text),
            first @ b'1'..=b'9' => {
                let mut number = u64::from(first - b'0');
                let mut digits = 1;
                while let Some(digit @ b'0'..=b'9') = self.text.as_bytes().get(self.next) {
                    number = number * 10 + u64::from(digit - b'0');
                    digits += 1;
                    self.next += 1;
                    if digits > 17 {
                        return None;
                    }
                }
                let ends = matches!(
                    self.text.as_bytes().get(self.next)?,
                    b',' | b'}' | b' ' | b'\t' | b'\r' | b'\n'
                );
                ends.then_some(Value::Whole(number))
            }
            _ => None,
        }
    }
}
