//! Nothing is allocated between the second and the last step of a run.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "execution/support.rs"]
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use optrun::expr::graph::InputKind;
use optrun::plan::unit::{Measure, Order, SweepPlan};
use optrun::results::Fold;
use optrun::run::{Options, Silent, execute};
use optrun::shape::Shape;
use support::{Shorthand, batches, line, logistic, momentum, plan, sweep};

/// The system's allocator, counted.
struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code, reason = "a global allocator is an unsafe trait; every call is passed on")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The least of three runs: the harness has a thread of its own, which may allocate meanwhile.
fn allocations(sweep: &SweepPlan, budget: u64) -> usize {
    let mut sweep = sweep.clone();
    sweep.units[0].budget = budget;
    let plan = plan(sweep);
    let run = |_| {
        let before = COUNT.load(Relaxed);
        execute(&plan, &Options::default(), &Silent).unwrap();
        COUNT.load(Relaxed) - before
    };
    (0..3).map(run).min().unwrap()
}

/// Logistic regression with momentum, traced at each step, with every kind of fold.
fn full(cells: usize) -> SweepPlan {
    let mut model = logistic();
    let mean = model.mean_loss();
    let starts = model.starts.clone();
    let (mut unit, gradients, numbers) = model.unit(&["lr", "beta"], 2);
    momentum(&mut unit, &gradients, numbers[0], numbers[1]);
    let t = unit.graph.input("t", InputKind::Step, Shape::scalar());
    unit.step = unit.graph.as_input(t);
    let rate = unit.graph.div_(numbers[0], t);
    let quantities = [("loss", Measure::Row(mean)), ("rate", Measure::Step(rate)), ("w", Measure::Row(unit.params[0].input))];
    let never = unit.graph.number(0.0);
    unit.stop = Some(Measure::Row(never));
    let lanes = vec![&[1e-5, 0.5][..]; cells];
    let mut sweep = sweep(unit, &quantities, &starts, &lanes);
    sweep.folds.extend([
        Fold::Lowest(0),
        Fold::Average { of: 0, last: 2 },
        Fold::AtLowest { what: 2, of: 0 },
        Fold::Previous(0),
        Fold::Count(0),
    ]);
    sweep
}

#[test]
fn steps_allocate_nothing() {
    let mut programs = vec![full(1), full(8)];
    for order in [Order::InOrder, Order::Shuffled(1), Order::Cumulatively(1), Order::Drawn(1)] {
        let mut sweep = full(8);
        batches(&mut sweep.units[0], 32, false, order);
        // With an event, and rows recorded apart from steps.
        let unit = &mut sweep.units[0];
        let half = unit.graph.number(0.5);
        unit.states[0].next_epoch = Some(unit.graph.mul_(half, unit.states[0].input));
        programs.push(sweep);
    }
    let model = line();
    let starts = model.starts.clone();
    let (mut unit, gradients, numbers) = model.unit(&["lr", "beta"], 2);
    momentum(&mut unit, &gradients, numbers[0], numbers[1]);
    batches(&mut unit, 1, false, Order::InOrder);
    let quantities = [("b", Measure::Row(unit.params[0].input))];
    programs.push(sweep(unit, &quantities, &starts, &[&[1e-4, 0.5]]));
    for (number, sweep) in programs.iter().enumerate() {
        // The first run may set up what lasts as long as the process.
        allocations(sweep, 2);
        // On the tape; then, from some number of steps on, by machine code.
        assert_eq!(allocations(sweep, 20), allocations(sweep, 2), "program {number}");
        assert_eq!(allocations(sweep, 5000), allocations(sweep, 500), "program {number}, many steps");
    }
    // The counter counts: a longer trace is a larger allocation, not another one, but another cell is.
    assert!(allocations(&full(8), 2) > allocations(&full(1), 2));
}
