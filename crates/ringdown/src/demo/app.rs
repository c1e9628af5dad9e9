//! An app of a scene: `ringdown phone --app` as a process of its own, told what to do by its control socket.

use super::exchange::Folder;
use crate::Failure;
use crate::directory::AppLink;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a scene waits for anything.
const PATIENCE: Duration = Duration::from_secs(12);
/// How near a tone must be, in hertz.
const NEAR: f64 = 4.0;

/// A running app; ends and leaves nothing behind when dropped.
pub(super) struct App {
    child: Child,
    control: BufReader<UnixStream>,
    _folder: Folder,
}

impl App {
    /// Enrols, and is connected to the directory.
    pub(super) fn start(link: &AppLink, tone: f64) -> Result<App, Failure> {
        let folder = Folder::new("-app")?;
        let socket = folder.0.join("control");
        let log = std::fs::File::create(folder.0.join("log.txt"))?;
        let child = Command::new(std::env::current_exe()?)
            .args(["phone", "--app", &link.to_string(), "--codecs", "PCMU", "--tone", &tone.to_string()])
            .arg("--state")
            .arg(folder.0.join("state"))
            .arg("--control")
            .arg(&socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let limit = Instant::now() + PATIENCE;
        let stream = loop {
            match UnixStream::connect(&socket) {
                Ok(stream) => break stream,
                Err(_) if Instant::now() < limit => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(format!("the app did not start: {error}").into()),
            }
        };
        let mut app = App { child, control: BufReader::new(stream), _folder: folder };
        app.wait("directory", |event| event["connected"] == true)?;
        Ok(app)
    }

    pub(super) fn tell(&mut self, command: &Value) -> Result<(), Failure> {
        Ok(writeln!(self.control.get_mut(), "{command}")?)
    }

    /// The next event of this name that fits; those before it are passed by.
    pub(super) fn wait(&mut self, event: &str, fits: impl Fn(&Value) -> bool) -> Result<Value, Failure> {
        let limit = Instant::now() + PATIENCE;
        let late = || format!("the app did not tell \"{event}\"");
        loop {
            let rest = limit.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Err(late().into());
            }
            self.control.get_ref().set_read_timeout(Some(rest))?;
            let mut line = String::new();
            if self.control.read_line(&mut line).map_err(|_| late())? == 0 {
                return Err("the app ended".into());
            }
            let told: Value = serde_json::from_str(&line)?;
            if told["event"] == event && fits(&told) {
                return Ok(told);
            }
        }
    }

    pub(super) fn hears(&mut self, wanted: f64) -> Result<(), Failure> {
        let near = |event: &Value| {
            let (hertz, dbfs) = (event["hertz"].as_f64(), event["dbfs"].as_f64());
            hertz.is_some_and(|hertz| (hertz - wanted).abs() <= NEAR) && dbfs.is_some_and(|dbfs| dbfs > -20.0)
        };
        self.wait("heard", near).map(drop)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.tell(&json!({"do": "quit"}));
        let limit = Instant::now() + Duration::from_secs(2);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(20));
        }
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
            && matches!(self.child.try_wait(), Ok(None))
        {
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
