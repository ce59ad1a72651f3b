//! The rows of the table of actions for prompts, forms and dialogs.

use super::{ActionId, ActionScope, ActionSpec};
use crate::tui::keys::Key;
use ActionScope::{Columns, Confirm, Form, Plan, TextInput};
use Key::{Char, Ctrl};

/// The actions of prompts, forms and dialogs, in the order in which the help and the footer show them.
pub(super) const DIALOG_ACTIONS: &[ActionSpec] = &[
    ActionSpec::new(
        ActionId::SubmitPrompt,
        TextInput,
        &[Key::Enter],
        "submit",
        "Run the search, the filter, the jump or the action",
    )
    .with_footer("run"),
    ActionSpec::new(
        ActionId::Complete,
        TextInput,
        &[Key::Tab, Key::BackTab],
        "complete",
        "Insert the first suggestion, then the next or the previous one",
    )
    .with_footer("complete"),
    ActionSpec::new(
        ActionId::PreviousInput,
        TextInput,
        &[Key::Up, Ctrl('p')],
        "earlier text",
        "Recall the text that was submitted before",
    ),
    ActionSpec::new(
        ActionId::NextInput,
        TextInput,
        &[Key::Down, Ctrl('n')],
        "later text",
        "Recall the text that was submitted after this one",
    ),
    ActionSpec::new(
        ActionId::PromptHelp,
        TextInput,
        &[Key::F(1)],
        "prompt help",
        "Explain filters and searches, or list all actions",
    ),
    ActionSpec::new(
        ActionId::ClosePrompt,
        TextInput,
        &[Key::Esc],
        "close prompt",
        "Close the prompt and change nothing",
    )
    .with_footer("close"),
    ActionSpec::new(ActionId::SubmitForm, Form, &[Key::Enter], "append the event", "Append the event of the form")
        .with_footer("append"),
    ActionSpec::new(
        ActionId::NextField,
        Form,
        &[Key::Tab, Key::BackTab],
        "next field",
        "Focus the next or the previous field",
    )
    .with_footer("next field"),
    ActionSpec::new(
        ActionId::ChangeValue,
        Form,
        &[Key::Left, Key::Right],
        "change durability",
        "Switch between buffered and synced",
    )
    .with_footer("change"),
    ActionSpec::new(ActionId::LineBreak, Form, &[Ctrl('j')], "line break", "Insert a line break into the payload")
        .with_footer("line break"),
    ActionSpec::new(
        ActionId::CloseForm,
        Form,
        &[Key::Esc],
        "close form",
        "Stop the append, else close the form; the values are kept",
    )
    .with_footer("close"),
    ActionSpec::new(
        ActionId::NextButton,
        Confirm,
        &[Key::Tab, Key::BackTab, Key::Left, Key::Right],
        "select button",
        "Select Cancel or the other button",
    )
    .with_footer("select"),
    ActionSpec::new(ActionId::ConfirmChoice, Confirm, &[Key::Enter], "press button", "Press the selected button")
        .with_footer("confirm"),
    ActionSpec::new(ActionId::Cancel, Confirm, &[Key::Esc, Char('q')], "cancel", "Close the dialog and change nothing")
        .with_footer("cancel"),
    ActionSpec::new(
        ActionId::ScrollDown,
        Confirm,
        &[Char('j'), Key::Down, Key::PageDown, Key::End],
        "scroll down",
        "Scroll the text down",
    ),
    ActionSpec::new(
        ActionId::ScrollUp,
        Confirm,
        &[Char('k'), Key::Up, Key::PageUp, Key::Home],
        "scroll up",
        "Scroll the text up",
    ),
    ActionSpec::new(
        ActionId::ToggleRange,
        Plan,
        &[Char(' ')],
        "repair this range",
        "Plan without the selected range, or with it again",
    )
    .with_footer("in/out")
    .with_cli_equivalent("chronicle repair LOG --except OFFSET"),
    ActionSpec::new(
        ActionId::ShowBytes,
        Plan,
        &[Char('b')],
        "bytes of this range",
        "Show the bytes of the selected range before and after the repair",
    )
    .with_footer("bytes"),
    ActionSpec::new(
        ActionId::ExplainPlan,
        Plan,
        &[Char('?')],
        "explain the plan",
        "Explain the words in the table of the plan",
    )
    .with_footer("words"),
    ActionSpec::new(
        ActionId::CopyPlanCommand,
        Plan,
        &[Char('y')],
        "copy the command",
        "Copy the command that does what the dialog shows",
    ),
    ActionSpec::new(
        ActionId::ToggleCandidate,
        Plan,
        &[
            Char('1'),
            Char('2'),
            Char('3'),
            Char('4'),
            Char('5'),
            Char('6'),
            Char('7'),
            Char('8'),
            Char('9'),
            Char('0'),
            Char('A'),
            Char('B'),
            Char('C'),
            Char('D'),
            Char('E'),
            Char('F'),
        ],
        "use candidate",
        "Plan with the candidate of this key, or without it again",
    )
    .with_footer("candidate"),
    ActionSpec::new(
        ActionId::AcceptLikely,
        Plan,
        &[Char('l')],
        "accept likely",
        "Plan with likely fixes too, or with proven ones only again",
    )
    .with_footer("likely")
    .with_cli_equivalent("chronicle repair LOG --accept likely"),
    ActionSpec::new(
        ActionId::GapUndecided,
        Plan,
        &[Char('g')],
        "gap undecided",
        "Plan a gap for each damage that is still undecided, or leave it again",
    )
    .with_footer("gaps")
    .with_cli_equivalent("chronicle repair LOG --gap-undecided"),
    ActionSpec::new(
        ActionId::AcceptLargeGap,
        Plan,
        &[Char('w')],
        "write large gap",
        "Plan a gap over the lost end although it takes more than the log, or leave it again",
    )
    .with_footer("large gap")
    .with_cli_equivalent("chronicle repair LOG --large-gap"),
    ActionSpec::new(ActionId::NextColumn, Columns, &[Char('j'), Key::Down], "next column", "Select the next column"),
    ActionSpec::new(
        ActionId::PreviousColumn,
        Columns,
        &[Char('k'), Key::Up],
        "previous column",
        "Select the previous column",
    ),
    ActionSpec::new(
        ActionId::ToggleColumn,
        Columns,
        &[Char(' '), Key::Enter],
        "show column",
        "Show the selected column, or hide it",
    )
    .with_footer("show"),
    ActionSpec::new(
        ActionId::ColumnLeft,
        Columns,
        &[Char('K')],
        "move column left",
        "Move the selected column to the left",
    )
    .with_footer("left"),
    ActionSpec::new(
        ActionId::ColumnRight,
        Columns,
        &[Char('J')],
        "move column right",
        "Move the selected column to the right",
    )
    .with_footer("right"),
    ActionSpec::new(
        ActionId::WidenColumn,
        Columns,
        &[Char('+'), Char('='), Char('l'), Key::Right],
        "widen column",
        "Make the selected column wider",
    )
    .with_footer("widen"),
    ActionSpec::new(
        ActionId::NarrowColumn,
        Columns,
        &[Char('-'), Char('h'), Key::Left],
        "narrow column",
        "Make the selected column narrower",
    )
    .with_footer("narrow"),
    ActionSpec::new(
        ActionId::AddColumn,
        Columns,
        &[Char('a')],
        "add value column",
        "Add a column with the value at a path of the payload",
    )
    .with_footer("value"),
    ActionSpec::new(
        ActionId::DefaultColumns,
        Columns,
        &[Char('d')],
        "default columns",
        "Show the default columns again",
    )
    .with_footer("reset"),
    ActionSpec::new(
        ActionId::CloseColumns,
        Columns,
        &[Key::Esc, Char('q'), Char('c')],
        "close columns",
        "Close the dialog; the columns stay",
    )
    .with_footer("close"),
];
