//! Starts what `--metrics` asks for. Does not count or serve by itself.

use std::sync::Arc;

use blackbar::{
    scan::Engine,
    service::{Service, server},
};
use serde_json::Map;

use super::{console::Console, exit::Failure, files, settings::Settings};

/// A service and its server, which runs until this is dropped.
pub struct Serving {
    /// What is told.
    pub service: Arc<Service>,
    _server: server::Server,
}

/// The service of streams that `engine` filters, if one is wanted.
///
/// # Errors
/// An address that is none, and one that cannot be listened on: what is asked to watch us must not
/// miss us in silence.
pub fn start(settings: &Settings, engine: &Arc<Engine>, console: &Console) -> Result<Option<Serving>, Failure> {
    let Some(text) = settings.text("metrics") else { return Ok(None) };
    let call = settings.call("metrics");
    let Some(address) = server::address(text) else {
        return Err(Failure::usage(format!("{call} must be a port or an IP address with a port")));
    };
    let service = Service::new(engine);
    let server = server::Server::start(address, &service)
        .map_err(|fault| Failure::io(format!("{call}: {address}: {}", files::reason(fault.kind()))))?;
    if !settings.switch("quiet") {
        let at = server.address().to_string();
        let fields = [("event", "metrics"), ("address", &at)];
        let fields: Map<_, _> = fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        console.note(&format!("metrics and health at http://{at}/"), fields);
    }
    Ok(Some(Serving { service, _server: server }))
}
