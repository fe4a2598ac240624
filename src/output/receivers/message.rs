//! A page as a text: title, facts and link, cut to the maximum size of a receiver.

use crate::alert::{Alert, AlertSeverity, AlertState, Notification, NotificationKind};
use crate::text::{Language, Texts, args};

/// A page in a language.
pub struct Message {
    /// One line, as on a lock screen.
    pub title: String,
    /// One fact per line.
    pub lines: Vec<String>,
    /// The web page of the alert.
    pub link: String,
    texts: Texts,
}

impl Message {
    /// The text of a page. Links lead to `public_url`.
    pub fn new(page: &Notification, language: Language, public_url: &str) -> Self {
        let (alert, texts) = (&page.alert, Texts::new(language));
        if let Some(report) = &page.report {
            return Self {
                title: report.title.clone(),
                lines: report.text.lines().map(str::to_owned).collect(),
                link: format!("{public_url}{}", report.path),
                texts,
            };
        }
        Self {
            title: page.title(&texts),
            lines: lines(page, &texts),
            link: link(alert, public_url),
            texts,
        }
    }

    /// Title, facts and link, each on a line of its own, with a size of at most `max` as measured by `size`. If necessary,
    /// facts are left out from the end, and a line says how many.
    pub fn fit(&self, max: usize, size: impl Fn(&str) -> usize) -> String {
        for shown in (0..=self.lines.len()).rev() {
            let text = self.with(shown);
            if size(&text) <= max {
                return text;
            }
        }
        // The title alone is too long.
        let room = max.saturating_sub(size(&format!("…\n{}", self.link)));
        format!("{}…\n{}", cut(&self.title, room, &size), self.link)
    }

    /// All facts.
    pub fn whole(&self) -> String {
        self.with(self.lines.len())
    }

    fn with(&self, shown: usize) -> String {
        let mut lines = vec![self.title.clone()];
        lines.extend(self.lines.iter().take(shown).cloned());
        let left_out = self.lines.len() - shown;
        if left_out > 0 {
            lines.push(self.texts.text("page-lines-left-out", args!["n" => left_out]));
        }
        lines.push(self.link.clone());
        lines.join("\n")
    }
}

/// One fact per line. If people already know of the alert, its news come first.
fn lines(page: &Notification, texts: &Texts) -> Vec<String> {
    let alert = &page.alert;
    let local = texts.local(alert.zone);
    let news = match (page.kind, &alert.acknowledged_by) {
        (NotificationKind::Escalated, Some(name)) => {
            Some(local.text("page-worse-acknowledged", args!["name" => name.as_str()]))
        }
        (NotificationKind::Reminder, _) => {
            let since = local.time(alert.since);
            let args = args!["since" => since, "at" => local.time(alert.as_of())];
            Some(local.text("page-reminder", args))
        }
        _ => None,
    };
    news.into_iter().chain(page.body(texts).lines().map(str::to_owned)).collect()
}

/// The beginning of a text whose size, as measured by `size`, is at most `max`. It is cut between two characters.
pub fn cut(text: &str, max: usize, size: impl Fn(&str) -> usize) -> &str {
    if size(text) <= max {
        return text;
    }
    let ends = text.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
    let fits = ends.partition_point(|end| size(&text[..*end]) <= max);
    &text[..ends.get(fits.saturating_sub(1)).copied().unwrap_or_default()]
}

/// Size in bytes of UTF-8.
pub fn bytes(text: &str) -> usize {
    text.len()
}

/// Size in characters.
pub fn chars(text: &str) -> usize {
    text.chars().count()
}

/// Size in bytes as a JSON string.
pub fn json_bytes(text: &str) -> usize {
    serde_json::Value::from(text).to_string().len()
}

/// The address of an alert on the web page.
pub fn link(alert: &Alert, public_url: &str) -> String {
    format!("{public_url}/#/alerts/{}", ascii(&alert.id))
}

/// A text of visible ASCII characters: all others are percent-encoded. Equal texts stay equal, different ones different.
pub fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | b'#' | b'?' | b'/' | b'"' => out.push_str(&format!("%{byte:02X}")),
            0x21..=0x7e => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Whether an alert is over.
pub fn is_over(page: &Notification) -> bool {
    page.alert.state == AlertState::Resolved
}

/// The word that most services use for a severity.
pub fn severity_word(severity: AlertSeverity) -> &'static str {
    severity.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("华东 north", 100, bytes), "华东 north");
        assert_eq!(cut("华东 north", 5, bytes), "华");
        assert_eq!(cut("华东 north", 6, bytes), "华东");
        assert_eq!(cut("华东", 2, bytes), "");
        assert_eq!(cut("a\nb", 4, json_bytes), "a");
        assert_eq!(cut("华东 north", 4, chars), "华东 n");
    }

    #[test]
    fn ids_are_visible_ascii_and_stay_different() {
        assert_eq!(
            ascii("understaffed.north.tv.17.firing.18"),
            "understaffed.north.tv.17.firing.18"
        );
        assert_eq!(ascii("understaffed.华东.tv.17"), "understaffed.%E5%8D%8E%E4%B8%9C.tv.17");
        assert_ne!(ascii("a b"), ascii("a%20b"));
    }

    #[test]
    fn facts_are_left_out_from_the_end_and_the_link_stays() {
        let message = Message {
            title: "north/tv: 5 agents short".into(),
            lines: vec![
                "first fact".into(),
                "second fact, which is longer than the line about lines left out".into(),
            ],
            link: "http://x/#/alerts/1".into(),
            texts: Texts::new(Language::En),
        };
        assert_eq!(message.fit(1000, bytes), message.whole());
        let less = message.fit(message.whole().len() - 1, bytes);
        assert_eq!(less.lines().count(), 4, "{less}");
        assert!(less.contains("first fact") && !less.contains("second fact"), "{less}");
        let least = message.fit(30, bytes);
        assert!(least.len() <= 30 && least.ends_with("http://x/#/alerts/1"), "{least}");
    }
}
