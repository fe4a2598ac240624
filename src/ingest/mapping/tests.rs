use std::borrow::Cow;

use proptest::prelude::*;

use super::{Attribute, Attributes, MapRule, Mapping, MappingError, Table, Target};

fn table(rows: &str) -> Table {
    Table::from_csv(&format!("match,pattern,value\n{rows}")).expect(rows)
}

fn found(table: &Table, value: &str) -> Option<String> {
    table.find(value).map(ToString::to_string)
}

#[test]
fn exact_comes_before_the_longest_prefix_before_regex() {
    let rows = "regex,-N$,by regex\nregex,OLT,too late\nprefix,OLT,short\nprefix,OLT-1,long\n\
                exact,OLT-17,exact\nprefix,Zürich,zh\n";
    let table = table(rows);
    let cases = [
        ("OLT-17", Some("exact")),
        ("OLT-170", Some("long")),
        ("OLT-2", Some("short")),
        ("a-N", Some("by regex")),
        ("the OLT", Some("too late")),
        ("Zürich-3", Some("zh")),
        // The length of a prefix may end inside a character.
        ("ééééé", None),
        ("", None),
    ];
    for (value, want) in cases {
        assert_eq!(found(&table, value).as_deref(), want, "{value}");
    }
}

#[test]
fn csv_files_of_spreadsheets_are_read() {
    let text = "\u{feff}match,pattern,value\r\n\r\nregex,\"^a{1,2}\"\"$\", north \r\n\
                prefix,,rest\r\nexact,\"two\nlines\",south";
    let table = Table::from_csv(text).expect(text);
    for (value, want) in [("aa\"", "rest"), ("two\nlines", "south"), ("else", "rest")] {
        assert_eq!(found(&table, value).as_deref(), Some(want), "{value}");
    }
    let only = Table::from_csv("match,pattern,value").expect("no rows");
    assert_eq!(found(&only, "x"), None);
}

#[test]
fn errors_of_a_table_name_the_line() {
    let long = "x".repeat(600);
    let cases = [
        (String::new(), "the first line is ``: it must be match,pattern,value"),
        ("pattern,value\n".into(), "the first line is `pattern,value`"),
        (head("exact,a"), "line 2: 2 fields"),
        (head("exact,a,b,c"), "line 2: 4 fields"),
        (head("exact,\"a,b"), "line 2: a quote is not closed"),
        (head("exact,\"a\"b,c"), "line 2: text after a closing quote"),
        (head("glob,a*,b"), "line 2: match `glob`: use exact, prefix or regex"),
        (head("exact,,b"), "line 2: the pattern of an exact match is empty"),
        (head("exact,a,b\n\nexact,a,c"), "line 4: an earlier line has the same pattern"),
        (head("regex,(,b"), "line 2: regex: unclosed group"),
        (head("regex,(a{999}){999},b"), "line 2: regex: "),
        (head("exact,a,_all"), "line 2: value `_all` `_all` is reserved"),
        (head("exact,a,"), "line 2: value `` is empty"),
        (head(&format!("exact,{long},b")), "line 2: the pattern has 600 bytes: use at most 512"),
        (head(&"regex,a,b\n".repeat(257)), "more than 256 regexes"),
    ];
    for (text, part) in cases {
        let error = Table::from_csv(&text).expect_err(part).to_string();
        assert!(error.contains(part) && !error.contains('\n'), "{part}: {error}");
    }
}

fn head(row: &str) -> String {
    format!("match,pattern,value\n{}", row.replace("(a{999}){999}", "\"(a{999}){999}\""))
}

#[test]
fn the_first_matching_rule_wins() {
    let rule = |target, attribute, rows| MapRule { target, attribute, table: table(rows) };
    let mapping = Mapping::new(vec![
        rule(Target::Region, Attribute::Place, "exact,CITY-3,by place"),
        rule(Target::Region, Attribute::Device, "prefix,gNB,by device"),
        rule(Target::Service, Attribute::Service, "exact,svc9,mobile"),
    ])
    .expect("few rules");
    let mut event = Attributes::default();
    event.push(Attribute::Device, Some(Cow::Borrowed("gNB17")));
    event.push(Attribute::Place, None);
    event.push(Attribute::Place, Some(Cow::Borrowed("CITY-1")));
    let region =
        |event: &Attributes<'_>| mapping.find(Target::Region, event).map(|name| name.to_string());
    assert_eq!(region(&event).as_deref(), Some("by device"));
    event.push(Attribute::Place, Some(Cow::Borrowed("CITY-3")));
    assert_eq!(region(&event).as_deref(), Some("by place"));
    assert_eq!(mapping.find(Target::Service, &event), None);
    assert_eq!(mapping.find(Target::Channel, &event), None);
    let many = vec![rule(Target::Region, Attribute::Dn, ""); 65];
    assert_eq!(Mapping::new(many).err(), Some(MappingError::Many { what: "rules", most: 64 }));
}

#[test]
fn attributes_are_named_in_lower_case() {
    assert_eq!(serde_json::from_str("\"dn\"").ok(), Some(Attribute::Dn));
    assert_eq!(serde_json::from_str("\"region\"").ok(), Some(Target::Region));
    let error = serde_json::from_str::<Attribute>("\"imsi\"").expect_err("unknown").to_string();
    assert!(error.contains("expected one of `device`, `place`"), "{error}");
}

proptest! {
    #[test]
    fn no_text_panics(text in "(match,pattern,value\n)?[a-z,\"\n\r(é]{0,60}", value in ".{0,20}") {
        if let Ok(table) = Table::from_csv(&text) {
            let _ = table.find(&value);
        }
    }

    #[test]
    fn a_prefix_matches_any_continuation(prefix in "[a-z]{1,8}", rest in ".{0,2000}") {
        let table = table(&format!("prefix,{prefix},x"));
        let name = found(&table, &format!("{prefix}{rest}"));
        prop_assert_eq!(name.as_deref(), Some("x"));
    }
}
