//! The terminal: set up for the screen, and restored on drop, on panic and before the process is suspended.

use std::io::{self, Stdout, Write, stdout};
use std::panic;
use std::sync::Once;

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::execute;
use crossterm::style::force_color_output;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Rect, Size};
use ratatui::{Frame, Terminal};

use super::effect::MouseCapture;
use super::line_backend::LineBackend;
use super::model::Model;
use super::view;
use crate::file::BlockingStream;

/// The terminal in raw mode and on the alternate screen. Dropping it restores the terminal.
#[derive(Debug)]
pub(crate) struct Screen {
    terminal: Terminal<LineBackend<CrosstermBackend<BlockingStream<Stdout>>>>,
    mouse: MouseCapture,
}

impl Screen {
    /// Sets the terminal up for the screen.
    ///
    /// # Errors
    /// The I/O error of the terminal. In that case the terminal is restored.
    pub(crate) fn open(mouse: MouseCapture) -> io::Result<Self> {
        install_panic_hook();
        // Under `NO_COLOR` crossterm would drop bold and reversed together with the colours. Leaving out the colours is
        // the task of the mono theme.
        force_color_output(true);
        let terminal = Terminal::new(LineBackend::new(CrosstermBackend::new(terminal_output())))?;
        let mut screen = Self { terminal, mouse };
        screen.enter()?;
        Ok(screen)
    }

    fn enter(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        execute!(terminal_output(), EnterAlternateScreen, EnableBracketedPaste)?;
        self.set_mouse_capture(self.mouse)?;
        self.clear()
    }

    /// Clears the terminal, so that the next frame is written as a whole.
    ///
    /// # Errors
    /// The I/O error of the terminal.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        // `Terminal::clear` is not used here, because it queries the cursor position, and some terminals never answer.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::new(0, 0, size.width, size.height))
    }

    /// Returns the size of the terminal.
    ///
    /// # Errors
    /// The I/O error of the terminal.
    pub(crate) fn size(&self) -> io::Result<Size> {
        self.terminal.size()
    }

    /// Draws the model. Only changed cells are written.
    ///
    /// # Errors
    /// The I/O error of the terminal.
    pub(crate) fn draw(&mut self, model: &Model) -> io::Result<()> {
        self.draw_with(|frame| view::draw(frame, model))
    }

    /// Draws with a function. Only changed cells are written.
    ///
    /// # Errors
    /// The I/O error of the terminal.
    pub(crate) fn draw_with(&mut self, draw: impl FnOnce(&mut Frame)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_| ())
    }

    /// Captures the mouse, or leaves it to the terminal.
    ///
    /// # Errors
    /// The I/O error of the terminal.
    pub(crate) fn set_mouse_capture(&mut self, mouse: MouseCapture) -> io::Result<()> {
        self.mouse = mouse;
        match mouse {
            MouseCapture::On => execute!(terminal_output(), EnableMouseCapture),
            MouseCapture::Off => execute!(terminal_output(), DisableMouseCapture),
        }
    }

    /// Puts a text on the clipboard through OSC 52, where the terminal supports it.
    ///
    /// # Errors
    /// The I/O error of the terminal.
    pub(crate) fn copy_to_clipboard(text: &str) -> io::Result<()> {
        execute!(terminal_output(), CopyToClipboard::to_clipboard_from(text))
    }

    /// Rings the terminal's bell.
    ///
    /// # Errors
    /// The I/O error of the terminal.
    pub(crate) fn ring_bell() -> io::Result<()> {
        let mut out = terminal_output();
        out.write_all(b"\x07")?;
        out.flush()
    }

    /// Restores the terminal, suspends the process until the shell resumes it, and sets the terminal up again.
    ///
    /// # Errors
    /// The I/O error of the terminal or of the signal.
    #[cfg(unix)]
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        restore_terminal();
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        self.enter()
    }

    /// Does nothing, because this platform cannot suspend a process.
    ///
    /// # Errors
    /// This function never fails.
    #[cfg(not(unix))]
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore_terminal();
    }
}

/// Returns the stream that the terminal reads from. It waits when another program has set the terminal to non-blocking.
fn terminal_output() -> BlockingStream<Stdout> {
    BlockingStream(stdout())
}

/// Restores the terminal. Errors are ignored, because there is nothing left to report them on.
fn restore_terminal() {
    let mut out = terminal_output();
    let _ = execute!(out, DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    let _ = out.flush();
}

/// Restores the terminal before a panic prints its message.
fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            restore_terminal();
            previous(info);
        }));
    });
}
