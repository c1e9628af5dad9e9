//! What the rules look at: the tracked files and what cargo says of the workspace.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::source::Source;

/// Where our own Rust stands.
const RUST_FOLDERS: [&str; 4] = ["crates/", "xtask/", "fuzz/", "bench/"];

/// One tracked file that is text.
#[derive(Debug)]
pub(super) struct TextFile {
    /// From the root, with slashes.
    pub(super) path: String,
    pub(super) text: String,
}

/// The tree, read once.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Every tracked file, binary ones too.
    pub(super) paths: Vec<String>,
    pub(super) texts: Vec<TextFile>,
    /// The Rust among them.
    pub(super) sources: Vec<Source>,
    /// The packages of `cargo metadata`.
    pub(super) packages: Vec<Value>,
}

impl Tree {
    /// Reads the repository that cargo runs us from.
    pub(super) fn read() -> io::Result<Tree> {
        let root = match std::env::var_os("CARGO_MANIFEST_DIR") {
            Some(folder) => Path::new(&folder).join(".."),
            None => PathBuf::from("."),
        };
        let listed = output(&root, "git", &["ls-files", "-z"])?;
        let mut files = Vec::new();
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            match fs::read(root.join(path)) {
                Ok(bytes) => files.push((path.to_owned(), bytes)),
                // Deleted and not yet committed, or a link to a folder.
                Err(_) => continue,
            }
        }
        let mut tree = Tree::new(files);
        let format = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
        let metadata: Value = serde_json::from_str(&output(&root, "cargo", &format)?)?;
        tree.packages = metadata["packages"].as_array().cloned().unwrap_or_default();
        Ok(tree)
    }

    fn new(files: Vec<(String, Vec<u8>)>) -> Tree {
        let mut tree = Tree::default();
        for (path, bytes) in files {
            tree.paths.push(path.clone());
            let Ok(text) = String::from_utf8(bytes) else { continue };
            if text.contains('\0') {
                continue;
            }
            if path.ends_with(".rs") && RUST_FOLDERS.iter().any(|folder| path.starts_with(folder)) {
                tree.sources.push(Source::new(&path, &text));
            }
            tree.texts.push(TextFile { path, text });
        }
        tree
    }

    /// A tree of those files, for tests.
    #[cfg(test)]
    pub(super) fn planted(files: &[(&str, &str)]) -> Tree {
        Tree::new(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect())
    }

    /// The text of one file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.texts.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }
}

fn output(root: &Path, program: &str, arguments: &[&str]) -> io::Result<String> {
    let output = Command::new(program).args(arguments).current_dir(root).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(io::Error::other(format!("{program} {}: {said}", arguments.join(" "))));
    }
    String::from_utf8(output.stdout).map_err(io::Error::other)
}
