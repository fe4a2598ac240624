//! Texts of customers, and files that users write.

use crate::domain::fuzz::fuzz;
use crate::domain::{TextClassifier as _, Topic};
use crate::ingest::{Lexicon, SentimentWords, Table};

const CUSTOMERS: &[u8] =
    "text of customers: 宽带断网了,没有信号! No internet since 8am; can't log in (error 651).\n\
    el módem no enciende ¿por qué? Ünïcödé ﬁ ＦＵＬＬ　ＷＩＤＴＨ \u{301}e\u{301} 👩‍👩‍👧"
        .as_bytes();

#[test]
fn texts_of_customers() {
    let lexicon = Lexicon::default();
    fuzz("texts of customers", &[CUSTOMERS], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let mut phrases = 0;
        let topic = lexicon.classify(&text, Some(&mut |_| phrases += 1));
        assert!(phrases <= 32);
        assert_eq!(topic, lexicon.topic(&text), "the topic is the same without phrases");
        topic.is_some_and(|topic| topic != Topic::Other)
    });
}

#[test]
fn sentiments() {
    let words = SentimentWords::default();
    let text = "I'm not happy, this is ridiculous! 太差了，我要投诉。 no complaint, very good";
    fuzz("sentiments of customers", &[CUSTOMERS, text.as_bytes()], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let found = words.sentiment(&text);
        assert_eq!(found, words.sentiment(&format!(" {text} ")), "blanks do not matter");
        found.is_some()
    });
    let sample = "negative = [\"angry\", \"生气\", \"disappoint*\"]\npositive = [\"great\"]\n\
        negations = [\"isn't\", \"不\"]\nignore = [\"great britain\"]\n";
    fuzz("words with a sentiment", &[sample], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        match SentimentWords::from_toml(&text) {
            Ok(words) => {
                words.sentiment(&text);
                true
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                false
            }
        }
    });
}

#[test]
fn lexicons() {
    let sample = "[outage]\nstrong = [\"no internet\", \"断网\"]\nwords = [\"down*\"]\n\
        not = [\"not down\"]\n[billing]\nweak = [\"bill\"]\n[phrases]\nignore = [\"hello\"]\n";
    fuzz("lexicons", &[sample], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        match Lexicon::from_toml(&text) {
            Ok(lexicon) => {
                lexicon.topic(&text);
                true
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                false
            }
        }
    });
}

#[test]
fn look_up_tables() {
    let sample = "match,pattern,value\nexact,OLT-17,north\nprefix,\"gNB,1\",\"so\"\"uth\"\n\
        regex,\"(?i-u)^eNB[0-9]{1,4}x?$\",east\nprefix,,rest\n";
    fuzz("look-up tables", &[sample], |bytes| {
        match Table::from_csv(&String::from_utf8_lossy(bytes)) {
            Ok(_) => true,
            Err(error) => {
                let text = error.to_string();
                assert!(!text.is_empty() && text.len() < 2000, "{text}");
                false
            }
        }
    });
}
