//! What each step does and in which order, and what is done once before the steps.
//!
//! It knows no registers and no instructions.

use super::chain::{Chain, One, Op, Two, Value};

/// Actions from which on a step is longer than what the CPU sees at once.
const LONG: usize = 100;

/// What is done at a position of the loop.
#[derive(Debug, Clone, Copy)]
pub(super) enum Action {
    Compute(Value),
    Record(Value, usize),
}

pub(super) struct Parts {
    /// Operations that are the same in every step.
    pub(super) before: Vec<Value>,
    pub(super) actions: Vec<Action>,
}

/// What is needed, split into what is done once and what each step does.
pub(super) fn parts(chain: &Chain) -> Parts {
    let mut needed = vec![false; chain.ops.len()];
    let mut varies = vec![false; chain.ops.len()];
    for value in chain.slots.iter().map(|slot| slot.next).chain(chain.records.iter().copied()).chain(chain.check) {
        needed[value as usize] = true;
    }
    for (value, op) in chain.ops.iter().enumerate().rev() {
        if needed[value] {
            op.operands(|operand| needed[operand as usize] = true);
        }
    }
    let mut parts = Parts { before: Vec::new(), actions: Vec::new() };
    for (value, op) in chain.ops.iter().enumerate() {
        varies[value] = matches!(op, Op::Slot(_) | Op::Clock(_) | Op::Row(_));
        op.operands(|operand| varies[value] |= varies[operand as usize]);
        let computed = needed[value] && !op.is_given();
        if computed && varies[value] {
            parts.actions.push(Action::Compute(value as Value));
        } else if computed {
            parts.before.push(value as Value);
        }
        let recorded = chain.records.iter().enumerate().filter(|(_, record)| **record as usize == value);
        parts.actions.extend(recorded.map(|(index, _)| Action::Record(value as Value, index)));
    }
    if parts.actions.len() > LONG {
        side_by_side(chain, &mut parts.actions);
    }
    parts
}

/// Orders a long step by when each operation could begin, so that lines that do not depend on one another stand side by side: the CPU
/// looks only so far ahead.
fn side_by_side(chain: &Chain, actions: &mut [Action]) {
    let mut end = vec![0u32; chain.ops.len()];
    let mut begin = end.clone();
    for (value, op) in chain.ops.iter().enumerate() {
        op.operands(|operand| begin[value] = begin[value].max(end[operand as usize]));
        // About the cycles of recent CPUs; only their order matters.
        let cycles = match op {
            Op::Const(_) | Op::Slot(_) | Op::Own(_) | Op::Clock(_) | Op::Row(_) => 0,
            Op::One(One::Sqrt, _) => 20,
            Op::Two(Two::Div, ..) => 14,
            Op::Two(op, ..) if op.on_bits() => 1,
            Op::One(..) => 1,
            Op::Select(..) => 5,
            Op::BySign(_) => 3,
            Op::Two(..) | Op::Fma { .. } => 4,
        };
        end[value] = begin[value] + cycles;
    }
    actions.sort_by_key(|action| match *action {
        Action::Compute(value) => begin[value as usize],
        Action::Record(value, _) => end[value as usize],
    });
}
