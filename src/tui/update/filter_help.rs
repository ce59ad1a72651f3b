//! The page that explains the language of filters, made from its tables.

use crate::query::{FILTER_OPERATORS, FILTER_TERMS};
use crate::tui::model::{ConfirmDialog, ConfirmedAction, Model, Overlay};

/// Opens the page that lists the terms and the operators of filters, with examples.
pub(super) fn show_filter_help(model: &mut Model) {
    let dialog = ConfirmDialog::new("Filters and searches", filter_help_lines(), None, ConfirmedAction::Nothing);
    model.overlays.push(Overlay::Confirm(dialog));
}

fn filter_help_lines() -> Vec<String> {
    let mut lines: Vec<String> = [
        "Terms are separated by blanks, and all of them must match. Terms with the same key and operator are alternatives, and so are the values of a list: type:Created,Updated.",
        "A minus or an exclamation mark before a term excludes: -type:Heartbeat.",
        "Quotes keep blanks, commas, stars and operators in a text: type:\"Price changed\".",
        "In a search the whole line is one text, or one /regex/.",
        "",
        "TERMS",
    ]
    .map(str::to_owned)
    .to_vec();
    for term in &FILTER_TERMS {
        lines.push(format!("{}   for example {}", term.syntax, term.example));
        lines.push(format!("    {}", term.help.replace('`', "")));
        if !term.operators.is_empty() {
            lines.push(format!("    with {}", term.operators.join(" ")));
        }
    }
    lines.extend([String::new(), "OPERATORS".to_owned()]);
    for operator in &FILTER_OPERATORS {
        lines.push(format!("{}   for example {}", operator.sign, operator.example));
        lines.push(format!("    {}", operator.help.replace('`', "")));
    }
    lines.extend(
        [
            "",
            "TIMES (without a zone: in the zone that the screen shows)",
            "2026-11-20   the whole day",
            "2026-11-20T09:14, 2026-11-20T09:14:02+01:00   the whole minute or second",
            "-15m, -1h30m, now   before now, in s m h d w",
            "end-1h, end   before the last event",
            "1795165200000, 5ms   milliseconds since 1970, as in write_timestamp_ms",
        ]
        .map(str::to_owned),
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_term_and_every_operator() {
        let lines = filter_help_lines();
        let starts = |text: &str| lines.iter().any(|line| line.starts_with(&format!("{text}   for example")));
        assert!(FILTER_TERMS.iter().all(|term| starts(term.syntax)));
        assert!(FILTER_OPERATORS.iter().all(|operator| starts(operator.sign)));
    }
}
