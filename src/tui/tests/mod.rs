//! The screen without a terminal: a model, the workers' answers given at once, and a buffer to draw into.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed")]

mod golden;
mod hit_counters;
mod readme_pictures;
mod repairs;
mod svg;
mod updates;
mod verified_earlier;
mod writes;

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use tempfile::TempDir;

use super::effect::{Effect, WorkerKind};
use super::keys::Key;
use super::message::{BackgroundUpdate, Message, Response, SessionTime};
use super::model::{Access, Model, ModelOptions, MouseCapture, ScanState};
use super::options::TuiOptions;
use super::theme::Theme;
use super::worker::{SharedState, WorkerCache, handle_request, to_failure};
use super::{update, view};
use crate::format::Event;
use crate::inspect::{Progress, SurveyOptions, SurveyUpdate, survey};
use crate::log::OpenOptions;
use crate::repair::FixFinder;

/// A screen over a log in a folder of its own.
struct TestScreen {
    _folder: TempDir,
    path: PathBuf,
    shared: SharedState,
    model: Model,
    cache: WorkerCache,
    /// Wishes that only the loop can grant.
    unhandled_effects: Vec<Effect>,
    clock: Duration,
}

impl TestScreen {
    fn new(bytes: &[u8], size: (u16, u16)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.log");
        fs::write(&path, bytes).unwrap();
        let shared = SharedState::open(TuiOptions::new(&path)).unwrap();
        let start = ModelOptions {
            access: Access::ReadWrite,
            scan: ScanState::Running,
            theme: Theme::Ansi,
            mouse: MouseCapture::On,
            size,
            hit_slice_bytes: 1 << 20,
        };
        let model = Model::new(shared.log_info().unwrap(), start);
        let (memory, wishes) = (WorkerCache::default(), Vec::new());
        let mut bench = Self {
            _folder: folder,
            path,
            shared,
            model,
            cache: memory,
            unhandled_effects: wishes,
            clock: Duration::ZERO,
        };
        update::init(&mut bench.model);
        bench.handle_effects();
        bench.normalize_paths();
        bench
    }

    /// Where the log lies is another place in every run; the screen shows the same one.
    fn normalize_paths(&mut self) {
        self.model.log_info.path = PathBuf::from("/logs/accounts.log");
        self.model.log_info.journal_dir = PathBuf::from("/logs/accounts.log.repairs");
        self.model.log_info.index.path = PathBuf::from("/logs/accounts.log.idx");
    }

    /// Answers what was asked until nothing is.
    fn handle_effects(&mut self) {
        while self.handle_next_effect() {}
    }

    /// Answers what was asked first; whether anything was.
    fn handle_next_effect(&mut self) -> bool {
        let Some(effect) = self.model.effects.pop_front() else { return false };
        match effect {
            Effect::Request(lane, generation, ask) => {
                let told = handle_request(&self.shared, *ask, &mut self.cache, &mut |_| ControlFlow::Continue(()));
                let told = told.unwrap_or_else(|error| Response::Failed(to_failure(&error)));
                update::update(&mut self.model, Message::Response(lane, generation, told));
                for news in self.shared.take_updates() {
                    update::update(&mut self.model, Message::Background(news));
                }
            }
            other => self.unhandled_effects.push(other),
        }
        true
    }

    fn send(&mut self, message: Message) {
        update::update(&mut self.model, message);
        self.handle_effects();
        self.normalize_paths();
    }

    /// Types keys, the screen drawn before each.
    fn press(&mut self, keys: &[Key]) {
        for key in keys {
            self.clock += Duration::from_millis(10);
            self.send(Message::Drawn(SessionTime(self.clock)));
            self.clock += Duration::from_millis(10);
            self.send(Message::Key(*key, SessionTime(self.clock)));
        }
    }

    fn type_text(&mut self, text: &str) {
        let keys: Vec<Key> = text.chars().map(Key::Char).collect();
        self.press(&keys);
    }

    /// The scan behind, all at once.
    fn run_scan(&mut self) {
        let view = self.shared.view();
        let mut index = view.empty_index();
        let mut news = Vec::new();
        let mut told = 0;
        let mut proposer = FixFinder::new(&view).unwrap();
        let seen = survey(&view, &SurveyOptions::default(), Some(&mut index), &mut |step| {
            news.push(match step {
                SurveyUpdate::Progress(Progress { position: at, total: end }) => {
                    BackgroundUpdate::ScanProgress { from: std::mem::replace(&mut told, at), at, end }
                }
                SurveyUpdate::Finding(finding) => {
                    news.extend(
                        proposer
                            .push(finding)
                            .unwrap()
                            .into_iter()
                            .map(|found| BackgroundUpdate::Finding(Box::new(found))),
                    );
                    return ControlFlow::Continue(());
                }
            });
            ControlFlow::Continue(())
        });
        seen.unwrap();
        news.extend(proposer.finish().into_iter().map(|found| BackgroundUpdate::Finding(Box::new(found))));
        news.push(BackgroundUpdate::EventCount(index.coverage().events));
        self.shared.publish_index(Some(index));
        news.push(BackgroundUpdate::IndexReady);
        news.push(BackgroundUpdate::ScanDone);
        for news in news {
            self.send(Message::Background(news));
        }
        self.poll_log();
    }

    /// The watch, once.
    fn poll_log(&mut self) {
        self.shared.refresh_view().unwrap();
        let facts = Box::new(self.shared.log_info().unwrap());
        self.send(Message::Background(BackgroundUpdate::LogInfo(facts)));
    }

    fn resize(&mut self, width: u16, height: u16) {
        self.send(Message::Resize(width, height));
    }

    fn render(&self) -> Buffer {
        let (width, height) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view::draw(frame, &self.model)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// The screen as text, without the blanks at the ends of lines.
    fn screen_text(&self) -> String {
        let buffer = self.render();
        let line = |y| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        let lines: Vec<String> = (0..buffer.area.height).map(|y| line(y).trim_end().to_owned()).collect();
        lines.join("\n") + "\n"
    }

    fn is_waiting_for(&self, lane: WorkerKind) -> bool {
        self.model.job(lane).is_some()
    }
}

/// A clean log of so many events.
fn clean_log(events: u64) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clean.log");
    let clock = Arc::new(AtomicU64::new(1_795_165_200_000));
    let ticks = move || clock.fetch_add(1_371, Ordering::Relaxed);
    let mut log = OpenOptions::new().clock(ticks).create(&path).unwrap();
    for n in 0..events {
        let payload = format!("{{\"name\":\"Juan\",\"n\":{n},\"amount\":{}.50,\"tags\":[\"a\",\"b\"]}}", n % 7);
        let event = Event::builder()
            .event_type(if n % 3 == 0 { "Created" } else { "Updated" })
            .namespace("accounts")
            .schema_id("Person")
            .schema_version(1)
            .aggregate_id(n % 5)
            .payload_json(payload)
            .build()
            .unwrap();
        log.append(&event).unwrap();
    }
    drop(log);
    fs::read(&path).unwrap()
}

/// The same with a bad checksum, a bad length, zeros, a hostile name and a torn end.
fn damaged_log() -> Vec<u8> {
    let mut bytes = clean_log(60);
    let starts = frame_starts(&bytes);
    bytes[starts[3] + 40] ^= 0x01;
    bytes[starts[9] + 2] ^= 0x10;
    bytes[starts[14]..starts[16]].fill(0);
    bytes.truncate(bytes.len() - 20);
    bytes
}

/// Where the frames of a clean log start.
fn frame_starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = 16;
    while at + 4 <= bytes.len() {
        starts.push(at);
        at += 8 + u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize;
    }
    starts
}
