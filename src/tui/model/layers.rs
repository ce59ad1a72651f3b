//! What lies over the screen: lines of text, help, questions, the append form. The top one has the keys.

use super::super::actions::{self, Action, Place};
use super::super::message::Moment;
use super::line::Line;
use super::{Offer, pieces};

/// A layer.
#[derive(Debug, Clone)]
pub(crate) enum Layer {
    /// A line being typed: palette, search or filter.
    Prompt(Prompt),
    /// Every action.
    Help(Help),
    /// A letter is waited for that says what is copied.
    Copy,
    /// A question before something is written.
    Question(Question),
    /// The append form.
    Form,
}

impl Layer {
    /// Where its keys are looked up.
    pub(crate) const fn place(&self) -> Place {
        match self {
            Self::Prompt(_) | Self::Help(_) => Place::Line,
            Self::Copy => Place::AfterY,
            Self::Question(Question { then: Then::Apply(_), .. }) => Place::Plan,
            Self::Question(_) => Place::Question,
            Self::Form => Place::Form,
        }
    }
}

/// What a line is typed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Go somewhere, or run an action.
    Palette,
    /// Search.
    Search,
    /// Filter.
    Filter,
}

/// A line being typed.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    /// What for.
    pub(crate) purpose: Purpose,
    /// The line.
    pub(crate) line: Line,
    /// Why it could not be taken.
    pub(crate) wrong: Option<String>,
    /// The proposal that is chosen.
    pub(crate) chosen: usize,
}

impl Prompt {
    /// An empty line.
    pub(crate) fn new(purpose: Purpose, text: &str) -> Self {
        Self { purpose, line: Line::new(text), wrong: None, chosen: 0 }
    }

    /// The actions whose names hold what was typed; for the palette only, and not while it is a place to go to.
    pub(crate) fn proposals(&self) -> Vec<&'static Action> {
        let typed = self.line.text().trim().to_lowercase();
        if self.purpose != Purpose::Palette || typed.starts_with(|c: char| c.is_ascii_digit() || c == '#') {
            return Vec::new();
        }
        let mut found: Vec<_> =
            actions::table().iter().filter(|row| row.place == Place::Main && row.title.contains(&typed)).collect();
        found.sort_by_key(|row| !row.title.starts_with(&typed));
        found
    }
}

/// Help, filtered as one types.
#[derive(Debug, Clone, Default)]
pub(crate) struct Help {
    /// What is looked for.
    pub(crate) line: Line,
    /// The line under the cursor.
    pub(crate) cursor: super::Cursor,
}

impl Help {
    /// The actions that match what was typed.
    pub(crate) fn actions(&self) -> Vec<&'static Action> {
        let typed = self.line.text().to_lowercase();
        let matches = |row: &&Action| {
            let keys: Vec<_> = row.keys.iter().map(ToString::to_string).collect();
            let key = keys.contains(&self.line.text().to_owned());
            key || row.title.to_lowercase().contains(&typed) || row.help.to_lowercase().contains(&typed)
        };
        actions::table().iter().filter(matches).collect()
    }
}

/// A question. It opens on Cancel, and takes no key that was typed before it was drawn.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// What is about to happen.
    pub(crate) title: String,
    /// What follows from it, in lines.
    pub(crate) lines: Vec<String>,
    /// What the answer that goes on is called; `None` where there is nothing to go on with.
    pub(crate) go: Option<&'static str>,
    /// What happens then.
    pub(crate) then: Then,
    /// Which answer is chosen.
    pub(crate) choice: Choice,
    /// When it was drawn first.
    pub(crate) drawn: Option<Moment>,
    /// The first line on the screen.
    pub(crate) top: usize,
}

impl Question {
    /// A question that nobody has seen yet.
    pub(crate) fn new(title: impl Into<String>, lines: Vec<String>, go: Option<&'static str>, then: Then) -> Self {
        Self { title: title.into(), lines, go, then, choice: Choice::Cancel, drawn: None, top: 0 }
    }

    /// What follows, in lines of so many columns.
    pub(crate) fn wrapped(&self, columns: usize) -> Vec<String> {
        self.lines.iter().flat_map(|line| pieces(line, columns.max(1))).collect()
    }
}

/// What a question is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Then {
    /// Append what the form holds.
    Append,
    /// Build the whole index and save it.
    Rebuild,
    /// Carry out the plan that is shown.
    Apply(Box<Offer>),
    /// Nothing yet: the plan is being made again.
    Plan,
}

/// The answers to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Change nothing.
    Cancel,
    /// Go on.
    Go,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_palette_proposes_what_starts_so_first() {
        let proposals = Prompt::new(Purpose::Palette, "scan").proposals();
        let titles: Vec<_> = proposals.iter().map(|row| row.title).collect();
        assert_eq!(titles, ["scan stop", "scan go"]);
        assert!(Prompt::new(Purpose::Palette, "12").proposals().is_empty());
        assert!(Prompt::new(Purpose::Filter, "scan").proposals().is_empty());
    }

    #[test]
    fn help_finds_by_key_and_by_word() {
        let find = |text: &str| {
            let help = Help { line: Line::new(text), ..Help::default() };
            help.actions().iter().map(|row| row.title).collect::<Vec<_>>()
        };
        assert!(find("Ctrl-z").contains(&"suspend"));
        assert!(find("rebuild").contains(&"rebuild index"));
        assert_eq!(find("").len(), actions::table().len());
    }
}
