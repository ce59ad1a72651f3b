//! The rows of the table of actions.

use super::super::keys::Key;
use super::{ActionId, ActionScope, ActionSpec};
use ActionScope::{Confirm, CopyChord, Form, Main, Plan, TextInput};
use Key::{Char, Ctrl};

/// Every action, in the order in which help and footer show them.
pub(super) const TABLE: &[ActionSpec] = &[
    ActionSpec::new(ActionId::Search, Main, &[Char('/')], "search", "Search plain text or /regex/ from the cursor on").with_footer("search"),
    ActionSpec::new(ActionId::SearchNext, Main, &[Char('n')], "next match", "Go to the next place the search matches"),
    ActionSpec::new(ActionId::SearchPrevious, Main, &[Char('N')], "previous match", "Go to the previous place the search matches"),
    ActionSpec::new(
        ActionId::Filter,
        Main,
        &[Char('f')],
        "filter",
        "Show only events that match words like agg:42 type:Updated after:-15m payload.amount>=100; damage stays in sight",
    )
    .with_footer("filter")
    .with_cli_equivalent("chronicle cat LOG --filter EXPR"),
    ActionSpec::new(
        ActionId::FilterAggregate,
        Main,
        &[Char('@')],
        "filter by this aggregate",
        "Show only the events of the aggregate under the cursor",
    )
    .with_cli_equivalent("chronicle cat LOG --filter agg:ID"),
    ActionSpec::new(ActionId::FilterRemoveLast, Main, &[Key::Backspace], "drop last filter", "Take the last word off the filter"),
    ActionSpec::new(
        ActionId::NextDamage,
        Main,
        &[Char('e')],
        "next damage",
        "Go to the next damaged range; past what the scan has seen, look for it",
    )
    .with_footer("next damage")
    .with_cli_equivalent("chronicle verify LOG"),
    ActionSpec::new(ActionId::PreviousDamage, Main, &[Char('E')], "previous damage", "Go to the previous damaged range"),
    ActionSpec::new(
        ActionId::UpdateIndex,
        Main,
        &[Char('r')],
        "update index",
        "Do what the index's state needs: build it when there is none, catch it up when it is behind",
    )
    .with_footer("index")
    .writing()
    .with_cli_equivalent("chronicle index update LOG"),
    ActionSpec::new(
        ActionId::RebuildIndex,
        Main,
        &[Char('R')],
        "rebuild index",
        "Build the index anew from the whole log, after asking",
    )
    .writing()
    .with_cli_equivalent("chronicle index rebuild LOG"),
    ActionSpec::new(
        ActionId::Append,
        Main,
        &[Char('a')],
        "append a test event",
        "Fill in an event and append it, buffered or synced, and see what it costs",
    )
    .with_footer("append")
    .writing()
    .with_cli_equivalent("chronicle append LOG"),
    ActionSpec::new(
        ActionId::Repair,
        Main,
        &[Char('x')],
        "repair this",
        "Plan the repair of the damage under the cursor, and show the plan before anything is written",
    )
    .with_footer("repair")
    .writing()
    .with_cli_equivalent("chronicle repair LOG --only OFFSET"),
    ActionSpec::new(
        ActionId::RepairAll,
        Main,
        &[Char('X')],
        "repair everything",
        "Plan the repair of all damage, and show the plan before anything is written",
    )
    .writing()
    .with_cli_equivalent("chronicle repair LOG"),
    ActionSpec::new(
        ActionId::Undo,
        Main,
        &[Char('u')],
        "undo repair",
        "Plan to take back the last repair, or the one chosen among the repairs, and show the plan first",
    )
    .writing()
    .with_cli_equivalent("chronicle undo LOG"),
    ActionSpec::new(
        ActionId::Follow,
        Main,
        &[Char('F')],
        "follow",
        "Stay at the end as the log grows; moving up, or F again, leaves it",
    ),
    ActionSpec::new(
        ActionId::Copy,
        Main,
        &[Char('y')],
        "copy",
        "Copy what is under the cursor: offset, JSON, payload, hex or the command that shows it",
    ),
    ActionSpec::new(
        ActionId::Palette,
        Main,
        &[Char(':')],
        "go to, or command",
        "Go to 1223488, 0x12ab40, 50%, #3000 or 2026-11-20T09:14, or name an action",
    )
    .with_footer("goto"),
    ActionSpec::new(ActionId::Help, Main, &[Char('?'), Key::F(1)], "help", "Every action, filtered as you type; Enter runs it")
        .with_footer("help"),
    ActionSpec::new(ActionId::Down, Main, &[Char('j'), Key::Down], "down", "Move down a line"),
    ActionSpec::new(ActionId::Up, Main, &[Char('k'), Key::Up], "up", "Move up a line"),
    ActionSpec::new(ActionId::HalfDown, Main, &[Ctrl('d')], "half a page down", "Move down half a page"),
    ActionSpec::new(ActionId::HalfUp, Main, &[Ctrl('u')], "half a page up", "Move up half a page"),
    ActionSpec::new(ActionId::PageDown, Main, &[Key::PageDown, Char(' ')], "page down", "Move down a page"),
    ActionSpec::new(ActionId::PageUp, Main, &[Key::PageUp], "page up", "Move up a page"),
    ActionSpec::new(ActionId::First, Main, &[Char('g'), Key::Home], "first", "Go to the first line"),
    ActionSpec::new(ActionId::Last, Main, &[Char('G'), Key::End], "last", "Go to the last line"),
    ActionSpec::new(ActionId::Left, Main, &[Char('h'), Key::Left], "scroll left", "Scroll the pane to the left"),
    ActionSpec::new(ActionId::Right, Main, &[Char('l'), Key::Right], "scroll right", "Scroll the pane to the right"),
    ActionSpec::new(ActionId::NextPane, Main, &[Key::Tab], "next pane", "Move to the next pane"),
    ActionSpec::new(ActionId::PreviousPane, Main, &[Key::BackTab], "previous pane", "Move to the previous pane"),
    ActionSpec::new(ActionId::TabEvents, Main, &[Char('1')], "events", "The log: header, events and damage in their places"),
    ActionSpec::new(ActionId::TabAggregates, Main, &[Char('2')], "aggregates", "Each aggregate with its events, first and last"),
    ActionSpec::new(
        ActionId::TabFindings,
        Main,
        &[Char('3')],
        "findings",
        "What the scan has found: kind, range, what can be done, verdict",
    )
    .with_cli_equivalent("chronicle verify LOG --json"),
    ActionSpec::new(ActionId::TabIndex, Main, &[Char('4')], "index", "What the index covers, and why it is stale")
        .with_cli_equivalent("chronicle index status LOG"),
    ActionSpec::new(
        ActionId::TabRepairs,
        Main,
        &[Char('5')],
        "repairs",
        "Each repair of this log: when, what it did, how it stands",
    )
    .with_cli_equivalent("chronicle undo LOG --list"),
    ActionSpec::new(ActionId::NextView, Main, &[Char(']')], "next detail view", "JSON, Hex, Frame, Aggregate: the next one"),
    ActionSpec::new(ActionId::PreviousView, Main, &[Char('[')], "previous detail view", "JSON, Hex, Frame, Aggregate: the one before"),
    ActionSpec::new(ActionId::Zoom, Main, &[Char('z')], "zoom", "Give the pane the whole screen, or take it back"),
    ActionSpec::new(ActionId::Activate, Main, &[Key::Enter], "open, fold or go to", "Open the line in the detail pane, fold it, or go to its place"),
    ActionSpec::new(ActionId::Sort, Main, &[Char('s')], "sort aggregates", "Sort the aggregates by id, events, first or last"),
    ActionSpec::new(ActionId::ScanStop, Main, &[], "scan stop", "Stop the scan behind the screen"),
    ActionSpec::new(ActionId::ScanResume, Main, &[], "scan go", "Scan on; then what was verified earlier"),
    ActionSpec::new(ActionId::ToggleMouse, Main, &[], "mouse", "Listen to the mouse, or leave it to the terminal for selecting text"),
    ActionSpec::new(
        ActionId::Back,
        Main,
        &[Key::Esc],
        "back",
        "Leave the top layer, stop the job you started, drop search, filter, zoom, in that order",
    ),
    ActionSpec::new(ActionId::Close, Main, &[Char('q')], "quit", "Close the top layer; on the last one, quit"),
    ActionSpec::new(ActionId::Interrupt, Main, &[Ctrl('c')], "quit at once", "Leave a field or a question, else quit at once"),
    ActionSpec::new(ActionId::Suspend, Main, &[Ctrl('z')], "suspend", "Hand the terminal back to the shell; `fg` returns"),
    ActionSpec::new(ActionId::CopyOffset, CopyChord, &[Char('o')], "copy offset", "Copy the offset").with_footer("offset"),
    ActionSpec::new(ActionId::CopyJson, CopyChord, &[Char('j')], "copy JSON", "Copy the event as stored").with_footer("JSON"),
    ActionSpec::new(ActionId::CopyPayload, CopyChord, &[Char('p')], "copy payload", "Copy the event's payload as stored").with_footer("payload"),
    ActionSpec::new(ActionId::CopyHex, CopyChord, &[Char('h')], "copy hex", "Copy the bytes in hex").with_footer("hex"),
    ActionSpec::new(
        ActionId::CopyCommand,
        CopyChord,
        &[Char('c')],
        "copy command",
        "Copy the command that shows this without a screen",
    )
    .with_footer("command"),
    ActionSpec::new(ActionId::SubmitPrompt, TextInput, &[Key::Enter], "run the line", "Do what the line says").with_footer("run"),
    ActionSpec::new(ActionId::Complete, TextInput, &[Key::Tab], "complete", "Complete the word, or move to the next proposal")
        .with_footer("complete"),
    ActionSpec::new(ActionId::ClosePrompt, TextInput, &[Key::Esc], "leave the line", "Close the line and change nothing").with_footer("leave"),
    ActionSpec::new(ActionId::SubmitForm, Form, &[Key::Enter], "send", "Append what the form holds").with_footer("send"),
    ActionSpec::new(ActionId::NextField, Form, &[Key::Tab, Key::BackTab], "next field", "Move to the next field, or the one before")
        .with_footer("next field"),
    ActionSpec::new(ActionId::ChangeValue, Form, &[Key::Left, Key::Right], "change", "Change a choice").with_footer("change"),
    ActionSpec::new(
        ActionId::LineBreak,
        Form,
        &[Ctrl('j')],
        "line break",
        "Break the line in the payload; Enter sends from everywhere",
    )
    .with_footer("line break"),
    ActionSpec::new(ActionId::CloseForm, Form, &[Key::Esc], "leave the form", "Stop what is being sent, or close the form; it keeps its values")
        .with_footer("leave"),
    ActionSpec::new(
        ActionId::NextButton,
        Confirm,
        &[Key::Tab, Key::BackTab, Key::Left, Key::Right],
        "choose",
        "Move between Cancel and the answer",
    )
    .with_footer("choose"),
    ActionSpec::new(ActionId::ConfirmChoice, Confirm, &[Key::Enter], "answer", "Give the answer that is chosen").with_footer("answer"),
    ActionSpec::new(ActionId::Cancel, Confirm, &[Key::Esc, Char('q')], "cancel", "Change nothing").with_footer("cancel"),
    ActionSpec::new(
        ActionId::ScrollDown,
        Confirm,
        &[Char('j'), Key::Down, Key::PageDown, Char(' '), Key::End],
        "read on",
        "Scroll what does not fit the screen",
    ),
    ActionSpec::new(ActionId::ScrollUp, Confirm, &[Char('k'), Key::Up, Key::PageUp, Key::Home], "read back", "Scroll back"),
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
        "choose a candidate",
        "Plan with the candidate that this key stands before, or without it again",
    )
    .with_footer("candidate"),
    ActionSpec::new(
        ActionId::AcceptLikely,
        Plan,
        &[Char('l')],
        "accept likely",
        "Plan with what is likely too, or with what is proven alone again",
    )
    .with_footer("likely")
    .with_cli_equivalent("chronicle repair LOG --accept likely"),
    ActionSpec::new(
        ActionId::GapUndecided,
        Plan,
        &[Char('g')],
        "fence undecided",
        "Plan gaps where nobody has decided, or leave them as they are again",
    )
    .with_footer("fence")
    .with_cli_equivalent("chronicle repair LOG --gap-undecided"),
];
