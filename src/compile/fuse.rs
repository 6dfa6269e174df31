//! Superinstructions: neighbours in a pass that are carried out together, with the same bits as one after the other.
//!
//! It changes no value that anything else reads.

use super::tape::{Address, Instr, Logistic, Operand, Read};
use crate::expr::op::{Binary, Unary};

/// Fuses what can be fused in the body of a pass; `is_zero` says whether a value is the constant 0, and `is_complement` of two columns
/// whether the first is one less the second, and whether it is the second negated.
pub(super) fn fuse(body: &mut Vec<Instr>, is_zero: &dyn Fn(u32) -> bool, is_complement: &dyn Fn(u32, u32) -> [bool; 2]) {
    let mut start = 0;
    while start < body.len() {
        if let Some((members, mut fused)) = logistic(body, start, is_zero) {
            if let (Some([right, left]), Some((_, y))) = (fused.slopes, fused.residual)
                && let [Some(right), Some(left), Some(y)] = [right, left, y].map(|operand| column(body, operand))
                && is_complement(right, y)[0]
                && is_complement(left, y)[1]
            {
                fused.slopes = None;
            }
            body[start] = Instr::Logistic(fused);
            let mut position = 0;
            body.retain(|_| {
                position += 1;
                position - 1 == start || !members.contains(&(position - 1))
            });
        }
        start += 1;
    }
    // Columns that nobody reads any more.
    let unread: Vec<u32> =
        body.iter().filter_map(|instr| widened(instr).filter(|(out, _)| uses(body, *out) == 0)).map(|(out, _)| out.base).collect();
    body.retain(|instr| widened(instr).is_none_or(|(out, _)| !unread.contains(&out.base)));
}

/// What is made of a column kept as bytes, and its number.
fn widened(instr: &Instr) -> Option<(Address, u32)> {
    if let Instr::Widen { out, a } = instr { Some((*out, a.address.base)) } else { None }
}

/// The number of the column that is read.
fn column(body: &[Instr], operand: Operand) -> Option<u32> {
    match operand.read {
        Read::Column | Read::Splat => Some(operand.address.base),
        Read::Octets => body.iter().filter_map(widened).find(|(out, _)| *out == operand.address).map(|(_, column)| column),
        _ => None,
    }
}

/// Whether an operand is the whole of a value in memory.
fn is(operand: Operand, value: Address) -> bool {
    operand.read == Read::Octets && operand.address == value
}

/// How many operands of the body are the value.
fn uses(body: &[Instr], value: Address) -> usize {
    let mut count = 0;
    for instr in body {
        instr.clone().addresses(&mut |address, writes| count += usize::from(!writes && address.base == value.base));
    }
    count
}

/// The logistic loss whose `exp(-|z|)` is at `start`, and the positions of the other instructions that it stands for. What they hand on to
/// each other must be read by nobody else; all they read is there before `start`.
fn logistic(body: &[Instr], start: usize, is_zero: &dyn Fn(u32) -> bool) -> Option<(Vec<usize>, Logistic)> {
    let Instr::Unary { op: Unary::ExpNegAbs, out: e, a: z, n: 1 } = body[start] else { return None };
    if z.read != Read::Octets {
        return None;
    }
    let is_data = |operand: Operand| column(body, operand).is_some();
    let later = || body.iter().enumerate().skip(start + 1);
    let (log, logs) = later().find_map(|(at, instr)| match *instr {
        Instr::Log1p { acc, a } if is(a, e) => Some((at, acc)),
        _ => None,
    })?;
    let (test, positive) = later().find_map(|(at, instr)| match *instr {
        Instr::Binary { op: Binary::Lt, out, a, b, .. } if is(b, z.address) && is_zero(a.address.base) => Some((at, out)),
        _ => None,
    })?;
    let (choice, slope, right, left) = later().find_map(|(at, instr)| match *instr {
        Instr::Select { out, c, a, b, .. } if is(c, positive) && is_data(a) && is_data(b) => Some((at, out, a, b)),
        _ => None,
    })?;
    let (hinge, hinges) = later().find_map(|(at, instr)| match *instr {
        Instr::Dot { acc, a, b } if is(a, z.address) && is(b, slope) => Some((at, acc)),
        _ => None,
    })?;
    let mut members = vec![log, test, choice, hinge];
    let sigmoid = later().find_map(|(at, instr)| match *instr {
        Instr::SigmoidOf { e: of, out, .. } if is(of, e) => Some((at, out)),
        _ => None,
    });
    let mut residual = None;
    if let Some((at, p)) = sigmoid {
        let (less, out, y) = later().find_map(|(at, instr)| match *instr {
            Instr::Binary { op: Binary::Sub, out, a, b, .. } if is(a, p) && is_data(b) => Some((at, out, b)),
            _ => None,
        })?;
        if uses(body, p) != 1 {
            return None;
        }
        members.extend([at, less]);
        residual = Some((out, y));
    }
    let readers = 1 + usize::from(residual.is_some());
    let alone = uses(body, e) == readers && uses(body, positive) == 1 && uses(body, slope) == 1;
    alone.then_some((members, Logistic { z, slopes: Some([right, left]), hinges, logs, residual }))
}
