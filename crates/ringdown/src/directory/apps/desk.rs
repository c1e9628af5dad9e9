//! What connections of apps ask of what is kept: beside the one task that decides, so that calls wait for no disk and no server.

use super::super::folder::{Folder, hex, random};
use super::folder::{AppFolder, Enrolment};
use super::protocol::Enrolled;
use super::vouch;
use crate::Failure;
use directory::{AccountName, DeviceId, Named as _};
use net::Clock;
use std::sync::Arc;

/// The way there.
#[derive(Clone)]
pub(in crate::directory) struct Desk {
    office: Arc<Folder>,
    apps: AppFolder,
    clock: Clock,
}

impl Desk {
    pub(in crate::directory) fn new(office: Arc<Folder>, apps: AppFolder, clock: Clock) -> Desk {
        Desk { office, apps, clock }
    }

    /// Whose devices a one-time key lets in.
    pub(super) async fn redeem(&self, key: String) -> Result<AccountName, String> {
        self.beside(move |desk| desk.apps.redeem(&key, desk.clock.now().wall)).await
    }

    /// Keeps one more app of an account.
    pub(super) async fn enrol(
        &self,
        account: AccountName,
        public_key: String,
    ) -> Result<(Enrolment, Enrolled), String> {
        self.beside(move |desk| {
            let device = DeviceId::parse(&format!("app-{}", hex(&random::<8>()?)))?;
            let now = desk.clock.now().wall;
            let (certificate, fingerprint, until) = vouch(&desk.office, &device, &public_key, now)?;
            let (ways, media) = (Vec::new(), None);
            let enrolment =
                Enrolment { device, account, public_key, fingerprint, until, ways, media, home: None };
            desk.apps.keep(&enrolment)?;
            let Enrolment { device, account, .. } = enrolment.clone();
            let (root, directory) = (desk.office.root().into(), hex(&desk.office.issuer()?.public()));
            Ok((enrolment, Enrolled { device, account, certificate, root, directory }))
        })
        .await
    }

    /// Whether an app is still one of the office; what nobody can say now is so.
    pub(super) async fn has(&self, device: DeviceId) -> bool {
        self.beside(move |desk| desk.apps.has(&device)).await.unwrap_or(true)
    }

    async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, String> {
        let desk = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&desk)).await;
        done.map_err(|_| "the directory stops".to_owned())?.map_err(|error| error.to_string())
    }
}
