//! Both catalogues have the same messages with the same arguments, and every message can be shown.

use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

use super::texts::SOURCES;
use super::*;
use crate::domain::{Timestamp, WEEK, Zone};

type Ids = BTreeMap<String, BTreeSet<String>>;

/// Arguments that a pattern names, and messages that it includes as `@id`.
fn arguments(pattern: &Pattern<&str>, found: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            expression_arguments(expression, found);
        }
    }
}

fn expression_arguments(expression: &Expression<&str>, found: &mut BTreeSet<String>) {
    match expression {
        Expression::Inline(inline) => inline_arguments(inline, found),
        Expression::Select { selector, variants } => {
            inline_arguments(selector, found);
            variants.iter().for_each(|variant| arguments(&variant.value, found));
        }
    }
}

fn inline_arguments(inline: &InlineExpression<&str>, found: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => _ = found.insert(id.name.to_owned()),
        InlineExpression::MessageReference { id, .. } => _ = found.insert(format!("@{}", id.name)),
        InlineExpression::Placeable { expression } => expression_arguments(expression, found),
        InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => {}
        InlineExpression::FunctionReference { id, .. }
        | InlineExpression::TermReference { id, .. } => {
            panic!(
                "{}: functions and terms are not used, since the page does not know them",
                id.name
            )
        }
    }
}

/// Messages of a language, file by file.
fn messages(language: Language) -> BTreeMap<&'static str, Ids> {
    let mut files = BTreeMap::new();
    for (file, source) in SOURCES[language as usize] {
        let resource = fluent_syntax::parser::parse(source)
            .unwrap_or_else(|(_, errors)| panic!("{language}/{file}.ftl: {errors:?}"));
        let mut ids = Ids::new();
        for entry in resource.body {
            let Entry::Message(message) = entry else { continue };
            let mut found = BTreeSet::new();
            arguments(message.value.as_ref().expect("a value"), &mut found);
            let id = message.id.name.to_owned();
            assert!(
                ids.insert(id.clone(), found).is_none(),
                "{language}/{file}.ftl: {id} is there twice"
            );
        }
        files.insert(file, ids);
    }
    files
}

#[test]
fn both_languages_have_the_same_messages_and_arguments() {
    let [english, chinese] = Language::ALL.map(messages);
    for (file, ids) in &english {
        let other = &chinese[file];
        for (id, arguments) in ids {
            let found = other.get(id).unwrap_or_else(|| panic!("zh/{file}.ftl lacks {id}"));
            assert_eq!(found, arguments, "{file}: {id} has other arguments in Chinese");
        }
        let more: Vec<_> = other.keys().filter(|id| !ids.contains_key(*id)).collect();
        assert!(more.is_empty(), "en/{file}.ftl lacks {more:?}");
    }
}

#[test]
fn no_id_is_in_two_files() {
    let mut all = BTreeSet::new();
    for id in messages(Language::En).into_values().flat_map(Ids::into_keys) {
        assert!(all.insert(id.clone()), "{id}");
    }
}

/// Chinese texts have full-width punctuation beside Chinese characters, one word for each thing, and no English sentence.
#[test]
fn chinese_is_written_as_chinese() {
    let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for (file, source) in SOURCES[Language::Zh as usize] {
        for line in source.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        {
            let text = line.split_once('=').map_or(line, |(_, text)| text);
            let shown: String = text.replace(['{', '}'], " ");
            let chars: Vec<char> = shown.chars().collect();
            for pair in chars.windows(2) {
                let wrong =
                    is_han(pair[0]) && matches!(pair[1], ',' | ';' | ':' | '?' | '!' | '(' | ')');
                assert!(!wrong, "zh/{file}.ftl has half-width punctuation: {line}");
            }
            for word in ["地区", "座席", "片区"] {
                assert!(!text.contains(word), "zh/{file}.ftl: {word}: {line}");
            }
        }
    }
}

/// Ids in the code of the program are in the catalogue.
#[test]
fn every_id_in_the_code_is_in_the_catalogue() {
    let known: BTreeSet<String> =
        messages(Language::En).into_values().flat_map(Ids::into_keys).collect();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![root];
    let mut named = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files
                .extend(std::fs::read_dir(&path).expect("reads").map(|e| e.expect("entry").path()));
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).expect("reads");
        for (at, start) in source.match_indices(".text(\"").map(|(at, s)| (at + s.len(), s)) {
            let _ = start;
            let id: String = source[at..].chars().take_while(|c| *c != '"').collect();
            let is_id = id.contains('-')
                && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
            if is_id && !path.ends_with("text/tests.rs") {
                assert!(known.contains(&id), "{}: no message {id}", path.display());
                named += 1;
            }
        }
    }
    assert!(named > 20, "the search finds the ids: {named}");
}

/// Files in a source folder whose names have this ending, with their content.
fn sources(folder: &str, ending: &str) -> Vec<(std::path::PathBuf, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
    let entries =
        std::fs::read_dir(folder).expect("reads").map(|entry| entry.expect("entry").path());
    let files = entries.filter(|path| path.to_string_lossy().ends_with(ending));
    files.map(|path| (path.clone(), std::fs::read_to_string(&path).expect("reads"))).collect()
}

/// The texts between each `start` and the next `end` in a source.
fn between<'s>(source: &'s str, start: &str, end: char) -> Vec<&'s str> {
    source.split(start).skip(1).filter_map(|rest| rest.split_once(end)).map(|(id, _)| id).collect()
}

/// The page asks for messages by id, or by a template such as `kpi_${key}`.
#[test]
fn the_page_uses_every_message_and_no_other() {
    let english = messages(Language::En);
    let files = sources("api/page", ".js").into_iter().chain(sources("api/page", ".html"));
    let source: String = files.map(|(_, source)| source).collect();
    let named = [
        between(&source, " t(\"", '"'),
        between(&source, "(t(\"", '"'),
        between(&source, "i18n=\"", '"'),
    ];
    for id in named.concat() {
        let known = ["page", "common"].iter().any(|file| english[file].contains_key(id));
        assert!(known, "the page asks for {id}");
    }
    let templates: Vec<(&str, &str)> = between(&source, "t(`", '`')
        .into_iter()
        .filter_map(|template| Some((template.split_once("${")?.0, template.rsplit_once('}')?.1)))
        .collect();
    for id in english["page"].keys() {
        let made = |(start, end): &(&str, &str)| id.starts_with(start) && id.ends_with(end);
        let used = source.contains(&format!("\"{id}\"")) || templates.iter().any(made);
        assert!(used, "the page never shows {id}");
    }
}

#[test]
fn reports_use_every_message_and_no_other() {
    let english = messages(Language::En);
    let source: String = sources("report", ".rs").into_iter().map(|(_, source)| source).collect();
    let named: BTreeSet<&str> =
        between(&source, "\"report-", '"').into_iter().filter(|id| !id.contains(' ')).collect();
    for id in &named {
        let id = format!("report-{id}");
        assert!(english["report"].contains_key(&id), "a report asks for {id}");
    }
    for id in english["report"].keys() {
        let rest = id.strip_prefix("report-").unwrap_or(id);
        assert!(named.contains(rest), "no report shows {id}");
    }
}

#[test]
fn numbers_plurals_and_times_are_right() {
    let texts = Language::ALL.map(Texts::new);
    let more = |n: u32| texts.map(|texts| texts.text("cause-more-alarms", args!["n" => n]));
    assert_eq!(more(1), ["1 more alarm of another type", "另有 1 条其他类型的告警"]);
    assert_eq!(more(2_753), ["2,753 more alarms of other types", "另有 2,753 条其他类型的告警"]);
    let [en, zh] = texts.map(|texts| texts.local("Asia/Shanghai".parse::<Zone>().expect("a zone")));
    let at = Timestamp::parse("2026-03-03T06:30:00Z").expect("a time");
    assert_eq!([en.time(at), en.day_time(at)], ["14:30", "Tue 3 Mar 14:30"]);
    assert_eq!([zh.time(at), zh.day_time(at)], ["14:30", "3月3日 周二 14:30"]);
    for (texts, day, time) in [
        (en, "Tue 3 Mar 2026", "Tue 3 Mar 2026, 14:30"),
        (zh, "2026年3月3日 周二", "2026年3月3日 周二 14:30"),
    ] {
        assert_eq!(texts.year_time(at), time);
        let (same, other) = (texts.in_year_of(at), texts.in_year_of(at - WEEK * 52));
        assert_eq!([same.day(at), same.day_time(at)], [texts.day(at), texts.day_time(at)]);
        assert_eq!([other.day(at), other.day_time(at)], [day, time]);
        assert_eq!(other.without_year().day_time(at), texts.day_time(at));
    }
    assert_eq!([en.list(["a", "b"]), zh.list(["a", "b"])], ["a, b", "a、b"]);
    assert_eq!([en.percent(Some(0.934)), zh.percent(Some(0.934))], ["93.4 %", "93.4%"]);
    for (value, digits, text) in [
        (1234.5, 1, "1,234.5"),
        (0.0, 1, "0"),
        (-0.2, 0, "0"),
        (-1234.0, 0, "−1,234"),
        (12.0, 2, "12"),
        (999_999.6, 0, "1,000,000"),
        (f64::NAN, 1, "NaN"),
    ] {
        assert_eq!(en.number(value, digits), text, "{value}");
    }
}

#[test]
fn the_preferred_language_is_found() {
    let check = |header: &str, want: Option<Language>| {
        assert_eq!(Language::accepted(header), want, "{header}");
    };
    check("zh-CN,zh;q=0.9,en;q=0.8", Some(Language::Zh));
    check("de, en;q=0.5, zh;q=0.7", Some(Language::Zh));
    check("EN-us", Some(Language::En));
    check("zh;q=0, en;q=0.1", Some(Language::En));
    check("fr, *;q=0.5", None);
    check("", None);
    check("zh;q=x", None);
}

#[test]
fn the_page_gets_what_it_needs() {
    let module = page_module(Language::En);
    let json = module.strip_prefix("export default ").and_then(|m| m.strip_suffix(";\n"));
    let texts: serde_json::Value = serde_json::from_str(json.expect("a module")).expect("JSON");
    assert_eq!(texts["theme"], "Theme");
    assert_eq!(texts["settled"], serde_json::json!(["Counts up to ", { "v": "at" }]));
    assert_eq!(
        texts["feed_rejected"],
        serde_json::json!([
            { "s": "n", "d": "other", "o": {
                "one": [{ "v": "n" }, " event was rejected."],
                "other": [{ "v": "n" }, " events were rejected."],
            } },
            " Reasons: ",
            { "v": "list" },
            ".",
        ])
    );
    assert!(texts.get("alert-title").is_none(), "what the page does not show stays out");
}

#[test]
fn sentences_of_earlier_releases_are_shown_unchanged() {
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Two {
        n: u32,
    }
    let value = Stored::Value(Two { n: 2 });
    let form = value.to_form().expect("JSON");
    assert_eq!(Stored::<Two>::from_form(form), value);
    let sentence = "less than a week of history".to_owned();
    assert_eq!(Stored::<Two>::from_form(sentence.clone()), Stored::Sentence(sentence));
    let bytes = postcard::to_stdvec("as a string").expect("packs");
    assert_eq!(
        postcard::to_stdvec(&Stored::<Two>::Sentence("as a string".into())).expect("packs"),
        bytes
    );
}

/// Arguments by which a pattern chooses.
fn selectors(pattern: &Pattern<&str>, found: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        if let Expression::Select { selector, variants } = expression {
            inline_arguments(selector, found);
            variants.iter().for_each(|variant| selectors(&variant.value, found));
        }
    }
}

/// Every text that a person can receive, for review: once with 1 and once with 3 where a number chooses the form.
#[test]
fn every_text_is_listed_in_both_languages() {
    let mut listed = String::new();
    let chosen_by = |language: Language| -> BTreeMap<String, BTreeSet<String>> {
        let mut all = BTreeMap::new();
        for (_, source) in SOURCES[language as usize] {
            let resource = fluent_syntax::parser::parse(source).expect("parses");
            for entry in resource.body {
                let Entry::Message(message) = entry else { continue };
                let mut found = BTreeSet::new();
                selectors(message.value.as_ref().expect("a value"), &mut found);
                all.insert(message.id.name.to_owned(), found);
            }
        }
        all
    };
    let choices = chosen_by(Language::En);
    let ids: Ids = messages(Language::En).into_values().flatten().collect();
    for (id, arguments) in &ids {
        // What an included message names is named by the one that includes it.
        let included = arguments.iter().filter_map(|name| name.strip_prefix('@'));
        let mut names: BTreeSet<&String> = arguments.iter().collect();
        let mut chooses = !choices[id].is_empty();
        for other in included {
            names.extend(&ids[other]);
            chooses |= !choices[other].is_empty();
        }
        let numbers: &[u32] = if chooses { &[1, 3] } else { &[3] };
        for n in numbers {
            let [en, zh] = Language::ALL.map(|language| {
                let mut args = Args::new();
                for name in names.iter().filter(|name| !name.starts_with('@')) {
                    let is_number =
                        chooses && choices.values().any(|chosen| chosen.contains(*name));
                    let value = if is_number {
                        Value::from(*n)
                    } else {
                        Value::from(format!("‹{name}›"))
                    };
                    args.set(name.as_str(), value);
                }
                Texts::new(language).text(id, Some(args))
            });
            listed.push_str(&format!("{id}\n  {en}\n  {zh}\n"));
        }
    }
    insta::assert_snapshot!(listed);
}
