//! How this exchange is, told to the others when it is different.

use super::Told;
use crate::serve::core::CoreInput;
use exchange::cluster::Standing;
use exchange::{Answer, Command};
use net::Sender;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Looks and tells until the core is gone.
pub(super) async fn report(core: Sender<CoreInput>, name: String, address: String) {
    let mut last = None;
    loop {
        if let Some(is) = ask(&core).await {
            let version = env!("CARGO_PKG_VERSION").into();
            let (name, address) = (name.as_str().into(), address.as_str().into());
            let is = Standing { name, address, version, between_sites: BTreeMap::new(), ..is };
            if last.as_ref() != Some(&is) {
                super::tell(&core, Told::Stands(Box::new(is.clone()))).await;
                last = Some(is);
            }
        }
        sleep(LOOK).await;
    }
}

/// A core that is busy is asked the next time.
async fn ask(core: &Sender<CoreInput>) -> Option<Standing> {
    let (reply, answered) = oneshot::channel();
    core.send(CoreInput::Command { command: Command::Standing, reply }).ok()?;
    match answered.await {
        Ok(Answer::Standing(standing)) => Some(*standing),
        _ => None,
    }
}
