//! `loadgen designated`: exchanges of one office, joined and proved by their certificates, that ask the running directory for calls
//! to each other's people. A designation is over when its ticket is there, and when the asking exchange's own store has kept
//! what was decided and why, as an exchange keeps it (S4, Show 6).

use crate::Failure;
use crate::arguments::Arguments;
use crate::watch;
use directory::{Message, Named as _};
use exchange::{Change, Commit, Epoch, Fact, FactKind, Owned, Shard, StoreAnswer};
use net::{Clock, LineReader, LineWriter, Lines, Papers};
use serde_json::{Value, json};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use store::{Opened, Place, Store};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// People of each member.
const PEOPLE: usize = 50;
/// The longest line of the directory: a copy of all of these people is shorter.
const LONGEST: u64 = 8 << 20;
/// Requests that may wait to be written to one connection.
const WAITING: usize = 8_192;
/// How often a member says how it is; it counts as down after 4 s.
const REPORTED: Duration = Duration::from_secs(1);
/// From the last request to the last answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// What stands for the member's database in `--store`.
const DATABASE: &str = "DATABASE";

/// `--rate` requests a second for `--seconds`, after `--warm` seconds that do not count.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (rate, seconds): (f64, f64) = (arguments.must("rate")?, arguments.or("seconds", 5.0)?);
    let warm = (arguments.or("warm", 1.0)? * rate) as usize;
    let board = Arc::new(Board::new(warm + (seconds * rate) as usize));
    let members = Member::open_all(arguments, &board)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let directory: String = arguments.must("directory")?;
    let links = arguments.text("links").unwrap_or_default().split(',');
    for (member, link) in members.iter().zip(links.filter(|link| !link.is_empty())) {
        runtime.block_on(member.join(&directory, link))?;
    }
    let mut ways = Vec::new();
    for member in members {
        let (requests, queue) = mpsc::channel(WAITING);
        runtime.block_on(member.begin(&directory, queue))?;
        ways.push(requests);
    }
    // All of them are up, and the directory knows their people.
    std::thread::sleep(2 * REPORTED);
    let (processes, start) = (arguments.processes()?, Instant::now());
    ask(start, &ways, rate, 0..warm)?;
    let before = watch::read(&processes);
    ask(start, &ways, rate, warm..board.count())?;
    board.wait();
    let used = watch::read(&processes).cpu_ns - before.cpu_ns;
    println!("{}", board.told(start, rate, warm, used));
    runtime.shutdown_background();
    Ok(())
}

/// Asks at a rate that waits for nobody.
fn ask(start: Instant, ways: &[Sender<String>], rate: f64, ids: Range<usize>) -> Result<(), Failure> {
    let run = u128::from(std::process::id()) << 64;
    for id in ids {
        let due = start + Duration::from_secs_f64(id as f64 / rate);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let callee = number((id + 1) % ways.len(), id % PEOPLE);
        let session = format!("{:032x}", run | (id as u128 + 1));
        let call =
            json!({"id": id, "caller": "desk-1", "callee": callee, "session": session, "shown": "Anna"});
        ways[id % ways.len()].blocking_send(json!({ "call": call }).to_string())?;
    }
    Ok(())
}

fn number(member: usize, person: usize) -> String {
    format!("3{member:02}{person:03}")
}

/// When each request was answered, and what was decided was kept.
struct Board {
    began: Instant,
    /// In microseconds; 0 for what has not happened.
    answered: Vec<AtomicU64>,
    kept: Vec<AtomicU64>,
    wrong: AtomicU64,
}

impl Board {
    fn new(count: usize) -> Board {
        let empty = || (0..count).map(|_| AtomicU64::new(0)).collect();
        Board { began: Instant::now(), answered: empty(), kept: empty(), wrong: AtomicU64::new(0) }
    }

    fn count(&self) -> usize {
        self.kept.len()
    }

    fn note(&self, column: &[AtomicU64], id: usize) {
        let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        match column.get(id) {
            Some(cell) if cell.swap(now, Ordering::Relaxed) == 0 => {}
            _ => self.fault(&format!("{id} came twice, or nobody asked for it")),
        }
    }

    fn fault(&self, what: &str) {
        if self.wrong.fetch_add(1, Ordering::Relaxed) == 0 {
            eprintln!("loadgen: {what}");
        }
    }

    /// Until all is kept, or has had its time.
    fn wait(&self) {
        let limit = Instant::now() + PATIENCE;
        let open = || self.kept.iter().any(|at| at.load(Ordering::Relaxed) == 0);
        while open() && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// How long those after the first `warm` took, from when each was due: one that is asked late was late.
    fn told(&self, start: Instant, rate: f64, warm: usize, cpu_ns: u64) -> Value {
        let begun = self.count() - warm;
        let start = start.duration_since(self.began).as_micros() as f64;
        let took = |column: &[AtomicU64]| {
            let ids = (warm..self.count()).map(|id| (id, column[id].load(Ordering::Relaxed)));
            let mut took: Vec<u64> = ids
                .filter(|(_, at)| *at > 0)
                .map(|(id, at)| (at as f64 - start - id as f64 * 1e6 / rate).max(0.0) as u64)
                .collect();
            took.sort_unstable();
            took
        };
        let at = |took: &[u64], share: usize| took.get(took.len() * share / 1_000).copied().unwrap_or(0);
        let (answered, kept) = (took(&self.answered), took(&self.kept));
        let last = kept.last().copied().unwrap_or(0) as f64;
        json!({
            "begun": begun, "done": kept.len(), "wrong": self.wrong.load(Ordering::Relaxed),
            "p50_us": at(&kept, 500), "p99_us": at(&kept, 990), "last_us": last,
            "answer_p50_us": at(&answered, 500), "answer_p99_us": at(&answered, 990),
            "cpu_us_each": (cpu_ns as f64 / 10.0 / begun.max(1) as f64).round() / 100.0,
        })
    }
}

/// An exchange with its papers, its people and its store.
struct Member {
    place: usize,
    /// How many there are.
    of: usize,
    papers: Papers,
    store: Store,
    epoch: Epoch,
    board: Arc<Board>,
}

impl Member {
    /// Each in a folder of its own, on a database of its own.
    fn open_all(arguments: &Arguments, board: &Arc<Board>) -> Result<Vec<Member>, Failure> {
        let (of, url): (usize, String) = (arguments.or("members", 4)?, arguments.must("store")?);
        let folder: PathBuf = arguments.must("folder")?;
        let open = |place| Member::open(&folder.join(format!("{place}")), &url, (place, of), board);
        (0..of).map(open).collect()
    }

    fn open(
        folder: &Path,
        url: &str,
        (place, of): (usize, usize),
        board: &Arc<Board>,
    ) -> Result<Member, Failure> {
        fs::create_dir_all(folder)?;
        let database = Place::server(folder, &url.replace(DATABASE, &format!("member{place}")), None)?;
        let opened = Opened::open(&database)?;
        let epoch = opened.epoch();
        let told = Arc::clone(board);
        let store = opened.start(move |sequence, answer| match answer {
            StoreAnswer::Committed => told.note(&told.kept, sequence as usize),
            other => told.fault(&format!("{sequence} is not kept: {other:?}")),
        })?;
        let own = folder.join("papers.pem");
        let papers = Papers { certificate: own.clone(), key: own, root: folder.join("authority.pem") };
        Ok(Member { place, of, papers, store, epoch, board: Arc::clone(board) })
    }

    /// With an invitation, `ringdown://HOST:PORT/KEY#SHA256`.
    async fn join(&self, directory: &str, link: &str) -> Result<(), Failure> {
        let (rest, fingerprint) = link.split_once('#').ok_or("this is no invitation")?;
        let (_, key) = rest.rsplit_once('/').ok_or("this is no invitation")?;
        let (secret, public) = net::new_key()?;
        let tls = net::stranger_to(octets(fingerprint).try_into().map_err(|_| "this is no fingerprint")?)?;
        let mut lines = Lines::connect(directory, "directory", tls, LONGEST).await?;
        let join = json!({"join": {"key": key, "public_key": hex(&public)}});
        lines.writer.send(&join.to_string()).await?;
        let answer: Value = serde_json::from_str(&lines.reader.next().await?.ok_or("no answer")?)?;
        let text = |name: &str| answer["joined"][name].as_str().ok_or_else(|| answer.to_string());
        fs::write(&self.papers.certificate, secret + text("certificate")?)?;
        fs::write(&self.papers.root, text("root")?)?;
        Ok(())
    }

    /// Connects, tells of its people, and goes on in tasks of its own.
    async fn begin(self, directory: &str, queue: Receiver<String>) -> Result<(), Failure> {
        let Lines { reader, mut writer, .. } =
            Lines::connect(directory, "directory", self.papers.client()?, LONGEST).await?;
        writer.send(&report(self.place)).await?;
        for person in 0..PEOPLE {
            let (name, number) = (format!("p{}-{person}", self.place), number(self.place, person));
            let account = json!({"account": {"name": name, "numbers": [number], "phones": true}});
            writer.send(&account.to_string()).await?;
        }
        let place = self.place;
        tokio::spawn(async move {
            if let Err(error) = say(&mut writer, place, queue).await {
                eprintln!("loadgen: {error}");
            }
        });
        tokio::spawn(self.hear(reader));
        Ok(())
    }

    async fn hear(self, mut reader: LineReader) {
        while let Ok(Some(line)) = reader.next().await {
            let told = line.strip_prefix("{\"told\":").and_then(|rest| rest.strip_suffix('}'));
            if let Some(told) = told {
                self.told(told);
            }
        }
        self.board.fault("a connection to the directory ended");
    }

    /// The decision is kept as an exchange keeps it, but nothing is collected for company: here somebody waits for it.
    fn told(&self, told: &str) {
        let wanted = format!("member-{}", (self.place + 1) % self.of);
        match serde_json::from_str(told) {
            Ok(Message::Designated { id, exchange, address, ticket, why, .. })
                if exchange.as_str() == wanted && ticket.token.matches('.').count() == 2 =>
            {
                self.board.note(&self.board.answered, id.0 as usize);
                let fact = Fact {
                    time: Clock::start().now().wall,
                    kind: FactKind::Call,
                    subject: format!("{:032x}", id.0).into(),
                    rule: "designated".into(),
                    words: format!("exchange {exchange} at {address}: {why}").into(),
                };
                let owned =
                    Owned { shard: Shard(0), epoch: self.epoch, change: Change::Fact(Box::new(fact)) };
                let commit = Commit { sequence: id.0, urgent: true, position: 0, changes: [owned].into() };
                if let Err(answer) = self.store.commit(commit) {
                    self.board.fault(&format!("{answer:?}"));
                }
            }
            _ => self.board.fault(&format!("this is no designation to {wanted}: {told}")),
        }
    }
}

/// Requests, and each second how the member is.
async fn say(writer: &mut LineWriter, place: usize, mut queue: Receiver<String>) -> std::io::Result<()> {
    let mut tick = tokio::time::interval(REPORTED);
    loop {
        tokio::select! {
            line = queue.recv() => match line {
                Some(line) => writer.send(&line).await?,
                None => return Ok(()),
            },
            _ = tick.tick() => writer.send(&report(place)).await?,
        }
    }
}

fn report(place: usize) -> String {
    let address = format!("127.0.0.1:{}", 5_100 + place);
    json!({"report": {"address": address, "region": "berlin", "version": "1", "load": 100 * place, "draining": false}})
        .to_string()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Reads [`hex`]; what is none becomes none.
fn octets(text: &str) -> Vec<u8> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.as_bytes().chunks(2).map_while(pair).collect()
}
