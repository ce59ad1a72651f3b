//! The thread with the client library and its runtime. No type of either leaves this module and [`super::publisher`].

use std::collections::HashMap;
use std::thread::JoinHandle;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, Info, PersistenceMode, RawMessageErrorKind, RetentionPolicy, StorageType,
};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, HeaderMap};
use futures_util::StreamExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::client_errors::{refused, request_error};
use super::credentials::Credentials;
use super::error::NatsError;
use super::message::{HEADER_PREFIX, StoredMessage};
use super::publisher::Publisher;
use super::requests::{ANSWER_TIMEOUT, Answer, ClientRequest, ReadLimits, StreamAddress};
use super::stream::{NewStream, StreamState};

/// The time within which a server must accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends requests to the thread.
pub(super) struct RequestSender(UnboundedSender<ClientRequest>);

impl RequestSender {
    /// Sends a request; fails when the thread has ended.
    pub(super) fn send(&self, request: ClientRequest) -> Result<(), ()> {
        self.0.send(request).map_err(drop)
    }
}

/// Starts the thread, which connects first and reports the result to `connected`. It ends when the sender is dropped.
///
/// # Errors
/// `Unreachable` when the system cannot start a thread.
pub(super) fn start_thread(
    address: StreamAddress,
    connected: Answer<()>,
) -> Result<(RequestSender, JoinHandle<()>), NatsError> {
    let (sender, requests) = unbounded_channel();
    let failed = |error: std::io::Error| NatsError::Unreachable(format!("no thread for the connection: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let thread = std::thread::Builder::new().name("nats".into()).spawn(move || {
        runtime.block_on(run(address, connected, requests));
    });
    Ok((RequestSender(sender), thread.map_err(failed)?))
}

async fn run(address: StreamAddress, connected: Answer<()>, mut requests: UnboundedReceiver<ClientRequest>) {
    let opened = async {
        let client = connect(&address).await?;
        let publisher = Publisher::start(client.clone(), address.stream.clone()).await?;
        Ok((client, publisher))
    };
    let (client, publisher) = match opened.await {
        Ok(opened) => opened,
        Err(error) => {
            let _ = connected.send(Err(error));
            return;
        }
    };
    let _ = connected.send(Ok(()));
    let mut thread = ClientThread {
        context: jetstream::new(client.clone()),
        stream: address.stream,
        client,
        publisher,
        readers: HashMap::new(),
        next_reader: 0,
    };
    while let Some(request) = requests.recv().await {
        thread.handle(request).await;
    }
    // What was sent is on its way before the connection is closed.
    let _ = tokio::time::timeout(Duration::from_secs(1), thread.client.flush()).await;
}

struct ClientThread {
    client: Client,
    context: Context,
    stream: String,
    publisher: Publisher,
    /// The open readers. One that is in use is not here, but with the task that uses it, which sends it back.
    readers: HashMap<u64, ReaderPlace>,
    next_reader: u64,
}

/// Where a reader is.
enum ReaderPlace {
    Here(Box<Ordered>),
    /// The reader is in use by a task.
    InUse(oneshot::Receiver<Box<Ordered>>),
}

impl ClientThread {
    /// Handles a request. What waits for a server runs as a task of its own, except for sending messages, which must stay in order.
    async fn handle(&mut self, request: ClientRequest) {
        if self.client.connection_state() != State::Connected && !matches!(request, ClientRequest::CloseReader(_)) {
            request.fail(NatsError::Unreachable("the connection is lost".into()));
            return;
        }
        let (context, stream) = (self.context.clone(), self.stream.clone());
        match request {
            ClientRequest::State(answer) => {
                let max_payload = self.client.max_payload() as u64;
                reply(
                    answer,
                    async move { stream_info(&context, &stream).await.map(|info| state_of(info, max_payload)) },
                );
            }
            ClientRequest::Create(new, answer) => {
                let takes_batches = self.client.is_server_compatible(2, 12, 0);
                reply(answer, async move { create(&context, stream, new, takes_batches).await });
            }
            ClientRequest::Message { sequence, is_exact, answer } => {
                reply(answer, async move { message(&context, &stream, sequence, is_exact).await });
            }
            ClientRequest::Publish(group, answer) => self.publisher.publish(group, answer).await,
            ClientRequest::OpenReader { sequence, answer } => {
                let opened = with_timeout(open_reader(&context, &stream, sequence)).await;
                let result = opened.map(|reader| {
                    self.next_reader += 1;
                    self.readers.insert(self.next_reader, ReaderPlace::Here(Box::new(reader)));
                    self.next_reader
                });
                let _ = answer.send(result);
            }
            ClientRequest::Read { reader, limits, answer } => self.read(reader, limits, answer),
            ClientRequest::CloseReader(reader) => drop(self.readers.remove(&reader)),
            ClientRequest::Reconnect => drop(self.client.force_reconnect().await),
        }
    }

    fn read(&mut self, reader: u64, limits: ReadLimits, answer: Answer<Vec<StoredMessage>>) {
        let Some(place) = self.readers.remove(&reader) else {
            let _ = answer.send(Err(NatsError::Answer("the reader is closed".into())));
            return;
        };
        let (give_back, back) = oneshot::channel();
        self.readers.insert(reader, ReaderPlace::InUse(back));
        tokio::spawn(async move {
            let mut messages = match place {
                ReaderPlace::Here(messages) => messages,
                ReaderPlace::InUse(back) => match back.await {
                    Ok(messages) => messages,
                    Err(_) => return,
                },
            };
            let result = read_messages(&mut messages, limits).await;
            let _ = give_back.send(messages);
            let _ = answer.send(result);
        });
    }
}

/// Runs a request as a task, with a deadline.
fn reply<T: Send + 'static>(answer: Answer<T>, request: impl Future<Output = Result<T, NatsError>> + Send + 'static) {
    tokio::spawn(async move {
        let _ = answer.send(with_timeout(request).await);
    });
}

pub(super) async fn with_timeout<T>(request: impl Future<Output = Result<T, NatsError>>) -> Result<T, NatsError> {
    let timeout = || Err(NatsError::Timeout(ANSWER_TIMEOUT.as_secs()));
    tokio::time::timeout(ANSWER_TIMEOUT, request).await.unwrap_or_else(|_| timeout())
}

async fn connect(address: &StreamAddress) -> Result<Client, NatsError> {
    let options = match address.credentials.clone() {
        Credentials::None => ConnectOptions::new(),
        Credentials::User(user, password) => ConnectOptions::with_user_and_password(user, password),
        Credentials::Token(token) => ConnectOptions::with_token(token),
        // The text of the error could repeat a part of the file.
        Credentials::File(content) => ConnectOptions::with_credentials(&content)
            .map_err(|_| NatsError::Credentials("the file with the credentials has not the form of one".into()))?,
    };
    let options = match &address.root_certificates {
        Some(path) => options.add_root_certificates(path.clone()),
        None => options,
    };
    let options = options.name("chronicle").connection_timeout(CONNECT_TIMEOUT).request_timeout(Some(ANSWER_TIMEOUT));
    options.connect(format!("nats://{}", address.host)).await.map_err(|error| match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => NatsError::Denied,
        ConnectErrorKind::TimedOut => {
            NatsError::Unreachable(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))
        }
        _ => NatsError::Unreachable(error.to_string()),
    })
}

async fn stream_info(context: &Context, stream: &str) -> Result<Info, NatsError> {
    match context.get_stream(stream).await {
        Ok(found) => Ok(found.cached_info().clone()),
        Err(error) => Err(match error.kind() {
            jetstream::context::GetStreamErrorKind::JetStream(error) => refused(&error),
            _ => request_error(&error),
        }),
    }
}

fn state_of(info: Info, max_payload: u64) -> StreamState {
    let config = info.config;
    let limit = |value: i64| u64::try_from(value).ok().filter(|value| *value > 0);
    let own_limit = limit(i64::from(config.max_message_size)).unwrap_or(u64::MAX);
    StreamState {
        messages: info.state.messages,
        first_sequence: info.state.first_sequence,
        last_sequence: info.state.last_sequence,
        subjects: config.subjects,
        replicas: config.num_replicas,
        max_age: Some(config.max_age).filter(|age| !age.is_zero()),
        max_bytes: limit(config.max_bytes),
        max_messages: limit(config.max_messages),
        max_messages_per_subject: limit(config.max_messages_per_subject),
        discards_old: config.discard == DiscardPolicy::Old,
        deletes_consumed: config.retention != RetentionPolicy::Limits,
        is_asynchronous: config.persist_mode == Some(PersistenceMode::Async),
        is_in_memory: config.storage == StorageType::Memory,
        takes_batches: config.allow_atomic_publish,
        max_message_len: max_payload.min(own_limit),
    }
}

async fn create(context: &Context, name: String, new: NewStream, takes_batches: bool) -> Result<(), NatsError> {
    let config = Config {
        name,
        description: Some("A log of Chronicle, one message an event".into()),
        subjects: vec![format!("{}.>", new.prefix)],
        num_replicas: new.replicas,
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        max_bytes: -1,
        max_messages: -1,
        max_messages_per_subject: -1,
        allow_direct: true,
        allow_atomic_publish: takes_batches,
        ..Config::default()
    };
    match context.create_stream(config).await {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.kind() {
            jetstream::context::CreateStreamErrorKind::JetStream(error) => refused(&error),
            _ => request_error(&error),
        }),
    }
}

async fn message(
    context: &Context,
    stream: &str,
    sequence: u64,
    is_exact: bool,
) -> Result<Option<StoredMessage>, NatsError> {
    let stream = context.get_stream_no_info(stream).await.map_err(|error| request_error(&error))?;
    let builder = stream.raw_message_builder().sequence(sequence);
    let builder = if is_exact { builder } else { builder.next_by_subject(">") };
    match builder.send().await {
        Ok(found) => Ok(Some(StoredMessage {
            sequence: found.sequence,
            headers: own_headers(&found.headers),
            body: found.payload.to_vec(),
        })),
        Err(error) => match error.kind() {
            RawMessageErrorKind::NoMessageFound => Ok(None),
            RawMessageErrorKind::JetStream(error) => Err(refused(&error)),
            _ => Err(request_error(&error)),
        },
    }
}

/// Returns the headers that this program writes.
fn own_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let own = headers.iter().filter(|(name, _)| name.to_string().starts_with(HEADER_PREFIX));
    own.flat_map(|(name, values)| values.iter().map(|value| (name.to_string(), value.to_string()))).collect()
}

async fn open_reader(context: &Context, stream: &str, sequence: u64) -> Result<Ordered, NatsError> {
    let stream = context.get_stream_no_info(stream).await.map_err(|error| request_error(&error))?;
    let config = OrderedConfig {
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: sequence.max(1) },
        ..OrderedConfig::default()
    };
    let consumer = stream.create_consumer(config).await.map_err(|error| match error.kind() {
        jetstream::stream::ConsumerErrorKind::JetStream(error) => refused(&error),
        _ => request_error(&error),
    })?;
    consumer.messages().await.map_err(|error| request_error(&error))
}

/// Reads until a limit is reached, or no further message is there at once.
async fn read_messages(messages: &mut Ordered, limits: ReadLimits) -> Result<Vec<StoredMessage>, NatsError> {
    let (mut read, mut bytes) = (Vec::new(), 0);
    let deadline = tokio::time::Instant::now() + limits.wait;
    while read.len() < limits.messages && bytes < limits.bytes {
        // After the first message, only those that are on their way are waited for.
        let wait = if read.is_empty() { deadline } else { tokio::time::Instant::now() + Duration::from_millis(20) };
        let Ok(next) = tokio::time::timeout_at(wait, messages.next()).await else { break };
        let message = match next {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(request_error(&error)),
            None => return Err(NatsError::Unreachable("the server ended the reading".into())),
        };
        let sequence = message.info().map_err(|error| NatsError::Answer(error.to_string()))?.stream_sequence;
        bytes += message.payload.len();
        read.push(StoredMessage {
            sequence,
            headers: message.headers.as_ref().map(own_headers).unwrap_or_default(),
            body: message.payload.to_vec(),
        });
    }
    Ok(read)
}
