//! A screen without a terminal: a model, worker responses that are computed at once, and a buffer to draw into. For
//! tests and fuzzing.
#![allow(clippy::unwrap_used, reason = "a step that fails ends the test")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;
use tempfile::TempDir;

use super::actions::KeyMap;
use super::effect::{Effect, MouseCapture};
use super::keys::Key;
use super::message::{BackgroundUpdate, Message, Response};
use super::model::{Access, Bell, Glyphs, Model, ModelOptions, ScanState};
use super::options::TuiOptions;
use super::session_time::SessionTime;
use super::theme::Theme;
use super::worker::{OpenedLog, SharedState, WorkerCache, handle_request, to_failure};
use super::{update, view};
use crate::inspect::{Progress, SurveyOptions, SurveyUpdate, survey};
use crate::repair::FixFinder;

/// Time between a drawn frame and the next key.
const KEY_INTERVAL: Duration = Duration::from_millis(10);

/// A screen over a log in a separate temporary folder.
pub(crate) struct TestScreen {
    _folder: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) shared: SharedState,
    pub(crate) model: Model,
    pub(crate) cache: WorkerCache,
    /// Effects that only the run loop can execute, in order.
    pub(crate) unhandled_effects: Vec<Effect>,
    pub(crate) clock: Duration,
}

impl TestScreen {
    pub(crate) fn new(bytes: &[u8], size: impl Into<Size>) -> Self {
        Self::with_options(bytes, size, |_| {})
    }

    /// Creates a screen with other options than the default ones.
    pub(crate) fn with_options(bytes: &[u8], size: impl Into<Size>, change: impl FnOnce(&mut TuiOptions)) -> Self {
        Self::of_log(size, |path| fs::write(path, bytes).unwrap(), change)
    }

    /// Creates a screen over the log that `make` creates at a path.
    pub(crate) fn of_log(
        size: impl Into<Size>,
        make: impl FnOnce(&Path),
        change: impl FnOnce(&mut TuiOptions),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.log");
        make(&path);
        let mut options = TuiOptions::new(&path);
        change(&mut options);
        let shared = SharedState::open(options).unwrap();
        let options = shared.settings();
        let model_options = ModelOptions {
            access: Access::ReadWrite,
            scan: ScanState::Running,
            theme: Theme::Ansi,
            keys: KeyMap::default(),
            columns: options.columns.clone(),
            bell: Bell::Off,
            glyphs: Glyphs::Unicode,
            zone: options.zone,
            mouse: MouseCapture::On,
            size: size.into(),
            hit_slice_bytes: 1 << 20,
            session: options.session.as_ref().map(|session| session.zone),
        };
        let model = Model::new(shared.log_info().unwrap(), model_options);
        let mut screen = Self {
            _folder: folder,
            path,
            shared,
            model,
            cache: WorkerCache::default(),
            unhandled_effects: Vec::new(),
            clock: Duration::ZERO,
        };
        update::init(&mut screen.model);
        screen.handle_effects();
        screen.normalize_paths();
        screen
    }

    /// Replaces the paths of the temporary folder, so that the screen is the same in every run.
    pub(crate) fn normalize_paths(&mut self) {
        self.model.log_info.path = PathBuf::from("/logs/accounts.log");
        self.model.log_info.journal_dir = PathBuf::from("/logs/accounts.log.repairs");
        self.model.log_info.index.path = PathBuf::from("/logs/accounts.log.idx");
    }

    /// Handles effects until there are none.
    pub(crate) fn handle_effects(&mut self) {
        while self.handle_next_effect() {}
    }

    /// Handles the first effect. Returns false when there is none.
    pub(crate) fn handle_next_effect(&mut self) -> bool {
        let Some(effect) = self.model.effects.pop_front() else { return false };
        match effect {
            Effect::Request { worker, generation, request } => {
                let mut on_progress = |_| ControlFlow::Continue(());
                let response = handle_request(&self.shared, *request, &mut self.cache, &mut on_progress)
                    .unwrap_or_else(|error| Response::Failed(to_failure(&error)));
                update::update(&mut self.model, Message::Response { worker, generation, response });
                for update in self.shared.take_updates() {
                    update::update(&mut self.model, Message::Background(update));
                }
            }
            other => self.unhandled_effects.push(other),
        }
        true
    }

    /// Applies a message and handles the effects.
    pub(crate) fn send(&mut self, message: Message) {
        self.send_unhandled(message);
        self.handle_effects();
        self.normalize_paths();
    }

    /// Applies a message and leaves the effects in the model.
    pub(crate) fn send_unhandled(&mut self, message: Message) {
        update::update(&mut self.model, message);
    }

    /// Applies a background update and handles the effects.
    pub(crate) fn send_update(&mut self, update: BackgroundUpdate) {
        self.send(Message::Background(update));
    }

    /// Presses keys. The screen is drawn before each key.
    pub(crate) fn press(&mut self, keys: &[Key]) {
        for key in keys {
            self.clock += KEY_INTERVAL;
            self.send(Message::Drawn(SessionTime(self.clock)));
            self.clock += KEY_INTERVAL;
            self.send(Message::Key(*key, SessionTime(self.clock)));
        }
    }

    /// Runs the whole background scan and applies its updates.
    pub(crate) fn run_scan(&mut self) {
        let OpenedLog { view, journals } = self.shared.opened_log();
        let mut index = view.empty_index();
        let mut updates = Vec::new();
        let mut scanned_to = 0;
        let mut fix_finder = FixFinder::new(&view).unwrap();
        let to_update = |proposed| BackgroundUpdate::Finding(Box::new(proposed));
        survey(&view, &SurveyOptions::new(), Some(&mut index), &mut |update| {
            match update {
                SurveyUpdate::Progress(Progress { position: to, total: end }) => {
                    let from = std::mem::replace(&mut scanned_to, to);
                    updates.push(BackgroundUpdate::ScanProgress { from, to, end });
                }
                SurveyUpdate::Finding(finding) => {
                    updates.extend(fix_finder.push(finding).unwrap().into_iter().map(to_update));
                }
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        updates.extend(fix_finder.finish().into_iter().map(to_update));
        updates.push(BackgroundUpdate::EventCount(index.coverage().events));
        self.shared.publish_index(index, journals);
        updates.push(self.shared.index_ready());
        updates.push(BackgroundUpdate::ScanDone);
        for update in updates {
            self.send_update(update);
        }
        self.poll_log();
    }

    /// Reads the properties of the log as the watcher does.
    pub(crate) fn poll_log(&mut self) {
        self.shared.refresh_view().unwrap();
        let log_info = Box::new(self.shared.log_info().unwrap());
        self.send_update(BackgroundUpdate::LogInfo(log_info));
    }

    pub(crate) fn resize(&mut self, width: u16, height: u16) {
        self.send(Message::Resize(Size::new(width, height)));
    }

    pub(crate) fn render(&self) -> Buffer {
        let Size { width, height } = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view::draw(frame, &self.model)).unwrap();
        terminal.backend().buffer().clone()
    }
}
