//! Writes what the workloads read: raw numbers for the peers, CSV for optrun, and the specs beside them, all into one folder.
//!
//! Measured data come from `specs/data`. What is drawn comes from optrun's own generator (section 15 of `docs/language.md`), seed 7, purpose
//! `bench`, the file's name; it measures nothing.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use optrun::numeric::elementary::{exp, ln};
use optrun::numeric::mt19937::RandomState;
use optrun::numeric::random::Stream;

/// Where the repository's own files are.
pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Writes everything into `folder`, which is made if need be.
pub(crate) fn write(folder: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot write the inputs to `{}`: {error}", folder.display());
    fs::create_dir_all(folder).map_err(failed)?;
    copy_specs_and_data(folder).map_err(failed)?;
    let to = To(folder);
    biopsies(&to).and_then(|()| tumours(&to)).and_then(|()| sweeps(&to)).and_then(|()| networks(&to)).map_err(failed)
}

/// The specs of the repository and the data files that they read; W11 with each number of rows.
fn copy_specs_and_data(folder: &Path) -> std::io::Result<()> {
    let root = Path::new(ROOT);
    for name in ["breast-cancer-wisconsin.data", "breast_cancer_wdbc.csv"] {
        fs::copy(root.join("specs/data").join(name), folder.join(name))?;
    }
    let lines = |rows: &[Vec<usize>]| {
        rows.iter().map(|row| row.iter().map(usize::to_string).collect::<Vec<_>>().join(",") + "\n").collect::<String>()
    };
    fs::write(folder.join("wisconsin_order.csv"), lines(&orders()))?;
    let start: Vec<String> = start()[..30].iter().map(ToString::to_string).collect();
    fs::write(folder.join("wdbc_start.csv"), format!("W\n{}\n", start.join("\n")))?;
    for entry in fs::read_dir(root.join("benches/workloads"))? {
        let entry = entry?;
        fs::copy(entry.path(), folder.join(entry.file_name()))?;
    }
    for n in [1_000, 10_000, 100_000, 1_000_000] {
        fs::write(folder.join(format!("w11_{n}.opt")), w11(n)?)?;
    }
    Ok(())
}

/// The text of W11 with so many rows.
pub(crate) fn w11(rows: usize) -> std::io::Result<String> {
    Ok(fs::read_to_string(Path::new(ROOT).join("benches/workloads/w11.opt"))?.replace("1_000", &rows.to_string()))
}

struct To<'a>(&'a Path);

impl To<'_> {
    fn doubles(&self, name: &str, x: &[f64]) -> std::io::Result<()> {
        fs::write(self.0.join(format!("{name}.f64")), x.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
    }

    fn integers(&self, name: &str, x: &[usize]) -> std::io::Result<()> {
        fs::write(self.0.join(format!("{name}.i32")), x.iter().flat_map(|&x| (x as u32).to_le_bytes()).collect::<Vec<u8>>())
    }

    /// Numbers without a header; they are written so that they are read as the same bits.
    fn csv<T: std::fmt::Display>(&self, name: &str, x: &[T], columns: usize) -> std::io::Result<()> {
        let mut text = String::new();
        for row in x.chunks(columns) {
            for (j, x) in row.iter().enumerate() {
                let _ = write!(text, "{}{x}", if j > 0 { "," } else { "" });
            }
            text.push('\n');
        }
        fs::write(self.0.join(format!("{name}.csv")), text)
    }

    /// Both.
    fn matrix(&self, name: &str, x: &[f64], columns: usize) -> std::io::Result<()> {
        self.doubles(name, x)?;
        self.csv(name, x, columns)
    }
}

fn data(name: &str) -> std::io::Result<Vec<Vec<f64>>> {
    let text = fs::read_to_string(Path::new(ROOT).join("specs/data").join(name))?;
    let numbers = |line: &str| line.split(',').map(|cell| cell.trim().parse().unwrap_or(f64::NAN)).collect();
    Ok(text.lines().map(numbers).collect())
}

/// W1, W2, W6 and W11: ones and nine measurements, the missing ones replaced by their median, which is 1.
fn biopsies(to: &To<'_>) -> std::io::Result<()> {
    let rows = data("breast-cancer-wisconsin.data")?;
    let known = |x: f64| if x.is_nan() { 1.0 } else { x };
    let x: Vec<f64> = rows.iter().flat_map(|row| std::iter::once(1.0).chain(row[1..10].iter().map(|&x| known(x)))).collect();
    let y: Vec<f64> = rows.iter().map(|row| row[10] / 2.0 - 1.0).collect();
    to.doubles("wisconsin_X", &x)?;
    to.doubles("wisconsin_y", &y)?;
    to.integers("wisconsin_order", &orders().concat())
}

/// The order of the 699 rows in each of 100 epochs: NumPy's `RandomState(42).shuffle`, again and again.
fn orders() -> Vec<Vec<usize>> {
    let mut state = RandomState::new(42);
    let mut order: Vec<usize> = (0..699).collect();
    let mut next = || {
        state.shuffle(&mut order);
        order.clone()
    };
    (0..100).map(|_| next()).collect()
}

/// The weights and the bias that W4 starts from: NumPy's `RandomState(42).randn(31)`.
fn start() -> Vec<f64> {
    let mut state = RandomState::new(42);
    (0..31).map(|_| state.normal()).collect()
}

/// W4: 30 measurements, standardized.
fn tumours(to: &To<'_>) -> std::io::Result<()> {
    let rows: Vec<Vec<f64>> = data("breast_cancer_wdbc.csv")?.into_iter().skip(1).collect();
    let n = rows.len() as f64;
    let mut x = vec![0.0; rows.len() * 30];
    for j in 0..30 {
        let mean = rows.iter().map(|row| row[j]).sum::<f64>() / n;
        let deviation = (rows.iter().map(|row| (row[j] - mean) * (row[j] - mean)).sum::<f64>() / n).sqrt();
        for (i, row) in rows.iter().enumerate() {
            x[i * 30 + j] = (row[j] - mean) / deviation;
        }
    }
    to.doubles("cancer_X", &x)?;
    to.doubles("cancer_y", &rows.iter().map(|row| row[30]).collect::<Vec<_>>())?;
    to.doubles("cancer_start", &start())
}

/// W5, W6 and W9: the values of their axes.
fn sweeps(to: &To<'_>) -> std::io::Result<()> {
    let geometric = |low: f64, high: f64, n: usize| -> Vec<f64> {
        (0..n).map(|i| exp(ln(low) + (ln(high) - ln(low)) * i as f64 / (n as f64 - 1.0))).collect()
    };
    to.doubles("rates_w5", &geometric(1e-3, 0.5, 1_000))?;
    to.doubles("rates_w6", &geometric(1e-6, 1e-2, 64))?;
    let starts = (0..500).flat_map(|i| [23.0 + f64::from(i / 20) * (4.0 / 24.0), 18.0 + f64::from(i % 20) * (4.0 / 19.0)]);
    to.doubles("starts", &starts.collect::<Vec<_>>())
}

fn stream(name: &str) -> Stream {
    Stream::new(7, "bench", name, &[])
}

/// W7 and W8: images of ten kinds, other images, and normal numbers.
fn networks(to: &To<'_>) -> std::io::Result<()> {
    // 1,797 images of 8 by 8 in 17 greys: one of ten patterns, and noise
    let mut draw = stream("digits");
    let patterns: Vec<f64> = (0..10 * 64).map(|_| draw.uniform_between(0.0, 16.0)).collect();
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..1797 {
        let label = draw.choice(10).unwrap_or(0);
        pixels.extend(patterns[label * 64..][..64].iter().map(|x| draw.normal_with(*x, 6.0).round().clamp(0.0, 16.0)));
        labels.push(label);
    }
    let rows = pixels.chunks(64).zip(&labels).flat_map(|(x, &y)| x.iter().copied().chain([y as f64]));
    to.csv("digits", &rows.collect::<Vec<_>>(), 65)?;
    to.doubles("digits_X", &pixels.iter().map(|x| x / 16.0).collect::<Vec<_>>())?;
    to.integers("digits_y", &labels)?;
    let mut draw = stream("digits_order");
    let order: Vec<usize> = (0..30).flat_map(|_| draw.permutation(1797)).collect();
    to.integers("digits_order", &order)?;
    to.csv("digits_order", &order, 1797)?;

    let normal = |name: &str, n: usize, deviation: f64| -> Vec<f64> {
        let mut draw = stream(name);
        (0..n).map(|_| draw.normal_with(0.0, deviation)).collect()
    };
    to.matrix("mlp_first", &normal("mlp_first", 64 * 32, 1.0 / 8.0), 32)?;
    to.matrix("mlp_second", &normal("mlp_second", 32 * 10, 1.0 / 32f64.sqrt()), 10)?;

    let mut draw = stream("images");
    let pixels: Vec<u8> = (0..5_000 * 784).map(|_| (draw.next_u64() >> 56) as u8).collect();
    to.csv("images", &pixels, 784)?;
    to.doubles("images", &pixels.iter().map(|&x| f64::from(x) / 255.0).collect::<Vec<_>>())?;
    let reach = (6.0f64 / (784.0 + 100.0 + 1.0)).sqrt();
    for (name, columns) in [("encoder", 100), ("decoder", 784)] {
        let mut draw = stream(name);
        to.matrix(name, &(0..784 * 100).map(|_| draw.uniform_between(-reach, reach)).collect::<Vec<_>>(), columns)?;
    }

    to.matrix("samples", &normal("samples", 200 * 50, 1.0), 50)?;
    to.matrix("samples_start", &normal("samples_start", 50 * 50, 0.3), 50)
}
