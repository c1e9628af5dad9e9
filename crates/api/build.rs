//! Gathers the console's built files into a table that `assets.rs` includes, and says what to run when they are not there.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::exit;

fn main() {
    let crate_ = PathBuf::from(var("CARGO_MANIFEST_DIR"));
    let dist = crate_.join("../../console/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    if !["index.html", "phone.js", "app/app.html"].iter().all(|file| dist.join(file).is_file()) {
        println!(
            "cargo::error=the console is not built: run scripts/console (it needs node and npm), then build again"
        );
        exit(1);
    }
    let mut files = Vec::new();
    gather(&dist, &mut files);
    files.sort();
    let mut table = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&dist).unwrap_or(file).to_string_lossy().replace('\\', "/");
        let path = file.canonicalize().unwrap_or_else(|_| file.clone());
        let _ = writeln!(table, "    (\"/{name}\", include_bytes!({:?}), {:?}),", path, fingerprint(file));
    }
    table.push(']');
    let out = PathBuf::from(var("OUT_DIR")).join("assets.rs");
    if let Err(error) = fs::write(&out, table) {
        println!("cargo::error=cannot write {}: {error}", out.display());
    }
}

fn var(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue; // What scripts/console keeps there for itself.
        }
        if path.is_dir() {
            gather(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// FNV-1a: names a version of a file, protects nothing.
fn fingerprint(file: &Path) -> String {
    let bytes = fs::read(file).unwrap_or_default();
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("\"{hash:016x}\"")
}
