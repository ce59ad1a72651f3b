//! The loop: messages in, model updated, wishes done, screen drawn when something has changed.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use crossterm::event::{self, Event, KeyEventKind, MouseButton, MouseEventKind};

use super::effect::Effect;
use super::keys::Key;
use super::message::{Message, Moment, Turn};
use super::model::{Access, Model, Mouse, ScanState, Start};
use super::options::Options;
use super::pace::Pace;
use super::terminal::Screen;
use super::theme::Theme;
use super::update;
use super::worker::{Shared, Workers};
use crate::log::now_ms;

/// How long messages are taken before what they say is drawn.
const MEANWHILE: Duration = Duration::from_millis(16);
/// How long the first drawing waits for the first page.
const FIRST_PAGE: Duration = Duration::from_millis(30);

/// Opens the full-screen inspector on a log, and returns when it is closed.
///
/// The terminal is given back as it was, whatever happens.
///
/// # Errors
/// When the file is no log that can be read, or there is no terminal.
pub fn run(options: Options) -> anyhow::Result<()> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        bail!("the inspector needs a terminal; `chronicle verify` and `chronicle cat` do not");
    }
    let shared = Arc::new(Shared::open(options)?);
    let (facts, options) = (shared.facts()?, shared.settings());
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let mouse = if options.mouse { Mouse::On } else { Mouse::Off };
    let screen = Screen::take(mouse).context("the terminal cannot be taken over")?;
    let start = Start {
        access: if options.read_only { Access::ReadOnly } else { Access::ReadWrite },
        scan: if options.scan { ScanState::Running } else { ScanState::Off },
        theme: Theme::of(options.color, no_color),
        mouse,
        size: screen.size()?,
    };
    let (out, messages) = unbounded();
    let workers = Workers::start(&shared, &out);
    let began = Instant::now();
    listen(&out, began);
    signals(&out)?;
    let mut session = Session { model: Model::new(facts, start), screen, workers, messages, began, urgent: true };
    let ended = session.run();
    let Session { screen, workers, .. } = session;
    drop(screen);
    workers.finish();
    ended
}

struct Session {
    model: Model,
    screen: Screen,
    workers: Workers,
    messages: Receiver<Message>,
    began: Instant,
    /// What is to be drawn comes from what somebody did.
    urgent: bool,
}

/// Whether the loop goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    On,
    End,
}

impl Session {
    fn run(&mut self) -> anyhow::Result<()> {
        self.tell_time();
        update::open(&mut self.model);
        if self.effects()? == Next::End {
            return Ok(());
        }
        let first_by = Instant::now() + FIRST_PAGE;
        let mut pace = Pace::default();
        loop {
            // The first frame has the first page, or comes without it when that takes long.
            let first = || if self.model.list.rows.is_empty() { first_by } else { Instant::now() };
            let due = pace.due(self.urgent).unwrap_or_else(first);
            if self.model.stale && Instant::now() >= due {
                self.screen.draw(&self.model)?;
                pace.drew(Instant::now());
                self.urgent = false;
                update::update(&mut self.model, Message::Drawn(Moment(self.began.elapsed())));
            }
            let message = if self.model.stale {
                self.messages.recv_deadline(due)
            } else {
                // Nothing to draw: nothing is done until something happens.
                self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match message {
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(message) => {
                    if self.take(message)? == Next::End {
                        return Ok(());
                    }
                }
            }
            // What has come meanwhile is drawn with it, but a key's effect never waits for a flood of news to end.
            let until = Instant::now() + MEANWHILE;
            while let Ok(message) = self.messages.try_recv() {
                if self.take(message)? == Next::End {
                    return Ok(());
                }
                if Instant::now() >= until {
                    break;
                }
            }
        }
    }

    fn take(&mut self, message: Message) -> anyhow::Result<Next> {
        self.tell_time();
        self.urgent |= !matches!(message, Message::News(_));
        update::update(&mut self.model, message);
        self.effects()
    }

    fn tell_time(&mut self) {
        self.model.now_ms = now_ms();
        self.model.now = Moment(self.began.elapsed());
    }

    fn effects(&mut self) -> anyhow::Result<Next> {
        while let Some(effect) = self.model.effects.pop_front() {
            match effect {
                Effect::Ask(lane, generation, ask) => self.workers.ask(lane, generation, *ask),
                Effect::Cancel(lane) => self.workers.cancel(lane),
                Effect::StopScan => self.workers.stop_scan(),
                Effect::StartScan => self.workers.start_scan(),
                Effect::LookAt(range) => self.workers.look_at(range),
                Effect::RestartScan => self.workers.restart_scan(),
                Effect::Copy(text) => Screen::copy(&text)?,
                Effect::ListenToMouse(on) => {
                    self.screen.listen_to_mouse(if on { Mouse::On } else { Mouse::Off })?;
                }
                Effect::Suspend => {
                    self.screen.suspend()?;
                    let (width, height) = self.screen.size()?;
                    update::update(&mut self.model, Message::Resize(width, height));
                }
                Effect::Quit => return Ok(Next::End),
            }
        }
        Ok(Next::On)
    }
}

/// Reads the keyboard and the mouse in a thread of its own, so that each key has the time it was typed at.
fn listen(out: &Sender<Message>, began: Instant) {
    let out = out.clone();
    let run = move || {
        loop {
            let message = match event::read() {
                Ok(event) => message(event, began),
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

fn message(event: Event, began: Instant) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            Some(Message::Key(Key::from_event(key)?, Moment(began.elapsed())))
        }
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(width, height) => Some(Message::Resize(width, height)),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => Some(Message::Click(mouse.column, mouse.row)),
            MouseEventKind::ScrollDown => Some(Message::Wheel(mouse.column, mouse.row, Turn::Down)),
            MouseEventKind::ScrollUp => Some(Message::Wheel(mouse.column, mouse.row, Turn::Up)),
            _ => None,
        },
        _ => None,
    }
}

/// Turns signals into messages: the loop ends, and the terminal is given back on the way out.
#[cfg(unix)]
fn signals(out: &Sender<Message>) -> io::Result<()> {
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
fn signals(_out: &Sender<Message>) -> io::Result<()> {
    Ok(())
}
