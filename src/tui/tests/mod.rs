//! The screen without a terminal: a model, the workers' answers given at once, and a buffer to draw into.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed")]

mod earlier;
mod gathers;
mod golden;
mod pictures;
mod repairs;
mod svg;
mod updates;
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

use super::effect::{Effect, Lane};
use super::keys::Key;
use super::message::{Message, Moment, News, Told};
use super::model::{Access, Model, Mouse, ScanState, Start};
use super::options::Options;
use super::theme::Theme;
use super::worker::{Memory, Shared, answer, failure};
use super::{update, view};
use crate::format::Event;
use crate::inspect::{Step, Wish, survey};
use crate::log::OpenOptions;
use crate::repair::Proposer;

/// A screen over a log in a folder of its own.
struct Bench {
    _folder: TempDir,
    path: PathBuf,
    shared: Shared,
    model: Model,
    memory: Memory,
    /// Wishes that only the loop can grant.
    wishes: Vec<Effect>,
    clock: Duration,
}

impl Bench {
    fn new(bytes: &[u8], size: (u16, u16)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.log");
        fs::write(&path, bytes).unwrap();
        let shared = Shared::open(Options::new(&path)).unwrap();
        let start =
            Start { access: Access::ReadWrite, scan: ScanState::Running, theme: Theme::Own, mouse: Mouse::On, size };
        let model = Model::new(shared.facts().unwrap(), start);
        let (memory, wishes) = (Memory::default(), Vec::new());
        let mut bench = Self { _folder: folder, path, shared, model, memory, wishes, clock: Duration::ZERO };
        update::open(&mut bench.model);
        bench.answer();
        bench.move_folder();
        bench
    }

    /// Where the log lies is another place in every run; the screen shows the same one.
    fn move_folder(&mut self) {
        self.model.facts.path = PathBuf::from("/logs/accounts.log");
        self.model.facts.journals = PathBuf::from("/logs/accounts.log.repairs");
        self.model.facts.index.path = PathBuf::from("/logs/accounts.log.idx");
    }

    /// Answers what was asked until nothing is.
    fn answer(&mut self) {
        while self.step() {}
    }

    /// Answers what was asked first; whether anything was.
    fn step(&mut self) -> bool {
        let Some(effect) = self.model.effects.pop_front() else { return false };
        match effect {
            Effect::Ask(lane, generation, ask) => {
                let told = answer(&self.shared, *ask, &mut self.memory, &mut |_, _| ControlFlow::Continue(()));
                let told = told.unwrap_or_else(|error| Told::Failed(failure(&error)));
                update::update(&mut self.model, Message::Answer(lane, generation, told));
                for news in self.shared.take_news() {
                    update::update(&mut self.model, Message::News(news));
                }
            }
            other => self.wishes.push(other),
        }
        true
    }

    fn send(&mut self, message: Message) {
        update::update(&mut self.model, message);
        self.answer();
        self.move_folder();
    }

    /// Types keys, the screen drawn before each.
    fn press(&mut self, keys: &[Key]) {
        for key in keys {
            self.clock += Duration::from_millis(10);
            self.send(Message::Drawn(Moment(self.clock)));
            self.clock += Duration::from_millis(10);
            self.send(Message::Key(*key, Moment(self.clock)));
        }
    }

    fn type_in(&mut self, text: &str) {
        let keys: Vec<Key> = text.chars().map(Key::Char).collect();
        self.press(&keys);
    }

    /// The scan behind, all at once.
    fn scan(&mut self) {
        let view = self.shared.view();
        let mut index = view.new_index();
        let mut news = Vec::new();
        let mut told = 0;
        let mut proposer = Proposer::new(&view).unwrap();
        let seen = survey(&view, &Wish::default(), Some(&mut index), &mut |step| {
            news.push(match step {
                Step::Progress(at, end) => News::Scanned { from: std::mem::replace(&mut told, at), at, end },
                Step::Finding(finding) => {
                    news.extend(proposer.push(finding).unwrap().into_iter().map(|found| News::Found(Box::new(found))));
                    return ControlFlow::Continue(());
                }
            });
            ControlFlow::Continue(())
        });
        seen.unwrap();
        news.extend(proposer.finish().into_iter().map(|found| News::Found(Box::new(found))));
        news.push(News::Counted(index.coverage().events));
        self.shared.publish(Some(index));
        news.push(News::IndexReady);
        news.push(News::ScanDone);
        for news in news {
            self.send(Message::News(news));
        }
        self.look();
    }

    /// The watch, once.
    fn look(&mut self) {
        self.shared.refresh().unwrap();
        let facts = Box::new(self.shared.facts().unwrap());
        self.send(Message::News(News::Facts(facts)));
    }

    fn resize(&mut self, width: u16, height: u16) {
        self.send(Message::Resize(width, height));
    }

    fn buffer(&self) -> Buffer {
        let (width, height) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view::draw(frame, &self.model)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// The screen as text, without the blanks at the ends of lines.
    fn screen(&self) -> String {
        let buffer = self.buffer();
        let line = |y| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        let lines: Vec<String> = (0..buffer.area.height).map(|y| line(y).trim_end().to_owned()).collect();
        lines.join("\n") + "\n"
    }

    fn waits_for(&self, lane: Lane) -> bool {
        self.model.job(lane).is_some()
    }
}

/// A clean log of so many events.
fn clean(events: u64) -> Vec<u8> {
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
fn damaged() -> Vec<u8> {
    let mut bytes = clean(60);
    let starts = starts(&bytes);
    bytes[starts[3] + 40] ^= 0x01;
    bytes[starts[9] + 2] ^= 0x10;
    bytes[starts[14]..starts[16]].fill(0);
    bytes.truncate(bytes.len() - 20);
    bytes
}

/// Where the frames of a clean log start.
fn starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = 16;
    while at + 4 <= bytes.len() {
        starts.push(at);
        at += 8 + u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize;
    }
    starts
}
