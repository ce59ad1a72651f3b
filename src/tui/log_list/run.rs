//! The loop of the list: it receives input and the reports about the logs, draws, and opens logs.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use crossbeam_channel::{Receiver, Sender, select, unbounded};

use super::model::{ListAction, LogListModel};
use super::scan::{ListScan, ListScanDepth};
use super::view;
use crate::StorageError;
use crate::report::screen_message;
use crate::tui::effect::MouseCapture;
use crate::tui::frame_limiter::{FrameLimiter, FramePriority};
use crate::tui::input::TerminalInput;
use crate::tui::message::Message;
use crate::tui::model::Glyphs;
use crate::tui::options::TuiOptions;
use crate::tui::run::{require_terminal, run_with_input};
use crate::tui::terminal::Screen;
use crate::tui::theme::NoColorVariable;
use crate::tui::view::replace_glyphs;

/// Longest sleep of the loop while nothing is to be drawn.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3600);

/// Shows a list of logs, opens those that the user selects, and returns when the user quits the list.
///
/// `options` are those of each log; their path is not used. While a log is open, no other is read in the background.
///
/// # Errors
/// stdin or stdout is not a terminal; the terminal fails.
pub(crate) fn run_log_list(paths: Vec<PathBuf>, options: &TuiOptions) -> anyhow::Result<()> {
    require_terminal()?;
    let theme = options.theme.at_start(options.color, NoColorVariable::read());
    let mut model = LogListModel::new(paths, theme);
    let mut input = None;
    while let Some(log) = show_list(&mut model, options, &mut input)? {
        let Some(path) = model.logs.get(log).map(|log| log.path.clone()) else { continue };
        if let Err(error) = run_with_input(TuiOptions { path, ..options.clone() }, input.as_ref()) {
            model.message = Some(match error.downcast_ref::<StorageError>() {
                Some(error) => screen_message(error),
                None => format!("{error:#}"),
            });
        }
        if input.as_ref().is_some_and(TerminalInput::has_ended) {
            break;
        }
        // The log may have been repaired, or have grown.
        model.mark_unread(log);
    }
    Ok(())
}

/// Shows the list until a log is selected, and returns its position; `None` when the user quits.
fn show_list(
    model: &mut LogListModel,
    options: &TuiOptions,
    input: &mut Option<TerminalInput>,
) -> anyhow::Result<Option<usize>> {
    let (out, messages) = unbounded();
    let selected = receive_until_selected(model, options, input, (&out, &messages));
    if let Some(input) = input {
        input.take_back(&messages);
    }
    selected
}

fn receive_until_selected(
    model: &mut LogListModel,
    options: &TuiOptions,
    input: &mut Option<TerminalInput>,
    (out, messages): (&Sender<Message>, &Receiver<Message>),
) -> anyhow::Result<Option<usize>> {
    let mouse = if options.mouse { MouseCapture::On } else { MouseCapture::Off };
    let mut screen = Screen::open(mouse).context("cannot set up the terminal")?;
    model.resize(screen.size()?);
    match input {
        Some(input) => input.redirect(out),
        None => *input = Some(TerminalInput::start(out)?),
    }
    let depth = if options.scan { ListScanDepth::WholeLogs } else { ListScanDepth::FactsOnly };
    // The sender stays here, so that the channel is open after the thread has ended.
    let (update_sender, updates) = unbounded();
    let mut scan = ListScan::start(model.unread(), depth, &update_sender);
    let mut limiter = FrameLimiter::default();
    let mut priority = FramePriority::Interactive;
    loop {
        let due = limiter.next_frame_at(priority).unwrap_or_else(Instant::now);
        if model.needs_redraw && Instant::now() >= due {
            model.needs_redraw = false;
            screen.draw_with(|frame| {
                view::draw(frame, model);
                if options.glyphs == Glyphs::Ascii {
                    replace_glyphs(frame.buffer_mut());
                }
            })?;
            limiter.record_frame(Instant::now());
            priority = FramePriority::Background;
        }
        let timeout = if model.needs_redraw { due.saturating_duration_since(Instant::now()) } else { IDLE_TIMEOUT };
        let action = select! {
            recv(updates) -> update => {
                if let Ok(update) = update {
                    model.update(update);
                }
                ListAction::None
            }
            recv(messages) -> message => {
                priority = FramePriority::Interactive;
                message.map_or(ListAction::Quit, |message| handle_message(model, &message))
            }
            default(timeout) => ListAction::None,
        };
        match action {
            ListAction::None => {}
            ListAction::Open => return Ok(Some(model.cursor)),
            ListAction::Rescan => {
                // The old thread ends before the new one starts, and its reports are dropped.
                drop(scan);
                updates.try_iter().for_each(drop);
                scan = ListScan::start(model.unread(), depth, &update_sender);
            }
            ListAction::Redraw => screen.clear()?,
            ListAction::Suspend => {
                screen.suspend()?;
                model.resize(screen.size()?);
            }
            ListAction::Quit => return Ok(None),
        }
    }
}

fn handle_message(model: &mut LogListModel, message: &Message) -> ListAction {
    match message {
        Message::Key(key, _) => return model.press(*key),
        Message::Click(position) => return model.click(position.y),
        Message::Wheel(_, direction) => model.turn_wheel(*direction),
        Message::Resize(size) => model.resize(*size),
        Message::Suspend => return ListAction::Suspend,
        Message::Quit => return ListAction::Quit,
        // These belong to the screen of a log.
        Message::Paste(_)
        | Message::Response { .. }
        | Message::Background(_)
        | Message::Drawn(_)
        | Message::CopySaved(_)
        | Message::ScreenshotSaved { .. }
        | Message::Tick => {}
    }
    ListAction::None
}
