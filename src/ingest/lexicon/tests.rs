//! Tests of the classification, in two languages and for arbitrary texts.

use std::cell::RefCell;

use proptest::prelude::*;

use super::*;

fn check(cases: &[(&str, Topic)]) {
    let lexicon = Lexicon::default();
    let wrong: Vec<_> = cases
        .iter()
        .map(|(text, want)| (text, *want, lexicon.topic(text)))
        .filter(|(_, want, found)| *found != Some(*want))
        .collect();
    assert!(wrong.is_empty(), "text, wanted, found: {wrong:#?}");
}

fn lexicon(text: &str) -> Lexicon {
    Lexicon::from_toml(text).expect("a lexicon")
}

#[test]
fn english_texts_are_classified() {
    check(&[
        ("no internet since this morning", Topic::Outage),
        ("NO INTERNET!!!", Topic::Outage),
        ("my broadband is down again", Topic::Outage),
        ("When will this be fixed?", Topic::Outage),
        ("the line doesn't work", Topic::Outage),
        ("the line doesnt work", Topic::Outage),
        ("the line doesn’t work", Topic::Outage),
        ("very slow today", Topic::Slow),
        ("speeds as low as 12 MB/s, paying for 105", Topic::Slow),
        ("weak signal in the basement", Topic::Coverage),
        ("question about my bill", Topic::Billing),
        ("charged twice, I want a refund", Topic::Billing),
        ("router keeps restarting", Topic::Device),
        ("I would like to move house", Topic::Other),
        ("good day", Topic::Other),
    ]);
}

#[test]
fn chinese_texts_are_classified() {
    check(&[
        ("家里断网了", Topic::Outage),
        ("早上起就上不了网，什么时候恢复", Topic::Outage),
        ("光猫红灯", Topic::Outage),
        ("晚上网速很慢", Topic::Slow),
        ("看视频很卡", Topic::Slow),
        ("地下室没信号", Topic::Coverage),
        ("这个月话费多扣了", Topic::Billing),
        ("机顶盒遥控器失灵", Topic::Device),
        ("我要移机", Topic::Other),
        ("上不了網", Topic::Outage),
    ]);
}

#[test]
fn mixed_scripts_full_width_and_accents_do_not_matter() {
    check(&[
        ("wifi没网", Topic::Outage),
        ("5G信号差", Topic::Coverage),
        ("ＮＯ　ＩＮＴＥＲＮＥＴ", Topic::Outage),
        ("no\u{a0}\u{200b}internet", Topic::Outage),
        ("no \t\r\n  internet", Topic::Outage),
        ("nö ïnternet", Topic::Outage),
        ("no inte\u{301}rnet", Topic::Outage),
        ("😡😡 no internet 😡", Topic::Outage),
        ("😡😡", Topic::Other),
    ]);
}

#[test]
fn only_whole_words_count_and_a_phrase_hides_the_words_in_it() {
    check(&[
        ("the download of my contract", Topic::Billing),
        ("no longer slow, thank you", Topic::Other),
        ("it is not slow but there is no signal", Topic::Coverage),
        ("we got a lagoon view", Topic::Other),
        ("已经恢复正常", Topic::Other),
        ("手机卡办理", Topic::Other),
        ("battery charging problem, router dead", Topic::Device),
    ]);
}

#[test]
fn a_blank_text_has_no_topic() {
    let lexicon = Lexicon::default();
    for text in ["", "   ", "\n\t", "\u{3000}\u{200b}"] {
        assert_eq!(lexicon.topic(text), None, "{text:?}");
    }
}

#[test]
fn only_the_first_thousand_characters_count() {
    let lexicon = Lexicon::default();
    let long = |n: usize, letter: &str| format!("{} no internet", letter.repeat(n));
    assert_eq!(lexicon.topic(&long(980, ".")), Some(Topic::Outage));
    assert_eq!(lexicon.topic(&long(1000, ".")), Some(Topic::Other));
    assert_eq!(lexicon.topic(&long(980, "好")), Some(Topic::Outage));
    assert_eq!(lexicon.topic(&long(1000, "好")), Some(Topic::Other));
}

#[test]
fn weights_then_length_then_order_decide() {
    let words = lexicon(
        "[outage]\nweak = [\"a\", \"b\"]\nwords = [\"eight\"]\n[slow]\nwords = [\"c\", \"longest\"]\n\
         [billing]\nstrong = [\"d\"]\n[other]\nweak = [\"e\"]",
    );
    for (text, want) in [
        ("a c", Topic::Slow),
        ("a b c", Topic::Outage),
        ("longest a b", Topic::Slow),
        ("longest eight", Topic::Slow),
        ("a b longest d", Topic::Billing),
        ("e", Topic::Other),
        ("e a", Topic::Outage),
    ] {
        assert_eq!(words.topic(text), Some(want), "{text}");
    }
}

#[test]
fn errors_name_the_entry() {
    let error = |text: &str| Lexicon::from_toml(text).expect_err("invalid").to_string();
    insta::assert_snapshot!(error("[outage]\nwords = [\"Down\"]\n[slow]\nweak = [\"down\"]"), @"[slow]: `down` is in [outage] too: keep one of them");
    insta::assert_snapshot!(error("[outage]\nwords = [\"  \"]"), @"[outage]: `  ` is empty: use a word or a phrase");
    insta::assert_snapshot!(error("[outage]\nwords = [\"a*b\"]"), @"[outage]: `a*b` has a * that is not at its end: `bill*` finds bills and billing");
    insta::assert_snapshot!(error("[billing]\nwords = [\"话费*\"]"), @"[billing]: `话费*` has a * that is not needed: leave it out");
    insta::assert_snapshot!(error(""), @r#"no words: add some, such as [outage] with words = ["no internet", …]"#);
    insta::assert_snapshot!(error("[weather]\nwords = [\"rain\"]"), @r"
    TOML parse error at line 1, column 2
      |
    1 | [weather]
      |  ^^^^^^^
    unknown field `weather`, expected one of `outage`, `coverage`, `slow`, `billing`, `device`, `other`, `phrases`
    ");
}

fn phrases(lexicon: &Lexicon, text: &str) -> Vec<String> {
    let found = RefCell::new(Vec::new());
    lexicon.classify(text, Some(&mut |phrase| found.borrow_mut().push(phrase.text().into())));
    found.into_inner()
}

#[test]
fn phrases_are_outside_the_lexicon() {
    let lexicon = Lexicon::default();
    let check = |text: &str, want: &[&str]| assert_eq!(phrases(&lexicon, text), want, "{text}");
    check("Northern Star login: ERROR 504!", &["northern star", "star login", "error 504"]);
    check("no internet", &[]);
    check("there is an Error on the portal", &["error portal"]);
    // Not across sentences, and not with numbers that are ids.
    check("blue light. green button", &["blue light", "green button"]);
    check("ticket 20261121 open", &[]);
    check("蓝屏错误", &["蓝屏", "屏错", "蓝屏错", "错误", "屏错误"]);
    check("我的蓝屏", &["蓝屏"]);
}

#[test]
fn the_key_of_a_phrase_ignores_case() {
    let lexicon = Lexicon::default();
    let keys = |text: &str| {
        let mut keys = Vec::new();
        lexicon.classify(text, Some(&mut |phrase| keys.push(phrase.key)));
        keys
    };
    assert_eq!(keys("Blue Light"), keys("bLUE  lIGHT\u{200b}"));
    assert_ne!(keys("blue light"), keys("light blue"));
}

/// Pieces of texts: words of the lexicon, and separators.
const PIECES: [&str; 24] = [
    "no internet",
    "slow",
    "no longer slow",
    "bill",
    "billing",
    " ",
    "  ",
    "断网",
    "慢",
    "很慢",
    "不慢",
    "x",
    "😡",
    "é",
    "e\u{301}",
    "ＮＯ",
    "\n",
    "'",
    "doesn't work",
    "-",
    "5",
    "。",
    "\u{200b}",
    "down",
];

proptest! {
    #[test]
    fn any_text_has_at_most_32_phrases(text in any::<String>()) {
        let lexicon = Lexicon::default();
        let mut count = 0;
        let topic = lexicon.classify(&text, Some(&mut |phrase| {
            assert!(!phrase.text().is_empty());
            count += 1;
        }));
        prop_assert_eq!(topic, lexicon.topic(&text));
        prop_assert!(count <= 32);
    }

    #[test]
    fn case_and_surrounding_blanks_do_not_matter(
        pieces in prop::collection::vec(0..PIECES.len(), 0..400),
    ) {
        let lexicon = Lexicon::default();
        let text: String = pieces.into_iter().map(|n| PIECES[n]).collect();
        let topic = lexicon.topic(&text);
        prop_assert_eq!(topic, lexicon.topic(&text.to_ascii_uppercase()));
        prop_assert_eq!(topic, lexicon.topic(&format!("  {text} ")).filter(|_| topic.is_some()));
    }

    #[test]
    fn the_order_of_lines_does_not_matter(
        mut words in prop::collection::btree_set("[ab]{1,3}( [ab]{1,2})?", 2..12),
        seed in any::<u64>(),
        text in "[ab ]{0,40}",
    ) {
        words.retain(|word| word != "a");
        let mut lines: Vec<_> = words.into_iter().enumerate().collect();
        let made = |lines: &[(usize, String)]| {
            let mut lists: [String; 3] = Default::default();
            for (n, word) in lines {
                lists[n % 3] += &format!("\"{word}\",");
            }
            let [first, second, third] = lists;
            lexicon(&format!("[outage]\nwords = [\"a\", {first}]\n[slow]\nweak = [{second}]\nnot = [{third}]"))
        };
        let straight = made(&lines);
        lines.sort_by_key(|(n, _)| (*n as u64 + 1).wrapping_mul(seed | 1));
        prop_assert_eq!(straight.topic(&text), made(&lines).topic(&text));
    }

    #[test]
    fn skipping_words_does_not_miss_matches(
        words in prop::collection::btree_set("[ab0]{1,4}([ '][ab]{1,2})?\\*?|é[ab]", 2..12),
        text in "[abAB0 '.é-]{0,60}",
    ) {
        let made = |more: &str| {
            let mut lists: [String; 3] = Default::default();
            // Each word either with a `*` or without.
            let known = words.iter().filter(|word| !words.contains(&format!("{word}*")));
            for (n, word) in known.enumerate() {
                lists[n % 3] += &format!("\"{word}\",");
            }
            let [first, second, third] = lists;
            lexicon(&format!("[outage]\nwords = [{first}]\n[slow]\nweak = [{second}]\nnot = [{third}{more}]"))
        };
        // With a word that begins with punctuation, no words are skipped.
        let (some, all) = (made(""), made("\"-zz\""));
        prop_assert!(some.0.starts.is_some() && all.0.starts.is_none());
        prop_assert_eq!(some.topic(&text), all.topic(&text));
        prop_assert_eq!(phrases(&some, &text), phrases(&all, &text));
    }
}
