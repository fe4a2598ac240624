//! Pages as e-mails over SMTP. The password of an optional user is the secret.

use std::time::Duration;

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart};
use lettre::transport::smtp::SmtpTransportBuilder;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{SmtpTransport, Transport as _};
use sha2::{Digest as _, Sha256};

use super::http::{Problem, chain, is_link_local};
use super::message::Message;
use super::receiver::{Attempt, Fault, Receiver, Refusal, Settings};
use crate::alert::Notification;
use crate::domain::Timestamp;

/// Name of this kind of receiver.
pub const KIND: &str = "email";

const TIMEOUT: Duration = Duration::from_secs(15);
const SMTP_PORT: u16 = 25;
const CERT_END: &str = "-----END CERTIFICATE-----";

/// Replies that mean that every mail is refused, not only this one: no service, or a wrong user or password.
const ALL_MAIL_REFUSED: [u16; 6] = [502, 521, 530, 534, 535, 538];

/// The default port of a mail server whose URL has none. `signs_in`: with a user and a password.
pub fn smtp_port(scheme: &str, signs_in: bool) -> Option<u16> {
    match scheme {
        "smtps" => Some(465),
        "smtp" if signs_in => Some(587),
        "smtp" => Some(SMTP_PORT),
        _ => None,
    }
}

/// Creates a receiver from its configuration.
pub fn make(settings: Settings) -> Result<Box<dyn Receiver>, Vec<Problem>> {
    let mut problems = Vec::new();
    let from = match &settings.from {
        Some(from) => mailbox("from", from, &mut problems),
        None => {
            problems.push(("from", "is missing: use the sender's address".into()));
            None
        }
    };
    if settings.to.is_empty() {
        problems.push(("to", "is missing: use a list of addresses".into()));
    }
    let to: Vec<Mailbox> =
        settings.to.iter().filter_map(|to| mailbox("to", to, &mut problems)).collect();
    if settings.username.is_some() != settings.secret.is_some() {
        let why = "a user needs a password and a password a user: set both `username` and `secret_file`, or none";
        problems.push(("username", why.into()));
    }
    let transport = transport(&settings).map_err(|problem| problems.push(problem)).ok();
    match (from, transport) {
        (Some(from), Some(transport)) if problems.is_empty() => {
            Ok(Box::new(Email { settings, from, to, transport }))
        }
        _ => Err(problems),
    }
}

struct Email {
    settings: Settings,
    from: Mailbox,
    to: Vec<Mailbox>,
    transport: SmtpTransportBuilder,
}

fn mailbox(key: &'static str, text: &str, problems: &mut Vec<Problem>) -> Option<Mailbox> {
    let read = text.parse::<Mailbox>();
    let problem =
        |error| (key, format!("found `{text}`: {error}: use an address such as noc@example.org"));
    read.map_err(|error| problems.push(problem(error))).ok()
}

/// Mail is encrypted if the server offers it, and always if a password is sent to another machine.
fn transport(settings: &Settings) -> Result<SmtpTransportBuilder, Problem> {
    let problem = |why: String| ("url", why);
    let url = reqwest::Url::parse(&settings.url.0);
    let url = url.map_err(|_| problem("use smtp://HOST:PORT or smtps://HOST:PORT".into()))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let address = host.parse::<std::net::IpAddr>().ok();
    if let Some(address) = address.filter(|address| is_link_local(*address))
        && !settings.allow_link_local
    {
        let why = format!(
            "{address} is a link-local address: use another one, or set allow_link_local = true"
        );
        return Err(problem(why));
    }
    let is_local = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    let mut tls = TlsParameters::builder(host.clone());
    if let Some(file) = &settings.ca_file {
        let problem = |why: String| ("ca_file", format!("{}: {why}", file.display()));
        let pem = std::fs::read(file).map_err(|error| problem(error.to_string()))?;
        // lettre reads one certificate at a time.
        let pem = String::from_utf8_lossy(&pem);
        let certs: Vec<&str> =
            pem.split_inclusive(CERT_END).filter(|part| part.contains(CERT_END)).collect();
        if certs.is_empty() {
            return Err(problem("contains no certificate: use a file in PEM format".into()));
        }
        for cert in certs {
            let cert = Certificate::from_pem(cert.as_bytes());
            tls = tls.add_root_certificate(cert.map_err(|error| problem(chain(&error)))?);
        }
    }
    let tls =
        tls.build().map_err(|error| problem(format!("cannot set up TLS: {}", chain(&error))))?;
    let signs_in = settings.username.is_some();
    let tls = match url.scheme() {
        "smtps" => Tls::Wrapper(tls),
        _ if signs_in && !is_local => Tls::Required(tls),
        _ => Tls::Opportunistic(tls),
    };
    let port = url.port().or_else(|| smtp_port(url.scheme(), signs_in)).unwrap_or(SMTP_PORT);
    let builder = SmtpTransport::builder_dangerous(host).port(port).tls(tls).timeout(Some(TIMEOUT));
    Ok(builder)
}

/// The id of a message. The same text always gets the same id.
fn message_id(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("<{hex}@surgecast>")
}

impl Email {
    /// A transport that keeps no connections, because the password may have changed since the last page.
    fn transport(&self) -> SmtpTransport {
        let transport = self.transport.clone();
        match (&self.settings.username, &self.settings.secret) {
            (Some(user), Some(password)) => {
                transport.credentials(Credentials::new(user.clone(), password.text())).build()
            }
            _ => transport.build(),
        }
    }

    fn message(&self, page: &Notification) -> Result<lettre::Message, lettre::error::Error> {
        let settings = &self.settings;
        let message = Message::new(page, settings.language, &settings.public_url);
        // All pages of an alert are one conversation.
        let thread = message_id(&page.alert.id);
        let mut mail: MessageBuilder = lettre::Message::builder()
            .message_id(Some(message_id(&page.id)))
            .references(thread.clone())
            .in_reply_to(thread)
            .header(AutoSubmitted)
            .from(self.from.clone());
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        let mut text = message.lines.join("\n");
        text.push_str(&format!("\n\n{}\n", message.link));
        let mail = mail.subject(message.title);
        match &page.report {
            Some(report) => {
                mail.multipart(MultiPart::alternative_plain_html(text, report.html.clone()))
            }
            None => mail.header(ContentType::TEXT_PLAIN).body(text),
        }
    }
}

/// Prevents automatic replies, such as holiday notices.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

impl Receiver for Email {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn deliver(&self, page: &Notification, _now: Timestamp) -> Attempt {
        let failed = |fault, error: &dyn std::error::Error| {
            Attempt::failed(None, Refusal::new(fault, chain(error)))
        };
        let mail = match self.message(page) {
            Ok(mail) => mail,
            Err(error) => return failed(Fault::Page, &error),
        };
        match self.transport().send(&mail) {
            Ok(_) => Attempt::done(None),
            Err(error) => {
                let reply = error.status().filter(|_| error.is_permanent()).map(u16::from);
                let is_page = reply.is_some_and(|reply| !ALL_MAIL_REFUSED.contains(&reply));
                failed(if is_page { Fault::Page } else { Fault::Receiver }, &error)
            }
        }
    }
}
