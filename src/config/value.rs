//! Converts figment's values to Rust types and to text.

use figment::value::{Num, Value};

/// A number as a count; `None` if it is negative or not whole.
pub(super) fn whole(number: Num) -> Option<usize> {
    let signed = || number.to_i128().and_then(|n| u128::try_from(n).ok());
    number.to_u128().or_else(signed).and_then(|n| usize::try_from(n).ok())
}

/// A number as a float; `None` if it is not finite.
pub(super) fn real(number: Num) -> Option<f64> {
    let whole = || number.to_i128().map(|n| n as f64).or(number.to_u128().map(|n| n as f64));
    number.to_f64().or_else(whole).filter(|n| n.is_finite())
}

/// A hint for the error message if a number is in quotation marks.
pub(super) fn quotation_hint(value: &Value) -> &'static str {
    match value {
        Value::String(_, text) if text.trim().parse::<f64>().is_ok() => ", without quotation marks",
        _ => "",
    }
}

/// A scalar as text; empty for tables and arrays.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(_, text) => text.clone(),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Char(_, c) => c.to_string(),
        Value::Num(_, number) => match (number.to_i128(), number.to_u128(), number.to_f64()) {
            (Some(n), _, _) => n.to_string(),
            (_, Some(n), _) => n.to_string(),
            (_, _, Some(n)) => n.to_string(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}

/// A value as it is shown in an error.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Dict(..) => "a table".into(),
        Value::Array(..) => "an array".into(),
        Value::Empty(..) => "nothing".into(),
        other => format!("`{}`", plain(other)),
    }
}
