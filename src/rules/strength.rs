//! How telling key names are. The build script includes this file.

use serde::{Deserialize, Serialize};

/// How telling the key names of an `assigned` rule are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// The name alone makes a value a secret, unless it is code, prose or a placeholder.
    #[default]
    Strong,
    /// The value must look like a secret, too.
    Weak,
}
