//! A clone works on any machine: no file names a folder of one machine, or the host of a registry.

use super::Violation;
use super::tree::Tree;

/// Folders of somebody's machine; put together, so that this file does not name them.
const FOLDERS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// The folder of everybody's home; a name must follow to make it somebody's.
const HOMES: &str = concat!("/ho", "me/");

/// Hosts that a mirror may replace: they belong into the configuration of the machine.
const HOSTS: [&str; 4] = [
    concat!("index.crates", ".io"),
    concat!("py", "pi.org"),
    concat!("registry.npm", "js.org"),
    concat!("deb.deb", "ian.org"),
];

/// Searches every tracked text file.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in &tree.texts {
        for (number, line) in file.text.lines().enumerate() {
            let mut found =
                |message: String| violations.push(Violation::new(&file.path, number + 1, message));
            if let Some(folder) = machine_folder(line) {
                found(format!(
                    "`{folder}` is a folder of one machine: make the path relative, or an argument"
                ));
            }
            if let Some(host) = HOSTS.iter().find(|host| line.contains(**host)) {
                found(format!("`{host}` is a registry: leave the choice to the machine's configuration"));
            }
        }
    }
    violations
}

fn machine_folder(line: &str) -> Option<&'static str> {
    let stands_alone = |folder: &str| {
        line.match_indices(folder).any(|(at, _)| {
            // "frame" before it makes it part of a relative path.
            !line[..at]
                .ends_with(|before: char| before.is_alphanumeric() || matches!(before, '.' | '_' | '-'))
        })
    };
    let home = line.match_indices(HOMES).any(|(at, _)| {
        line[at + HOMES.len()..].starts_with(|name: char| name.is_ascii_alphanumeric() || name == '_')
    });
    FOLDERS.into_iter().find(|folder| stands_alone(folder)).or(home.then_some(HOMES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_and_registries_are_found() {
        for (text, expected) in [
            (concat!("cd /wo", "rk/main"), 1),
            (concat!("PATH=/ro", "ot/.cargo/bin"), 1),
            (concat!("\"/ho", "me/alice/x\""), 1),
            (concat!("https://index.crates", ".io/"), 1),
            (concat!("https://py", "pi.org/simple"), 1),
            (concat!("registry.npm", "js.org and deb.deb", "ian.org"), 1),
            (concat!("net/wo", "rk/x and ./ro", "ot/x"), 0),
            (concat!("/ho", "me/$USER and /ho", "me/"), 0),
            ("registry+https://github.com/rust-lang/crates.io-index", 0),
        ] {
            let tree = Tree::planted(&[("README.md", text)]);
            assert_eq!(check(&tree).len(), expected, "{text}");
        }
    }
}
