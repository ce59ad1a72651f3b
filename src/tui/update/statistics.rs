//! Requests statistics, shows them, and filters by a group.

use super::requests::start_job;
use super::{rows, tabs};
use crate::query::StatisticsDetail;
use crate::tui::model::{Model, Pane, StatisticsKey, StatisticsProgress, StatisticsResult, Tab};
use crate::tui::request::{Request, StatisticsPeriod, StatisticsRequest, WorkerKind};

/// Shows the statistics of the last hour; when statistics are shown already, those of the next period.
pub(super) fn select_period(model: &mut Model) {
    let pane = &mut model.statistics;
    pane.period = if model.tab == Tab::Statistics { pane.period.next() } else { StatisticsPeriod::LastHour };
    pane.cursor.line = 0;
    pane.result = None;
    tabs::switch_tab(model, Tab::Statistics);
}

/// Requests statistics while their tab is shown, when they were not requested yet.
pub(super) fn request_statistics(model: &mut Model) {
    if model.tab != Tab::Statistics {
        return;
    }
    let pane = &model.statistics;
    let filter = model.list.filter.text().to_owned();
    let key = StatisticsKey { by: pane.by.clone(), period: pane.period, filter };
    if pane.requested.as_ref() == Some(&key) {
        return;
    }
    // The index knows the numbers of all events at once, so they are shown until the log is read.
    let is_quick =
        key.filter.is_empty() && key.period == StatisticsPeriod::All && model.log_info.index.saved_coverage.is_some();
    model.statistics.requested = Some(key);
    send(model, if is_quick { StatisticsDetail::Counts } else { StatisticsDetail::Full });
}

/// Counts the events again.
pub(super) fn count_again(model: &mut Model) {
    model.statistics.requested = None;
}

/// Shows statistics that have arrived. After the numbers of events from the index, the log is read for the rest.
pub(super) fn show(model: &mut Model, result: StatisticsResult) {
    let was_counting = model.statistics.progress == StatisticsProgress::Counting;
    let total = result.statistics.groups.len();
    let pane = &mut model.statistics;
    pane.result = Some(StatisticsResult { read_at_ms: model.now_ms, ..result });
    pane.progress = StatisticsProgress::Idle;
    pane.cursor.move_by(0, total);
    if was_counting {
        send(model, StatisticsDetail::Full);
    }
}

/// Shows the events of the selected group.
pub(super) fn filter_by_group(model: &mut Model) {
    if model.statistics.groups().is_empty() {
        return;
    }
    let filter = model.statistics.selected_words().and_then(|words| model.list.filter.with_words(&words).ok());
    match filter {
        Some(filter) => {
            model.tab = Tab::Events;
            model.focus = Pane::Main;
            rows::set_filter(model, filter);
        }
        None => model.warn("No filter selects the events of this group"),
    }
}

fn send(model: &mut Model, detail: StatisticsDetail) {
    let pane = &mut model.statistics;
    pane.progress = match detail {
        StatisticsDetail::Counts => StatisticsProgress::Counting,
        StatisticsDetail::Full => StatisticsProgress::Reading,
    };
    let (by, period) = (pane.by.clone(), pane.period);
    let request = StatisticsRequest { by, period, filter: model.list.filter.clone(), detail };
    start_job(model, WorkerKind::Statistics, "counting events", Request::Statistics(request));
}
