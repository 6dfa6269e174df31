//! How cost grows: with rows, cells, recorded points, and with the size of the graph. Each a table of time per unit.
//!
//! It writes the specs that it needs beside the others and compares optrun with itself only.
#![allow(clippy::print_stdout, reason = "this is what a person runs it for")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::optrun::Optrun;
use crate::show::seconds;

const SLICE: Duration = Duration::from_millis(100);

/// Prints the four tables.
pub(crate) fn tables(optrun: &Optrun, folder: &Path) -> Result<(), String> {
    println!("Rows: W11, 20 epochs, the loss recorded after each");
    for n in [1_000, 10_000, 100_000, 1_000_000] {
        let (time, _) = optrun.least(&format!("w11_{n}"), "full", 1, SLICE)?;
        line(n, time, "row and epoch", n as f64 * 20.0);
    }
    println!("\nCells: W5 with Adam, 20 steps, the point recorded after each");
    for n in [1, 10, 100, 1_000, 10_000] {
        let rates = if n == 1 { "= 0.1".into() } else { format!("in geomspace(1e-3, 0.5, {n})") };
        let text = bowl(&format!("lr {rates}; steps = 20; record w each step"));
        line(n, run(optrun, folder, "scale_cells", &text)?, "cell and step", n as f64 * 20.0);
    }
    println!("\nRecorded points: W5 with Adam, one cell");
    for n in [1_000, 10_000, 100_000, 1_000_000] {
        let text = bowl(&format!("lr = 0.1; steps = {n}; record w each step"));
        line(n, run(optrun, folder, "scale_points", &text)?, "point", n as f64);
    }
    println!("\nGraphs: each stage for a chain of h + sin(h)/1000, ten steps, and for a sum of sines");
    for links in [250, 2_500] {
        graph(optrun, folder, &format!("chain of {} nodes", links * 4), &chain(links))?;
    }
    for terms in [250, 2_500] {
        graph(optrun, folder, &format!("sum of {} nodes", terms * 4), &wide(terms))?;
    }
    Ok(())
}

fn line(n: usize, time: f64, unit: &str, units: f64) {
    println!("{n:>10}  {:>9}  {:>9} a {unit}", seconds(time), seconds(time / units));
}

fn bowl(items: &str) -> String {
    format!(
        "param w = [-5, -2]\nloss bowl = 0.1*w[0]^2 + 2*w[1]^2\n\
         sweep full {{ minimize bowl; optimizer = adam(root = inside, eps = 1e-6); {items} }}\n"
    )
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    fs::write(folder.join(format!("{name}.opt")), text).map_err(|error| format!("cannot write {name}.opt: {error}"))
}

fn run(optrun: &Optrun, folder: &Path, name: &str, text: &str) -> Result<f64, String> {
    write(folder, name, text)?;
    Ok(optrun.least(name, "full", 1, SLICE)?.0)
}

/// A network that is unrolled: each link is a definition of its own and uses the one before.
fn chain(links: usize) -> String {
    let mut text = "param x = 1\nlet h0 = x\n".to_owned();
    for i in 1..=links {
        let _ = writeln!(text, "let h{i} = h{before} + sin(h{before})/1000", before = i - 1);
    }
    let _ = writeln!(text, "loss f = h{links}^2\nsweep full {{ minimize f; optimizer = gd; lr = 1e-3; steps = 10 }}");
    text
}

/// A long formula.
fn wide(terms: usize) -> String {
    let terms: Vec<String> = (1..=terms).map(|i| format!("sin({i}*x)/{i}")).collect();
    format!("param x = 1\nloss f = {}\nsweep full {{ minimize f; optimizer = gd; lr = 1e-3; steps = 10 }}\n", terms.join("\n  + "))
}

fn graph(optrun: &Optrun, folder: &Path, what: &str, text: &str) -> Result<(), String> {
    write(folder, "scale_graph", text)?;
    match optrun.run("scale_graph", "full", 1) {
        Ok(ran) => {
            let stages = ["parse", "check", "plan", "compile", "run"].into_iter();
            let times = stages.filter_map(|stage| Some(format!("{stage} {}", seconds(ran.seconds(stage).ok()?))));
            println!("{what:>24}  {}", times.collect::<Vec<_>>().join(", "));
        }
        Err(why) => println!("{what:>24}  not measured: {why}"),
    }
    Ok(())
}
