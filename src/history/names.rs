//! Turns paths into text that can be shown: what is a secret in them is masked. Does not look at files.

use std::sync::Arc;

use crate::{Engine, Filter, escape};

/// Masks secrets in names. Made once and used for many.
pub struct Names {
    filter: Filter,
}

impl Names {
    /// Looks for what `engine` looks for, which has to mask.
    pub fn new(engine: Arc<Engine>) -> Self {
        Names { filter: Filter::new(engine) }
    }

    /// A path as it may be shown anywhere.
    pub fn shown(&mut self, path: &[u8]) -> String {
        let mut text = self.filter.push(path).to_vec();
        text.extend(self.filter.finish().to_vec());
        // Nobody is told of these as findings.
        self.filter.take_findings();
        escape::visible(&String::from_utf8_lossy(&text)).into_owned()
    }
}
