//! The rows of the table of actions.

use super::super::keys::Key;
use super::{Action, Id, Place};
use Key::{Char, Ctrl};
use Place::{AfterY, Form, Line, Main, Plan, Question};

/// Every action, in the order in which help and footer show them.
pub(super) const TABLE: &[Action] = &[
    Action::new(Id::Search, Main, &[Char('/')], "search", "Search plain text or /regex/ from the cursor on").footer("search"),
    Action::new(Id::SearchNext, Main, &[Char('n')], "next match", "Go to the next place the search matches"),
    Action::new(Id::SearchPrevious, Main, &[Char('N')], "previous match", "Go to the previous place the search matches"),
    Action::new(
        Id::Filter,
        Main,
        &[Char('f')],
        "filter",
        "Show only events that match words like agg:42 type:Updated after:-15m payload.amount>=100; damage stays in sight",
    )
    .footer("filter")
    .twin("chronicle cat LOG --filter EXPR"),
    Action::new(
        Id::FilterAggregate,
        Main,
        &[Char('@')],
        "filter by this aggregate",
        "Show only the events of the aggregate under the cursor",
    )
    .twin("chronicle cat LOG --filter agg:ID"),
    Action::new(Id::FilterDrop, Main, &[Key::Backspace], "drop last filter", "Take the last word off the filter"),
    Action::new(
        Id::NextDamage,
        Main,
        &[Char('e')],
        "next damage",
        "Go to the next damaged range; past what the scan has seen, look for it",
    )
    .footer("next damage")
    .twin("chronicle verify LOG"),
    Action::new(Id::PreviousDamage, Main, &[Char('E')], "previous damage", "Go to the previous damaged range"),
    Action::new(
        Id::UpdateIndex,
        Main,
        &[Char('r')],
        "update index",
        "Do what the index's state needs: build it when there is none, catch it up when it is behind",
    )
    .footer("index")
    .writes()
    .twin("chronicle index update LOG"),
    Action::new(
        Id::RebuildIndex,
        Main,
        &[Char('R')],
        "rebuild index",
        "Build the index anew from the whole log, after asking",
    )
    .writes()
    .twin("chronicle index rebuild LOG"),
    Action::new(
        Id::Append,
        Main,
        &[Char('a')],
        "append a test event",
        "Fill in an event and append it, buffered or synced, and see what it costs",
    )
    .footer("append")
    .writes()
    .twin("chronicle append LOG"),
    Action::new(
        Id::Repair,
        Main,
        &[Char('x')],
        "repair this",
        "Plan the repair of the damage under the cursor, and show the plan before anything is written",
    )
    .footer("repair")
    .writes()
    .twin("chronicle repair LOG --only OFFSET"),
    Action::new(
        Id::RepairAll,
        Main,
        &[Char('X')],
        "repair everything",
        "Plan the repair of all damage, and show the plan before anything is written",
    )
    .writes()
    .twin("chronicle repair LOG"),
    Action::new(
        Id::Undo,
        Main,
        &[Char('u')],
        "undo repair",
        "Plan to take back the last repair, or the one chosen among the repairs, and show the plan first",
    )
    .writes()
    .twin("chronicle undo LOG"),
    Action::new(
        Id::Follow,
        Main,
        &[Char('F')],
        "follow",
        "Stay at the end as the log grows; moving up, or F again, leaves it",
    ),
    Action::new(
        Id::Copy,
        Main,
        &[Char('y')],
        "copy",
        "Copy what is under the cursor: offset, JSON, payload, hex or the command that shows it",
    ),
    Action::new(
        Id::Palette,
        Main,
        &[Char(':')],
        "go to, or command",
        "Go to 1223488, 0x12ab40, 50%, #3000 or 2026-11-20T09:14, or name an action",
    )
    .footer("goto"),
    Action::new(Id::Help, Main, &[Char('?'), Key::F(1)], "help", "Every action, filtered as you type; Enter runs it")
        .footer("help"),
    Action::new(Id::Down, Main, &[Char('j'), Key::Down], "down", "Move down a line"),
    Action::new(Id::Up, Main, &[Char('k'), Key::Up], "up", "Move up a line"),
    Action::new(Id::HalfDown, Main, &[Ctrl('d')], "half a page down", "Move down half a page"),
    Action::new(Id::HalfUp, Main, &[Ctrl('u')], "half a page up", "Move up half a page"),
    Action::new(Id::PageDown, Main, &[Key::PageDown, Char(' ')], "page down", "Move down a page"),
    Action::new(Id::PageUp, Main, &[Key::PageUp], "page up", "Move up a page"),
    Action::new(Id::First, Main, &[Char('g'), Key::Home], "first", "Go to the first line"),
    Action::new(Id::Last, Main, &[Char('G'), Key::End], "last", "Go to the last line"),
    Action::new(Id::Left, Main, &[Char('h'), Key::Left], "scroll left", "Scroll the pane to the left"),
    Action::new(Id::Right, Main, &[Char('l'), Key::Right], "scroll right", "Scroll the pane to the right"),
    Action::new(Id::NextPane, Main, &[Key::Tab], "next pane", "Move to the next pane"),
    Action::new(Id::PreviousPane, Main, &[Key::BackTab], "previous pane", "Move to the previous pane"),
    Action::new(Id::TabEvents, Main, &[Char('1')], "events", "The log: header, events and damage in their places"),
    Action::new(Id::TabAggregates, Main, &[Char('2')], "aggregates", "Each aggregate with its events, first and last"),
    Action::new(
        Id::TabFindings,
        Main,
        &[Char('3')],
        "findings",
        "What the scan has found: kind, range, what can be done, verdict",
    )
    .twin("chronicle verify LOG --json"),
    Action::new(Id::TabIndex, Main, &[Char('4')], "index", "What the index covers, and why it is stale")
        .twin("chronicle index status LOG"),
    Action::new(
        Id::TabRepairs,
        Main,
        &[Char('5')],
        "repairs",
        "Each repair of this log: when, what it did, how it stands",
    )
    .twin("chronicle undo LOG --list"),
    Action::new(Id::NextView, Main, &[Char(']')], "next detail view", "JSON, Hex, Frame, Aggregate: the next one"),
    Action::new(Id::PreviousView, Main, &[Char('[')], "previous detail view", "JSON, Hex, Frame, Aggregate: the one before"),
    Action::new(Id::Zoom, Main, &[Char('z')], "zoom", "Give the pane the whole screen, or take it back"),
    Action::new(Id::Enter, Main, &[Key::Enter], "open, fold or go to", "Open the line in the detail pane, fold it, or go to its place"),
    Action::new(Id::Sort, Main, &[Char('s')], "sort aggregates", "Sort the aggregates by id, events, first or last"),
    Action::new(Id::ScanStop, Main, &[], "scan stop", "Stop the scan behind the screen"),
    Action::new(Id::ScanGo, Main, &[], "scan go", "Scan on; then what was verified earlier"),
    Action::new(Id::Mouse, Main, &[], "mouse", "Listen to the mouse, or leave it to the terminal for selecting text"),
    Action::new(
        Id::Back,
        Main,
        &[Key::Esc],
        "back",
        "Leave the top layer, stop the job you started, drop search, filter, zoom, in that order",
    ),
    Action::new(Id::Close, Main, &[Char('q')], "quit", "Close the top layer; on the last one, quit"),
    Action::new(Id::Leave, Main, &[Ctrl('c')], "quit at once", "Leave a field or a question, else quit at once"),
    Action::new(Id::Suspend, Main, &[Ctrl('z')], "suspend", "Hand the terminal back to the shell; `fg` returns"),
    Action::new(Id::CopyOffset, AfterY, &[Char('o')], "copy offset", "Copy the offset").footer("offset"),
    Action::new(Id::CopyJson, AfterY, &[Char('j')], "copy JSON", "Copy the event as stored").footer("JSON"),
    Action::new(Id::CopyPayload, AfterY, &[Char('p')], "copy payload", "Copy the event's payload as stored").footer("payload"),
    Action::new(Id::CopyHex, AfterY, &[Char('h')], "copy hex", "Copy the bytes in hex").footer("hex"),
    Action::new(
        Id::CopyCommand,
        AfterY,
        &[Char('c')],
        "copy command",
        "Copy the command that shows this without a screen",
    )
    .footer("command"),
    Action::new(Id::Submit, Line, &[Key::Enter], "run the line", "Do what the line says").footer("run"),
    Action::new(Id::Complete, Line, &[Key::Tab], "complete", "Complete the word, or move to the next proposal")
        .footer("complete"),
    Action::new(Id::LeaveLine, Line, &[Key::Esc], "leave the line", "Close the line and change nothing").footer("leave"),
    Action::new(Id::Send, Form, &[Key::Enter], "send", "Append what the form holds").footer("send"),
    Action::new(Id::NextField, Form, &[Key::Tab, Key::BackTab], "next field", "Move to the next field, or the one before")
        .footer("next field"),
    Action::new(Id::Change, Form, &[Key::Left, Key::Right], "change", "Change a choice").footer("change"),
    Action::new(
        Id::LineBreak,
        Form,
        &[Ctrl('j')],
        "line break",
        "Break the line in the payload; Enter sends from everywhere",
    )
    .footer("line break"),
    Action::new(Id::LeaveForm, Form, &[Key::Esc], "leave the form", "Stop what is being sent, or close the form; it keeps its values")
        .footer("leave"),
    Action::new(
        Id::Choose,
        Question,
        &[Key::Tab, Key::BackTab, Key::Left, Key::Right],
        "choose",
        "Move between Cancel and the answer",
    )
    .footer("choose"),
    Action::new(Id::Answer, Question, &[Key::Enter], "answer", "Give the answer that is chosen").footer("answer"),
    Action::new(Id::Cancel, Question, &[Key::Esc, Char('q')], "cancel", "Change nothing").footer("cancel"),
    Action::new(
        Id::Read,
        Question,
        &[Char('j'), Key::Down, Key::PageDown, Char(' '), Key::End],
        "read on",
        "Scroll what does not fit the screen",
    ),
    Action::new(Id::ReadBack, Question, &[Char('k'), Key::Up, Key::PageUp, Key::Home], "read back", "Scroll back"),
    Action::new(
        Id::Candidate,
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
    .footer("candidate"),
    Action::new(
        Id::AcceptLikely,
        Plan,
        &[Char('l')],
        "accept likely",
        "Plan with what is likely too, or with what is proven alone again",
    )
    .footer("likely")
    .twin("chronicle repair LOG --accept likely"),
    Action::new(
        Id::FenceUndecided,
        Plan,
        &[Char('g')],
        "fence undecided",
        "Plan gaps where nobody has decided, or leave them as they are again",
    )
    .footer("fence")
    .twin("chronicle repair LOG --fence-undecided"),
];
