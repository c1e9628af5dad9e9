//! A wire between the store and its server that can be cut where it hurts: at a COMMIT; or fall silent, as a network that is split.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of the next COMMIT; after it nothing passes until the wire is whole again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// All passes.
    Whole,
    /// It never reaches the server.
    Before,
    /// The server has done it, but the answer is lost.
    After,
    /// We are cut off at once, and the server gets it when so much time has passed.
    Late(Duration),
    /// Nobody gets through.
    Down,
    /// Nothing that anybody says arrives before the wire is whole again, and nobody is told so.
    Silent,
    /// It falls silent with the next COMMIT, which does not arrive before that either.
    SilentAtCommit,
}

#[derive(Clone)]
pub(crate) struct Wire {
    folder: PathBuf,
    cut: Arc<Mutex<Cut>>,
}

impl Wire {
    /// To the server whose socket is in `server`.
    pub(crate) fn to(server: &Path, name: &str) -> Wire {
        let folder = std::env::temp_dir().join(format!("ringdown-wire-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let listener = UnixListener::bind(folder.join(".s.PGSQL.5432")).unwrap();
        let wire = Wire { folder, cut: Arc::new(Mutex::new(Cut::Whole)) };
        let (ours, server) = (wire.clone(), server.join(".s.PGSQL.5432"));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (wire, client) = (ours.clone(), client.unwrap());
                if wire.cut() != Cut::Down {
                    let server = UnixStream::connect(&server).unwrap();
                    std::thread::spawn(move || wire.carry(client, server));
                }
            }
        });
        wire
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgresql://ringdown@/{database}?host={}", self.folder.display())
    }

    pub(crate) fn set(&self, cut: Cut) {
        *self.cut.lock().unwrap() = cut;
    }

    pub(crate) fn cut(&self) -> Cut {
        *self.cut.lock().unwrap()
    }

    fn wait_while_silent(&self) {
        while self.cut() == Cut::Silent {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn carry(&self, mut client: UnixStream, mut server: UnixStream) {
        let (mut from, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let wire = self.clone();
        std::thread::spawn(move || {
            let mut octets = [0; 65_536];
            while let Ok(count @ 1..) = from.read(&mut octets) {
                wire.wait_while_silent();
                if back.write_all(&octets[..count]).is_err() {
                    break;
                }
            }
            wire.wait_while_silent();
            let _ = back.shutdown(std::net::Shutdown::Both);
        });
        let mut octets = [0; 65_536];
        while let Ok(count @ 1..) = client.read(&mut octets) {
            let told = &octets[..count];
            let commits = told.windows(7).any(|part| part == b"COMMIT\0");
            if self.cut() == Cut::SilentAtCommit && commits {
                self.set(Cut::Silent);
            }
            self.wait_while_silent();
            let cut = self.cut();
            if cut != Cut::Whole && commits {
                self.set(Cut::Down);
                let _ = match cut {
                    Cut::After => {
                        // Its answer comes while we no longer listen.
                        client.shutdown(std::net::Shutdown::Both).unwrap();
                        server.write_all(told).map(|()| std::thread::sleep(Duration::from_millis(300)))
                    }
                    Cut::Late(time) => {
                        client.shutdown(std::net::Shutdown::Both).unwrap();
                        std::thread::sleep(time);
                        server.write_all(told).map(|()| std::thread::sleep(Duration::from_millis(300)))
                    }
                    _ => Ok(()),
                };
                break;
            }
            if server.write_all(told).is_err() {
                break;
            }
        }
        let _ = server.shutdown(std::net::Shutdown::Both);
        let _ = client.shutdown(std::net::Shutdown::Both);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // Each thread has one; the last of the test's own is enough.
        if Arc::strong_count(&self.cut) <= 2 {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}
