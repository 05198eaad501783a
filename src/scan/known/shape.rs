//! Chooses which strings share a sieve, and its measures. Does not look for strings.

use super::strings::Strings;

/// Strings that share a sieve.
#[derive(Clone, Default)]
pub(super) struct Group {
    pub(super) strings: Vec<u32>,
    /// The length of the shortest of them; 0 if there are none.
    pub(super) shortest: usize,
}

/// Which strings share a sieve, so that the fewest samples in all are taken. A sieve takes as many
/// as its shortest string demands, so one sieve is best; but many long strings need long windows,
/// which make the samples for a short one frequent.
pub(super) fn groups(strings: &Strings) -> Vec<Group> {
    let mut tiers = vec![Group::default(); TIERS.len()];
    for (index, string) in strings.iter() {
        // No string is empty, so the first tier takes what no other does.
        let above = TIERS.iter().take_while(|&&least| string.len() >= least).count();
        let tier = &mut tiers[above.saturating_sub(1)];
        tier.shortest = if tier.strings.is_empty() { string.len() } else { tier.shortest.min(string.len()) };
        tier.strings.push(index);
    }
    tiers.retain(|tier| !tier.strings.is_empty());
    // Bit n of a choice begins a new group with tier n. The tiers ascend in length.
    let begins = |choice: u32, tier: usize| tier == 0 || choice >> tier & 1 == 1;
    let cost = |choice: &u32| {
        let mut shapes: Vec<(usize, usize)> = Vec::new();
        for (place, tier) in tiers.iter().enumerate() {
            match shapes.last_mut() {
                Some((_, count)) if !begins(*choice, place) => *count += tier.strings.len(),
                _ => shapes.push((tier.shortest, tier.strings.len())),
            }
        }
        shapes.into_iter().map(|(shortest, count)| Shape::new(shortest, count).cost()).sum::<usize>()
    };
    let best = (0..1 << tiers.len()).step_by(2).min_by_key(cost).unwrap_or(0);
    let mut groups: Vec<Group> = Vec::new();
    for (place, tier) in tiers.into_iter().enumerate() {
        match groups.last_mut() {
            Some(group) if !begins(best, place) => group.strings.extend(tier.strings),
            _ => groups.push(tier),
        }
    }
    groups
}

/// The measures of a sieve.
pub(super) struct Shape {
    pub(super) core_bytes: usize,
    pub(super) window_bytes: usize,
    /// Windows of all cores together.
    pub(super) windows: usize,
    /// Whether the bitmap tells clean text from known windows well enough.
    selective: bool,
}

impl Shape {
    pub(super) fn new(shortest: usize, count: usize) -> Shape {
        let core_bytes = shortest.min(CORE_BYTES_MAX);
        let longest_window = core_bytes.min(WINDOWS_MAX.len());
        let windows = |window_bytes: usize| (core_bytes + 1 - window_bytes) * count;
        let fits = |&window_bytes: &usize| windows(window_bytes) <= WINDOWS_MAX[window_bytes - 1];
        let found = (1..=longest_window).find(fits);
        let window_bytes = found.unwrap_or(longest_window);
        Shape { core_bytes, window_bytes, windows: windows(window_bytes), selective: found.is_some() }
    }

    pub(super) fn stride(&self) -> usize {
        self.core_bytes + 1 - self.window_bytes
    }

    /// Samples in 64 KiB of clean text, and a fine for candidates that are none.
    fn cost(&self) -> usize {
        (64 << 10) / self.stride() * if self.selective { 1 } else { 4 }
    }
}

/// How many sieves there can be.
pub(super) const SIEVES_MAX: usize = TIERS.len();

/// The longest core (bytes): what three words cover.
const CORE_BYTES_MAX: usize = 24;

/// Which lengths of strings may have a sieve of their own, from these on (bytes).
const TIERS: &[usize] = &[1, 2, 3, 4, 8, 12, 16];

/// How many windows of 1, 2, ... bytes a sieve may know before clean text meets them too often.
const WINDOWS_MAX: &[usize] = &[4, 16, 256, 8 << 10, 1 << 20, 4 << 20, 16 << 20, usize::MAX];
