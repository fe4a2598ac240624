//! Reads plain strings and numbers, byte by byte.

#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Whole(u64),
}

/// A position in a record. `None` from its functions means: the fast path cannot decode this record.
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) next: usize,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Sets the high bit of each zero byte. Bytes before the first zero byte stay zero.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

impl<'a> Cursor<'a> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.next).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.next += 1;
        Some(byte)
    }

    pub(super) fn expect(&mut self, byte: u8) -> Option<()> {
        (self.take()? == byte).then_some(())
    }

    pub(super) fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.next += 1;
        }
    }

    /// The rest of a string after its opening quote; `None` if it has an escape or a control character.
    pub(super) fn string(&mut self) -> Option<&'a str> {
        let (bytes, start) = (self.text.as_bytes(), self.next);
        let mut at = start;
        // Eight bytes at a time: finds quotes, backslashes and control characters.
        let found = loop {
            let Some(eight) = bytes.get(at..at + 8) else {
                // The end of the record is near.
                let rest = bytes.get(at..)?;
                break at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
            };
            let word = u64::from_le_bytes(eight.try_into().ok()?);
            let quotes = zeros(word ^ (ONES * u64::from(b'"')));
            let escapes = zeros(word ^ (ONES * u64::from(b'\\')));
            let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
            let found = quotes | escapes | controls;
            if found != 0 {
                break at + (found.trailing_zeros() / 8) as usize;
            }
            at += 8;
        };
        at = found;
        if bytes[at] != b'"' {
            return None;
        }
        self.next = at + 1;
        // A quote byte is never part of a longer UTF-8 character.
        self.text.get(start..at)
    }

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
