//! RFC 4648 base64, for `data_base64`: too little to let the core know of another crate.

/// The bytes, `None` if `text` is no padded base64 of the standard alphabet.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let last = text.len() / 4;
    for (index, four) in text.chunks_exact(4).enumerate() {
        let padding = four.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || (padding > 0 && index + 1 != last) {
            return None;
        }
        let mut bits = 0_u32;
        for &byte in &four[..4 - padding] {
            bits = bits << 6 | u32::from(digit(byte)?);
        }
        let [_, three @ ..] = (bits << (6 * padding)).to_be_bytes();
        bytes.extend(&three[..3 - padding]);
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}
