//! Compares `chronicle replicate` with a bare client on the same NATS server, in turns.
//!
//! The bare client publishes the same payloads, one message an event, with the expected last sequence number in each and 1024
//! messages in flight. Needs a running server:
//!
//! ```sh
//! CHRONICLE_NATS=127.0.0.1:4222 cargo bench --features remote --bench nats
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a program that prints measurements"
)]

use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use async_nats::HeaderMap;
use async_nats::jetstream::{self, stream};
use chronicle::EventLog;

/// The number of events of the log.
const EVENTS: u64 = 200_000;
/// The messages of the bare client that are not acknowledged yet.
const IN_FLIGHT: usize = 1024;
/// How often each of both is measured.
const TURNS: u32 = 3;

fn main() {
    let Ok(host) = std::env::var("CHRONICLE_NATS") else {
        println!("skipped: set CHRONICLE_NATS to the host and the port of a NATS server");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("a.log");
    run(&["generate", log.to_str().unwrap(), "--events", &EVENTS.to_string()]);
    let payloads: Vec<String> = EventLog::open_read_only(&log)
        .unwrap()
        .replay(0)
        .unwrap()
        .map(|event| event.unwrap().json().to_owned())
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for turn in 1..=TURNS {
        let stream = |kind: &str| format!("bench-{kind}-{}-{turn}", std::process::id());
        let bare = runtime.block_on(bare_client(&host, &stream("bare"), &payloads));
        let replicated = replicate(&host, &stream("log"), &log);
        let restored = restore(&host, &stream("log"), &folder.path().join(format!("{turn}.log")));
        println!(
            "turn {turn}: bare client {bare:.0} events/s; replicate {replicated:.0} events/s ({:.2}); restore {restored:.0} events/s",
            replicated / bare
        );
        runtime.block_on(delete(&host, [stream("bare"), stream("log")]));
    }
}

fn run(args: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_chronicle")).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn rate(since: Instant) -> f64 {
    EVENTS as f64 / since.elapsed().as_secs_f64()
}

fn replicate(host: &str, stream: &str, log: &Path) -> f64 {
    let since = Instant::now();
    run(&["replicate", log.to_str().unwrap(), &format!("nats://{host}/{stream}"), "--once", "--create"]);
    rate(since)
}

fn restore(host: &str, stream: &str, new: &Path) -> f64 {
    let since = Instant::now();
    run(&["restore", &format!("nats://{host}/{stream}"), "-o", new.to_str().unwrap()]);
    rate(since)
}

async fn bare_client(host: &str, name: &str, payloads: &[String]) -> f64 {
    let client = async_nats::connect(host).await.unwrap();
    let context = jetstream::context::ContextBuilder::new().max_ack_inflight(IN_FLIGHT).build(client);
    let config = stream::Config { name: name.into(), subjects: vec![format!("{name}.>")], ..stream::Config::default() };
    context.create_stream(config).await.unwrap();
    let bodies: Vec<Vec<u8>> = payloads.iter().map(|payload| payload.as_bytes().to_vec()).collect();
    let (since, subject) = (Instant::now(), format!("{name}.events"));
    let mut waiting = VecDeque::new();
    for (sequence, body) in bodies.into_iter().enumerate() {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Expected-Last-Sequence", sequence.to_string());
        waiting.push_back(context.publish_with_headers(subject.clone(), headers, body.into()).await.unwrap());
        if waiting.len() >= IN_FLIGHT {
            waiting.pop_front().unwrap().await.unwrap();
        }
    }
    for ack in waiting {
        ack.await.unwrap();
    }
    rate(since)
}

async fn delete(host: &str, streams: [String; 2]) {
    let context = jetstream::new(async_nats::connect(host).await.unwrap());
    for stream in streams {
        context.delete_stream(stream).await.unwrap();
    }
}
