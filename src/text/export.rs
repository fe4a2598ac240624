//! The catalogue for the built-in page: the same messages, in a format that is easy to use in JavaScript.

use fluent_syntax::ast::{
    Entry, Expression, InlineExpression, Pattern, PatternElement, VariantKey,
};
use serde_json::{Value, json};

use super::Language;
use super::texts::SOURCES;

/// Files whose messages the page uses.
const FILES: [&str; 2] = ["common", "page"];

/// A language's texts as a JavaScript module. Its default export is an object from a message's id to its pattern: a string,
/// or an array of strings and placeables. A placeable is `{"v": name}` for an argument, `{"m": id}` for a message, or
/// `{"s": name, "o": {key: pattern, …}, "d": key}` for a choice by an argument's value or plural category, `d` the default.
pub fn page_module(language: Language) -> String {
    let mut all = serde_json::Map::new();
    for (file, source) in SOURCES[language as usize] {
        if !FILES.contains(&file) {
            continue;
        }
        let resource = fluent_syntax::parser::parse(source).unwrap_or_else(|(found, _)| found);
        for entry in resource.body {
            if let Entry::Message(message) = entry
                && let Some(value) = &message.value
            {
                all.insert(message.id.name.to_owned(), pattern(value));
            }
        }
    }
    format!("export default {};\n", Value::Object(all))
}

fn pattern(pattern: &Pattern<&str>) -> Value {
    let mut parts: Vec<Value> = Vec::new();
    for element in &pattern.elements {
        let part = match element {
            PatternElement::TextElement { value } => json!(value),
            PatternElement::Placeable { expression } => placeable(expression),
        };
        match (parts.last_mut(), part) {
            (Some(Value::String(text)), Value::String(more)) => text.push_str(&more),
            (_, part) => parts.push(part),
        }
    }
    match parts.as_slice() {
        [Value::String(_)] => parts.remove(0),
        _ => Value::Array(parts),
    }
}

fn placeable(expression: &Expression<&str>) -> Value {
    let (selector, variants) = match expression {
        Expression::Inline(inline) => return inline_value(inline),
        Expression::Select { selector, variants } => (selector, variants),
    };
    let name = match selector {
        InlineExpression::VariableReference { id } => id.name,
        _ => "",
    };
    let mut default = "";
    let mut options = serde_json::Map::new();
    for variant in variants {
        let key = match &variant.key {
            VariantKey::Identifier { name } => name,
            VariantKey::NumberLiteral { value } => value,
        };
        if variant.default {
            default = key;
        }
        options.insert((*key).to_owned(), pattern(&variant.value));
    }
    json!({ "s": name, "o": options, "d": default })
}

fn inline_value(inline: &InlineExpression<&str>) -> Value {
    match inline {
        InlineExpression::StringLiteral { value } | InlineExpression::NumberLiteral { value } => {
            json!(value)
        }
        InlineExpression::VariableReference { id } => json!({ "v": id.name }),
        InlineExpression::MessageReference { id, .. } => json!({ "m": id.name }),
        InlineExpression::Placeable { expression } => placeable(expression),
        // Not used in the catalogue: the tests fail on it.
        InlineExpression::FunctionReference { id, .. }
        | InlineExpression::TermReference { id, .. } => {
            json!({ "m": id.name })
        }
    }
}
