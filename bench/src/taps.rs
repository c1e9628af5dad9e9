//! `loadgen taps`: readers that tell taps over connections that stay open, half of them good, and what each should be
//! answered.
//!
//! Each reader has a connection of its own, one request at a time on it, and goes round: a chip's next tap, the same again
//! under another id, another chip's, a revoked badge's, another chip's, and a badge that is held there far too often.

use crate::Failure;
use crate::arguments::Arguments;
use crate::chip::Chip;
use crate::tally::Tally;
use crate::watch;
use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Threads that readers are divided among; the load has one core.
const THREADS: usize = 2;
/// Connections from one address of this machine; the exchange bounds them.
const PER_ADDRESS: usize = 500;
const PATIENCE: Duration = Duration::from_secs(10);
/// Taps that a badge may have at once and a second (`limits::BADGE_BURST`, `BADGE_RATE`), and one for the clocks.
const FREE: u64 = 5 + 1;

/// What a tap should come to: a part of the answer's `type`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    /// It counts; the phone there is not registered, so nothing can be taken.
    Counts,
    Replayed,
    Revoked,
    /// It counts now and then, and mostly comes too fast.
    TooFast,
}

impl Right {
    fn of(answer: &str) -> Option<Right> {
        [
            (":seats-offline\"", Right::Counts),
            (":tap-replayed\"", Right::Replayed),
            (":tap-revoked\"", Right::Revoked),
            (":tap-too-fast\"", Right::TooFast),
        ]
        .into_iter()
        .find(|(part, _)| answer.contains(part))
        .map(|(_, right)| right)
    }
}

struct Reader {
    key: String,
    stream: TcpStream,
    chips: VecDeque<Chip>,
    /// The last tap that was told, to be told again.
    last: String,
    revoked: String,
    often: String,
    step: u64,
    /// How often the badge that comes too fast counted, since when.
    slow: u64,
    began: Instant,
    waits: Option<(Right, Instant)>,
}

impl Reader {
    /// Of a line: key, UID of the revoked badge, UID of the one that comes too fast, and of each chip UID and keys.
    fn of(line: &str, number: usize, server: SocketAddr) -> Result<Reader, Failure> {
        let wrong = || Failure::from(format!("line {}: {line}", number + 1));
        let mut words = line.split_whitespace();
        let mut word = || words.next().map(str::to_owned).ok_or_else(wrong);
        let (key, revoked, often) = (word()?, word()?, word()?);
        let mut chips = VecDeque::new();
        while let Ok(uid) = word() {
            chips.push_back(Chip::of(&uid, &word()?, &word()?).ok_or_else(wrong)?);
        }
        let from = Ipv4Addr::new(127, 0, 0, u8::try_from(2 + number / PER_ADDRESS).unwrap_or(u8::MAX));
        let stream = connect(IpAddr::V4(from), server)?;
        let (last, began) = (String::new(), Instant::now());
        Ok(Reader { key, stream, chips, last, revoked, often, step: 0, slow: 0, began, waits: None })
    }

    /// The next tap: what is told, and what should come of it.
    fn next_tap(&mut self) -> (String, Right) {
        self.step += 1;
        match self.step % 6 {
            2 => (format!("\"ndef\":\"{}\"", self.last), Right::Replayed),
            4 => (format!("\"uid\":\"{}\"", self.revoked), Right::Revoked),
            0 => (format!("\"uid\":\"{}\"", self.often), Right::TooFast),
            _ => {
                if let Some(mut chip) = self.chips.pop_front() {
                    self.last = chip.tap();
                    self.chips.push_back(chip);
                }
                (format!("\"ndef\":\"{}\"", self.last), Right::Counts)
            }
        }
    }

    fn tell(&mut self, server: SocketAddr, number: usize) -> std::io::Result<()> {
        let (read, right) = self.next_tap();
        let body = format!("{{\"id\":\"{number}-{}\",{read}}}", self.step);
        let request = request(server, &self.key, &body);
        self.waits = Some((right, Instant::now()));
        self.stream.write_all(request.as_bytes())
    }

    /// Reads the answer to what was told last, and judges it.
    fn hear(&mut self, tally: &mut Tally) -> std::io::Result<()> {
        let Some((right, began)) = self.waits.take() else { return Ok(()) };
        let answer = read_answer(&mut self.stream)?;
        tally.took(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
        let said = Right::of(&answer);
        let fits = match (right, said) {
            (Right::TooFast, Some(Right::Counts)) => {
                self.slow += 1;
                self.slow <= FREE + self.began.elapsed().as_secs()
            }
            (right, said) => said == Some(right),
        };
        if fits {
            tally.done += 1;
        } else {
            tally.failed += 1;
            tally.status = answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default();
        }
        Ok(())
    }
}

pub(crate) fn connect(from: IpAddr, server: SocketAddr) -> Result<TcpStream, Failure> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(from, 0).into())?;
    socket.connect(&server.into())?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// A whole answer with a length, as all of ours have.
pub(crate) fn read_answer(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut whole = Vec::new();
    let mut part = [0; 4_096];
    loop {
        if let Some(end) = whole.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&whole[..end]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
            if whole.len() >= end + 4 + length.unwrap_or_default() {
                return Ok(String::from_utf8_lossy(&whole).into_owned());
            }
        }
        match stream.read(&mut part)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => whole.extend(&part[..read]),
        }
    }
}

/// Taps at `--rate` for `--seconds`, told to `--http` by the readers of `--readers FILE`.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (rate, seconds): (f64, f64) = (arguments.must("rate")?, arguments.or("seconds", 5.0)?);
    let server: SocketAddr = arguments.must("http")?;
    let processes = arguments.processes()?;
    let lines = std::fs::read_to_string(arguments.text("readers").ok_or("--readers is missing")?)?;
    let readers = lines.lines().enumerate().map(|(number, line)| Reader::of(line, number, server));
    let mut parts: Vec<Vec<Reader>> = (0..THREADS).map(|_| Vec::new()).collect();
    for (number, reader) in readers.enumerate() {
        parts[number % THREADS].push(reader?);
    }
    let (before, start) = (watch::read(&processes), Instant::now());
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let work = |(index, readers): (usize, Vec<Reader>)| {
            scope.spawn(move || drive(index, readers, server, rate / THREADS as f64, seconds))
        };
        let threads: Vec<_> = parts.into_iter().enumerate().map(work).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let (after, took) = (watch::read(&processes), start.elapsed().as_secs_f64());
    let mut whole = Tally::default();
    tallies.into_iter().for_each(|tally| whole.add(tally));
    let done = whole.done;
    println!(
        "{{{},\"cpu_us_each\":{:.2},\"rate\":{:.0}}}",
        whole.json(),
        (after.cpu_ns - before.cpu_ns) as f64 / 1e3 / done.max(1) as f64,
        done as f64 / took
    );
    Ok(())
}

/// One reader after the other, as the rate says; who is asked again before it was answered is waited for.
fn drive(index: usize, mut readers: Vec<Reader>, server: SocketAddr, rate: f64, seconds: f64) -> Tally {
    let mut tally = Tally::default();
    let start = Instant::now();
    let count = readers.len();
    while count > 0 && start.elapsed().as_secs_f64() < seconds {
        let due = Duration::from_secs_f64(tally.begun as f64 / rate);
        if let Some(wait) = due.checked_sub(start.elapsed()) {
            std::thread::sleep(wait);
        }
        let number = tally.begun as usize % count;
        let reader = &mut readers[number];
        tally.begun += 1;
        if reader.hear(&mut tally).and_then(|()| reader.tell(server, index + number * THREADS)).is_err() {
            tally.timed_out += 1;
        }
    }
    for reader in &mut readers {
        tally.timed_out += u64::from(reader.hear(&mut tally).is_err());
    }
    tally
}

/// What a reader with this key posts.
pub(crate) fn request(server: SocketAddr, key: &str, body: &str) -> String {
    format!(
        "POST /api/v1/taps HTTP/1.1\r\nHost: {server}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
