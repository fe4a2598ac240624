//! The language of an answer.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::problem::Problem;
use super::state::ApiState;
use crate::text::{Language, Texts};

/// The query parameter that every endpoint with texts takes: `en` or `zh`.
pub(super) const PARAMETER: &str = "language=";

/// Texts for the reader of an answer: in the language of the query's `language`, else of `Accept-Language`, else of
/// `[server] language`.
pub struct Reads(pub Texts);

impl FromRequestParts<ApiState> for Reads {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let pairs = parts.uri.query().into_iter().flat_map(|query| query.split('&'));
        if let Some(asked) = pairs.filter_map(|pair| pair.strip_prefix(PARAMETER)).next_back() {
            let language = asked.parse::<Language>();
            let language = language.map_err(|e| Problem::bad_request(format!("language: {e}")))?;
            return Ok(Self(Texts::new(language)));
        }
        let accepted = parts.headers.get(header::ACCEPT_LANGUAGE);
        let accepted = accepted.and_then(|value| value.to_str().ok()).and_then(Language::accepted);
        Ok(Self(Texts::new(accepted.unwrap_or(state.info.language))))
    }
}
