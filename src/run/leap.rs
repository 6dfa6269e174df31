//! Many steps at once: units whose step is small run as machine code, from one point that asks for something to the next.
//!
//! It decides nothing: a step that the code does not want to store is left to the tape, which says why.

use super::group::{Life, State};
use super::machine::{self, Linked};
use super::program::Hand;
use crate::compile::buffer::Buffer;
use crate::compile::chain::{Chained, Record, Step, chain};
use crate::compile::fixed::Fixed;
use crate::compile::tape::Lanes;
use crate::compile::{Request, compile};
use crate::expr::graph::{Graph, Id};
use crate::expr::op::InputId;
use crate::native::{Call, Native, Width};
use crate::numeric::dispatch::Level;
use crate::plan::unit::{Order, Unit};
use crate::shape::Dim;

/// Steps of groups from which on it pays to translate.
const WORTH: u64 = 200;
/// Numbers that are recorded by one call: they stay in the nearest cache while room is made for them and while they are written.
const RECORDS: usize = 2048;
/// Steps of one call.
const STEPS: u64 = 1024;
/// Steps whose clock is kept from one group to the next.
const CLOCK: u64 = 4096;
/// Steps whose clock is made at once, at least.
const AHEAD: u64 = 64;
/// Steps that are left to the tape when it had to help out.
const PAUSE: u64 = 16;

/// What the steps of a unit are.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) graph: &'a Graph,
    pub(super) unit: &'a Unit,
    /// What is fixed in a step, and what is fixed where all rows are seen.
    pub(super) fixed: &'a Fixed,
    pub(super) whole: &'a Fixed,
    pub(super) inputs: &'a [(InputId, usize)],
    /// Inputs of the clock; none for the number of steps planned.
    pub(super) clock: &'a [(InputId, Option<Hand>)],
    pub(super) lanes: Lanes,
    pub(super) level: Level,
    pub(super) kept: &'a [(Id, usize)],
    pub(super) records: &'a [Record],
    /// What is measured at a point, and the octets for it; empty when another tape measures it.
    pub(super) points: &'a [(Id, usize)],
    /// Groups of cells that will run.
    pub(super) groups: usize,
}

/// Machine code for the steps of a unit.
#[derive(Debug)]
pub(super) struct Leap {
    steps: Native,
    clock: Option<Clock>,
    /// What is measured at a point, without a step.
    point: Option<(Native, Option<Clock>)>,
    event: Option<Native>,
    /// Numbers recorded in a step, of all lanes.
    records: usize,
    /// The rows that steps see, one after the other.
    data: Vec<f64>,
    sees_rows: bool,
    /// The most steps of one call.
    most: u64,
}

/// The numbers of the clock of eight steps at a time, by a tape whose lanes are steps.
#[derive(Debug)]
struct Clock {
    tape: Linked,
    hands: Vec<(usize, Option<Hand>)>,
}

/// What a job has for it.
#[derive(Debug, Default)]
pub(super) struct Pad {
    steps: Face,
    point: Face,
    spare: Vec<f64>,
    /// Steps that are left to the tape.
    pause: u64,
}

/// The numbers of a clock from a step on.
#[derive(Debug, Default)]
struct Face {
    memory: Buffer,
    numbers: Vec<f64>,
    from: u64,
}

impl Leap {
    /// Translates the steps of a unit, if they are small and there are enough of them.
    pub(super) fn of(ask: &Ask) -> Option<Leap> {
        let unit = ask.unit;
        if (ask.groups as u64).saturating_mul(unit.budget) < WORTH {
            return None;
        }
        let batch = unit.batches.as_ref();
        if batch.is_some_and(|batches| batches.size != 1) || !unit.noise.is_empty() {
            return None;
        }
        let slots = |next: fn(&crate::plan::unit::Slot) -> Id| -> Vec<(Id, Id)> {
            unit.params.iter().chain(&unit.states).map(|slot| (slot.input, next(slot))).collect()
        };
        let changing = |slots: &[(Id, Id)]| -> Vec<Id> {
            slots[..unit.params.len()].iter().filter(|(input, next)| input != next).map(|(_, next)| *next).collect()
        };
        let clock: Vec<InputId> = ask.clock.iter().map(|(input, _)| *input).collect();
        let in_step = slots(|slot| slot.next);
        let mut finite = changing(&in_step);
        finite.push(unit.loss);
        let step = Step {
            graph: ask.graph,
            fixed: ask.fixed,
            batch: batch.map(|batches| batches.data),
            inputs: ask.inputs,
            clock: &clock,
            lanes: ask.lanes,
            slots: &in_step,
            kept: ask.kept,
            records: ask.records,
            finite: &finite,
        };
        let width = if ask.lanes == Lanes::One { Width::One } else { Width::Eight };
        let chained = chain(&step)?;
        let steps = Native::new(&chained.chain, width, ask.level, None)?;
        let in_event = slots(|slot| slot.next_epoch.unwrap_or(slot.input));
        let event = Step { slots: &in_event, kept: &[], records: &[], finite: &changing(&in_event), fixed: ask.whole, batch: None, ..step };
        // An event is what happens between steps, so it cannot be left out of them.
        let happens = in_event.iter().any(|(input, next)| input != next);
        let event = if happens { chain(&event).filter(|event| event.clock.is_empty() && event.columns.is_empty()) } else { None };
        let point = Step { slots: &[], kept: ask.points, records: &[], finite: &[], ..step };
        let point = if ask.points.is_empty() { None } else { chain(&point) };
        let point = point.and_then(|point| {
            let code = Native::new(&point.chain, width, ask.level, None)?;
            Some((code, (!point.clock.is_empty()).then(|| Clock::of(ask, &point))))
        });
        let records = chained.chain.records.len() * ask.lanes.count();
        Some(Leap {
            steps,
            point,
            event: event.and_then(|event| Native::new(&event.chain, width, ask.level, None)),
            records,
            clock: (!chained.clock.is_empty()).then(|| Clock::of(ask, &chained)),
            data: rows(ask, &chained),
            sees_rows: chained.chain.features > 0,
            most: RECORDS.checked_div(records).map_or(STEPS, |most| most.clamp(8, 512) as u64),
        })
    }
}

/// The columns that a chain sees, row by row.
fn rows(ask: &Ask, chained: &Chained) -> Vec<f64> {
    let Some(batches) = &ask.unit.batches else { return Vec::new() };
    let count = ask.unit.rows.of(Dim::Rows(batches.data));
    let mut data = Vec::with_capacity(count * chained.chain.features);
    for row in 0..count {
        for &column in &chained.columns {
            let column = &ask.fixed.columns()[column as usize];
            let first = row / 8 * column.features * 8 + row % 8;
            data.extend((0..column.features).map(|feature| column.buffer.numbers()[first + feature * 8]));
        }
    }
    data
}

impl Clock {
    fn of(ask: &Ask, chained: &Chained) -> Clock {
        let inputs: Vec<(InputId, usize)> = ask.clock.iter().enumerate().map(|(octet, (input, _))| (*input, octet)).collect();
        let request = Request {
            graph: ask.graph,
            roots: &chained.clock,
            rows: &ask.unit.rows,
            fixed: ask.fixed,
            inputs: &inputs,
            start: inputs.len(),
            lanes: Lanes::Eight,
            block: None,
        };
        let tape = Linked::new(compile(&request), ask.level);
        Clock { tape, hands: ask.clock.iter().enumerate().map(|(octet, (_, hand))| (octet, *hand)).collect() }
    }

    /// Appends the numbers of so many steps after `first` updates.
    fn show(&self, unit: &Unit, face: &mut Face, first: u64, steps: u64) {
        if face.memory.octets().is_empty() {
            face.memory = Buffer::zeros(self.tape.end);
            face.numbers.reserve_exact(unit.budget.saturating_add(1).min(CLOCK) as usize * self.tape.roots.len());
            machine::prepare(&self.tape, &mut face.memory);
        }
        let epochs = unit.steps_per_epoch.max(1);
        for eight in (first..first + steps).step_by(8) {
            for &(octet, hand) in &self.hands {
                face.memory.octets_mut()[octet] = std::array::from_fn(|lane| {
                    let done = eight + lane as u64;
                    let count = match hand {
                        None => unit.budget,
                        Some(Hand::Step) => done + 1,
                        Some(Hand::Epoch) => done / epochs + 1,
                        Some(Hand::Done) => done,
                        Some(Hand::EpochsDone) => done / epochs,
                    };
                    count as f64
                });
            }
            self.tape.run(&mut face.memory, &[], &unit.rows);
            for lane in 0..8.min((first + steps - eight) as usize) {
                for root in &self.tape.roots {
                    let address = root.operand.address;
                    face.numbers.push(face.memory.octets()[address.base as usize + address.element as usize][lane]);
                }
            }
        }
    }

    /// Sees to the numbers of steps from `done` on, and says for how many of them they are there, and where they begin.
    fn ready(&self, unit: &Unit, face: &mut Face, done: u64, steps: u64) -> (u64, usize) {
        let width = self.tape.roots.len();
        let mut end = face.from + (face.numbers.len() / width) as u64;
        if done < face.from || done > end || (done == end && end - face.from >= CLOCK) {
            face.numbers.clear();
            (face.from, end) = (done, done);
        }
        if done + steps > end {
            let ahead = (done + steps - end).max(AHEAD).min(unit.budget.saturating_add(1) - end);
            let more = ahead.min(CLOCK - (end - face.from));
            self.show(unit, face, end, more);
            end += more;
        }
        ((end - done).min(steps), (done - face.from) as usize * width)
    }
}

impl State<'_> {
    /// Makes up to so many steps by machine code; says how many. When fewer, the next one is the tape's.
    pub(super) fn leap(&mut self, leap: &Leap, steps: u64) -> u64 {
        if self.pad.pause > 0 {
            self.pad.pause -= 1;
            return 0;
        }
        let (unit, program) = (self.unit, self.program);
        let epoch = unit.steps_per_epoch.max(1);
        let in_order = unit.batches.as_ref().is_none_or(|batches| matches!(batches.order, Order::InOrder));
        let by_epochs = program.event.is_some() || !in_order;
        let live = self.live();
        let mut made = 0;
        while made < steps && !self.closing {
            let mut now = (steps - made).min(leap.most);
            if by_epochs {
                now = now.min(epoch - self.in_epoch);
            }
            let mut order: &[u32] = &[];
            if let Some(tray) = self.tray.as_mut().filter(|_| leap.sees_rows) {
                order = tray.order(self.epochs);
                if order.len() as u64 != epoch {
                    break;
                }
            }
            let mut clock = 0;
            if let Some(hands) = &leap.clock {
                (now, clock) = hands.ready(unit, &mut self.pad.steps, self.done, now);
            }
            let block = &mut self.recorder.block;
            let first = block.len();
            block.resize(first + now as usize * leap.records, 0.0);
            let done = leap.steps.run(&mut Call {
                memory: self.memory.numbers_mut(),
                records: &mut block[first..],
                every_step: true,
                clock: &self.pad.steps.numbers[clock..],
                rows: order,
                first: self.in_epoch as usize,
                data: &leap.data,
                steps: now as usize,
                live,
                spare: &mut self.pad.spare,
            }) as u64;
            block.truncate(first + done as usize * leap.records);
            self.recorder.count(if leap.records > 0 { done } else { 0 });
            made += done;
            self.pass(leap, done);
            if done < now {
                self.pad.pause = PAUSE;
                break;
            }
        }
        made
    }

    /// The lanes that go on, bit by bit.
    fn live(&self) -> u8 {
        self.lives.iter().enumerate().fold(0, |mask, (lane, life)| mask | u8::from(*life == Life::Running) << lane)
    }

    /// Measures by machine code what is measured at this point; says whether it could.
    pub(super) fn measure_by_code(&mut self) -> bool {
        let Some((code, hands)) = self.program.leap.as_ref().and_then(|leap| leap.point.as_ref()) else { return false };
        let mut first = 0;
        if let Some(hands) = hands {
            (_, first) = hands.ready(self.unit, &mut self.pad.point, self.done, 1);
        }
        code.run(&mut Call {
            memory: self.memory.numbers_mut(),
            records: &mut [],
            every_step: false,
            clock: &self.pad.point.numbers[first..],
            rows: &[],
            first: 0,
            data: &[],
            steps: 1,
            live: u8::MAX,
            spare: &mut self.pad.spare,
        }) == 1
    }

    /// So many steps have been made; when they end an epoch, what happens then.
    fn pass(&mut self, leap: &Leap, steps: u64) {
        let (program, epoch) = (self.program, self.unit.steps_per_epoch.max(1));
        let Some(event) = program.event.as_ref().filter(|_| steps > 0 && self.in_epoch + steps == epoch) else {
            self.done += steps;
            self.in_epoch += steps;
            self.epochs += self.in_epoch / epoch;
            self.in_epoch %= epoch;
            return;
        };
        self.done += steps - 1;
        if leap.event.is_none() {
            self.show_clock();
        }
        self.done += 1;
        (self.in_epoch, self.epochs) = (0, self.epochs + 1);
        let live = self.live();
        let happened = leap.event.as_ref().is_some_and(|event| {
            let memory = self.memory.numbers_mut();
            let spare = &mut self.pad.spare;
            let (records, clock, rows, data) = (&mut [][..], &[][..], &[][..], &[][..]);
            event.run(&mut Call { memory, records, every_step: false, clock, rows, first: 0, data, steps: 1, live, spare }) == 1
        });
        if !happened {
            self.happen(event);
        }
    }
}
