//! Read models that the API, the topics, the reports and the web page share.
//!
//! Times are RFC 3339 in UTC. What serialises here is the JSON of `/api/v1` and of the topics.

mod accuracy;
mod advice_taken;
mod alert;
mod anomaly;
mod backlog;
mod calibrations;
mod forecast;
mod gap_service;
mod gaps;
mod maintenance;
mod outline;
mod outlook;
mod overview;
mod page;
mod recommendation;
mod roster;
mod roster_changes;
mod roster_warnings;
mod sentiment;
mod series;
mod service;
mod silence;
mod staffing;
mod status;
mod tickets;
mod timeline;

pub use accuracy::{
    Accuracy, AdjustedAccuracy, Figures, LeadFigures, NowcastAccuracy, SurgeFigures, accuracy,
};
pub use advice_taken::{AdviceTaken, Period, advice_taken};
pub use alert::{Alert, AlertStep, Finding, Shortfall, StepChannel};
pub use anomaly::Anomaly;
pub use backlog::{Backlog, HANDLING_PRIOR, HandlingTime, MeanTime};
pub use calibrations::CalibrationCache;
pub use forecast::{Cause, Drivers, Forecast, ForecastTarget, ModelTarget};
pub use gap_service::{Missing, add_service};
pub use gaps::{GapRow, GapTarget, gaps};
pub use maintenance::Maintenance;
pub use outlook::{Outlook, outlooks};
pub use overview::{
    Order, Overview, OverviewFigures, OverviewRow, PeakAgents, Query, WorstGap, WorstWindow,
    overview,
};
pub use page::Page;
pub use recommendation::{OpenRecommendations, Recommendation, RecommendationOutcome, Uncovered};
pub use roster::{Roster, RosterOwner, RosterRow, RosterSummary, SentRow};
pub use roster_changes::{RosterChange, roster_changes};
pub use roster_warnings::{RosterWarning, RosterWarningReason, roster_warnings};
pub use sentiment::{SentimentRow, sentiments};
pub use series::{AlarmCounts, Key, SeriesInfo, SeriesWindows, Window, series_info};
pub use service::{
    CALIBRATION_DAYS, CalibrationRow, Service, ServiceCalibration, ServiceFigures, ServiceReader,
    ServiceRow, ServiceWindow,
};
pub use silence::{
    HeldPages, Incident, IncidentNeed, IncidentService, Silence, Silenced, incidents,
};
pub use staffing::{Staffing, StaffingFigures, StaffingProfile, StaffingTarget, TeamStaffing};
pub use status::{DeadLetter, Status};
pub use tickets::{OpenTicket, OutreachRow, SlaClocks, SlaWeek, TicketClock, first_monday};
pub use timeline::{Timeline, TimelineForecast, TimelineStaffing, TimelineWindow, timeline};

/// With at least this many series, all forecasts of an issue time are read at once.
pub const MANY: usize = 200;
