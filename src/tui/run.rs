//! The run loop: receives messages, updates the model, executes the requested side effects, and draws the screen.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};

use super::effect::{Effect, MouseCapture};
use super::frame_limiter::{FrameLimiter, FramePriority};
use super::input::TerminalInput;
use super::message::{CopySaveResult, Message};
use super::model::{Access, DEFAULT_HIT_SLICE_BYTES, Model, ModelOptions, ScanState};
use super::options::TuiOptions;
use super::picture::save_screenshot;
use super::session_time::SessionTime;
use super::terminal::Screen;
use super::theme::NoColorVariable;
use super::update;
use super::worker::{SharedState, Workers};
use crate::file::OsDisk;
use crate::log::now_ms;

/// Longest time that waiting messages are handled before the screen is drawn.
const MESSAGE_BATCH_TIME: Duration = Duration::from_millis(16);
/// Time between two frames that show nothing but the time that has passed.
const TICK_INTERVAL: Duration = Duration::from_millis(500);
/// Longest time that the first frame waits for the first page of rows.
const FIRST_PAGE_TIMEOUT: Duration = Duration::from_millis(30);

/// Opens the full-screen inspector on a log, and returns when the user quits.
///
/// The terminal is restored in every case: on quit, on an error, on a panic and on a signal.
///
/// # Errors
/// stdin or stdout is not a terminal; the file cannot be opened as a log; the terminal fails.
pub(crate) fn run(options: TuiOptions) -> anyhow::Result<()> {
    run_with_input(options, None)
}

/// Does the same as [`run`], with the input of another screen when there is one. That screen gets its input back by
/// [`TerminalInput::redirect`].
pub(super) fn run_with_input(options: TuiOptions, input: Option<&TerminalInput>) -> anyhow::Result<()> {
    require_terminal()?;
    let shared = Arc::new(SharedState::open(options)?);
    let (log_info, options) = (shared.log_info()?, shared.settings());
    let mouse = if options.mouse { MouseCapture::On } else { MouseCapture::Off };
    let screen = Screen::open(mouse).context("cannot set up the terminal")?;
    let model_options = ModelOptions {
        access: if options.read_only { Access::ReadOnly } else { Access::ReadWrite },
        scan: if options.scan { ScanState::Running } else { ScanState::Off },
        theme: options.theme.at_start(options.color, NoColorVariable::read()),
        keys: options.keys.clone(),
        columns: options.columns.clone(),
        glyphs: options.glyphs,
        bell: options.bell,
        zone: options.zone,
        mouse,
        size: screen.size()?,
        hit_slice_bytes: DEFAULT_HIT_SLICE_BYTES,
        session: options.session.as_ref().map(|session| session.zone),
    };
    let (out, messages) = unbounded();
    let workers = Workers::start(&shared, &out);
    let own_input;
    let input = if let Some(input) = input {
        input.redirect(&out);
        input
    } else {
        own_input = TerminalInput::start(&out)?;
        &own_input
    };
    let started_at = input.started_at();
    let mut model = Model::new(log_info, model_options);
    model.follow = options.follow;
    let mut session =
        TuiSession { model, screen, workers, messages, started_at, frame_priority: FramePriority::Interactive };
    let result = session.run();
    let TuiSession { screen, workers, messages, .. } = session;
    input.take_back(&messages);
    drop(screen);
    workers.shut_down();
    result
}

/// Fails without a terminal.
pub(super) fn require_terminal() -> anyhow::Result<()> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        bail!("the screen needs a terminal; without one, use `chronicle verify` or `chronicle cat`");
    }
    Ok(())
}

/// A running screen: its model, terminal and workers.
struct TuiSession {
    model: Model,
    screen: Screen,
    workers: Workers,
    messages: Receiver<Message>,
    started_at: Instant,
    /// The highest priority of the messages since the last frame.
    frame_priority: FramePriority,
}

/// Whether the run loop continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LoopControl {
    Continue,
    Exit,
}

impl TuiSession {
    fn run(&mut self) -> anyhow::Result<()> {
        self.update_clock();
        update::init(&mut self.model);
        if self.run_effects()? == LoopControl::Exit {
            return Ok(());
        }
        let first_page_deadline = Instant::now() + FIRST_PAGE_TIMEOUT;
        let mut limiter = FrameLimiter::default();
        loop {
            // The first frame waits for the first page at the place of the last run, up to the deadline.
            let first_frame_at = || if self.model.has_first_page() { Instant::now() } else { first_page_deadline };
            let due = limiter.next_frame_at(self.frame_priority).unwrap_or_else(first_frame_at);
            if self.model.needs_redraw && Instant::now() >= due {
                self.screen.draw(&self.model)?;
                limiter.record_frame(Instant::now());
                self.frame_priority = FramePriority::Background;
                update::update(&mut self.model, Message::Drawn(SessionTime(self.started_at.elapsed())));
            }
            let message = if self.model.needs_redraw {
                self.messages.recv_deadline(due)
            } else if self.model.changes_with_time() {
                match self.messages.recv_timeout(TICK_INTERVAL) {
                    Err(RecvTimeoutError::Timeout) => Ok(Message::Tick),
                    message => message,
                }
            } else {
                // With nothing to draw, the loop sleeps until a message arrives.
                self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match message {
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(message) => {
                    if self.handle_message(message)? == LoopControl::Exit {
                        return Ok(());
                    }
                }
            }
            // Messages that have arrived in the meantime are handled before the frame is drawn, but only for a limited
            // time: a stream of background updates must not delay the effect of a key.
            let deadline = Instant::now() + MESSAGE_BATCH_TIME;
            while let Ok(message) = self.messages.try_recv() {
                if self.handle_message(message)? == LoopControl::Exit {
                    return Ok(());
                }
                if Instant::now() >= deadline {
                    break;
                }
            }
        }
    }

    fn handle_message(&mut self, message: Message) -> anyhow::Result<LoopControl> {
        self.update_clock();
        if !matches!(message, Message::Background(_)) {
            self.frame_priority = FramePriority::Interactive;
        }
        update::update(&mut self.model, message);
        self.run_effects()
    }

    fn update_clock(&mut self) {
        self.model.now_ms = now_ms();
        self.model.now = SessionTime(self.started_at.elapsed());
    }

    fn run_effects(&mut self) -> anyhow::Result<LoopControl> {
        while let Some(effect) = self.model.effects.pop_front() {
            match effect {
                Effect::Request { worker, generation, request } => {
                    self.workers.send_request(worker, generation, *request);
                }
                Effect::Cancel(worker) => self.workers.cancel(worker),
                Effect::AskToStop(worker) => self.workers.ask_to_stop(worker),
                Effect::StopScan => self.workers.stop_scan(),
                Effect::ResumeScan => self.workers.resume_scan(),
                Effect::RescanRange(range) => self.workers.scan_range(range),
                Effect::RestartScan => self.workers.restart_scan(),
                Effect::VerifyAll => self.workers.verify_all(),
                Effect::CopyToClipboard(text) => Screen::copy_to_clipboard(&text)?,
                Effect::RingBell => Screen::ring_bell()?,
                Effect::SaveScreenshot(path) => {
                    let result = save_screenshot(&OsDisk, &self.model, &path);
                    update::update(&mut self.model, Message::ScreenshotSaved { path, result });
                }
                Effect::SaveCopy(text) => {
                    let result = save_copy(&text).unwrap_or_else(|error| CopySaveResult::Failed(error.to_string()));
                    update::update(&mut self.model, Message::CopySaved(result));
                }
                Effect::SetMouseCapture(mouse) => self.screen.set_mouse_capture(mouse)?,
                Effect::Redraw => self.screen.clear()?,
                Effect::Suspend => {
                    self.screen.suspend()?;
                    let size = self.screen.size()?;
                    update::update(&mut self.model, Message::Resize(size));
                }
                Effect::Quit => return Ok(LoopControl::Exit),
            }
        }
        Ok(LoopControl::Continue)
    }
}

/// Writes a copied text to a new file, which only this user can read.
fn save_copy(text: &str) -> io::Result<CopySaveResult> {
    let mut file = tempfile::Builder::new().prefix("chronicle-copy-").suffix(".txt").tempfile()?;
    file.write_all(text.as_bytes())?;
    let (_, path) = file.keep()?;
    Ok(CopySaveResult::Saved(path))
}
