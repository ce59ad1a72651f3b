//! The rows of the table of actions for the main screen.

use super::{ActionId, ActionScope, ActionSpec};
use crate::tui::keys::Key;
use ActionScope::{Main, Timeline};
use Key::{Char, Ctrl};

/// The actions of the main screen, in the order in which the help and the footer show them.
pub(super) const MAIN_ACTIONS: &[ActionSpec] = &[
    ActionSpec::new(ActionId::Search, Main, &[Char('/')], "search", "Search forward for text or /regex/").with_footer("search"),
    ActionSpec::new(ActionId::SearchNext, Main, &[Char('n')], "next match", "Go to the next match of the search"),
    ActionSpec::new(ActionId::SearchPrevious, Main, &[Char('N')], "previous match", "Go to the previous match of the search"),
    ActionSpec::new(
        ActionId::Filter,
        Main,
        &[Char('f')],
        "filter",
        "Show only events that match terms such as agg:42 type:Updated after:-15m payload.amount>=100; damage stays visible",
    )
    .with_footer("filter")
    .with_cli_equivalent("chronicle cat LOG --filter EXPR"),
    ActionSpec::new(
        ActionId::FilterAggregate,
        Main,
        &[Char('@')],
        "filter by this aggregate",
        "Show only the events of the selected aggregate, or of the aggregate of the selected event",
    )
    .with_cli_equivalent("chronicle cat LOG --filter agg:ID"),
    ActionSpec::new(
        ActionId::FilterWithValue,
        Main,
        &[Char('+')],
        "filter with this value",
        "Add the value under the cursor of the detail pane to the filter: only events with the same value there are shown",
    ),
    ActionSpec::new(
        ActionId::FilterWithoutValue,
        Main,
        &[Char('-')],
        "filter without this value",
        "Exclude the value under the cursor of the detail pane: events with the same value there are not shown",
    ),
    ActionSpec::new(
        ActionId::FilterOnlyValue,
        Main,
        &[Char('=')],
        "events with this value",
        "Follow the value under the cursor of the detail pane through the log: it replaces the filter; going back returns",
    ),
    ActionSpec::new(ActionId::FilterRemoveLast, Main, &[Key::Backspace], "drop last filter", "Remove the last term of the filter"),
    ActionSpec::new(ActionId::FilterHelp, Main, &[], "filter help", "Show the terms and operators of filters; the help of a filter's prompt shows them too"),
    ActionSpec::new(
        ActionId::ToggleFindings,
        Main,
        &[Char('d')],
        "damage under the filter",
        "Show the damage and the gaps between the hits of the filter, or fold them into one line",
    ),
    ActionSpec::new(
        ActionId::NextDamage,
        Main,
        &[Char('e')],
        "next damage",
        "Go to the next damaged range; searches the log where it is not scanned yet",
    )
    .with_footer("next damage")
    .with_cli_equivalent("chronicle verify LOG"),
    ActionSpec::new(ActionId::PreviousDamage, Main, &[Char('E')], "previous damage", "Go to the previous damaged range"),
    ActionSpec::new(
        ActionId::JumpBack,
        Main,
        &[Ctrl('o'), Char('<')],
        "back to the place before",
        "Return to the place, the filter and the tab before the last jump, search or change of the filter",
    ),
    ActionSpec::new(
        ActionId::JumpForward,
        Main,
        &[Char('>'), Ctrl('i')],
        "forward again",
        "Go to the place from which the screen went back",
    ),
    ActionSpec::new(ActionId::SetMark, Main, &[Char('m')], "mark this place", "Mark the place, the filter and the tab with a letter or a digit"),
    ActionSpec::new(
        ActionId::GoToMark,
        Main,
        &[Char('\'')],
        "go to a mark",
        "Go to the place that a letter or a digit marks; the same key again goes to the place before the last jump",
    ),
    ActionSpec::new(
        ActionId::UpdateIndex,
        Main,
        &[Char('r')],
        "update index",
        "Build the index when it is missing, catch it up when it is behind",
    )
    .with_footer("index")
    .writing()
    .with_cli_equivalent("chronicle index update LOG"),
    ActionSpec::new(
        ActionId::RebuildIndex,
        Main,
        &[Char('R')],
        "rebuild index",
        "Build the index from the whole log and replace it; asks first",
    )
    .writing()
    .with_cli_equivalent("chronicle index rebuild LOG"),
    ActionSpec::new(
        ActionId::Append,
        Main,
        &[Char('a')],
        "append a test event",
        "Append a test event, buffered or synced, and show its latency; asks before the first write",
    )
    .with_footer("append")
    .writing()
    .with_cli_equivalent("chronicle append LOG"),
    ActionSpec::new(
        ActionId::AppendLike,
        Main,
        &[Char('A')],
        "append one like this",
        "Open the append form with the fields and the payload of the selected event, but not its write time",
    )
    .writing()
    .with_cli_equivalent("chronicle append LOG"),
    ActionSpec::new(
        ActionId::Repair,
        Main,
        &[Char('x')],
        "repair damage",
        "Plan the repair of the selected damage; shows the plan and asks before it writes",
    )
    .with_footer("repair")
    .writing()
    .with_cli_equivalent("chronicle repair LOG --only OFFSET"),
    ActionSpec::new(
        ActionId::RepairAll,
        Main,
        &[Char('X')],
        "repair all damage",
        "Plan the repair of all damage; shows the plan and asks before it writes",
    )
    .writing()
    .with_cli_equivalent("chronicle repair LOG"),
    ActionSpec::new(
        ActionId::Undo,
        Main,
        &[Char('u')],
        "undo repair",
        "Plan the undo of the last change, of the one selected in the repair history, or in the Segments tab of the last removal; shows the plan and asks before it writes",
    )
    .writing()
    .with_cli_equivalent("chronicle undo LOG"),
    ActionSpec::new(
        ActionId::Erase,
        Main,
        &[],
        "erase",
        "Plan to erase the selected event, or in the Aggregates tab and the Aggregate view all events of the aggregate; `:erase REASON` gives the reason; shows the plan and asks before it writes",
    )
    .writing()
    .with_cli_equivalent("chronicle erase LOG --aggregate ID"),
    ActionSpec::new(
        ActionId::Purge,
        Main,
        &[],
        "purge",
        "Plan to make all erasures final, or the one selected in the repair history, or to delete the removed segments; shows the plan and asks before it writes",
    )
    .writing()
    .with_cli_equivalent("chronicle purge LOG"),
    ActionSpec::new(
        ActionId::Retain,
        Main,
        &[Char('K')],
        "retain",
        "Plan to remove the segments before the selected one; `:retain --before TIME`, `--keep-size SIZE` or `--keep-for AGE` name a limit; shows the plan and asks before it writes",
    )
    .writing()
    .with_cli_equivalent("chronicle retain LOG --before OFFSET"),
    ActionSpec::new(
        ActionId::Follow,
        Main,
        &[Char('F')],
        "follow",
        "Stay at the end as the log grows and show its rate; moving up pauses, the last line resumes, the same key ends it",
    ),
    ActionSpec::new(
        ActionId::Copy,
        Main,
        &[Char('y')],
        "copy",
        "Copy a part of the selected row, which the next key names, or write the last copy to a file",
    ),
    ActionSpec::new(
        ActionId::Export,
        Main,
        &[Char('w')],
        "write to a file",
        "Write the events that the filter shows to a new file: JSON lines, CSV with the columns of the list (.csv), or Parquet (.parquet)",
    )
    .with_cli_equivalent("chronicle export LOG -o FILE --filter EXPR"),
    ActionSpec::new(
        ActionId::Palette,
        Main,
        &[Char(':')],
        "go to or run",
        "Go to an offset (1223488, 0x12ab40), a share (50%), an event (#3000) or a time (2026-11-20T09:14), or run an action",
    )
    .with_footer("goto"),
    ActionSpec::new(ActionId::Help, Main, &[Char('?'), Key::F(1)], "help", "List all actions, those of the focused pane first, filtered as you type, and run the selected one")
        .with_footer("help"),
    ActionSpec::new(ActionId::Down, Main, &[Char('j'), Key::Down], "down", "Move down one line"),
    ActionSpec::new(ActionId::Up, Main, &[Char('k'), Key::Up], "up", "Move up one line"),
    ActionSpec::new(ActionId::HalfDown, Main, &[Ctrl('d')], "half page down", "Move down half a page"),
    ActionSpec::new(ActionId::HalfUp, Main, &[Ctrl('u')], "half page up", "Move up half a page"),
    ActionSpec::new(ActionId::PageDown, Main, &[Key::PageDown, Char(' ')], "page down", "Move down one page"),
    ActionSpec::new(ActionId::PageUp, Main, &[Key::PageUp], "page up", "Move up one page"),
    ActionSpec::new(ActionId::First, Main, &[Char('g'), Key::Home], "first", "Go to the first line"),
    ActionSpec::new(ActionId::Last, Main, &[Char('G'), Key::End], "last", "Go to the last line"),
    ActionSpec::new(ActionId::Left, Main, &[Char('h'), Key::Left], "scroll left", "Scroll left"),
    ActionSpec::new(ActionId::Right, Main, &[Char('l'), Key::Right], "scroll right", "Scroll right"),
    ActionSpec::new(ActionId::NextPane, Main, &[Key::Tab], "next pane", "Focus the next pane"),
    ActionSpec::new(ActionId::PreviousPane, Main, &[Key::BackTab], "previous pane", "Focus the previous pane"),
    ActionSpec::new(ActionId::TabEvents, Main, &[Char('1')], "events", "Show the log: header, events and damage in file order"),
    ActionSpec::new(ActionId::TabAggregates, Main, &[Char('2')], "aggregates", "Show the aggregates: number of events, first and last event with their times"),
    ActionSpec::new(
        ActionId::TabFindings,
        Main,
        &[Char('3')],
        "findings",
        "Show the findings of the scan: kind, range, fix, verdict",
    )
    .with_cli_equivalent("chronicle verify LOG --json"),
    ActionSpec::new(ActionId::TabIndex, Main, &[Char('4')], "index", "Show what the index covers, and why it is not fresh")
        .with_cli_equivalent("chronicle index status LOG"),
    ActionSpec::new(
        ActionId::TabRepairs,
        Main,
        &[Char('5')],
        "repairs",
        "Show the repair history: when, what was done, state",
    )
    .with_cli_equivalent("chronicle undo LOG --list"),
    ActionSpec::new(
        ActionId::TabStatistics,
        Main,
        &[Char('6')],
        "statistics",
        "Show the number of events in groups, with share, bytes and distribution over time; opening a group filters by it",
    )
    .with_cli_equivalent("chronicle stats LOG"),
    ActionSpec::new(
        ActionId::Period,
        Main,
        &[Char('p')],
        "events of the last hour",
        "Count the events of the log's last hour in groups; again: its last day, then all events",
    )
    .with_cli_equivalent("chronicle stats LOG --filter after:end-1h"),
    ActionSpec::new(
        ActionId::Timeline,
        Main,
        &[Char('t')],
        "timeline",
        "Show the number of events over time above the list, with the damage; with the focus there, close it",
    )
    .with_cli_equivalent("chronicle stats LOG --by hour"),
    ActionSpec::new(ActionId::TimelineEarlier, Timeline, &[Char('h'), Key::Left], "earlier events", "Go to the column before in the timeline, and to its first event in the list")
        .with_footer("earlier"),
    ActionSpec::new(ActionId::TimelineLater, Timeline, &[Char('l'), Key::Right], "later events", "Go to the next column in the timeline, and to its first event in the list")
        .with_footer("later"),
    ActionSpec::new(ActionId::TimelineSelect, Timeline, &[Char(' '), Char('v')], "select a span", "Select a span of time from here to where the cursor moves, or drop it")
        .with_footer("span"),
    ActionSpec::new(ActionId::TimelineFilter, Timeline, &[Key::Enter], "filter by the span", "Show only the events of the selected span, or of the column under the cursor; going back returns")
        .with_footer("only these"),
    ActionSpec::new(
        ActionId::Compare,
        Main,
        &[Char('C')],
        "compare",
        "Compare the log with a backup, `:compare FILE`, and show what the log has lost",
    )
    .with_cli_equivalent("chronicle diff LOG BACKUP"),
    ActionSpec::new(
        ActionId::TabCompare,
        Main,
        &[Char('7')],
        "differences from a backup",
        "Show the differences from the backup that was compared; a repair that is planned here takes events from it",
    )
    .with_cli_equivalent("chronicle diff LOG BACKUP"),
    ActionSpec::new(
        ActionId::TabSegments,
        Main,
        &[Char('8')],
        "segments",
        "Show the segments of a log that is a folder: bytes, events, times, damage and index, and what is removed or missing",
    )
    .with_cli_equivalent("chronicle info LOG"),
    ActionSpec::new(ActionId::NextView, Main, &[Char(']')], "next detail view", "Show the next detail view of the row: JSON, Hex, Frame, Aggregate, Backup"),
    ActionSpec::new(ActionId::PreviousView, Main, &[Char('[')], "previous detail view", "Show the previous detail view of the row: JSON, Hex, Frame, Aggregate, Backup"),
    ActionSpec::new(
        ActionId::ToggleState,
        Main,
        &[Char('S')],
        "state of the aggregate",
        "Show the payloads of the aggregate up to this event merged (RFC 7396), or again its events and their differences",
    )
    .with_cli_equivalent("chronicle show LOG OFFSET --state"),
    ActionSpec::new(ActionId::ToggleBytes, Main, &[Char('b')], "bytes of this value", "Show the bytes of the value under the cursor, or the value of the bytes under it"),
    ActionSpec::new(ActionId::ToggleFolds, Main, &[Char('*')], "fold or unfold all", "Unfold every object and array of the detail pane, or fold them all"),
    ActionSpec::new(ActionId::ToggleWrap, Main, &[Char('W')], "wrap long values", "Wrap the long values of the detail pane, or cut them at its edge"),
    ActionSpec::new(ActionId::LineStart, Main, &[Char('0')], "start of the line", "Scroll to the start of the lines"),
    ActionSpec::new(ActionId::LineEnd, Main, &[Char('$')], "end of the line", "Scroll to the end of the line under the cursor"),
    ActionSpec::new(ActionId::ToggleOffsetBase, Main, &[Char('O')], "base of offsets", "Show offsets as hexadecimal or as decimal numbers, everywhere"),
    ActionSpec::new(ActionId::Zoom, Main, &[Char('z')], "zoom", "Show only the focused pane, or all panes again"),
    ActionSpec::new(ActionId::Activate, Main, &[Key::Enter], "open, fold or go to", "Open the selected line in the detail pane, fold it, or go to its offset"),
    ActionSpec::new(
        ActionId::Sort,
        Main,
        &[Char('s')],
        "sort or group",
        "Sort the aggregates by id, number of events, first or last event; group the statistics by the next property",
    ),
    ActionSpec::new(ActionId::Columns, Main, &[Char('c')], "columns", "Choose, order and widen the columns of the list, and add values of the payload"),
    ActionSpec::new(
        ActionId::ToggleZone,
        Main,
        &[Char('T')],
        "time zone",
        "Show and read times in UTC or in the local zone (that of --zone, TZ or this machine)",
    ),
    ActionSpec::new(ActionId::ScanStop, Main, &[], "scan stop", "Stop the background scan"),
    ActionSpec::new(ActionId::ScanResume, Main, &[], "scan go", "Resume the background scan; then read what was verified earlier, or everything again"),
    ActionSpec::new(ActionId::ReadAgain, Main, &[Char('v')], "read again", "Read the visible rows from the log again; count or compare again in the tabs that do so"),
    ActionSpec::new(ActionId::Verify, Main, &[Char('V')], "verify", "Read and verify the whole log again, whatever was verified before")
        .with_cli_equivalent("chronicle verify LOG"),
    ActionSpec::new(ActionId::Messages, Main, &[Char('M')], "messages", "List the messages of this session, the newest first"),
    ActionSpec::new(ActionId::ToggleMouse, Main, &[], "mouse", "Use the mouse for the screen, or leave it to the terminal to select text"),
    ActionSpec::new(ActionId::ChooseTheme, Main, &[], "theme", "Draw the screen in another theme: `:theme light`; completion goes through the themes"),
    ActionSpec::new(
        ActionId::Screenshot,
        Main,
        &[],
        "screenshot",
        "Write the screen to a new file: `:screenshot FILE`, as SVG for a name that ends in .svg, else as text",
    ),
    ActionSpec::new(
        ActionId::Report,
        Main,
        &[],
        "report",
        "Write a report about the log as one HTML page: `:report FILE`; `:report! FILE` replaces a file",
    )
    .with_cli_equivalent("chronicle report LOG -o FILE"),
    ActionSpec::new(
        ActionId::Compact,
        Main,
        &[],
        "compact",
        "Copy the latest event of each aggregate into a new log: `:compact FILE`; under a filter, only those that it shows",
    )
    .with_cli_equivalent("chronicle compact LOG -o FILE --latest"),
    ActionSpec::new(
        ActionId::Back,
        Main,
        &[Key::Esc],
        "back",
        "Close the top dialog, else stop your job, else clear search, filter, zoom, focus or follow",
    ),
    ActionSpec::new(ActionId::Close, Main, &[Char('q')], "quit", "Close the top dialog; without one, quit"),
    ActionSpec::new(ActionId::Interrupt, Main, &[Ctrl('c')], "close or quit", "Close the top dialog or prompt; without one, quit"),
    ActionSpec::new(ActionId::Suspend, Main, &[Ctrl('z')], "suspend", "Suspend to the shell; `fg` returns"),
    ActionSpec::new(
        ActionId::Redraw,
        Main,
        &[Ctrl('l')],
        "redraw",
        "Clear the terminal and draw everything again, after another program has written on it",
    ),
];
