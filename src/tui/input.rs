//! The threads that read the terminal and receive signals. The process starts them once, and all screens share them, so
//! that no thread of an earlier screen takes a key of the present one.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, SendError, Sender};
use crossterm::event::{self, Event, KeyEventKind, MouseButton, MouseEventKind};
use ratatui::layout::{Position, Size};

use super::keys::Key;
use super::message::{Message, WheelDirection};
use super::session_time::SessionTime;

/// The input of the process. Its messages go to one screen at a time.
#[derive(Debug)]
pub(super) struct TerminalInput {
    target: InputTarget,
    started_at: Instant,
}

/// The screen that receives the input.
#[derive(Debug, Clone)]
struct InputTarget {
    screen: Arc<Mutex<InputState>>,
    /// True once a signal asked the process to quit, or the terminal was closed.
    has_ended: Arc<AtomicBool>,
}

/// The screen that receives messages, and the keys that were typed while there was none.
#[derive(Debug, Default)]
struct InputState {
    screen: Option<Sender<Message>>,
    waiting: Vec<Message>,
}

/// Largest number of keys that wait for the next screen.
const MAX_WAITING: usize = 256;

impl TerminalInput {
    /// Starts the threads, which send their messages to `screen`.
    ///
    /// # Errors
    /// The system refuses to start a thread or to register a signal handler.
    pub(super) fn start(screen: &Sender<Message>) -> io::Result<Self> {
        let has_ended = Arc::new(AtomicBool::new(false));
        let target = InputTarget { screen: Arc::default(), has_ended };
        target.lock().screen = Some(screen.clone());
        let started_at = Instant::now();
        spawn_input_thread(&target, started_at);
        spawn_signal_thread(&target)?;
        spawn_hang_up_thread(&target);
        Ok(Self { target, started_at })
    }

    /// Takes the keys back that a screen has received and not handled. The next screen gets them.
    pub(super) fn take_back(&self, unhandled: &Receiver<Message>) {
        let mut state = self.target.lock();
        state.screen = None;
        unhandled.try_iter().for_each(|message| state.keep(message));
    }

    /// Sends the keys that wait, and all further messages, to another screen.
    pub(super) fn redirect(&self, screen: &Sender<Message>) {
        let mut state = self.target.lock();
        for message in state.waiting.drain(..) {
            let _ = screen.send(message);
        }
        state.screen = Some(screen.clone());
        drop(state);
        if self.has_ended() {
            // The message may have reached the screen before this one, which has ended.
            self.target.send(Message::Quit);
        }
    }

    /// Returns true once a signal asked the process to quit, or the terminal was closed.
    pub(super) fn has_ended(&self) -> bool {
        self.target.has_ended.load(Ordering::SeqCst)
    }

    /// Returns the time at which the session time starts.
    pub(super) const fn started_at(&self) -> Instant {
        self.started_at
    }
}

impl InputState {
    /// Keeps a key for the next screen. Other messages concern only the screen that was shown.
    fn keep(&mut self, message: Message) {
        if matches!(message, Message::Key(..)) && self.waiting.len() < MAX_WAITING {
            self.waiting.push(message);
        }
    }
}

impl InputTarget {
    fn lock(&self) -> MutexGuard<'_, InputState> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a message to the present screen. Between two screens, keys wait, and the end of the input is remembered.
    fn send(&self, message: Message) {
        if matches!(message, Message::Quit) {
            self.has_ended.store(true, Ordering::SeqCst);
        }
        let mut state = self.lock();
        let unsent = match &state.screen {
            Some(screen) => screen.send(message).err().map(SendError::into_inner),
            None => Some(message),
        };
        if let Some(message) = unsent {
            state.keep(message);
        }
    }
}

/// Reads input events on a separate thread, so that each key carries the time at which it was typed.
fn spawn_input_thread(target: &InputTarget, started_at: Instant) {
    let target = target.clone();
    let run = move || {
        loop {
            let Ok(event) = event::read() else {
                // The terminal was closed.
                target.send(Message::Quit);
                return;
            };
            if let Some(message) = message_from_event(event, started_at) {
                target.send(message);
            }
        }
    };
    let _ = thread::Builder::new().name("keys".into()).spawn(run);
}

fn message_from_event(event: Event, started_at: Instant) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            Some(Message::Key(Key::from_event(key)?, SessionTime(started_at.elapsed())))
        }
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(width, height) => Some(Message::Resize(Size::new(width, height))),
        Event::Mouse(mouse) => {
            let position = Position::new(mouse.column, mouse.row);
            match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => Some(Message::Click(position)),
                MouseEventKind::ScrollDown => Some(Message::Wheel(position, WheelDirection::Down)),
                MouseEventKind::ScrollUp => Some(Message::Wheel(position, WheelDirection::Up)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Converts signals to messages, so that the run loop ends in the usual way and restores the terminal.
#[cfg(unix)]
fn spawn_signal_thread(target: &InputTarget) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};

    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGINT, SIGTSTP])?;
    let target = target.clone();
    let run = move || {
        for signal in signals.forever() {
            let message = if signal == SIGTSTP { Message::Suspend } else { Message::Quit };
            target.send(message);
        }
    };
    thread::Builder::new().name("signals".into()).spawn(run).map(|_| ())
}

/// Does nothing, because this platform does not have these signals.
#[cfg(not(unix))]
fn spawn_signal_thread(_target: &InputTarget) -> io::Result<()> {
    Ok(())
}

/// Quits when the terminal is gone. Not every terminal that disappears sends SIGHUP to this process, and reading its
/// keys then returns the end of the input again and again.
#[cfg(unix)]
fn spawn_hang_up_thread(target: &InputTarget) {
    use rustix::event::{PollFd, PollFlags, poll};

    let target = target.clone();
    let run = move || {
        loop {
            let stdin = io::stdin();
            // Without requested events, `poll` returns only when the terminal is gone.
            let mut terminal = [PollFd::new(&stdin, PollFlags::empty())];
            match poll(&mut terminal, None) {
                Err(rustix::io::Errno::INTR) => {}
                Ok(_) if terminal.iter().any(|fd| fd.revents().intersects(PollFlags::HUP | PollFlags::ERR)) => {
                    target.send(Message::Quit);
                    return;
                }
                // Where a terminal cannot be polled, the end of its input is not detected.
                _ => return,
            }
        }
    };
    let _ = thread::Builder::new().name("hang-up".into()).spawn(run);
}

/// Does nothing, because this platform cannot poll a terminal.
#[cfg(not(unix))]
fn spawn_hang_up_thread(_target: &InputTarget) {}
