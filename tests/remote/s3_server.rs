//! Starts an S3 server, `moto_server`, on a free port, and talks to it; and a small HTTP server whose answers a test chooses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::nats_server::free_port;
use super::shell::{CommandOutcome, Shell};

/// The secret that no output may have.
pub(super) const SECRET: &str = "hiddenSecretOfTheTests";
/// The key that belongs to it, which no output may have either.
pub(super) const KEY: &str = "HIDDENKEYOFTHETESTS";
/// The bucket of the tests.
pub(super) const BUCKET: &str = "logs";

/// A server. Dropping it ends its process.
pub(super) struct S3Server {
    process: Child,
    port: u16,
}

impl S3Server {
    /// Starts a server with an empty bucket; `None`, with a line on stderr, when none is installed.
    pub(super) fn start() -> Option<Self> {
        let program = server_program()?;
        let port = free_port();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { process, port };
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(since.elapsed() < Duration::from_secs(60), "the server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(server.request("PUT", &format!("/{BUCKET}"), b"").0, 200);
        Some(server)
    }

    /// The URL of the server.
    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Stores an object.
    pub(super) fn put(&self, key: &str, bytes: &[u8]) {
        assert_eq!(self.request("PUT", &format!("/{BUCKET}/{key}"), bytes).0, 200, "{key}");
    }

    /// Reads an object.
    pub(super) fn get(&self, key: &str) -> Vec<u8> {
        let (status, body) = self.request("GET", &format!("/{BUCKET}/{key}"), b"");
        assert_eq!(status, 200, "{key}");
        body
    }

    /// Removes an object.
    pub(super) fn delete(&self, key: &str) {
        assert_eq!(self.request("DELETE", &format!("/{BUCKET}/{key}"), b"").0, 204, "{key}");
    }

    /// Returns the keys of the objects below a prefix.
    pub(super) fn keys(&self, prefix: &str) -> Vec<String> {
        let (_, body) = self.request("GET", &format!("/{BUCKET}?list-type=2&prefix={prefix}"), b"");
        let text = String::from_utf8(body).unwrap();
        text.split("<Key>").skip(1).map(|part| part.split("</Key>").next().unwrap().to_owned()).collect()
    }

    /// Runs the program, and checks that its output has no credential.
    pub(super) fn run(&self, shell: &Shell, line: &str) -> CommandOutcome {
        run_with_endpoint(shell, &self.endpoint(), line)
    }

    /// Runs a command that must exit with 0.
    pub(super) fn run_ok(&self, shell: &Shell, line: &str) -> CommandOutcome {
        let outcome = self.run(shell, line);
        assert_eq!(outcome.exit_code, 0, "{line}: {outcome:?}");
        outcome
    }

    fn request(&self, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        // The server reads who asks, and does not check the signature.
        let user = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
        let len = body.len();
        let head = format!(
            "{method} {path} HTTP/1.0\r\nhost: 127.0.0.1\r\nauthorization: {user}\r\ncontent-length: {len}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
        let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
        (status, answer[end + 4..].to_vec())
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the command of a line with the endpoint and the credentials of the tests.
pub(super) fn command_with_endpoint(shell: &Shell, endpoint: &str, line: &str) -> Command {
    let mut command = shell.command(line);
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET);
    command.env("AWS_REGION", "us-east-1").env("HOME", shell.folder.path()).env("CHRONICLE_REMOTE_TIMEOUT", "2");
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        command.env_remove(name);
    }
    command
}

/// Runs the program with an endpoint, and checks that its output has no credential.
pub(super) fn run_with_endpoint(shell: &Shell, endpoint: &str, line: &str) -> CommandOutcome {
    let output = command_with_endpoint(shell, endpoint, line).output().unwrap();
    let outcome = CommandOutcome::from_output(output);
    let text = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(!text.contains(SECRET) && !text.contains(KEY) && !text.contains("X-Amz"), "{line}: {text}");
    outcome
}

/// Finds the server next to the interpreter that `CHRONICLE_PYTHON` names, or on the search path.
fn server_program() -> Option<PathBuf> {
    let python = std::env::var_os("CHRONICLE_PYTHON").map(PathBuf::from);
    let beside = python.and_then(|python| Some(python.parent()?.join("moto_server")));
    let candidates = beside.into_iter().filter(|path| path.exists()).chain([PathBuf::from("moto_server")]);
    for program in candidates {
        if Command::new(&program).arg("--help").output().is_ok_and(|output| output.status.success()) {
            return Some(program);
        }
    }
    // Not by a macro, whose output the test harness hides.
    let _ = writeln!(std::io::stderr(), "SKIPPED: moto_server is not installed (pip install 'moto[server]')");
    None
}

/// A request that a [`FakeServer`] has received.
#[derive(Debug, Clone)]
pub(super) struct FakeRequest {
    pub(super) method: String,
    pub(super) target: String,
    /// The first and the last byte of the range.
    pub(super) range: Option<(usize, usize)>,
    /// How many requests came before it.
    pub(super) number: usize,
}

/// A server on a thread of the test, which ends with the process.
pub(super) struct FakeServer {
    port: u16,
    pub(super) requests: Arc<Mutex<Vec<FakeRequest>>>,
}

impl FakeServer {
    /// Starts a server. `answer` returns the bytes of the answer to a request, after which the connection is closed.
    pub(super) fn start(answer: impl Fn(&FakeRequest) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests: Arc<Mutex<Vec<FakeRequest>>> = Arc::default();
        let (seen, answer, number) = (requests.clone(), Arc::new(answer), Arc::new(AtomicUsize::new(0)));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, answer, number) = (seen.clone(), answer.clone(), number.clone());
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let Some(mut request) = read_request(&stream) else { return };
                    request.number = number.fetch_add(1, Ordering::SeqCst);
                    seen.lock().unwrap().push(request.clone());
                    let _ = stream.write_all(&answer(&request));
                });
            }
        });
        Self { port, requests }
    }

    /// The URL of the server.
    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

fn read_request(stream: &TcpStream) -> Option<FakeRequest> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut range = None;
    for line in lines {
        let line = line.ok()?;
        if line.is_empty() {
            break;
        }
        if let Some(bytes) = line.strip_prefix("range: bytes=") {
            let (first, last) = bytes.split_once('-')?;
            range = Some((first.parse().ok()?, last.parse().ok()?));
        }
    }
    Some(FakeRequest { method, target, range, number: 0 })
}

/// Returns the answer of a server that has one object with these bytes and this tag.
pub(super) fn object_answer(request: &FakeRequest, bytes: &[u8], etag: &str) -> Vec<u8> {
    if !request.target.split('?').next().unwrap().ends_with("/a.log") {
        return status_answer(404);
    }
    let (status, body, range) = match request.range {
        Some((first, last)) => {
            let range = format!("content-range: bytes {first}-{last}/{}\r\n", bytes.len());
            ("206 Partial Content", &bytes[first..=last], range)
        }
        None => ("200 OK", bytes, String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\netag: {etag}\r\n{range}content-length: {}\r\n\r\n",
        body.len()
    );
    let body = if request.method == "HEAD" { &[] } else { body };
    [head.as_bytes(), body].concat()
}

/// Returns an answer without a body.
pub(super) fn status_answer(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").into_bytes()
}
