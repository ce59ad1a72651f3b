//! Tests of the screen without a terminal: a model, worker responses that are computed at once, and a buffer to draw
//! into.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed")]

mod aggregates;
mod burst;
mod columns;
mod compare;
mod contrast;
mod detail;
mod erasures;
mod export;
mod findings;
mod follow;
mod golden;
mod help;
mod hit_counters;
mod layout;
mod lost_ranges;
mod messages;
mod places;
mod plan_dialog;
mod plan_size;
mod prompts;
mod readme_pictures;
mod removals;
mod repairs;
mod scrolling;
mod segments;
mod session;
mod settings;
mod states;
mod statistics;
mod strip_line;
mod timeline;
mod truth;
mod updates;
mod verified_earlier;
mod writes;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::effect::Effect;
use super::keys::Key;
use super::message::{Message, Response};
use super::request::WorkerKind;
use super::session_time::SessionTime;
use super::test_screen::TestScreen;
use crate::format::Event;
use crate::log::OpenOptions;

impl TestScreen {
    /// Applies a key and leaves the effects in the model.
    fn press_unhandled(&mut self, key: Key) {
        self.send_unhandled(Message::Key(key, SessionTime(self.clock)));
    }

    /// Applies a response as if it had just been requested.
    fn respond(&mut self, worker: WorkerKind, response: Response) {
        let generation = self.model.generations.advance(worker);
        self.send(Message::Response { worker, generation, response });
    }

    fn type_text(&mut self, text: &str) {
        let keys: Vec<Key> = text.chars().map(Key::Char).collect();
        self.press(&keys);
    }

    /// Returns the screen as text, without the spaces at the ends of lines.
    fn screen_text(&self) -> String {
        let buffer = self.render();
        let line = |y| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        let lines: Vec<String> = (0..buffer.area.height).map(|y| line(y).trim_end().to_owned()).collect();
        lines.join("\n") + "\n"
    }

    fn shows(&self, text: &str) -> bool {
        self.screen_text().contains(text)
    }

    #[track_caller]
    fn assert_shows(&self, text: &str) {
        assert!(self.shows(text), "{text:?} is missing: {}", self.screen_text());
    }

    /// Types a text in a burst, and leaves the effects in the model. A line break is the Enter key.
    fn type_unhandled(&mut self, text: &str) {
        for character in text.chars() {
            self.press_unhandled(if character == '\n' { Key::Enter } else { Key::Char(character) });
        }
    }

    /// Returns the texts that were put on the clipboard.
    fn copied_texts(&self) -> Vec<&str> {
        self.unhandled_effects
            .iter()
            .filter_map(|effect| if let Effect::CopyToClipboard(text) = effect { Some(text.as_str()) } else { None })
            .collect()
    }

    fn has_job(&self, worker: WorkerKind) -> bool {
        self.model.job(worker).is_some()
    }

    fn has_effect(&self, is_match: impl Fn(&Effect) -> bool) -> bool {
        self.unhandled_effects.iter().any(is_match)
    }
}

/// Returns a log without damage that has this many events.
fn clean_log(events: u64) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clean.log");
    let clock = Arc::new(AtomicU64::new(1_795_165_200_000));
    let next_time = move || clock.fetch_add(1_371, Ordering::Relaxed);
    let mut log = OpenOptions::new().clock(next_time).create(&path).unwrap();
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

/// Returns a log with a wrong checksum, a wrong length, zeros and a torn tail.
fn damaged_log() -> Vec<u8> {
    let mut bytes = clean_log(60);
    let starts = frame_starts(&bytes);
    bytes[starts[3] + 40] ^= 0x01;
    bytes[starts[9] + 2] ^= 0x10;
    bytes[starts[14]..starts[16]].fill(0);
    bytes.truncate(bytes.len() - 20);
    bytes
}

/// Returns the offsets of the frames of a log without damage.
fn frame_starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut start = 16;
    while start + 4 <= bytes.len() {
        starts.push(start);
        start += 8 + u32::from_be_bytes(bytes[start..start + 4].try_into().unwrap()) as usize;
    }
    starts
}
