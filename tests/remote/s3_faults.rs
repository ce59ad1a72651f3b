//! Servers that fail, lie or are slow: each failure is reported as what it is, and never as damage of the log.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::nats_server::free_port;
use super::s3_server::{FakeServer, object_answer, run_with_endpoint, status_answer};
use super::shell::{CommandOutcome, Shell};

/// Runs `verify s3://logs/a.log`.
fn verify(shell: &Shell, server: &FakeServer) -> CommandOutcome {
    run_with_endpoint(shell, &server.endpoint(), "verify s3://logs/a.log")
}

fn log_bytes(shell: &Shell) -> Vec<u8> {
    fs::read(shell.path("a.log")).unwrap()
}

/// Checks that a failure says `reason`, and nothing of damage.
fn assert_failure(outcome: &CommandOutcome, reason: &str) {
    assert_eq!(outcome.exit_code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains(reason), "{reason}: {outcome:?}");
    for word in ["damage", "unreadable", "not a Chronicle log", "device"] {
        assert!(!outcome.stderr.contains(word) && !outcome.stdout.contains(word), "{word}: {outcome:?}");
    }
}

#[test]
fn an_object_that_changes_while_it_is_read_is_reported_as_changed() {
    let shell = Shell::with_log();
    let bytes = log_bytes(&shell);
    let server = FakeServer::start(move |request| {
        // The server ignores conditions, as some do.
        object_answer(request, &bytes, if request.method == "HEAD" { "\"one\"" } else { "\"two\"" })
    });
    let outcome = verify(&shell, &server);
    assert_failure(&outcome, "changed while in use: expected the object with the tag \"one\", found the tag \"two\"");
    let shell = Shell::with_log();
    let bytes = log_bytes(&shell);
    let server = FakeServer::start(move |request| match request.method.as_str() {
        "HEAD" => object_answer(request, &bytes, "\"one\""),
        _ => status_answer(412),
    });
    assert_failure(&verify(&shell, &server), "changed while in use");
}

#[test]
fn an_object_that_is_removed_while_it_is_read_is_reported_as_changed() {
    let shell = Shell::with_log();
    let bytes = log_bytes(&shell);
    let server = FakeServer::start(move |request| match request.method.as_str() {
        "HEAD" => object_answer(request, &bytes, "\"one\""),
        _ => status_answer(404),
    });
    assert_failure(&verify(&shell, &server), "found no object");
}

#[test]
fn a_busy_server_is_asked_again_and_a_refusal_is_final() {
    let shell = Shell::with_log();
    let bytes = log_bytes(&shell);
    let server = FakeServer::start(move |request| match request.number {
        0 | 2 => status_answer(503),
        _ => object_answer(request, &bytes, "\"one\""),
    });
    assert_eq!(verify(&shell, &server).exit_code, 0);
    let busy = FakeServer::start(|_| status_answer(503));
    assert_failure(&verify(&shell, &busy), "status 503 (4 attempts)");
    assert_eq!(busy.requests.lock().unwrap().len(), 4);
    let refusing = FakeServer::start(|_| status_answer(403));
    assert_failure(&verify(&shell, &refusing), "refuses access (status 403)");
    assert_eq!(refusing.requests.lock().unwrap().len(), 1, "a refusal is not asked for again");
}

#[test]
fn answers_that_are_cut_are_asked_for_again_and_malformed_ones_are_refused() {
    let shell = Shell::with_log();
    let (bytes, is_cut) = (log_bytes(&shell), AtomicBool::new(false));
    let whole = bytes.clone();
    let server = FakeServer::start(move |request| {
        let mut answer = object_answer(request, &whole, "\"one\"");
        if request.method == "GET" && !is_cut.swap(true, Ordering::SeqCst) {
            answer.truncate(answer.len() / 2);
        }
        answer
    });
    assert_eq!(verify(&shell, &server).exit_code, 0);
    let cases: [(&str, &str); 5] = [
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "size and the tag"),
        ("HTTP/1.1 200 OK\r\netag: \"x\"\r\ncontent-length: 99999999999999999999\r\n\r\n", "malformed"),
        ("SSH-2.0-OpenSSH\r\n\r\n", "malformed"),
        ("", "the connection to the server failed"),
        ("HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", "status 301"),
    ];
    for (answer, reason) in cases {
        let server = FakeServer::start(move |_| answer.as_bytes().to_vec());
        assert_failure(&verify(&shell, &server), reason);
    }
    // Another range than the one that was asked for, with the right length.
    let server = FakeServer::start(move |request| {
        let answer = object_answer(request, &bytes, "\"one\"");
        let text = String::from_utf8_lossy(&answer).replace("content-range: bytes 0-", "content-range: bytes 1-");
        text.into_bytes()
    });
    assert_failure(&verify(&shell, &server), "found another range");
}

#[test]
fn a_slow_server_is_waited_for_and_a_silent_one_is_not() {
    let shell = Shell::with_log();
    let bytes = log_bytes(&shell);
    let slow = FakeServer::start(move |request| {
        std::thread::sleep(Duration::from_millis(300));
        object_answer(request, &bytes, "\"one\"")
    });
    assert_eq!(verify(&shell, &slow).exit_code, 0);
    let silent = FakeServer::start(|_| {
        std::thread::sleep(Duration::from_secs(60));
        Vec::new()
    });
    assert_failure(&verify(&shell, &silent), "does not answer in time (4 attempts)");
    let gone = run_with_endpoint(&shell, &format!("http://127.0.0.1:{}", free_port()), "verify s3://logs/a.log");
    assert_failure(&gone, "(4 attempts)");
}

#[test]
fn hostile_lists_are_refused() {
    let shell = Shell::with_log();
    let document = |content: &str| {
        let body =
            format!("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{content}</ListBucketResult>");
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    };
    let endless = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>";
    let outside = "<Contents><Key>../../etc/passwd</Key><Size>1</Size></Contents>";
    let nested = "<a>".repeat(1_000_000);
    for (content, reason) in [
        (endless.to_owned(), "does not advance"),
        (outside.to_owned(), "not asked for"),
        (nested, "malformed"),
        ("x".repeat(9 << 20), "more"),
    ] {
        let answer = document(&content);
        let server = FakeServer::start(move |_| answer.clone().into_bytes());
        let outcome = run_with_endpoint(&shell, &server.endpoint(), "restore s3://logs/backups --list");
        assert_eq!(outcome.exit_code, 1, "{reason}: {outcome:?}");
        assert!(outcome.stderr.contains(reason), "{reason}: {outcome:?}");
    }
}
