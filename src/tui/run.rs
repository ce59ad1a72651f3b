//! The loop: messages in, model updated, wishes done, screen drawn when something has changed.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use crossterm::event::{self, Event, KeyEventKind, MouseButton, MouseEventKind};

use super::effect::Effect;
use super::frame_limiter::FrameLimiter;
use super::keys::Key;
use super::message::{Message, SessionTime, WheelDirection};
use super::model::{Access, DEFAULT_HIT_SLICE_BYTES, Model, ModelOptions, MouseCapture, ScanState};
use super::options::TuiOptions;
use super::terminal::Screen;
use super::theme::Theme;
use super::update;
use super::worker::{SharedState, Workers};
use crate::log::now_ms;

/// How long messages are taken before what they say is drawn.
const MESSAGE_BATCH_TIME: Duration = Duration::from_millis(16);
/// How long the first drawing waits for the first page.
const FIRST_PAGE_TIMEOUT: Duration = Duration::from_millis(30);

/// Opens the full-screen inspector on a log, and returns when it is closed.
///
/// The terminal is given back as it was, whatever happens.
///
/// # Errors
/// When the file is no log that can be read, or there is no terminal.
pub fn run(options: TuiOptions) -> anyhow::Result<()> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        bail!("the inspector needs a terminal; `chronicle verify` and `chronicle cat` do not");
    }
    let shared = Arc::new(SharedState::open(options)?);
    let (facts, options) = (shared.log_info()?, shared.settings());
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let mouse = if options.mouse { MouseCapture::On } else { MouseCapture::Off };
    let screen = Screen::open(mouse).context("the terminal cannot be taken over")?;
    let start = ModelOptions {
        access: if options.read_only { Access::ReadOnly } else { Access::ReadWrite },
        scan: if options.scan { ScanState::Running } else { ScanState::Off },
        theme: Theme::from_choice(options.color, no_color),
        mouse,
        size: screen.size()?,
        hit_slice_bytes: DEFAULT_HIT_SLICE_BYTES,
    };
    let (out, messages) = unbounded();
    let workers = Workers::start(&shared, &out);
    let began = Instant::now();
    spawn_input_thread(&out, began);
    spawn_signal_thread(&out)?;
    let mut session =
        TuiSession { model: Model::new(facts, start), screen, workers, messages, started_at: began, redraw_soon: true };
    let ended = session.run();
    let TuiSession { screen, workers, .. } = session;
    drop(screen);
    workers.shut_down();
    ended
}

struct TuiSession {
    model: Model,
    screen: Screen,
    workers: Workers,
    messages: Receiver<Message>,
    started_at: Instant,
    /// What is to be drawn comes from what somebody did.
    redraw_soon: bool,
}

/// Whether the loop goes on.
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
        let first_by = Instant::now() + FIRST_PAGE_TIMEOUT;
        let mut limiter = FrameLimiter::default();
        loop {
            // The first frame has the first page, or comes without it when that takes long.
            let first = || if self.model.list.rows.is_empty() { first_by } else { Instant::now() };
            let due = limiter.next_frame_at(self.redraw_soon).unwrap_or_else(first);
            if self.model.needs_redraw && Instant::now() >= due {
                self.screen.draw(&self.model)?;
                limiter.record_frame(Instant::now());
                self.redraw_soon = false;
                update::update(&mut self.model, Message::Drawn(SessionTime(self.started_at.elapsed())));
            }
            let message = if self.model.needs_redraw {
                self.messages.recv_deadline(due)
            } else {
                // Nothing to draw: nothing is done until something happens.
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
            // What has come meanwhile is drawn with it, but a key's effect never waits for a flood of news to end.
            let until = Instant::now() + MESSAGE_BATCH_TIME;
            while let Ok(message) = self.messages.try_recv() {
                if self.handle_message(message)? == LoopControl::Exit {
                    return Ok(());
                }
                if Instant::now() >= until {
                    break;
                }
            }
        }
    }

    fn handle_message(&mut self, message: Message) -> anyhow::Result<LoopControl> {
        self.update_clock();
        self.redraw_soon |= !matches!(message, Message::Background(_));
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
                Effect::Request(lane, generation, ask) => self.workers.send_request(lane, generation, *ask),
                Effect::Cancel(lane) => self.workers.cancel(lane),
                Effect::StopScan => self.workers.stop_scan(),
                Effect::StartScan => self.workers.resume_scan(),
                Effect::RescanRange(range) => self.workers.scan_range(range),
                Effect::RestartScan => self.workers.restart_scan(),
                Effect::CopyToClipboard(text) => Screen::copy_to_clipboard(&text)?,
                Effect::SetMouseCapture(on) => {
                    self.screen.set_mouse_capture(if on { MouseCapture::On } else { MouseCapture::Off })?;
                }
                Effect::Suspend => {
                    self.screen.suspend()?;
                    let (width, height) = self.screen.size()?;
                    update::update(&mut self.model, Message::Resize(width, height));
                }
                Effect::Quit => return Ok(LoopControl::Exit),
            }
        }
        Ok(LoopControl::Continue)
    }
}

/// Reads the keyboard and the mouse in a thread of its own, so that each key has the time it was typed at.
fn spawn_input_thread(out: &Sender<Message>, began: Instant) {
    let out = out.clone();
    let run = move || {
        loop {
            let message = match event::read() {
                Ok(event) => message_from_event(event, began),
                // Nobody is there any more.
                Err(_) => Some(Message::Quit),
            };
            let last = matches!(message, Some(Message::Quit));
            if let Some(message) = message
                && (out.send(message).is_err() || last)
            {
                return;
            }
        }
    };
    let _ = thread::Builder::new().name("keys".into()).spawn(run);
}

fn message_from_event(event: Event, began: Instant) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            Some(Message::Key(Key::from_event(key)?, SessionTime(began.elapsed())))
        }
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(width, height) => Some(Message::Resize(width, height)),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => Some(Message::Click(mouse.column, mouse.row)),
            MouseEventKind::ScrollDown => Some(Message::Wheel(mouse.column, mouse.row, WheelDirection::Down)),
            MouseEventKind::ScrollUp => Some(Message::Wheel(mouse.column, mouse.row, WheelDirection::Up)),
            _ => None,
        },
        _ => None,
    }
}

/// Turns signals into messages: the loop ends, and the terminal is given back on the way out.
#[cfg(unix)]
fn spawn_signal_thread(out: &Sender<Message>) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};

    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGINT, SIGTSTP])?;
    let out = out.clone();
    let run = move || {
        for signal in signals.forever() {
            let message = if signal == SIGTSTP { Message::Suspend } else { Message::Quit };
            if out.send(message).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("signals".into()).spawn(run).map(|_| ())
}

/// This platform has none of them.
#[cfg(not(unix))]
fn spawn_signal_thread(_out: &Sender<Message>) -> io::Result<()> {
    Ok(())
}
