//! Turns paths into text that can be shown: what is a secret in them is masked. Does not look at files.

use std::sync::Arc;

use crate::{
    Engine, Filter, escape,
    scan::{Mode, Options},
};

/// Masks secrets in names. Made once and used for many.
pub struct Names {
    /// None if there is nothing that masks; then no name is told.
    filter: Option<Filter>,
}

impl Names {
    /// Looks for what `engine` looks for. Names are masked even if that lets all bytes of logs pass.
    pub fn new(engine: Arc<Engine>) -> Self {
        let Options { mode, mask_confidence, fingerprint_key, allow, known, entropy, .. } = engine.options();
        let engine = if *mode == Mode::Redact {
            Some(engine)
        } else {
            let masks = Options {
                mask_confidence: *mask_confidence,
                entropy: *entropy,
                fingerprint_key: fingerprint_key.clone(),
                allow: Arc::clone(allow),
                known: known.clone(),
                ..Options::default()
            };
            // These rules have been compiled once, and will be again.
            Engine::new(engine.rules().clone(), masks).ok().map(Arc::new)
        };
        Names { filter: engine.map(Filter::new) }
    }

    /// A path as it may be shown anywhere.
    pub fn shown(&mut self, path: &[u8]) -> String {
        self.told(path).0
    }

    /// The same, and whether something in it was masked.
    pub fn told(&mut self, path: &[u8]) -> (String, bool) {
        let Some(filter) = &mut self.filter else { return ("[a name that could not be masked]".to_owned(), true) };
        let mut text = filter.push(path).to_vec();
        text.extend(filter.finish().to_vec());
        // Nobody is told of these as findings.
        filter.take_findings();
        let shown = escape::visible(&String::from_utf8_lossy(&text)).into_owned();
        (shown, text != path)
    }
}
