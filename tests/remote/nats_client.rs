//! A small client of the NATS protocol, independent of the one that is tested.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// A connection to a server.
pub(super) struct NatsClient {
    reader: BufReader<TcpStream>,
    next: u32,
}

impl NatsClient {
    /// Connects to a server on the loopback interface; `None` when none answers.
    pub(super) fn connect(port: u16) -> Option<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.set_nodelay(true).ok()?;
        let mut client = Self { reader: BufReader::new(stream), next: 0 };
        client.read_line()?;
        client.write(b"CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\nPING\r\n")?;
        while client.read_line()? != "PONG" {}
        Some(client)
    }

    fn write(&mut self, bytes: &[u8]) -> Option<()> {
        self.reader.get_mut().write_all(bytes).ok()
    }

    fn read_line(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.reader.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
    }

    /// Sends a request, with these lines as headers, and returns the answer.
    pub(super) fn request(&mut self, subject: &str, headers: &[&str], body: &[u8]) -> Option<Vec<u8>> {
        self.next += 1;
        let id = self.next;
        let head = format!("NATS/1.0\r\n{}\r\n", headers.iter().map(|line| format!("{line}\r\n")).collect::<String>());
        let size = format!("{} {}", head.len(), head.len() + body.len());
        self.write(
            format!("SUB _INBOX.test.{id} {id}\r\nHPUB {subject} _INBOX.test.{id} {size}\r\n{head}").as_bytes(),
        )?;
        self.write(body)?;
        self.write(b"\r\n")?;
        loop {
            let line = self.read_line()?;
            let words: Vec<&str> = line.split(' ').collect();
            match words[0] {
                "PING" => self.write(b"PONG\r\n")?,
                "MSG" | "HMSG" => {
                    let total: usize = words.last()?.parse().ok()?;
                    let mut message = vec![0; total + 2];
                    self.reader.read_exact(&mut message).ok()?;
                    let head: usize = if words[0] == "HMSG" { words[words.len() - 2].parse().ok()? } else { 0 };
                    return Some(message[head..total].to_vec());
                }
                _ => {}
            }
        }
    }

    /// Sends a request to `JetStream`, and returns the answer.
    pub(super) fn api(&mut self, subject: &str, body: &str) -> Option<Value> {
        serde_json::from_slice(&self.request(&format!("$JS.API.{subject}"), &[], body.as_bytes())?).ok()
    }

    /// Returns the number of messages of a stream, and the last sequence number.
    pub(super) fn stream_state(&mut self, stream: &str) -> (u64, u64) {
        let info = self.api(&format!("STREAM.INFO.{stream}"), "").unwrap();
        let number = |key: &str| info["state"][key].as_u64().unwrap_or_else(|| panic!("{info}"));
        (number("messages"), number("last_seq"))
    }

    /// Returns the header lines and the base64 body of a message.
    pub(super) fn message(&mut self, stream: &str, sequence: u64) -> (Vec<String>, String) {
        let found = self.api(&format!("STREAM.MSG.GET.{stream}"), &format!("{{\"seq\":{sequence}}}")).unwrap();
        let decode = |key: &str| decode_base64(found["message"][key].as_str().unwrap_or_else(|| panic!("{found}")));
        let head = String::from_utf8(decode("hdrs")).unwrap();
        let lines =
            head.split("\r\n").skip(1).filter(|line| line.starts_with("Chronicle-")).map(str::to_owned).collect();
        (lines, String::from_utf8(decode("data")).unwrap())
    }
}

fn decode_base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for digit in text.bytes().filter(|byte| *byte != b'=') {
        bits = bits << 6 | DIGITS.iter().position(|known| *known == digit).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    bytes
}
