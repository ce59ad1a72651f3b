//! The last line: what was just told, how a job is getting on, or the keys.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::pane::span;
use super::text::{fit, put, width};
use crate::report::units::{count, exact, progress};
use crate::tui::actions::{Place, footer};
use crate::tui::effect::Lane;
use crate::tui::model::{Esc, Layer, Model, Tone};
use crate::tui::theme::Role;
use crate::tui::update::why_not;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model) {
    let place = model.layers.last().map_or(Place::Main, Layer::place);
    let running = model.jobs.iter().find(|job| job.done.1 > 0);
    let spans = match (&model.notice, running) {
        (Some(notice), _) if place == Place::Main => {
            let role = if notice.tone == Tone::Bad { Role::Damage } else { Role::Title };
            let glyph = if notice.tone == Tone::Bad { "! " } else { "" };
            vec![span(model, role, format!(" {glyph}{}", fit(&notice.text, usize::from(area.width).max(3) - 3)))]
        }
        (_, Some(job)) => {
            let elapsed = model.now.0.saturating_sub(job.started.0);
            let done = if model.form.sending && job.lane == Lane::Write {
                format!("{} of {}", exact(job.done.0), count(job.done.1, "event"))
            } else {
                progress(job.done.0, job.done.1, elapsed)
            };
            let stops = if job.esc == Esc::Stops { "; Esc stops" } else { "" };
            let text = format!(" {}: {done}{stops}", job.name);
            vec![span(model, Role::Warning, fit(&text, usize::from(area.width)))]
        }
        _ => keys(model, place, usize::from(area.width)),
    };
    put(frame, area, 0, spans);
}

/// Keys and what they do, as many as there is room for.
fn keys(model: &Model, place: Place, room: usize) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    let mut used = 0;
    // A plan takes what a question takes too.
    let common = if place == Place::Plan { Some(Place::Question) } else { None };
    let offered = footer(place).filter(|(_, _, id)| place != Place::Plan || why_not(model, *id).is_none());
    for (key, label, id) in common.into_iter().flat_map(footer).chain(offered) {
        let key = format!(" {key}");
        let label = format!(" {label} ");
        used += width(&key) + width(&label);
        if used > room {
            break;
        }
        // What cannot be done now steps back; asked for, it says why.
        let role = if why_not(model, id).is_some() { Role::Quiet } else { Role::Key };
        spans.push(span(model, role, key));
        spans.push(span(model, if role == Role::Key { Role::Text } else { Role::Quiet }, label));
    }
    spans
}
