//! Turns the end of a text into the rules whose literals begin with it. Does not try the rules.

use std::cmp::Ordering;

use super::tokens::Token;

/// The literals that stand in front of their rules' matches, in small letters and in order.
#[derive(Debug)]
pub struct Beginnings {
    list: Vec<(Vec<u8>, u16)>,
    /// The length of the longest (bytes).
    pub longest: usize,
}

impl Beginnings {
    /// The literals of the patterns that begin with one; a rule is named by its place in the list.
    pub fn of_tokens(tokens: &[Token]) -> Beginnings {
        let needles = (0..).zip(tokens).filter_map(|(index, token)| Some((index, token.pattern.needle()?)));
        let first = needles.filter(|(_, needle)| needle.before.1 == 0);
        Beginnings::new(first.flat_map(|(index, needle)| needle.literals.iter().map(move |literal| (literal, index))))
    }

    fn new<'a>(literals: impl Iterator<Item = (&'a Vec<u8>, u16)>) -> Beginnings {
        let small = |(literal, index): (&Vec<u8>, u16)| (literal.to_ascii_lowercase(), index);
        let mut list: Vec<(Vec<u8>, u16)> = literals.map(small).collect();
        list.sort_unstable();
        let longest = list.iter().map(|(literal, _)| literal.len()).max().unwrap_or(0);
        Beginnings { list, longest }
    }

    /// The rules with a literal that begins with `start`, letters of either case. A rule comes as often as it has such
    /// literals.
    pub fn with(&self, start: &[u8]) -> impl Iterator<Item = u16> {
        let order = |(literal, _): &(Vec<u8>, u16)| {
            let both = literal.iter().zip(start).map(|(own, other)| own.cmp(&other.to_ascii_lowercase()));
            both.fold(Ordering::Equal, Ordering::then).then(literal.len().min(start.len()).cmp(&start.len()))
        };
        let from = self.list.partition_point(|one| order(one).is_lt());
        let to = self.list.partition_point(|one| order(one).is_le());
        self.list[from..to].iter().map(|&(_, index)| index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_found_by_each_of_its_beginnings() {
        let literals: Vec<Vec<u8>> = ["ghp_", "GHO_", "glpat-", "g", "sk-"].map(|one| one.as_bytes().to_vec()).into();
        let beginnings = Beginnings::new(literals.iter().zip(0..));
        let of = |start: &str| {
            let mut all: Vec<u16> = beginnings.with(start.as_bytes()).collect();
            all.sort_unstable();
            all
        };
        assert_eq!(of("g"), [0, 1, 2, 3]);
        assert_eq!(of("Gh"), [0, 1]);
        assert_eq!(of("gho_"), [1]);
        assert!(of("gho_a").is_empty());
        assert_eq!(of("sk"), [4]);
        assert!(of("h").is_empty() && of("z").is_empty() && of("a").is_empty());
    }
}
