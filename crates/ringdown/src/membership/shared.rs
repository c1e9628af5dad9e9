//! The membership of exchanges over one store (decision 25): together they are one exchange of a directory, with one name and one
//! certificate. The store has it as a document, sealed as other secrets are; each has it in a folder of its own as well.
//!
//! ```text
//! joined, and first to start  --> the document
//! has none at its start       <-- the document
//! a newer certificate         --> the document, before it is shown --feed--> the others
//! ```

use super::{Member, folder, make_folder};
use crate::Failure;
use crate::config::Config;
use crate::directory::write;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use store::{Document, Opened, Visitor};

/// What the document is; there is one.
pub(crate) const KIND: &str = "membership";

/// What the document says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shared {
    member: Member,
    /// Key and certificate, PEM.
    papers: String,
    root: String,
    /// The same of a newer certificate that the directory was not shown yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Shared {
    pub(crate) fn parse(text: &str) -> Result<Shared, Failure> {
        serde_json::from_str(text).map_err(|error| {
            format!("the membership that the exchanges of the cluster share: {error}").into()
        })
    }

    fn of(document: &Document) -> Result<Shared, Failure> {
        Shared::parse(document.text.as_deref().unwrap_or_default())
    }

    pub(crate) fn document(&self) -> Result<Document, Failure> {
        let text = Some(serde_json::to_string(self)?);
        Ok(Document { kind: KIND.into(), id: String::new(), text })
    }

    /// Whether what the store has stays there: what is another's altogether, and what is not older.
    fn gives_way_to(&self, there: &Document) -> bool {
        let until =
            |shared: &Shared| net::validity_of_pem(&shared.papers).map_or(0, |validity| validity.until);
        let is_older = |there: Shared| self.is_of(&there) && until(&there) < until(self);
        !Shared::of(there).is_ok_and(is_older)
    }

    fn is_of(&self, other: &Shared) -> bool {
        self.member.is_same(&other.member)
    }

    /// Keeps it in the folder of an exchange; the one file that makes it a membership comes last.
    pub(crate) fn keep_in(&self, folder: &Path) -> Result<(), Failure> {
        make_folder(folder)?;
        let member = Member { folder: folder.into(), ..self.member.clone() };
        write(&member.papers().root, self.root.as_bytes())?;
        match (&self.next, member.next_papers()) {
            (Some(next), _) => write(&folder.join(super::NEXT), next.as_bytes())?,
            (None, Some(_)) => member.drop_next()?,
            (None, None) => {}
        }
        write(&member.papers().certificate, self.papers.as_bytes())?;
        member.write()
    }
}

impl Member {
    /// What the others are to have of it.
    pub(crate) fn shared(&self) -> Result<Shared, Failure> {
        let papers = self.papers();
        let next = self.next_papers().map(|next| fs::read_to_string(next.certificate)).transpose()?;
        Ok(Shared {
            member: self.clone(),
            papers: fs::read_to_string(papers.certificate)?,
            root: fs::read_to_string(papers.root)?,
            next,
        })
    }

    /// Takes over what another shared; it is told whether that is of another exchange of a directory.
    pub(crate) fn adopt(&self, shared: &Shared) -> Result<(), Failure> {
        match self.is_same(&shared.member) {
            true => shared.keep_in(&self.folder),
            false => Err(self.differs_from(&shared.member)),
        }
    }

    /// By the same invitation.
    fn is_same(&self, other: &Member) -> bool {
        (&self.exchange, &self.signing_key, &self.ticket_key)
            == (&other.exchange, &other.signing_key, &other.ticket_key)
    }

    fn differs_from(&self, other: &Member) -> Failure {
        format!(
            "this exchange joined the directory at {} as {}, and the others of its [cluster] are {} of the directory at {}, by \
             another invitation; together they are one exchange of one directory: remove {} to be what the others are, or stop all \
             and run `ringdown exchange leave` to have this one's instead",
            self.directory,
            self.exchange,
            other.exchange,
            other.directory,
            self.folder.display()
        )
        .into()
    }
}

/// Makes what this exchange has and what the store has the same, before anything goes by it.
pub(crate) fn settle(data: &Path, opened: &mut Opened) -> Result<(), Failure> {
    let Some(own) = Member::read(data)? else {
        let Some(there) = opened.documents.iter().find(|document| document.kind == KIND) else {
            return Ok(());
        };
        let shared = Shared::of(there)?;
        tracing::info!(
            exchange = %shared.member.exchange,
            directory = shared.member.directory,
            "the exchanges of the cluster have joined a directory, and this one with them"
        );
        return shared.keep_in(&folder(data));
    };
    let ours = own.shared()?;
    let kept = opened.share(&ours.document()?, |there| ours.gives_way_to(there))?;
    own.adopt(&Shared::of(&kept)?)
}

/// Leaves the directory: nobody of the office may run.
pub(crate) fn leave(data: &Path, config: Option<&Path>) -> Result<(), Failure> {
    let config = config.map(Config::read).transpose()?.map(|(config, _)| config).unwrap_or_default();
    let place = config.store.place(data)?;
    let mut left = false;
    if place.is_server() {
        let visitor = Visitor::open(&place)?;
        let mut there = visitor.find(KIND, None)?;
        left = !there.is_empty();
        there.iter_mut().for_each(|document| document.text = None);
        visitor.keep(&there)?;
    }
    let folder = folder(data);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        left = true;
    }
    if left { Ok(()) } else { Err("this exchange has joined no directory".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use directory::{ExchangeName, Named as _};

    fn shared(name: &str, folder: &Path) -> Shared {
        let member = Member {
            exchange: ExchangeName::parse(name).unwrap(),
            directory: "dir.example:5063".into(),
            signing_key: "ab".repeat(32),
            ticket_key: "cd".repeat(32),
            folder: folder.into(),
        };
        Shared { member, papers: "papers".into(), root: "root".into(), next: Some("next".into()) }
    }

    #[test]
    fn what_is_shared_is_the_folder_of_another() {
        let folder = std::env::temp_dir().join(format!("ringdown-membership-{}", std::process::id()));
        let (data, sent) = (folder.join("data"), shared("north", &folder));
        let read = Shared::of(&sent.document().unwrap()).unwrap();
        read.keep_in(&super::folder(&data)).unwrap();
        let member = Member::read(&data).unwrap().unwrap();
        assert_eq!(member.shared().unwrap().document().unwrap(), sent.document().unwrap());
        // It was shown, and is the one now.
        let shown = Shared { papers: "next".into(), next: None, ..sent.clone() };
        member.adopt(&shown).unwrap();
        assert_eq!(member.next_papers().map(|_| ()), None);
        assert_eq!(member.shared().unwrap().document().unwrap(), shown.document().unwrap());
        let why = member.adopt(&shared("south", &folder)).unwrap_err().to_string();
        assert!(
            why.contains("as north") && why.contains("are south of the directory at dir.example:5063"),
            "{why}"
        );
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_the_store_has_stays_unless_it_is_older() {
        let ours = shared("north", Path::new("/nowhere"));
        assert!(ours.gives_way_to(&ours.document().unwrap()));
        assert!(ours.gives_way_to(&shared("south", Path::new("/nowhere")).document().unwrap()));
        let nonsense = Document { kind: KIND.into(), id: String::new(), text: Some("{}".into()) };
        assert!(ours.gives_way_to(&nonsense), "it is not lost by a start");
    }
}
