//! The terminal: taken over, and given back as it was, whatever happens.

use std::io::{self, Stdout, Write, stdout};
use std::panic;
use std::sync::Once;

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::execute;
use crossterm::style::force_color_output;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;

use super::model::{Model, MouseCapture};
use super::view;

/// The terminal while it is ours; dropped, it is given back.
#[derive(Debug)]
pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    mouse: MouseCapture,
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// As the terminal answers; then it is as it was.
    pub(crate) fn open(mouse: MouseCapture) -> io::Result<Self> {
        install_panic_hook();
        // Colours are ours to leave out: crossterm would leave bold and reversed out with them.
        force_color_output(true);
        let terminal = Terminal::new(CrosstermBackend::new(stdout()))?;
        let mut screen = Self { terminal, mouse };
        screen.enter()?;
        Ok(screen)
    }

    fn enter(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
        self.set_mouse_capture(self.mouse)?;
        // Not `clear`: it asks the terminal where the cursor is, and waits for an answer that some never give.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::new(0, 0, size.width, size.height))
    }

    /// Columns and lines.
    ///
    /// # Errors
    /// As the terminal answers.
    pub(crate) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// Draws what has changed.
    ///
    /// # Errors
    /// As the terminal answers.
    pub(crate) fn draw(&mut self, model: &Model) -> io::Result<()> {
        self.terminal.draw(|frame| view::draw(frame, model)).map(|_| ())
    }

    /// Listens to the mouse, or leaves it to the terminal.
    ///
    /// # Errors
    /// As the terminal answers.
    pub(crate) fn set_mouse_capture(&mut self, mouse: MouseCapture) -> io::Result<()> {
        self.mouse = mouse;
        match mouse {
            MouseCapture::On => execute!(stdout(), EnableMouseCapture),
            MouseCapture::Off => execute!(stdout(), DisableMouseCapture),
        }
    }

    /// Puts a text on the clipboard, where the terminal allows it.
    ///
    /// # Errors
    /// As the terminal answers.
    pub(crate) fn copy_to_clipboard(text: &str) -> io::Result<()> {
        execute!(stdout(), CopyToClipboard::to_clipboard_from(text))
    }

    /// Gives the terminal back, stops this process until the shell wakes it, and takes the terminal over again.
    ///
    /// # Errors
    /// As the terminal answers.
    #[cfg(unix)]
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        restore_terminal();
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        self.enter()
    }

    /// There is nothing to suspend to.
    ///
    /// # Errors
    /// None.
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

/// Gives the terminal back. What fails here cannot be told anywhere any more.
fn restore_terminal() {
    let mut out = stdout();
    let _ = execute!(out, DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    let _ = out.flush();
}

/// A panic's message belongs on the terminal as it was.
fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            restore_terminal();
            before(panicked);
        }));
    });
}
