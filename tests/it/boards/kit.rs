//! Parts of boards: panels, variables, annotations and links, as Grafana's JSON (classic schema 42).

use serde_json::{Map, Value, json};

use super::influxql::{ALL, reshape};
pub use super::query::{Query, Select, Source};

/// The language of a board's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    En,
    Zh,
}

impl Lang {
    /// The text in this language.
    pub fn t<'t>(self, en: &'t str, zh: &'t str) -> &'t str {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }
}

/// A panel.
#[derive(Clone, Debug)]
pub struct Panel {
    pub title: String,
    pub queries: Vec<Query>,
    kind: &'static str,
    description: String,
    size: (u64, u64),
    legends: Vec<String>,
    defaults: Map<String, Value>,
    custom: Map<String, Value>,
    overrides: Vec<Value>,
    options: Map<String, Value>,
    influxql: Differences,
}

/// How a panel differs where its board asks in InfluxQL.
#[derive(Clone, Debug, Default)]
struct Differences {
    transformations: Vec<Value>,
    overrides: Vec<(String, Vec<(String, Value)>)>,
    /// Text after the description.
    note: Option<String>,
    /// Text instead of the description.
    text: Option<String>,
}

/// Properties of one field.
fn override_of(name: &str, properties: &[(&str, Value)]) -> Value {
    let properties: Vec<Value> =
        properties.iter().map(|(id, value)| json!({ "id": id, "value": value })).collect();
    json!({ "matcher": { "id": "byName", "options": name }, "properties": properties })
}

/// Adds properties of one field. All of them are in one rule: after a rule has changed the name of a field, others may not find it.
fn set_override(all: &mut Vec<Value>, name: &str, properties: &[(&str, Value)]) {
    let added = override_of(name, properties);
    let own = all.iter_mut().find(|rule| rule["matcher"] == added["matcher"]);
    match (own.map(|rule| &mut rule["properties"]), &added["properties"]) {
        (Some(Value::Array(own)), Value::Array(more)) => own.extend(more.iter().cloned()),
        _ => all.push(added),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

impl Panel {
    fn new(kind: &'static str, title: &str, description: &str, size: (u64, u64)) -> Self {
        Self {
            title: title.into(),
            queries: Vec::new(),
            kind,
            description: description.into(),
            size,
            legends: Vec::new(),
            defaults: Map::new(),
            custom: Map::new(),
            overrides: Vec::new(),
            options: Map::new(),
            influxql: Differences::default(),
        }
    }

    /// Figures, each in a tile.
    pub fn stat(title: &str, description: &str, width: u64) -> Self {
        let mut panel = Self::new("stat", title, description, (width, 4));
        panel.options = object(json!({
            "reduceOptions": { "calcs": ["lastNotNull"], "fields": "/.*/", "values": false },
            "colorMode": "value", "graphMode": "none", "justifyMode": "auto",
            "orientation": "auto", "textMode": "value_and_name", "wideLayout": true,
            "showPercentChange": false, "percentChangeColorMode": "standard",
        }));
        panel.default("color", json!({ "mode": "thresholds" })).thresholds(&[("text", None)])
    }

    /// Sizes of texts in px, where Grafana would choose smaller ones than people read from where they sit.
    pub fn text_sizes(mut self, title: u8, value: u8) -> Self {
        self.options.insert("text".into(), json!({ "titleSize": title, "valueSize": value }));
        self
    }

    /// Lines over time.
    pub fn chart(title: &str, description: &str, size: (u64, u64)) -> Self {
        let mut panel = Self::new("timeseries", title, description, size);
        panel.options = object(json!({
            "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": [] },
            "tooltip": { "mode": "multi", "sort": "none" },
        }));
        panel.custom = object(json!({
            "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 0,
            "showPoints": "never", "spanNulls": false, "insertNulls": 5_400_000, "axisLabel": "",
            "axisPlacement": "left", "axisSoftMin": 0, "stacking": { "mode": "none", "group": "A" },
            "thresholdsStyle": { "mode": "off" },
        }));
        panel
    }

    /// Rows.
    pub fn table(title: &str, description: &str, size: (u64, u64)) -> Self {
        let mut panel = Self::new("table", title, description, size);
        panel.options = object(json!({ "frameIndex": 0, "showHeader": true, "cellHeight": "sm" }));
        panel.custom = object(json!({
            "align": "auto", "cellOptions": { "type": "auto", "wrapText": true }, "inspect": false,
            "filterable": false, "minWidth": 70, "wrapHeaderText": true,
        }));
        panel
    }

    pub fn ask(mut self, query: Query) -> Self {
        self.legends.push(String::new());
        self.queries.push(query);
        self
    }

    /// A query whose series are named by a pattern of labels.
    pub fn ask_named(mut self, query: Query, legend: &str) -> Self {
        self.legends.push(legend.into());
        self.queries.push(query);
        self
    }

    pub fn default(mut self, key: &str, value: Value) -> Self {
        self.defaults.insert(key.into(), value);
        self
    }

    pub fn unit(self, unit: &str) -> Self {
        self.default("unit", json!(unit))
    }

    /// Digits after the point. Without it, Grafana chooses as many as a value needs.
    pub fn decimals(self, digits: u8) -> Self {
        self.default("decimals", json!(digits))
    }

    /// What is shown if there is no data.
    pub fn empty(self, text: &str) -> Self {
        self.default("noValue", json!(text))
    }

    pub fn custom(mut self, key: &str, value: Value) -> Self {
        self.custom.insert(key.into(), value);
        self
    }

    pub fn thresholds(self, steps: &[(&str, Option<f64>)]) -> Self {
        self.default("thresholds", thresholds(steps))
    }

    /// Draws the thresholds as dashed lines.
    pub fn lines_at(self, steps: &[(&str, Option<f64>)]) -> Self {
        self.thresholds(steps).custom("thresholdsStyle", json!({ "mode": "dashed" }))
    }

    /// Properties of one field, by its name in the query.
    pub fn field(mut self, name: &str, properties: &[(&str, Value)]) -> Self {
        set_override(&mut self.overrides, name, properties);
        self
    }

    /// Transformations where the board asks in InfluxQL.
    pub fn reshaped(mut self, transformations: impl IntoIterator<Item = Value>) -> Self {
        self.influxql.transformations.extend(transformations);
        self
    }

    /// Properties of a field that only the InfluxQL query has.
    pub fn influxql_field(mut self, name: &str, properties: &[(&str, Value)]) -> Self {
        let properties = properties.iter().map(|(id, value)| ((*id).to_owned(), value.clone()));
        self.influxql.overrides.push((name.into(), properties.collect()));
        self
    }

    /// The description of the InfluxQL variant.
    pub fn influxql_text(mut self, text: &str) -> Self {
        self.influxql.text = Some(text.into());
        self
    }

    /// What the description of the InfluxQL variant says in addition.
    pub fn influxql_note(mut self, note: &str) -> Self {
        self.influxql.note = Some(note.into());
        self
    }

    /// The name, the unit and the digits of one field.
    pub fn named(self, field: &str, name: &str, unit: &str) -> Self {
        let mut properties = vec![("displayName", json!(name))];
        if !unit.is_empty() {
            properties.push(("unit", json!(unit)));
        }
        self.field(field, &properties)
    }

    /// Columns of region, service and channel, without the name of the roll-up that only surgecast uses.
    pub fn places(mut self, lang: Lang, fields: &[&str]) -> Self {
        let all = json!([{ "type": "value", "options": {
            "_all": { "text": lang.t("all", "全部"), "index": 0 } } }]);
        for field in fields {
            let name = match *field {
                "region" => lang.t("region", "区域"),
                "service" => lang.t("service", "业务"),
                _ => lang.t("channel", "渠道"),
            };
            let properties = [("displayName", json!(name)), ("mappings", all.clone())];
            self = self.field(field, &properties);
        }
        self
    }

    /// A column of times. A year and seconds would take half of the column, and say nothing.
    pub fn instant(self, field: &str, name: &str) -> Self {
        self.field(
            field,
            &[
                ("displayName", json!(name)),
                ("unit", json!("time:MM-DD HH:mm")),
                ("custom.width", json!(110)),
            ],
        )
    }

    /// A column that is not shown.
    pub fn hidden(self, field: &str) -> Self {
        self.field(field, &[("custom.hidden", json!(true))])
    }

    /// A column that opens a link.
    pub fn link(self, field: &str, title: &str, url: &str) -> Self {
        let links = json!([{ "title": title, "url": url, "targetBlank": true }]);
        self.field(field, &[("links", links)])
    }

    /// How old the data are, in seconds: orange and red when they are too old.
    pub fn age(self, lang: Lang, orange_s: f64, red_s: f64) -> Self {
        let steps =
            thresholds(&[("green", None), ("orange", Some(orange_s)), ("red", Some(red_s))]);
        self.field(
            "age",
            &[
                ("displayName", json!(lang.t("data age", "数据距今"))),
                ("unit", json!("s")),
                ("decimals", json!(0)),
                ("thresholds", steps),
                ("color", json!({ "mode": "thresholds" })),
            ],
        )
    }

    /// The queries of this panel in the language of its board.
    fn targets(&self, source: Source) -> Vec<Value> {
        let id = |n: usize| char::from(b'A' + n as u8).to_string();
        if source == Source::InfluxQl {
            let selects = self.queries.iter().flat_map(|query| &query.influxql).enumerate();
            return selects.map(|(n, select)| select.target(&id(n))).collect();
        }
        let targets = self.queries.iter().zip(&self.legends).enumerate();
        let targets = targets.map(|(n, (query, legend))| match source {
            Source::PromQl => json!({
                "refId": id(n), "datasource": source.datasource(), "expr": query.text,
                "legendFormat": legend, "range": self.kind == "timeseries",
                "instant": self.kind != "timeseries", "editorMode": "code",
            }),
            Source::Flux | Source::InfluxQl => {
                json!({ "refId": id(n), "datasource": source.datasource(), "query": query.text })
            }
        });
        targets.collect()
    }

    fn json(&self, id: usize, place: (u64, u64), source: Source) -> Value {
        let mut defaults = self.defaults.clone();
        if !self.custom.is_empty() {
            defaults.insert("custom".into(), Value::Object(self.custom.clone()));
        }
        let mut json = json!({
            "id": id, "type": self.kind, "title": self.title, "description": self.description,
            "datasource": source.datasource(),
            "gridPos": { "h": self.size.1, "w": self.size.0, "x": place.0, "y": place.1 },
            "targets": self.targets(source),
            "fieldConfig": { "defaults": defaults, "overrides": self.overrides },
            "options": self.options,
        });
        match source {
            Source::Flux => self.change_for_flux(&mut json),
            Source::InfluxQl => self.change_for_influxql(&mut json),
            // All fields would include the time.
            Source::PromQl if self.kind == "stat" => {
                json["options"]["reduceOptions"]["fields"] = "".into();
            }
            Source::PromQl => {}
        }
        if let ("table", Value::Array(all)) = (self.kind, &mut json["fieldConfig"]["overrides"]) {
            // What a panel says without data would otherwise be in every empty cell too.
            let properties = json!([{ "id": "noValue", "value": "" }]);
            let matcher = json!({ "id": "byRegexp", "options": "/.*/" });
            all.insert(0, json!({ "matcher": matcher, "properties": properties }));
        }
        json
    }

    /// Flux returns the columns of a row in the order of their names.
    fn change_for_flux(&self, json: &mut Value) {
        let is_chart = self.kind == "timeseries";
        if let ([query], false) = (self.queries.as_slice(), is_chart) {
            let columns: Vec<(&str, &str)> =
                query.columns.iter().map(|column| (column.as_str(), "")).collect();
            if columns.len() > 1 {
                json["transformations"] = json!([reshape::organized(&columns, &[])]);
            }
        }
    }

    /// Every result of InfluxQL has a time: figures and tables do not show it, unless the panel names it.
    fn change_for_influxql(&self, json: &mut Value) {
        let Differences { transformations, overrides, note, text } = &self.influxql;
        let names_time = overrides.iter().any(|(name, _)| name == "Time");
        if self.kind == "stat" {
            json["options"]["reduceOptions"]["fields"] = json!("/^(?!Time$)/");
        }
        if let Value::Array(all) = &mut json["fieldConfig"]["overrides"] {
            for (name, properties) in overrides {
                let properties: Vec<(&str, Value)> =
                    properties.iter().map(|(id, value)| (id.as_str(), value.clone())).collect();
                set_override(all, name, &properties);
            }
            if self.kind == "table" && !names_time {
                set_override(all, "Time", &[("custom.hidden", json!(true))]);
            }
        }
        if !transformations.is_empty() {
            json["transformations"] = json!(transformations);
        }
        if let Some(text) = text {
            json["description"] = json!(text);
        }
        if let Some(note) = note {
            let space = if self.description.ends_with('。') { "" } else { " " };
            json["description"] = json!(format!("{}{space}{note}", self.description));
        }
    }
}

/// Thresholds; the first has no value.
pub fn thresholds(steps: &[(&str, Option<f64>)]) -> Value {
    let steps = steps.iter().map(|(color, value)| json!({ "color": color, "value": value }));
    json!({ "mode": "absolute", "steps": steps.collect::<Vec<_>>() })
}

/// A variable of a board.
#[derive(Clone, Debug)]
pub struct Variable {
    pub name: &'static str,
    /// `None` for a data source or a text.
    pub query: Option<Query>,
    json: Value,
}

impl Variable {
    pub fn datasource(lang: Lang, source: Source) -> Self {
        let (kind, uid) = match source {
            Source::Flux | Source::InfluxQl => ("influxdb", "surgecast-influxdb"),
            Source::PromQl => ("prometheus", "surgecast-prometheus"),
        };
        let json = json!({
            "type": "datasource", "name": "datasource", "label": lang.t("Data source", "数据源"), "query": kind,
            "regex": "", "current": { "selected": true, "text": "surgecast", "value": uid },
            "options": [], "refresh": 1, "includeAll": false, "multi": false, "hide": 0, "skipUrlSync": false,
        });
        Self { name: "datasource", query: None, json }
    }

    /// A picker that takes all, one or several values.
    pub fn picker(name: &'static str, label: &str, query: Query) -> Self {
        let text = &query.text;
        let json = json!({
            "type": "query", "name": name, "label": label, "datasource": Source::Flux.datasource(),
            "definition": text,
            "query": { "query": text, "refId": "InfluxVariableQueryEditor-VariableQuery", "maxDataPoints": 1000 },
            "current": { "selected": true, "text": ["All"], "value": ["$__all"] },
            // Grafana inserts this without escaping it: the roll-up.
            "includeAll": true, "allValue": "_all", "multi": true,
            "options": [], "regex": "", "sort": 1, "refresh": 2, "hide": 0, "skipUrlSync": false,
        });
        Self { name, query: Some(query), json }
    }

    /// A text that people may change.
    pub fn text(name: &'static str, label: &str, value: &str) -> Self {
        let current = json!({ "selected": true, "text": value, "value": value });
        let json = json!({
            "type": "textbox", "name": name, "label": label, "query": value, "current": current,
            "options": [current], "hide": 0, "skipUrlSync": false,
        });
        Self { name, query: None, json }
    }

    fn json(&self, source: Source) -> Value {
        let mut json = self.json.clone();
        if source != Source::InfluxQl {
            return json;
        }
        if self.name == "datasource" {
            json["current"]["text"] = json!("surgecast InfluxQL");
            json["current"]["value"] = json!("surgecast-influxql");
        }
        if let Some(select) = self.query.as_ref().and_then(|query| query.influxql.first()) {
            json["definition"] = json!(select.text);
            json["query"]["query"] = json!(select.text);
            json["allValue"] = json!(ALL);
        }
        json
    }
}

/// An annotation from a query.
#[derive(Clone, Debug)]
pub struct Annotation {
    pub name: String,
    pub query: Query,
    pub color: &'static str,
}

impl Annotation {
    fn json(&self, source: Source) -> Value {
        let target = match self.query.influxql.first().filter(|_| source == Source::InfluxQl) {
            // The last column is the text. InfluxQL has no column for the end.
            Some(select) => json!({
                "refId": "Anno", "query": select.text, "rawQuery": true, "fromAnnotations": true,
                "textColumn": select.columns.last(), "titleColumn": "", "tagsColumn": "", "timeEndColumn": "",
            }),
            None => json!({ "refId": "Anno", "query": self.query.text }),
        };
        json!({
            "name": self.name, "datasource": source.datasource(), "enable": true, "hide": false,
            "iconColor": self.color, "target": target,
        })
    }
}

/// What surgecast writes to Grafana itself. Planned work comes from a query.
fn episodes(lang: Lang) -> Value {
    let tags = ["anomaly", "surge", "outage", "page"].map(|kind| format!("surgecast-{kind}"));
    json!({
        "name": lang.t("Episodes", "异常事件"), "datasource": { "type": "grafana", "uid": "-- Grafana --" }, "enable": true,
        "hide": false, "iconColor": "purple",
        "target": { "type": "tags", "tags": tags, "matchAny": true, "limit": 100 },
    })
}

/// A board.
pub struct Board {
    /// Name of its file, without `.json`.
    pub file: &'static str,
    pub uid: &'static str,
    pub lang: Lang,
    pub source: Source,
    pub title: String,
    pub description: String,
    pub time: (&'static str, &'static str),
    pub variables: Vec<Variable>,
    pub annotations: Vec<Annotation>,
    pub panels: Vec<Panel>,
}

impl Board {
    /// The same board with queries in InfluxQL.
    pub fn in_influxql(mut self) -> Self {
        self.source = Source::InfluxQl;
        self.title.push_str(self.lang.t(" (InfluxQL)", "（InfluxQL）"));
        self
    }

    /// What file names, ids and tags have in addition.
    fn suffix(&self) -> &'static str {
        if self.source == Source::InfluxQl { "-influxql" } else { "" }
    }

    /// The uid of this language's board.
    pub fn uid(&self) -> String {
        format!("{}{}{}", self.uid, self.suffix(), self.lang.t("", "-zh"))
    }

    /// Its file below `grafana`.
    pub fn path(&self) -> String {
        format!("dashboards{}/{}{}.json", self.suffix(), self.lang.t("", "zh/"), self.file)
    }

    /// The file's text.
    pub fn json(&self) -> String {
        let tag = format!("surgecast{}{}", self.suffix(), self.lang.t("", "-zh"));
        // The boards in both query languages link to this one.
        let others = (self.source == Source::PromQl)
            .then(|| tag.replacen("surgecast", "surgecast-influxql", 1));
        let tags: Vec<&String> = std::iter::once(&tag).chain(&others).collect();
        let mut annotations = vec![json!({
            "builtIn": 1, "datasource": { "type": "grafana", "uid": "-- Grafana --" }, "enable": true, "hide": true,
            "iconColor": "orange", "name": "Annotations & Alerts", "type": "dashboard",
        })];
        annotations.extend(self.annotations.iter().map(|annotation| annotation.json(self.source)));
        if !self.annotations.is_empty() {
            annotations.push(episodes(self.lang));
        }
        let mut links = vec![json!({
            "type": "dashboards", "title": self.lang.t("Boards", "看板"), "tags": [tag], "asDropdown": true,
            "includeVars": true, "keepTime": false, "targetBlank": false, "icon": "external link", "tooltip": "", "url": "",
        })];
        if self.variables.iter().any(|variable| variable.name == "page") {
            links.push(json!({
                "type": "link", "title": self.lang.t("surgecast's page", "surgecast 页面"), "url": "${page}/#/",
                "tags": [], "asDropdown": false, "includeVars": false, "keepTime": false, "targetBlank": true,
                "icon": "external link", "tooltip": "",
            }));
        }
        let variables: Vec<Value> =
            self.variables.iter().map(|variable| variable.json(self.source)).collect();
        let board = json!({
            "uid": self.uid(), "title": self.title, "description": self.description, "tags": tags,
            "schemaVersion": 42, "version": 1, "editable": false, "graphTooltip": 1,
            "fiscalYearStartMonth": 0, "timezone": "browser", "refresh": "30s",
            "time": { "from": self.time.0, "to": self.time.1 },
            "timepicker": { "refresh_intervals": ["30s", "1m", "5m", "15m"] }, "weekStart": "",
            "links": links, "annotations": { "list": annotations }, "templating": { "list": variables },
            "panels": self.placed(),
        });
        let mut text = serde_json::to_string_pretty(&board).expect("JSON");
        text.push('\n');
        text
    }

    /// Panels from left to right, in rows of 24 columns.
    fn placed(&self) -> Vec<Value> {
        let (mut x, mut y, mut height) = (0, 0, 0);
        let placed = self.panels.iter().enumerate().map(|(n, panel)| {
            let (w, h) = panel.size;
            if x + w > 24 {
                (x, y, height) = (0, y + height, 0);
            }
            let place = (x, y);
            x += w;
            height = height.max(h);
            panel.json(n + 1, place, self.source)
        });
        placed.collect()
    }
}
