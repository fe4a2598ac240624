//! `--report`: one HTML file with plots, to open in any browser, without a network.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use plotly::common::{Fill, Line, Marker, Mode, Title};
use plotly::configuration::DisplayModeBar;
use plotly::layout::{Axis, BarMode, Layout, Legend, Margin};
use plotly::{Bar, Configuration, Plot, Scatter};

use super::evaluate::Evaluated;
use super::setting::Setting;
use super::text;
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::backtest::{Entry, Summary};
use crate::forecast::{QUANTILES, Vintage};

const FAN_SERIES: usize = 3;
/// Known windows before an origin that are drawn, in hours.
const BEFORE_HOURS: i64 = 18;

const LEADS: [&str; 3] = ["to 1 h", "1 to 3 h", "3 to 6 h"];
const BLUE: &str = "#1f77b4";
const GREY: &str = "#8c8c8c";
const PALE: &str = "#c9c9c9";

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1100px;padding:0 1rem;color:#1b1b1b}\
pre{background:#f6f6f6;padding:1rem;overflow-x:auto;font-size:13px}\
.two{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:1rem}\
@media(max-width:800px){.two{grid-template-columns:minmax(0,1fr)}}\
.plot{height:340px}h2{margin-top:2.5rem}";

/// Writes the report.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, setting: &Setting, done: &[Evaluated<'_>]) -> anyhow::Result<()> {
    let shown = path.display();
    fs::write(path, render(setting, done)).with_context(|| format!("cannot write {shown}"))
}

fn render(setting: &Setting, done: &[Evaluated<'_>]) -> String {
    let mut page = Page::default();
    if let Some(first) = done.first() {
        page.heading("Error by lead");
        page.plots(vec![errors(done), coverage(first)]);
        page.heading("Coverage of the bands");
        page.plots(vec![histogram(first)]);
        page.heading(&format!("Forecasts of {} and actual counts", first.model));
        page.plots(fans(setting, first));
    }
    let scripts = Plot::offline_js_sources();
    // The second script renders formulas, which the report does not use.
    let script = scripts.split_once("</script>").map_or(&*scripts, |(script, _)| script);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>surgecast backtest: {input}</title><style>{STYLE}</style>\n{script}</script></head>\n\
         <body><h1>surgecast backtest</h1>\n<pre>{text}</pre>\n{body}</body></html>\n",
        input = escaped(&setting.input),
        text = escaped(&text::render(setting, done)),
        body = page.body,
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[derive(Default)]
struct Page {
    body: String,
    plots: usize,
}

impl Page {
    fn heading(&mut self, text: &str) {
        self.body.push_str(&format!("<h2>{}</h2>\n", escaped(text)));
    }

    fn plots(&mut self, plots: Vec<Plot>) {
        self.body.push_str("<div class=\"two\">\n");
        for plot in plots {
            self.plots += 1;
            let inline = plot.to_inline_html(Some(&format!("plot{}", self.plots)));
            self.body.push_str(&format!("<div class=\"plot\">{inline}</div>\n"));
        }
        self.body.push_str("</div>\n");
    }
}

fn plot(title: &str, y_title: &str, layout: Layout) -> Plot {
    let mut plot = Plot::new();
    let layout = layout
        .title(Title::with_text(title))
        .y_axis(
            Axis::new()
                .title(Title::with_text(y_title))
                .range_mode(plotly::layout::RangeMode::ToZero),
        )
        .margin(Margin::new().left(60).right(20).top(50).bottom(50))
        .legend(Legend::new().orientation(plotly::common::Orientation::Horizontal).y(-0.15));
    plot.set_layout(layout);
    plot.set_configuration(
        Configuration::new().responsive(true).display_mode_bar(DisplayModeBar::False),
    );
    plot
}

fn summaries(entry: &Entry) -> [Summary; 3] {
    entry.leads.each_ref().map(|tally| tally.summary())
}

/// One bar per lead; an unknown value has no height.
fn bars(
    name: &str,
    values: [Option<f64>; 3],
    colour: Option<&'static str>,
) -> Box<Bar<&'static str, f64>> {
    let values =
        values.map(|value| value.map_or(0.0, |value| (value * 1e3).round() / 10.0)).to_vec();
    let bar = Bar::new(LEADS.to_vec(), values).name(name);
    match colour {
        Some(colour) => bar.marker(Marker::new().color(colour)),
        None => bar,
    }
}

fn errors(done: &[Evaluated<'_>]) -> Plot {
    let mut plot =
        plot("Error (WAPE) by lead", "% of the tickets", Layout::new().bar_mode(BarMode::Group));
    for (at, done) in done.iter().enumerate() {
        let wape = summaries(done.board.overall()).map(|summary| summary.figures.wape);
        plot.add_trace(bars(&done.model, wape, (at == 0).then_some(BLUE)));
    }
    if let Some(first) = done.first() {
        let all = summaries(first.board.overall());
        plot.add_trace(bars("last week's count", all.map(|s| s.figures.wape_naive), Some(GREY)));
        plot.add_trace(bars("noise floor", all.map(|s| s.figures.wape_floor), Some(PALE)));
    }
    plot
}

fn coverage(done: &Evaluated<'_>) -> Plot {
    let mut plot = plot(
        "Actual counts within the bands, by lead (randomised PIT coverage)",
        "%",
        Layout::new().bar_mode(BarMode::Group),
    );
    let all = summaries(done.board.overall());
    plot.add_trace(bars("80 % band", all.map(|s| s.pit80), Some(BLUE)));
    plot.add_trace(bars("95 % band", all.map(|s| s.pit95), Some(GREY)));
    for (name, level) in [("80 %", 80.0), ("95 %", 95.0)] {
        plot.add_trace(line(name, LEADS.to_vec(), vec![level; 3]));
    }
    plot
}

fn line<X: serde::Serialize + Clone + 'static>(
    name: &str,
    x: Vec<X>,
    y: Vec<f64>,
) -> Box<Scatter<X, f64>> {
    let style = Line::new().color("#444").width(1.0).dash(plotly::common::DashType::Dot);
    Scatter::new(x, y).name(name).mode(Mode::Lines).line(style)
}

fn histogram(done: &Evaluated<'_>) -> Plot {
    let edges = std::iter::once(0.0).chain(QUANTILES).chain(std::iter::once(1.0));
    let edges: Vec<f64> = edges.map(|share| share * 100.0).collect();
    let names: Vec<String> =
        edges.windows(2).map(|pair| format!("{}–{}", pair[0], pair[1])).collect();
    let density = done.board.overall().all.summary().density.to_vec();
    let mut plot = plot(
        "Actual counts between neighbouring quantiles, % (PIT); 1 is right",
        "actual share / nominal share",
        Layout::new().show_legend(false),
    );
    let bars = Bar::new(names.clone(), density).name(&done.model).marker(Marker::new().color(BLUE));
    plot.add_trace(bars);
    let ones = vec![1.0; names.len()];
    plot.add_trace(line("right", names, ones));
    plot
}

fn fans(setting: &Setting, done: &Evaluated<'_>) -> Vec<Plot> {
    let mut largest: Vec<(f64, &SeriesKey)> = done
        .board
        .series()
        .map(|(key, entry)| (entry.all.summary().mean.unwrap_or(0.0), key))
        .collect();
    largest.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut plots = Vec::new();
    for (_, key) in largest.into_iter().take(FAN_SERIES) {
        let vintages = done.kept.iter().flatten().filter(|vintage| vintage.series == *key);
        plots.extend(vintages.map(|vintage| fan(setting, vintage)));
    }
    plots
}

/// One forecast: bands, median, and actual counts before and after the origin.
fn fan(setting: &Setting, vintage: &Vintage) -> Plot {
    let (counts, zone) = (&setting.counts, setting.options.zone);
    let shift = counts.shift;
    let local = |at: Timestamp| zone.local(at - shift).format("%Y-%m-%d %H:%M").to_string();
    let title = format!("{}, {}", counts.names.shown(&vintage.series), local(vintage.issued_at));
    let mut plot = plot(&title, "tickets", Layout::new().show_legend(false));
    let targets = &vintage.targets[..setting.windows.min(vintage.targets.len())];
    let x: Vec<String> = targets.iter().map(|target| local(target.start)).collect();
    for (low, high, colour) in [(0, 6, "rgba(31,119,180,.15)"), (1, 5, "rgba(31,119,180,.3)")] {
        // Along the lower edge, then back along the upper one.
        let outline = x.iter().cloned().chain(x.iter().rev().cloned()).collect();
        let lower = targets.iter().map(|target| target.quantiles[low]);
        let upper = targets.iter().rev().map(|target| target.quantiles[high]);
        let band = Scatter::new(outline, lower.chain(upper).collect())
            .name(format!("{:.0} %", (QUANTILES[high] - QUANTILES[low]) * 100.0))
            .mode(Mode::Lines)
            .fill(Fill::ToSelf)
            .fill_color(colour)
            .line(Line::new().width(0.0));
        plot.add_trace(band);
    }
    let median = targets.iter().map(|target| target.quantiles[3]).collect();
    let median = Scatter::new(x, median).name("forecast").mode(Mode::Lines);
    plot.add_trace(median.line(Line::new().color(BLUE)));
    let origin = counts.width.index(vintage.issued_at);
    let before = BEFORE_HOURS * counts.width.per_hour() as i64;
    let known = counts.series.get(&vintage.series).map(|history| {
        let range = origin - before..origin + setting.windows as i64;
        range.map(|i| (local(counts.width.start(i)), history.get(i))).unzip()
    });
    let (times, counts): (Vec<String>, Vec<f32>) = known.unwrap_or_default();
    let counts: Vec<Option<f32>> =
        counts.into_iter().map(|count| (!count.is_nan()).then_some(count)).collect();
    let actual = Scatter::new(times, counts).name("actual").mode(Mode::LinesMarkers);
    plot.add_trace(
        actual.line(Line::new().color("#222")).marker(Marker::new().size(4).color("#222")),
    );
    plot
}
