//! A cluster of three NATS servers with three replicas: nothing that was acknowledged is lost, and nothing is stored twice, while
//! servers are killed, stopped and started again, a writer appends and a sender sends.
//!
//! `tests/cluster/run` runs more rounds: `CHRONICLE_CLUSTER_ROUNDS` is their number.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use super::nats_client::NatsClient;
use super::nats_replicate::{interrupt, spawn, wait_until};
use super::nats_server::{NatsServer, free_port, server_program};
use super::shell::Shell;

/// Three servers. Server `n` has the name `s<n>`.
struct Cluster(Vec<NatsServer>);

impl Cluster {
    fn start() -> Option<Self> {
        let program = server_program()?;
        let routes: Vec<u16> = (0..3).map(|_| free_port()).collect();
        let all: Vec<String> = routes.iter().map(|port| format!("nats-route://127.0.0.1:{port}")).collect();
        let servers = routes.iter().enumerate().map(|(n, port)| {
            let config = format!(
                "server_name: s{n}\ncluster {{ name: test, listen: \"127.0.0.1:{port}\", routes: [{}] }}",
                all.join(", ")
            );
            NatsServer::start_in_cluster(&program, &config)
        });
        let cluster = Self(servers.collect());
        wait_until("the cluster has a leader", || {
            let api = |server: &NatsServer| NatsClient::connect(server.port)?.api("INFO", "");
            cluster
                .0
                .iter()
                .all(|server| api(server).is_some_and(|info| info["type"].is_string() && info["error"].is_null()))
        });
        Some(cluster)
    }

    /// Asks the servers one after the other for the state of the stream.
    fn info(&self) -> Option<Value> {
        let ask = |server: &NatsServer| NatsClient::connect(server.port)?.api("STREAM.INFO.A", "");
        self.0
            .iter()
            .filter_map(ask)
            .find(|info| info["state"]["messages"].is_u64() && info["cluster"]["leader"].is_string())
    }

    fn messages(&self) -> u64 {
        self.info().and_then(|info| info["state"]["messages"].as_u64()).unwrap_or(0)
    }

    /// The number of the server that leads the stream.
    fn leader(&self) -> usize {
        let mut leader = None;
        wait_until("the stream has a leader", || {
            let info = self.info();
            leader = info.and_then(|info| info["cluster"]["leader"].as_str()?.strip_prefix('s')?.parse().ok());
            leader.is_some()
        });
        leader.unwrap()
    }

    /// Waits until the stream has more messages than now.
    fn wait_for_progress(&self, what: &str) {
        let before = self.messages();
        wait_until(what, || self.messages() > before.max(1));
    }
}

/// A process that appends events, each synced, until it is told to stop.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    appended: Arc<AtomicU64>,
}

impl Writer {
    fn start(shell: &Shell) -> Self {
        let mut command = shell.command("append a.log --sync");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let (stop, appended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, count) = (stop.clone(), appended.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Acquire) {
                let number = count.fetch_add(1, Ordering::AcqRel);
                let event = format!(
                    r#"{{"event_type":"T","namespace":"n","schema_id":"S","schema_version":1,"payload":{{"n":{number}}}}}"#
                );
                writeln!(input, "{event}").unwrap();
                std::thread::sleep(Duration::from_millis(3));
            }
            drop(input);
            let ended = child.wait_with_output().unwrap();
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        });
        Self { stop, thread, appended }
    }

    /// Ends the writer, and returns the number of its events.
    fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Release);
        self.thread.join().unwrap();
        self.appended.load(Ordering::Acquire)
    }
}

/// Reads the lines of a sender while it runs.
fn read_lines(sender: &mut Child) -> (Arc<Mutex<Vec<Value>>>, JoinHandle<()>) {
    let stdout = BufReader::new(sender.stdout.take().unwrap());
    let lines = Arc::new(Mutex::new(Vec::new()));
    let read = lines.clone();
    let thread = std::thread::spawn(move || {
        for line in stdout.lines() {
            read.lock().unwrap().push(serde_json::from_str(&line.unwrap()).unwrap());
        }
    });
    (lines, thread)
}

#[test]
fn a_cluster_loses_nothing_that_was_acknowledged_and_stores_nothing_twice() {
    let Some(mut cluster) = Cluster::start() else { return };
    let rounds: u32 = std::env::var("CHRONICLE_CLUSTER_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 2000");
    let writer = Writer::start(&shell);
    let url = cluster.0[0].url("A");
    let mut sender = spawn(&shell, &format!("replicate a.log {url} --create --replicas 3 --json --every 1"));
    let (lines, reading) = read_lines(&mut sender);
    wait_until("the stream has the first events", || cluster.messages() >= 2000);
    for _ in 0..rounds {
        // The leader is killed, and comes back.
        let leader = cluster.leader();
        cluster.0[leader].kill();
        cluster.wait_for_progress("events after the leader was killed");
        cluster.0[leader].restart_in_cluster();
        // A minority is cut off: another server than the leader, and then the leader itself.
        for offset in [1, 0] {
            let server = (cluster.leader() + offset) % 3;
            cluster.0[server].signal("-STOP");
            std::thread::sleep(Duration::from_secs(2));
            cluster.0[server].signal("-CONT");
            cluster.wait_for_progress("events after a server was cut off");
        }
        // Without a quorum, nothing is acknowledged, and the sender reports how much is left.
        cluster.0.iter_mut().for_each(NatsServer::kill);
        std::thread::sleep(Duration::from_secs(3));
        cluster.0.iter_mut().for_each(NatsServer::restart_in_cluster);
        cluster.wait_for_progress("events after all servers were started again");
    }
    let events = 2000 + writer.stop();
    wait_until("the stream has all events", || cluster.messages() == events);
    let ended = interrupt(sender);
    assert_eq!(ended.exit_code, 0, "{ended:?}");
    reading.join().unwrap();
    let lines = lines.lock().unwrap();
    let number = |line: &Value, key: &str| line[key].as_u64().unwrap_or(0);
    let last = lines.last().unwrap();
    assert_eq!((number(last, "sequence"), number(last, "lag_events")), (events, 0), "{last}");
    let largest = lines.iter().max_by_key(|line| number(line, "lag_events")).unwrap();
    let lags = ["lag_events", "lag_bytes", "lag_ms"].map(|key| number(largest, key));
    assert!(lags.iter().all(|lag| *lag > 0), "no line reports what is left: {largest}");
    // What was acknowledged is there: sequence numbers never go back.
    let sequences: Vec<u64> =
        lines.iter().filter(|line| line["sequence"].is_u64()).map(|line| number(line, "sequence")).collect();
    assert!(sequences.windows(2).all(|pair| pair[0] <= pair[1]), "{sequences:?}");
    shell.run_ok(&format!("restore {url} -o b.log"));
    assert!(fs::read(shell.path("a.log")).unwrap() == fs::read(shell.path("b.log")).unwrap(), "the copy differs");
    let info = cluster.info().unwrap();
    assert_eq!((info["state"]["last_seq"].as_u64(), info["state"]["messages"].as_u64()), (Some(events), Some(events)));
}
