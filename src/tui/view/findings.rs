//! Draws the findings of the scan with their ranges, fixes and verdicts, in the Findings tab and in a pane below the
//! events.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::cursor::highlight_selected_line;
use super::finding_label::finding_glyph;
use super::pane::{PaneTitle, draw_note, draw_title, span, tab_title, title_role};
use super::text::{display_width, draw_spans, fit_safe, pad};
use crate::format::Finding;
use crate::report::finding_sentence;
use crate::report::units::{format_number, format_size, format_time_of_day, format_zone_word};
use crate::tui::actions::ActionId;
use crate::tui::layout::{FindingAreas, LayoutAreas, PaneTitles, text_area};
use crate::tui::model::{Model, Pane, ScanState, Tab};
use crate::tui::theme::Role;

/// Minimum width of a list that has separate columns for start, end and size.
const MIN_WIDE_COLUMNS: usize = 78;
/// Minimum width of a list that shows the ends of ranges. A narrower one has room only for their starts.
const MIN_RANGE_COLUMNS: usize = 50;
/// Width of the column that names the kind.
const KIND_COLUMNS: usize = 14;
/// Width of that column in a narrow list.
const NARROW_KIND_COLUMNS: usize = 9;

/// What a list of findings shows of the range of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RangeForm {
    /// Start, end and size in columns of their own.
    Columns,
    /// The range as one text.
    Range,
    /// Only the start.
    Start,
}

impl RangeForm {
    /// Returns the form for a list of `width` columns.
    fn for_width(model: &Model, width: usize) -> Self {
        match width {
            MIN_WIDE_COLUMNS.. if model.tab == Tab::Findings => Self::Columns,
            MIN_RANGE_COLUMNS.. => Self::Range,
            _ => Self::Start,
        }
    }

    /// Returns the width of the column that names the kind.
    const fn kind_columns(self) -> usize {
        match self {
            Self::Columns | Self::Range => KIND_COLUMNS,
            Self::Start => NARROW_KIND_COLUMNS,
        }
    }
}

/// Draws the Findings tab with its title.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let title = PaneTitle { pane: Pane::Main, area: areas.main, title: tab_title(model), right: Line::default() };
    draw_title(frame, model, areas, title);
    draw_note(frame, areas, vec![span(model, Role::Muted, summary(model))]);
    if areas.titles == PaneTitles::Shown {
        let columns = offset_width(model);
        let form = RangeForm::for_width(model, usize::from(areas.main.width));
        let range = match form {
            RangeForm::Columns => format!("{:>columns$}  {:>columns$}  {:>9}", "start", "end", "size"),
            RangeForm::Range => format!("{:<width$}", "range", width = 2 * columns + 2),
            RangeForm::Start => format!("{:>columns$}", "start"),
        };
        let heading = format!("   {range}  {} repair, verdict", pad("kind", form.kind_columns()));
        draw_spans(frame, areas.inner(areas.main), 0, vec![span(model, Role::Muted, heading)]);
    }
    let FindingAreas { rows, advice, advice_area } = areas.finding_areas(model);
    draw_rows(frame, rows, model, Pane::Main);
    for (line, text) in (0..).zip(advice) {
        draw_spans(frame, advice_area, line, vec![span(model, Role::Warning, text)]);
    }
}

/// Draws the pane with the findings below the events.
pub(super) fn draw_below_events(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let title = fit_safe(&summary(model), usize::from(areas.findings.width).saturating_sub(4));
    let title = Line::from(span(model, title_role(model, Pane::Findings), format!(" {title} ")));
    let title = PaneTitle { pane: Pane::Findings, area: areas.findings, title, right: Line::default() };
    draw_title(frame, model, areas, title);
    draw_rows(frame, areas.inner(areas.findings), model, Pane::Findings);
}

fn draw_rows(frame: &mut Frame, area: Rect, model: &Model, pane: Pane) {
    if model.scan.findings.is_empty() {
        let area = text_area(area);
        for (line, text) in (0..area.height).zip(empty_message(model).split('\n')) {
            draw_spans(frame, area, line, vec![span(model, Role::Muted, text)]);
        }
        return;
    }
    let cursor = &model.findings;
    for (line, (number, finding)) in (0..area.height).zip(model.scan.findings.iter().enumerate().skip(cursor.top)) {
        let is_selected = number == cursor.line && (pane == model.focus || model.tab == Tab::Findings);
        let mut spans = vec![Span::raw(if is_selected { ">" } else { " " })];
        spans.extend(finding_spans(model, finding, usize::from(area.width).saturating_sub(1)));
        draw_spans(frame, area, line, spans);
        if is_selected {
            highlight_selected_line(frame, area, line, model, pane);
        }
    }
}

/// Returns the text of a finding, at most `width` columns wide, without the cursor.
fn finding_spans(model: &Model, finding: &Finding, width: usize) -> Vec<Span<'static>> {
    let (glyph, role) = finding_glyph(finding);
    let columns = offset_width(model);
    let (start, end) = (model.format_offset(finding.start), model.format_offset(finding.end));
    let form = RangeForm::for_width(model, width + 1);
    let range = match form {
        RangeForm::Columns => {
            let size = format_size(finding.end - finding.start);
            format!("{start:>columns$}  {end:>columns$}  {size:>9}  ")
        }
        RangeForm::Range => format!("{start:>columns$}..{end:<columns$}  "),
        RangeForm::Start => format!("{start:>columns$}  "),
    };
    let kind = pad(finding.kind.name(), form.kind_columns()) + " ";
    let available = width.saturating_sub(2 + display_width(&range) + display_width(&kind));
    let fix = model.fix_text(finding);
    let fix = if fix.is_empty() { fix } else { fit_safe(&fix, available) + "  " };
    let verdict = fit_safe(&finding_sentence(finding), available.saturating_sub(display_width(&fix)));
    vec![
        span(model, role, format!("{glyph} ")),
        Span::raw(range),
        span(model, role, kind),
        span(model, Role::Text, fix),
        span(model, Role::Muted, verdict),
    ]
}

/// Returns the width of a column with offsets.
fn offset_width(model: &Model) -> usize {
    let last = model.scan.findings.last().map_or(0, |finding| finding.end);
    model.format_offset(model.log_info.bytes.max(last)).len().max("start".len())
}

/// Returns the numbers of findings in the words of `verify` and the status line, and whether the scan may find more.
fn summary(model: &Model) -> String {
    if model.scan.findings.is_empty() {
        return format!("Findings: none{}", model.so_far());
    }
    let dropped = match model.scan.dropped_findings {
        0 => String::new(),
        dropped => format!("; {} more not listed", format_number(dropped)),
    };
    format!("Findings: {}{dropped}{}", model.finding_counts().short_line(), model.so_far())
}

/// Returns a message that explains why there are no findings, with the next step.
fn empty_message(model: &Model) -> String {
    let (scan, repair) = (model.keys.hint(ActionId::ScanResume), model.keys.hint(ActionId::RepairAll));
    if let Some(skipped) = model.skipped_note() {
        return format!("No findings; {skipped}\n`{scan}` reads it now; `{repair}` plans a repair of everything");
    }
    match model.scan.state {
        ScanState::Off => format!("Not scanned. `{scan}` starts the scan."),
        ScanState::Done => {
            let read_at = model.scan.finished_at_ms.map(|ms| {
                let (time, zone) = (format_time_of_day(ms, model.zone), format_zone_word(ms, model.zone));
                format!("\nThe end of the log was last read at {time} {zone}.")
            });
            format!("No findings: every frame is valid, and every payload is an event.{}", read_at.unwrap_or_default())
        }
        ScanState::Running => "No findings so far.".into(),
        ScanState::Stopped => format!("No findings before the scan was stopped. `{scan}` continues it."),
        ScanState::Failed => format!("No findings before the scan failed. `{scan}` tries again."),
    }
}
