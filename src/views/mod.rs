//! Read models: what the API, the topics, the reports and the page show of the store, in one form.
//!
//! Times are RFC 3339 in UTC. What serialises here is the JSON of `/api/v1` and of the topics.

mod accuracy;
mod alert;
mod anomaly;
mod forecast;
mod maintenance;
mod outlook;
mod overview;
mod page;
mod series;
mod staffing;
mod status;

pub use accuracy::{
    Accuracy, AdjustedAccuracy, Figures, LeadFigures, NowcastAccuracy, SurgeFigures, accuracy,
};
pub use alert::{Alert, Shortfall};
pub use anomaly::Anomaly;
pub use forecast::{Cause, Drivers, Forecast, ForecastTarget, ModelTarget};
pub use maintenance::Maintenance;
pub use outlook::{Outlook, outlooks};
pub use overview::{
    Order, Overview, OverviewFigures, OverviewRow, PeakAgents, Query, WorstGap, WorstWindow,
    overview,
};
pub use page::Page;
pub use series::{AlarmCounts, Key, SeriesInfo, SeriesWindows, Window, series_info};
pub use staffing::{Shift, Staffing, StaffingTarget};
pub use status::{DeadLetter, Status};

/// From so many series on all forecasts of a time are read at once.
pub const MANY: usize = 200;
