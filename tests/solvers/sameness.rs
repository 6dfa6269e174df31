//! The same bits at every number of threads and every level of the CPU.

use optrun::diag::Diagnostics;
use optrun::numeric::dispatch::Level;
use optrun::results::Results;
use optrun::run::{Options, Silent, execute};
use optrun::source::Sources;
use optrun::{check, plan, syntax};

const SPEC: &str = "dataset d {
  s = linspace(0, 9.5, 203)
  y = 7*exp(-s) + 3*exp(-s/4.5) + 0.01*sin(7*s)
}
hyper first = 5
param A = [first, 4]
param tau = [0.5, 5]
loss rss = sum((A[0]*exp(-s/tau[0]) + A[1]*exp(-s/tau[1]) - y)^2)
loss J = rss + 0.01*sum(abs(A))
sweep fit { minimize rss; optimizer in [newton(damping = armijo), lbfgs(memory in [3, 10]), levenberg_marquardt, nelder_mead, backtracking]; first in [4, 5, 6]; steps = 60; record rss, A, tau }
sweep prox { minimize J; optimizer = proximal(lr = 1e-4, acceleration in [none, fista]); first in [4, 5]; steps = 60; record J, A }
table t { from fit; rows optimizer, memory, first; show rss, standard_error(A), evaluations }
";

/// Every number of the results, as bits; all that is no number is one.
fn bits(results: &Results) -> Vec<(String, Vec<u64>)> {
    let bits = |x: f64| if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() };
    let runs = results.sweeps.iter().flat_map(|sweep| {
        sweep.runs().map(move |run| {
            let folded = (0..sweep.folds.len()).flat_map(move |fold| run.folded(fold).unwrap_or_default().to_vec());
            let traced = (0..sweep.traced.len()).flat_map(move |column| run.trace().column(column));
            let head = format!("{} {:?} {} {} {}", run.optimizer, run.status, run.reason, run.steps, run.evaluations);
            (head, folded.chain(traced).map(bits).collect())
        })
    });
    runs.collect()
}

#[test]
fn nothing_but_the_plan_changes_a_bit() {
    let mut sources = Sources::new();
    let mut diagnostics = Diagnostics::new();
    let root = sources.add("spec.opt", ".", SPEC, false);
    let (file, _) = syntax::parse(&sources, root);
    let program = check::check(&mut sources, root, file, None, &mut diagnostics).unwrap_or_else(|| panic!("{:#?}", diagnostics.list));
    let plan = plan::plan(&program, &[], &plan::Limits::default(), &mut diagnostics).expect("a plan");
    let with = |options: Options| bits(&execute(&plan, &options, &Silent).expect("it runs"));
    let expected = with(Options { level: Level::Baseline, ..Options::default() });
    assert!(expected.len() == 22 && expected.iter().all(|(_, numbers)| numbers.len() > 10));
    for threads in [1, 2, 3, 8] {
        assert!(with(Options { threads, ..Options::default() }) == expected, "{threads} threads");
    }
    for level in Level::ALL.into_iter().filter(|level| *level <= Level::current()) {
        assert!(with(Options { level, ..Options::default() }) == expected, "{level:?}");
    }
    assert!(with(Options { block: Some(8), ..Options::default() }) == expected, "short blocks");
}
