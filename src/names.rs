//! Turns paths into text that can be shown: what is a secret in them is masked. Does not look at files.

use std::sync::Arc;

use crate::{
    Engine, Filter, escape,
    scan::{Mode, Options},
};

/// Masks secrets in names. Made once and used for many.
pub struct Names {
    filter: Filter,
}

impl Names {
    /// Looks for what `engine` looks for. Names are masked even if that lets all bytes of logs pass.
    pub fn new(engine: Arc<Engine>) -> Self {
        let Options { mode, mask_confidence, fingerprint_key, allow, known, entropy, .. } = engine.options();
        let engine = if *mode == Mode::Redact {
            engine
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
            Engine::new(engine.rules().clone(), masks).map_or(engine, Arc::new)
        };
        Names { filter: Filter::new(engine) }
    }

    /// A path as it may be shown anywhere.
    pub fn shown(&mut self, path: &[u8]) -> String {
        self.told(path).0
    }

    /// The same, and whether something in it was masked.
    pub fn told(&mut self, path: &[u8]) -> (String, bool) {
        let mut text = self.filter.push(path).to_vec();
        text.extend(self.filter.finish().to_vec());
        // Nobody is told of these as findings.
        self.filter.take_findings();
        let shown = escape::visible(&String::from_utf8_lossy(&text)).into_owned();
        (shown, text != path)
    }
}
