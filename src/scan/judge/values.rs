//! Keeps what the bytes of the last few values say: rules, views and rounds ask of the same ones over and over. Does not
//! know what stands around a value.

use std::cell::RefCell;

use super::{ValueType, is_code, is_placeholder, names_a_secret, prose, random, trim_marks, value_type::value_type};

/// What is known of some values, each in the slot that its bytes choose.
#[derive(Default)]
pub struct Values {
    /// Empty, or [`SLOTS`].
    slots: RefCell<Vec<Slot>>,
}

#[derive(Clone, Copy)]
struct Slot {
    bytes: [u8; VALUE_BYTES_MAX],
    /// Zero if the slot is free.
    length: u8,
    /// The questions that were asked, a bit each, and those whose answer was yes.
    asked: u8,
    yes: u8,
    value_type: Option<ValueType>,
}

/// A question about a value.
#[derive(Clone, Copy)]
pub enum Question {
    /// Does it stand for a value?
    IsPlaceholder,
    /// Does it name a secret, but for signs around it?
    NamesASecret,
    /// Is it program text?
    IsCode,
    /// Do all of its words say nothing? `required|string`, `true/false`, `pwd+pwd`, or one word of that kind.
    SaysNothing,
    /// Is it unlike text?
    IsRandom,
}

impl Question {
    /// The answer.
    pub fn of(self, v: &[u8]) -> bool {
        match self {
            Question::IsPlaceholder => is_placeholder(v),
            Question::NamesASecret => names_a_secret(trim_marks(v)),
            Question::IsCode => is_code(v),
            Question::SaysNothing => {
                let joins = |b: &u8| matches!(b, b'|' | b'/' | b',' | b'+');
                v.split(joins).all(|word| prose::says_nothing(trim_marks(word)))
            }
            Question::IsRandom => random(v),
        }
    }
}

impl Values {
    /// The answer to a question about a value.
    pub fn ask(&self, question: Question, v: &[u8]) -> bool {
        let bit = 1 << question as u8;
        let answered = |slot: &mut Slot| {
            if slot.asked & bit == 0 {
                slot.asked |= bit;
                slot.yes |= if question.of(v) { bit } else { 0 };
            }
            slot.yes & bit != 0
        };
        self.with(v, answered).unwrap_or_else(|| question.of(v))
    }

    /// The type of a value.
    pub fn value_type(&self, v: &[u8]) -> ValueType {
        self.with(v, |slot| *slot.value_type.get_or_insert_with(|| value_type(v))).unwrap_or_else(|| value_type(v))
    }

    /// Asks a value's slot. Long values are not worth one.
    fn with<T>(&self, v: &[u8], ask: impl FnOnce(&mut Slot) -> T) -> Option<T> {
        if v.is_empty() || v.len() > VALUE_BYTES_MAX {
            return None;
        }
        let mut slots = self.slots.try_borrow_mut().ok()?;
        if slots.is_empty() {
            slots.resize(SLOTS, Slot::FREE);
        }
        let slot = slots.get_mut(place(v))?;
        if slot.bytes.get(..usize::from(slot.length)) != Some(v) {
            *slot = Slot { length: v.len() as u8, ..Slot::FREE };
            slot.bytes[..v.len()].copy_from_slice(v);
        }
        Some(ask(slot))
    }
}

impl Slot {
    const FREE: Slot = Slot { bytes: [0; VALUE_BYTES_MAX], length: 0, asked: 0, yes: 0, value_type: None };
}

/// Which slot a value has: by its length, and by its first and its last eight bytes.
fn place(v: &[u8]) -> usize {
    let eight = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let ends = match v.len() {
        0..8 => v.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
        _ => eight(v.first_chunk()).rotate_left(5) ^ eight(v.last_chunk()),
    };
    ((ends ^ v.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SLOTS.ilog2())) as usize
}

const SLOTS: usize = 64;
const VALUE_BYTES_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_same_however_often_it_is_asked_for() {
        let values = Values::default();
        let long = "x7Kq2mVb9".repeat(9);
        let texts = ["", "changeme", "<password>", "x7Kq2mVb9", "db_password", "required|string", "f(x)", "12", &long];
        let others: Vec<String> = (0..10 * SLOTS).map(|number| format!("value-{number}")).collect();
        for text in texts.iter().copied().chain(others.iter().map(String::as_str)).chain(texts) {
            for _ in 0..2 {
                let v = text.as_bytes();
                assert_eq!(values.value_type(v), value_type(v), "{text}");
                use Question::*;
                for question in [IsPlaceholder, NamesASecret, IsCode, SaysNothing, IsRandom] {
                    assert_eq!(values.ask(question, v), question.of(v), "{text}");
                }
            }
        }
    }
}
