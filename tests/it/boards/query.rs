//! Queries of boards in the three query languages.

use serde_json::{Value, json};

/// What a panel, a variable or an annotation asks for, in each query language.
#[derive(Clone, Debug)]
pub struct Query {
    /// Flux or PromQL.
    pub text: String,
    /// The same in InfluxQL, as one or several queries.
    pub influxql: Vec<Select>,
    /// Columns that each row must have.
    pub columns: Vec<String>,
    /// Whether no row is a good answer, such as no open alert.
    pub may_be_empty: bool,
}

impl Query {
    pub fn new(text: impl Into<String>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { text: text.into(), influxql: Vec::new(), columns, may_be_empty: false }
    }

    /// Adds the queries in InfluxQL.
    pub fn in_influxql(mut self, selects: impl IntoIterator<Item = Select>) -> Self {
        self.influxql.extend(selects);
        self
    }

    /// A query for a chart: one series for each `_field`.
    pub fn series(text: impl Into<String>) -> Self {
        Self::new(text, &["_time", "_field", "_value"])
    }

    pub fn may_be_empty(mut self) -> Self {
        self.may_be_empty = true;
        self
    }
}

/// A query in InfluxQL.
#[derive(Clone, Debug)]
pub struct Select {
    pub text: String,
    /// The columns of its result beside the time.
    pub columns: Vec<String>,
    /// Names of series, for a chart; `None` for rows.
    pub alias: Option<String>,
}

impl Select {
    /// A query for a table or a figure.
    pub fn rows(text: impl Into<String>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { text: text.into(), columns, alias: None }
    }

    /// A query for a chart: each column is a series.
    pub fn lines(text: impl Into<String>, columns: &[&str]) -> Self {
        Self { alias: Some("$col".into()), ..Self::rows(text, columns) }
    }

    /// Names the series by a pattern of their tags.
    pub fn called(mut self, alias: impl Into<String>) -> Self {
        self.alias = Some(alias.into());
        self
    }

    /// Whether its columns are numbers over time.
    pub fn is_chart(&self) -> bool {
        self.alias.is_some()
    }

    /// Whether its series are called like its columns.
    pub fn is_plain_chart(&self) -> bool {
        self.alias.as_deref() == Some("$col")
    }

    /// The query of a panel.
    pub fn target(&self, id: &str) -> Value {
        json!({
            "refId": id, "datasource": Source::InfluxQl.datasource(), "query": self.text, "rawQuery": true,
            "resultFormat": if self.alias.is_some() { "time_series" } else { "table" },
            "alias": self.alias.as_deref().unwrap_or_default(),
        })
    }
}

/// The query language of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Flux,
    InfluxQl,
    PromQl,
}

impl Source {
    /// The data source that the reader of the board chooses.
    pub fn datasource(self) -> Value {
        let kind = match self {
            Self::Flux | Self::InfluxQl => "influxdb",
            Self::PromQl => "prometheus",
        };
        json!({ "type": kind, "uid": "${datasource}" })
    }
}
