//! Agents' files at other servers, for phones that cannot reach us: put there when they change, and what their phones put beside
//! them brought in (S3.3, S3.18). What proves our link is kept, so that a restart goes on with the same file.

use super::reload::Reload;
use crate::Failure;
use crate::config::Folder;
use api::{Api, OutsideLink};
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use transfer::{Fetched, Link, Transfer};

/// Files beside an agent's that are looked at, the last by their names; each has the time in it.
const FILES: usize = 64;
/// Octets of such a file.
const OCTETS: usize = 64 << 20;

/// How the names of files end that say what is left.
const LEFT: &str = ".left.jsonl";

/// Carries files for as long as the exchange runs, on a thread of its own: what speaks FTP stays on one.
pub(super) fn start(reload: Arc<Reload>, api: Api) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut carrier =
        Carrier { path: reload.data.join("outside-lists.json"), reload, api, agents: BTreeMap::new() };
    let run = move || runtime.block_on(async { carrier.run().await });
    std::thread::Builder::new().name("outside-lists".into()).spawn(run)?;
    Ok(())
}

struct Carrier {
    /// Where the tokens are kept.
    path: PathBuf,
    reload: Arc<Reload>,
    api: Api,
    agents: BTreeMap<String, Agent>,
}

/// How it stands with one agent's file.
#[derive(Default)]
struct Agent {
    /// What proves our link.
    token: Option<String>,
    /// What the file is called that lies there, and where.
    placed: Option<(Folder, String)>,
    /// What tells whether a file that was brought in is another.
    brought: BTreeMap<String, u64>,
    /// What has been told last of this agent.
    told: String,
}

impl Carrier {
    async fn run(&mut self) {
        let kept = tokens(&self.path).unwrap_or_else(|why| {
            tracing::warn!("{}: {why}; links for other servers are made anew", self.path.display());
            BTreeMap::new()
        });
        let agent = |(name, token)| (name, Agent { token: Some(token), ..Agent::default() });
        self.agents = kept.into_iter().map(agent).collect();
        loop {
            let lists = self.reload.current.lock().await.lists.clone();
            self.agents.retain(|name, _| lists.outside.contains_key(name));
            if !lists.outside.is_empty() {
                let transfer = Transfer::new(lists.rules());
                for (name, folder) in &lists.outside {
                    let done = self.turn(&transfer, name, folder).await;
                    self.tell(name, done);
                }
            }
            tokio::time::sleep(Duration::from_secs(lists.refresh.clamp(1, 3_600).into())).await;
        }
    }

    /// Once for each thing that there is to tell.
    fn tell(&mut self, name: &str, done: Result<(), String>) {
        let agent = self.agents.entry(name.to_owned()).or_default();
        let said = done.err().unwrap_or_default();
        if said != agent.told {
            match said.as_str() {
                "" => tracing::info!(agent = name, "the file at another server is as it should be again"),
                why => tracing::warn!(agent = name, "the file at another server: {why}"),
            }
            agent.told = said;
        }
    }

    async fn turn(&mut self, transfer: &Transfer, name: &str, folder: &Folder) -> Result<(), String> {
        let known = self.agents.entry(name.to_owned()).or_default().token.clone();
        // What came before a link ends is brought in by that link.
        if let Some(token) = &known {
            self.bring(transfer, name, folder, token).await?;
        }
        let link = self.api.outside_link(name, known.as_deref()).await.map_err(|problem| problem.detail)?;
        if let OutsideLink::New(token) = link {
            let agent = self.agents.entry(name.to_owned()).or_default();
            (agent.token, agent.placed) = (Some(token), None);
            self.keep()?;
        }
        self.place(transfer, name, folder).await
    }

    /// Puts the file there if it is another. While the agent works at a phone of ours it has no rows.
    async fn place(&mut self, transfer: &Transfer, name: &str, folder: &Folder) -> Result<(), String> {
        let Some(agent) = self.agents.get_mut(name) else { return Ok(()) };
        let Some(token) = &agent.token else { return Ok(()) };
        let known = agent.placed.as_ref().filter(|(at, _)| at == folder).map(|(_, tag)| tag.as_str());
        let file = self.api.outside_file(name, token, known).await;
        let Some((bytes, tag)) = file.map_err(|problem| problem.detail)? else { return Ok(()) };
        transfer.put(&folder.file(&format!("{name}.jsonl")), &bytes).await?;
        tracing::info!(agent = name, octets = bytes.len(), "the file lies at the other server");
        agent.placed = Some((folder.clone(), tag));
        Ok(())
    }

    /// Brings in what the agent's phone has put beside the file.
    async fn bring(
        &mut self,
        transfer: &Transfer,
        name: &str,
        folder: &Folder,
        token: &str,
    ) -> Result<(), String> {
        if let Link::Http(_) = folder.link() {
            return Ok(());
        }
        let mut names = transfer.names(folder.link()).await?;
        names.retain(|file| is_of(name, file));
        // The oldest first, so that the first end of a row is the first; what is left behind what came of it.
        names.sort_unstable_by_key(|file| (file.ends_with(LEFT), file.rsplit('-').next().map(str::to_owned)));
        let old = names.len().saturating_sub(FILES);
        for file in names.split_off(old) {
            let Fetched::Bytes { bytes, .. } = transfer.fetch(&folder.file(&file), None).await? else {
                continue;
            };
            let hash = mark(&bytes);
            let agent = self.agents.entry(name.to_owned()).or_default();
            if agent.brought.get(&file) == Some(&hash) {
                continue;
            }
            if bytes.len() > OCTETS {
                return Err(format!("{file} has more than 64 MiB"));
            }
            let taken = self.api.outside_results(name, token, &file, bytes).await;
            taken.map_err(|problem| format!("{file}: {}", problem.detail))?;
            agent.brought.insert(file, hash);
        }
        Ok(())
    }

    fn keep(&self) -> Result<(), String> {
        let token = |(name, agent): (&String, &Agent)| Some((name.clone(), agent.token.clone()?));
        let tokens: BTreeMap<String, String> = self.agents.iter().filter_map(token).collect();
        let told = |error: std::io::Error| format!("{}: {error}", self.path.display());
        let text = serde_json::to_vec(&tokens).map_err(|error| error.to_string())?;
        let beside = self.path.with_extension("json.part");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&beside)
            .map_err(told)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(told)?;
        fs::rename(&beside, &self.path).map_err(told)
    }
}

/// What a phone has put there for this agent: whole, and results or what is left.
fn is_of(agent: &str, file: &str) -> bool {
    let ends = [".results.csv", ".results.jsonl", LEFT];
    let own = file.strip_prefix(agent).is_some_and(|rest| rest.starts_with('-'));
    own && ends.iter().any(|end| file.ends_with(end))
}

/// Tells one content of a file from another.
fn mark(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

fn tokens(path: &Path) -> Result<BTreeMap<String, String>, String> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| error.to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_whole_and_of_this_agent_is_brought_in() {
        for (file, ours) in [
            ("ada-ada-0123456789ab-20261129T010203Z.results.csv", true),
            ("ada-ada-0123456789ab.left.jsonl", true),
            ("ada-ada-0123456789ab.left.jsonl.part", false),
            ("adam-adam-0123456789ab.left.jsonl", false),
            ("ada.jsonl", false),
            ("ada-ada-0123456789ab-20261129T010203Z.results.uccx.csv", false),
        ] {
            assert_eq!(is_of("ada", file), ours, "{file}");
        }
    }
}
