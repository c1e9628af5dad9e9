//! Call lists on the control socket.

use super::protocol::Response;
use crate::rest::Api;
use crate::rest::lists::make::{self, ListSettings};
use crate::rest::lists::{self as rest, ListShape, ShareShape};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use exchange::lists::{Deal, DeskAsking, ListAnswer, ListAsking};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What can be asked of call lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "list", deny_unknown_fields)]
pub enum ListRequest {
    /// All lists.
    All,
    /// A new list of a file.
    Make {
        /// Its name.
        name: String,
        /// The octets, in base64.
        file: String,
        /// How its rows are meant.
        settings: ListSettings,
    },
    /// A new list of a file that lies elsewhere.
    Fetch {
        /// Its name.
        name: String,
        /// Where it lies.
        link: String,
        /// How its rows are meant.
        settings: ListSettings,
    },
    /// Deal out what is nobody's: by the agent that rows name, if nobody and no column is named.
    Deal {
        /// Which list.
        name: String,
        /// Among whom, each with a weight.
        agents: Vec<(String, u32)>,
        /// Or among the members of the queue that this column names.
        skill: Option<String>,
    },
    /// Open rows for others.
    Reassign {
        /// Of which list.
        name: String,
        /// At these lines of its file.
        lines: Option<BTreeSet<u32>>,
        /// Of this agent.
        from: Option<String>,
        /// To whom.
        to: Vec<(String, u32)>,
    },
    /// Forget a list.
    Remove {
        /// Which.
        name: String,
    },
    /// What became of its rows.
    Results {
        /// Of which list.
        name: String,
        /// `csv`, `json` or `uccx`.
        format: String,
    },
    /// A new link for an agent.
    Link {
        /// The account.
        agent: String,
    },
    /// The links of an agent open nothing any more.
    Revoke {
        /// The account.
        agent: String,
    },
    /// The exchange works through an agent's lists for them.
    Work {
        /// The account.
        agent: String,
        /// The phone that rings.
        device: Option<String>,
    },
    /// It does so no more.
    Rest {
        /// The account.
        agent: String,
    },
}

/// Who made what is made here.
const BY: &str = "command line";

pub(super) async fn answer(api: &Api, request: ListRequest) -> Response {
    carry_out(api, request).await.unwrap_or_else(|problem| match problem.kept_by {
        Some(number) => Response::KeptBy(number, problem.detail),
        None => Response::Refused(problem.detail),
    })
}

async fn carry_out(api: &Api, request: ListRequest) -> Result<Response, crate::rest::Problem> {
    let shares = |named: Vec<(String, u32)>| {
        rest::shares(named.into_iter().map(|(account, weight)| ShareShape { account, weight }).collect())
    };
    let asking = match request {
        ListRequest::Make { name, file, settings } => {
            let bytes = BASE64_STANDARD.decode(file).unwrap_or_default();
            return judged(make::make(api, &name, BY, bytes, &settings).await?);
        }
        ListRequest::Fetch { name, link, settings } => {
            let bytes = rest::fetched(api, &link).await?;
            return judged(make::make(api, &name, BY, bytes, &settings).await?);
        }
        ListRequest::Results { name, format } => {
            let (_, bytes) = rest::written(api, &name, &format).await?;
            return Ok(Response::File(String::from_utf8_lossy(&bytes).into_owned()));
        }
        ListRequest::All => ListAsking::All,
        ListRequest::Deal { name, agents, skill } => {
            let deal = match skill {
                Some(column) => Deal::Skill(column.into()),
                None if agents.is_empty() => Deal::Agent,
                None => Deal::Share(shares(agents)),
            };
            ListAsking::Deal { list: name.into(), deal }
        }
        ListRequest::Reassign { name, lines, from, to } => {
            ListAsking::Reassign { list: name.into(), lines, from: from.map(Into::into), to: shares(to) }
        }
        ListRequest::Remove { name } => ListAsking::Remove(name.into()),
        ListRequest::Link { agent } => ListAsking::Link(agent.into()),
        ListRequest::Revoke { agent } => ListAsking::Revoke(agent.into()),
        ListRequest::Work { agent, device } => {
            ListAsking::Desk(DeskAsking::Start { account: agent.into(), device: device.map(Into::into) })
        }
        ListRequest::Rest { agent } => ListAsking::Desk(DeskAsking::Stop(agent.into())),
    };
    Ok(match rest::ask(api, asking, "").await? {
        ListAnswer::Rows(rows) => Response::Lists(rows.iter().map(ListShape::of).collect()),
        ListAnswer::Row(row) => Response::Lists(vec![ListShape::of(&row)]),
        ListAnswer::Link(assignment) => Response::Assignment(assignment),
        _ => Response::Done,
    })
}

fn judged(shape: make::JudgedShape) -> Result<Response, crate::rest::Problem> {
    Ok(Response::Judged(Box::new(shape)))
}
