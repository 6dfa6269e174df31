//! The table of workloads: which spec and which peers compute the same thing, at which size, and which of their results must agree.
//!
//! It runs nothing.

/// Which results are compared to 1e-9 relative. The others are left out because rounding errors grow in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agree {
    /// All of them.
    All,
    /// The first so many.
    First(usize),
    /// In each group of so many cells, the first half: rates above are at the edge of stability.
    HalfOf(usize),
    /// All of them after a run of the peer of this size, against a sweep `early` of optrun.
    Early(usize),
}

/// A program in C (of `benches/c`, compiled as said in `peer.rs`), and the name under which it knows the workload.
pub(crate) type InC = (&'static str, &'static str);

/// One workload at its sizes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workload {
    /// Its name, and that by which the Python peers know it.
    pub(crate) name: &'static str,
    /// The spec in `benches/workloads`, without `.opt`.
    pub(crate) spec: &'static str,
    /// What is counted by `full` and `quick`.
    pub(crate) unit: &'static str,
    /// The size of the sweep `full`, or the rows that the spec is written with.
    pub(crate) full: usize,
    /// The size of the sweep `quick`; the same as `full` where that is quick.
    pub(crate) quick: usize,
    /// The quantity whose final value is compared.
    pub(crate) quantity: &'static str,
    pub(crate) agree: Agree,
    pub(crate) plain_c: InC,
    /// Of these the fastest is the best C.
    pub(crate) best_c: &'static [InC],
}

/// W1 to W9 and W11. W10 is the start of the whole process, measured elsewhere.
pub(crate) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "W1",
        spec: "w1",
        unit: "steps",
        full: 10_000,
        quick: 1_000,
        quantity: "log_loss",
        agree: Agree::All,
        plain_c: ("logistic", "W1"),
        best_c: &[("logistic_vector", "W1")],
    },
    Workload {
        name: "W2",
        spec: "w2",
        unit: "epochs",
        full: 100,
        quick: 20,
        quantity: "log_loss",
        agree: Agree::All,
        plain_c: ("logistic", "W2"),
        best_c: &[("logistic_vector", "W2")],
    },
    Workload {
        name: "W3",
        spec: "w3",
        unit: "epochs",
        full: 5_000,
        quick: 500,
        quantity: "squared_error",
        agree: Agree::First(4),
        plain_c: ("chains", "W3"),
        best_c: &[("chains", "W3.interleaved"), ("chains_fast", "W3.interleaved")],
    },
    Workload {
        name: "W4",
        spec: "w4",
        unit: "steps",
        full: 20_000,
        quick: 1_000,
        quantity: "cost",
        agree: Agree::Early(1_000), // the peers record the cost before the update
        plain_c: ("logistic", "W4"),
        best_c: &[("logistic_vector", "W4")],
    },
    Workload {
        name: "W5",
        spec: "w5",
        unit: "steps",
        full: 20,
        quick: 20,
        quantity: "bowl",
        agree: Agree::All,
        plain_c: ("chains", "W5"),
        best_c: &[("chains_vector", "W5")],
    },
    Workload {
        name: "W6",
        spec: "w6",
        unit: "epochs",
        full: 2_000,
        quick: 50,
        quantity: "log_loss",
        agree: Agree::HalfOf(64),
        plain_c: ("logistic", "W6"),
        best_c: &[("dense", "W6.products"), ("logistic_vector", "W6"), ("logistic_vector", "W6.rows")],
    },
    Workload {
        name: "W7.mlp",
        spec: "w7_mlp",
        unit: "epochs",
        full: 30,
        quick: 5,
        quantity: "J",
        agree: Agree::All,
        plain_c: ("dense", "W7.mlp"),
        best_c: &[("dense", "W7.mlp"), ("dense_fast", "W7.mlp")],
    },
    Workload {
        name: "W7.ae",
        spec: "w7_ae",
        unit: "epochs",
        full: 5,
        quick: 1,
        quantity: "cost on batch",
        agree: Agree::All,
        plain_c: ("dense", "W7.ae"),
        best_c: &[("dense", "W7.ae"), ("dense_fast", "W7.ae")],
    },
    Workload {
        name: "W8",
        spec: "w8",
        unit: "steps",
        full: 1_000,
        quick: 200,
        quantity: "J",
        agree: Agree::All,
        plain_c: ("dense", "W8"),
        best_c: &[("dense", "W8"), ("dense_fast", "W8"), ("dense", "W8.plain")],
    },
    Workload {
        name: "W9",
        spec: "w9",
        unit: "steps",
        full: 5_000,
        quick: 200,
        quantity: "ackley",
        agree: Agree::Early(14),
        plain_c: ("chains", "W9"),
        best_c: &[("chains_vector", "W9")],
    },
    rows("W11.1000", "w11_1000", 1_000),
    rows("W11.10000", "w11_10000", 10_000),
    rows("W11.100000", "w11_100000", 100_000),
    rows("W11.1000000", "w11_1000000", 1_000_000),
];

/// The number of rows up to which W11 is measured with `--quick`.
pub(crate) const QUICK_ROWS: usize = 100_000;

const fn rows(name: &'static str, spec: &'static str, n: usize) -> Workload {
    Workload {
        name,
        spec,
        unit: "rows",
        full: n,
        quick: n,
        quantity: "log_loss",
        agree: Agree::All,
        plain_c: ("logistic", "W11"),
        best_c: &[("logistic_vector", "W11"), ("logistic_vector", "W11.bytes")],
    }
}

impl Workload {
    /// The sweep and the size to measure.
    pub(crate) fn at(&self, quick: bool) -> (&'static str, usize) {
        if quick && self.quick != self.full { ("quick", self.quick) } else { ("full", self.full) }
    }

    /// The name by which the Python peers know it.
    pub(crate) fn in_python(&self) -> &'static str {
        if self.unit == "rows" { "W11" } else { self.name }
    }
}

impl Agree {
    /// Whether the result of cell `i` is compared.
    pub(crate) fn covers(self, i: usize) -> bool {
        match self {
            Agree::All | Agree::Early(_) => true,
            Agree::First(n) => i < n,
            Agree::HalfOf(n) => i % n < n / 2,
        }
    }
}
