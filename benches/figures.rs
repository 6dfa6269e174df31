//! Draws one figure of each kind, to be looked at: `cargo run --release --example figures -- FOLDER`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "an example for the eye")]

use std::time::Instant;

use optrun::report::contour::{isolines, levels};
use optrun::report::figure::{
    Axis, CellInk, ColorBar, ColorMap, Figure, Ink, Layer, LegendEntry, LegendGroup, LegendKind, MarkKind, Panel, Scale, Style, Tick,
};
use optrun::report::png::png;
use optrun::report::svg::svg;
use optrun::report::text::describe;
use optrun::report::ticks::{nice_range, ticks};

fn axis(label: &str, scale: Scale, range: (f64, f64), wanted: usize) -> Axis {
    let (t, minor) = ticks(scale, range, wanted);
    Axis { label: label.into(), scale, range, ticks: t, minor }
}

fn names(label: &str, all: &[&str]) -> Axis {
    let ticks = all.iter().enumerate().map(|(i, n)| Tick { at: i as f64, label: (*n).into() }).collect();
    Axis {
        label: label.into(),
        scale: Scale::Categorical,
        range: nice_range(Scale::Categorical, 0.0, all.len() as f64 - 1.0),
        ticks,
        minor: vec![],
    }
}

fn style(i: usize) -> Style {
    Style { color: Ink::Series(i), dash: 0, marker: i }
}

fn entry(label: &str, style: Style, kind: LegendKind) -> LegendEntry {
    LegendEntry { label: label.into(), style, kind }
}

const RULES: [&str; 5] = ["gradient_descent", "momentum", "rmsprop", "adam", "adagrad"];

fn group(title: &str, kind: LegendKind) -> LegendGroup {
    LegendGroup { title: title.into(), entries: RULES.iter().enumerate().map(|(i, r)| entry(r, style(i), kind)).collect() }
}

fn figure(name: &str, panels: Vec<Panel>) -> Figure {
    Figure {
        name: name.into(),
        title: String::new(),
        caption: String::new(),
        size: None,
        panels,
        columns: 1,
        legend: vec![],
        color_bar: None,
        aspect: None,
    }
}

fn loss_curve(rule: usize, i: f64) -> f64 {
    let rates = [0.0004, 0.0009, 0.0017, 0.0024, 0.00012];
    let noise = 1.0 + 0.25 * ((i * 0.013 * (1.0 + rule as f64)).sin() * (i * 0.0031).cos());
    20.0 * (-rates[rule] * i).exp() * noise.max(0.3) + if rule == 2 { 1e-9 * (1.5 + (i * 0.7).sin()) } else { 0.0 }
}

fn losses() -> Figure {
    let layers = (0..5)
        .map(|r| Layer::Line {
            points: (0..=20_000).map(|i| (f64::from(i), loss_curve(r, f64::from(i)))).collect(),
            style: Style { dash: r, ..style(r) },
            width: 1.6,
        })
        .collect();
    let panel = Panel {
        title: String::new(),
        x: axis("iteration", Scale::Linear, (0.0, 20_000.0), 5),
        y: axis("log loss", Scale::Log, nice_range(Scale::Log, 1e-23, 30.0), 7),
        layers,
    };
    let mut f = figure("a_losses", vec![panel]);
    f.title = "Logistic regression on 569 tumours: every rule at its best rate".into();
    f.caption = "Wisconsin breast cancer data, 569 x 30, standardised. One run for each rule; full batches. gradient_descent at 12 of 13 rates stayed finite; the best by final loss is shown.".into();
    f.legend = vec![LegendGroup {
        title: "optimizer".into(),
        entries: RULES.iter().enumerate().map(|(i, r)| entry(r, Style { dash: i, ..style(i) }, LegendKind::Line)).collect(),
    }];
    f
}

fn rates() -> Figure {
    let mut layers = vec![Layer::Ruler { vertical: false, at: 0.693, text: "loss at the start".into() }];
    for r in 0..5 {
        let best: f64 = [-1.0, -2.0, -2.5, -3.0, -1.5][r];
        let points: Vec<(f64, f64)> = (0..13)
            .map(|k| {
                let e: f64 = -6.0 + f64::from(k) * 0.5;
                (10f64.powf(e), 0.02 * (1.0 + r as f64 * 0.3) * 10f64.powf(0.35 * (e - best).abs()))
            })
            .collect();
        let (good, bad): (Vec<_>, Vec<_>) = points.iter().partition(|p| p.0.log10() < best + 0.9);
        layers.push(Layer::Line { points: good.clone(), style: style(r), width: 1.5 });
        layers.push(Layer::Points { points: good, style: style(r) });
        for at in bad.iter().map(|p| (p.0, 8.0 / (1.0 + 0.22 * r as f64))) {
            layers.push(Layer::Mark { at, kind: MarkKind::Diverged, style: style(r) });
        }
    }
    let panel = Panel {
        title: String::new(),
        x: axis("learning rate", Scale::Log, nice_range(Scale::Log, 1e-6, 1.0), 8),
        y: axis("final loss", Scale::Log, nice_range(Scale::Log, 0.015, 9.0), 5),
        layers,
    };
    let mut f = figure("b_rates", vec![panel]);
    f.title = "Final loss against learning rate".into();
    f.legend = vec![
        group("optimizer", LegendKind::LinePoint),
        LegendGroup { title: String::new(), entries: vec![entry("diverged", Style { color: Ink::Black, ..style(0) }, LegendKind::Cross)] },
    ];
    f
}

fn grid(n: usize, low: f64, high: f64) -> Vec<f64> {
    (0..n).map(|i| low + (high - low) * i as f64 / (n - 1) as f64).collect()
}

fn contour_layers(f: impl Fn(f64, f64) -> f64, x: (f64, f64), y: (f64, f64), n: usize) -> (Vec<Layer>, (f64, f64)) {
    let (xs, ys) = (grid(121, x.0, x.1), grid(101, y.0, y.1));
    let values: Vec<f64> = ys.iter().flat_map(|y| xs.iter().map(|x| f(*x, *y)).collect::<Vec<_>>()).collect();
    let levels = levels(&values, n);
    let (low, high) = (levels[0], levels[levels.len() - 1]);
    let ink = |l: f64| Ink::Map((l.log10() - low.log10()) / (high.log10() - low.log10()));
    (levels.iter().map(|&l| Layer::Isoline { level: l, lines: isolines(&xs, &ys, &values, l), ink: ink(l) }).collect(), (low, high))
}

fn rosenbrock(x: f64, y: f64) -> f64 {
    (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2)
}

fn paths() -> Figure {
    let (mut layers, range) = contour_layers(rosenbrock, (-2.0, 2.0), (-1.0, 3.0), 14);
    for r in 0..5 {
        let (mut x, mut y, mut vx, mut vy): (f64, f64, f64, f64) = (-1.5, 2.2, 0.0, 0.0);
        let mut points = vec![(x, y)];
        let (rate, beta) = [(0.0008, 0.0), (0.0004, 0.9), (0.0006, 0.5), (0.0002, 0.95), (0.0045, 0.0)][r];
        for _ in 0..400 {
            let g = (-2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x));
            vx = beta * vx - rate * g.0;
            vy = beta * vy - rate * g.1;
            x += vx;
            y += vy;
            points.push((x, y));
            if x.abs() > 1e3 {
                break;
            }
        }
        let end = *points.iter().rev().find(|p| p.0.abs() < 2.0 && p.1 > -1.0 && p.1 < 3.0).unwrap();
        let last = points[points.len() - 1];
        layers.push(Layer::Line { points, style: style(r), width: 1.6 });
        layers.push(if end == last {
            Layer::Mark { at: end, kind: MarkKind::End, style: style(r) }
        } else {
            Layer::Mark { at: end, kind: MarkKind::Diverged, style: style(r) }
        });
    }
    layers.push(Layer::Mark { at: (-1.5, 2.2), kind: MarkKind::Start, style: Style { color: Ink::Black, ..style(0) } });
    let panel =
        Panel {
            title: String::new(), x: axis("w₁", Scale::Linear, (-2.0, 2.0), 5), y: axis("w₂", Scale::Linear, (-1.0, 3.0), 5), layers
        };
    let mut f = figure("c_contour", vec![panel]);
    f.title = "Five paths over Rosenbrock's valley".into();
    f.legend = vec![group("optimizer", LegendKind::Line)];
    f.color_bar = Some(ColorBar { axis: axis("rosenbrock", Scale::Log, range, 5), map: ColorMap::Plain });
    f
}

fn heat() -> Figure {
    let edges = |n: usize, low: f64, high: f64| grid(n + 1, low, high);
    let x_edges: Vec<f64> = edges(60, -4.0, 0.5).iter().map(|e| 10f64.powf(*e)).collect();
    let y_edges = edges(50, 0.0, 0.98);
    let mut values = Vec::new();
    for j in 0..50 {
        for i in 0..60 {
            let (lr, beta) = (-4.0 + 4.5 * (f64::from(i) + 0.5) / 60.0, 0.98 * (f64::from(j) + 0.5) / 50.0);
            let limit = 0.3 * (beta * 0.8 + 0.2) - 0.2;
            let v = ((lr + 1.5 + beta).powi(2) / 8.0 + 0.05 * (lr * 5.0).sin()).clamp(0.0, 1.0);
            values.push(if lr > limit {
                CellInk::Hatched
            } else if i == 3 && j == 40 {
                CellInk::Blank
            } else {
                CellInk::Ink(Ink::Map(v))
            });
        }
    }
    let panel = Panel {
        title: String::new(),
        x: axis("learning rate", Scale::Log, (1e-4, 10f64.powf(0.5)), 6),
        y: axis("momentum β", Scale::Linear, (0.0, 0.98), 6),
        layers: vec![Layer::Cells { x_edges, y_edges, values }],
    };
    let mut f = figure("d_heat", vec![panel]);
    f.title = "Where heavy ball converges".into();
    f.legend = vec![LegendGroup { title: String::new(), entries: vec![entry("diverged", style(0), LegendKind::Hatched)] }];
    f.color_bar = Some(ColorBar { axis: axis("final loss / first loss", Scale::Log, (1e-12, 1.0), 6), map: ColorMap::Plain });
    f.caption = "60 x 50 runs of 500 steps.".into();
    f
}

fn curve() -> Figure {
    let wave = |u: f64| u.sin() * 3.0 + 0.1 * u * u;
    let points: Vec<(f64, f64)> = grid(600, -10.0, 10.0).iter().map(|u| (*u, wave(*u))).collect();
    let mut u: f64 = 9.2;
    let mut path = vec![(u, wave(u))];
    for _ in 0..40 {
        u -= 0.18 * (3.0 * u.cos() + 0.2 * u);
        path.push((u, wave(u)));
    }
    let layers = vec![
        Layer::Line { points, style: Style { color: Ink::Gray, ..style(0) }, width: 1.4 },
        Layer::Line { points: path.clone(), style: style(1), width: 1.2 },
        Layer::Points { points: path.clone(), style: Style { marker: 0, ..style(1) } },
        Layer::Mark { at: path[0], kind: MarkKind::Start, style: style(1) },
        Layer::Mark { at: path[40], kind: MarkKind::End, style: style(1) },
        Layer::Note { at: (-1.4, wave(-1.4)), text: "global minimum".into() },
        Layer::Note { at: (4.3, wave(4.3)), text: "local minimum".into() },
        Layer::Ruler { vertical: true, at: 0.0, text: "u = 0".into() },
    ];
    let panel = Panel {
        title: String::new(),
        x: axis("u", Scale::Linear, (-10.0, 10.0), 5),
        y: axis("wave", Scale::Linear, nice_range(Scale::Linear, -3.0, 13.0), 6),
        layers,
    };
    let mut f = figure("e_curve", vec![panel]);
    f.legend = vec![LegendGroup {
        title: String::new(),
        entries: vec![
            entry("wave", Style { color: Ink::Gray, ..style(0) }, LegendKind::Line),
            entry("gradient_descent, lr = 0.18", Style { marker: 0, ..style(1) }, LegendKind::LinePoint),
        ],
    }];
    f
}

fn facets() -> Figure {
    let mut panels = Vec::new();
    for (k, lr) in ["lr = 0.0001", "lr = 0.001", "lr = 0.01", "lr = 0.1", "lr = 0.3", "lr = 1"].iter().enumerate() {
        let layers = (0..4)
            .map(|r| Layer::Line {
                points: (0..=500).map(|i| (f64::from(i) * 10.0, loss_curve(r, f64::from(i * 10) * (0.2 + k as f64)).max(1e-12))).collect(),
                style: style(r),
                width: 1.4,
            })
            .collect();
        panels.push(Panel {
            title: (*lr).into(),
            x: axis("step", Scale::Linear, (0.0, 5000.0), 4),
            y: axis("loss", Scale::Log, (1e-12, 100.0), 5),
            layers,
        });
    }
    let mut f = figure("f_facets", panels);
    f.columns = 3;
    f.title = "Loss curves by learning rate".into();
    f.legend =
        vec![LegendGroup { title: "optimizer".into(), entries: (0..4).map(|i| entry(RULES[i], style(i), LegendKind::Line)).collect() }];
    f
}

fn bands() -> Figure {
    let mut layers = Vec::new();
    for r in 0..3 {
        let mean = |i: f64| 0.9 - 0.25 * (r as f64) * 0.3 - 0.5 * (-i / (10.0 + 8.0 * r as f64)).exp() + 0.01 * (i * 0.9 + r as f64).sin();
        layers.push(Layer::Band {
            points: (0..=60)
                .map(|i| {
                    let i = f64::from(i);
                    let s = 0.05 * (-i / 40.0).exp() + 0.012;
                    (i, mean(i) - s, mean(i) + s)
                })
                .collect(),
            style: style(r),
        });
        layers.push(Layer::Line { points: (0..=60).map(|i| (f64::from(i), mean(f64::from(i)))).collect(), style: style(r), width: 1.7 });
    }
    let panel = Panel {
        title: String::new(),
        x: axis("epoch", Scale::Linear, (0.0, 60.0), 6),
        y: axis("accuracy on validation", Scale::Linear, (0.3, 1.0), 6),
        layers,
    };
    let mut f = figure("g_bands", vec![panel]);
    f.title = "Accuracy over ten seeds".into();
    f.caption = "Mean over 10 repeats; bands are 95 % confidence intervals of the mean.".into();
    f.legend = vec![LegendGroup {
        title: "width".into(),
        entries: ["16", "64", "256"].iter().enumerate().map(|(i, n)| entry(n, style(i), LegendKind::Line)).collect(),
    }];
    f
}

fn bars() -> Figure {
    let all = ["gradient_descent", "momentum", "nesterov", "rmsprop", "adam", "adamw", "adagrad"];
    let layers = vec![
        Layer::Bars { points: (0..7).map(|i| (f64::from(i) - 0.2, 1.0 / (1.0 + f64::from(i)))).collect(), style: style(0), width: 0.38 },
        Layer::Bars {
            points: (0..7).map(|i| (f64::from(i) + 0.2, 0.8 / (1.0 + f64::from(i * i)) - 0.1)).collect(),
            style: style(1),
            width: 0.38,
        },
    ];
    let panel = Panel {
        title: String::new(),
        x: names("optimizer", &all),
        y: axis("final loss", Scale::Linear, nice_range(Scale::Linear, -0.1, 1.0), 6),
        layers,
    };
    let mut f = figure("h_bars", vec![panel]);
    f.legend = vec![LegendGroup {
        title: "data".into(),
        entries: vec![entry("train", style(0), LegendKind::Box), entry("test", style(1), LegendKind::Box)],
    }];
    f
}

fn trace_facets() -> Figure {
    let mut panels = Vec::new();
    for k in 0..4 {
        let (mut layers, _) = contour_layers(|x, y| 0.1 * x * x + 2.0 * y * y + 1e-3, (-5.5, 1.0), (-3.0, 1.0 + f64::from(k % 2)), 8);
        let points: Vec<(f64, f64)> = (0..30).map(|i| (-5.0 * 0.93f64.powi(i), -2.0 * (-0.3 - 0.15 * f64::from(k)).powi(i))).collect();
        layers.push(Layer::Mark { at: points[0], kind: MarkKind::Start, style: style(0) });
        layers.push(Layer::Mark { at: points[29], kind: MarkKind::End, style: style(0) });
        layers.push(Layer::Line { points: points.clone(), style: style(1), width: 1.3 });
        layers.push(Layer::Points { points, style: Style { marker: 0, ..style(1) } });
        panels.push(Panel {
            title: format!("momentum, lr = 0.{k}, β = 0.9"),
            x: axis("w₁", Scale::Linear, (-5.5, 1.0), 4),
            y: axis(if k == 3 { "other" } else { "w₂" }, Scale::Linear, (-3.0, 1.0 + f64::from(k % 2)), 4),
            layers,
        });
    }
    let mut f = figure("i_traces", panels);
    f.columns = 2;
    f
}

fn many() -> Figure {
    let layers = (0..40)
        .map(|r| Layer::Line {
            points: (0..100).map(|i| (f64::from(i), f64::from(r) + f64::from(i) * 0.1)).collect(),
            style: Style { color: Ink::Map(f64::from(r) / 39.0), dash: 0, marker: 0 },
            width: 1.2,
        })
        .collect();
    let panel = Panel {
        title: String::new(),
        x: axis("step", Scale::Linear, (0.0, 100.0), 6),
        y: axis("a quantity with quite a long name, such as log10(final(loss) / start(loss))", Scale::Linear, (0.0, 50.0), 6),
        layers,
    };
    let mut f = figure("j_many", vec![panel]);
    f.title = "A title that is much too long for one line, because somebody put the whole question that the figure answers into it and did not stop there".into();
    f.legend = vec![LegendGroup {
        title: "rate".into(),
        entries: (0..40)
            .map(|r| {
                entry(
                    &format!("{:.4}", 0.001 * f64::from(r + 1)),
                    Style { color: Ink::Map(f64::from(r) / 39.0), dash: 0, marker: 0 },
                    LegendKind::Line,
                )
            })
            .collect(),
    }];
    f
}

fn noisy() -> Figure {
    let mut state = 1u64;
    let points = (0..400_000)
        .map(|i| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (f64::from(i), 1.0 / (1.0 + f64::from(i) * 1e-4) + (state >> 40) as f64 * 2e-8)
        })
        .collect();
    let panel = Panel {
        title: String::new(),
        x: axis("step", Scale::Linear, (0.0, 400_000.0), 5),
        y: axis("batch loss", Scale::Log, (0.02, 2.0), 5),
        layers: vec![Layer::Line { points, style: style(0), width: 1.2 }],
    };
    figure("k_noisy", vec![panel])
}

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    std::fs::create_dir_all(&folder).unwrap();
    for f in [losses(), rates(), paths(), heat(), curve(), facets(), bands(), bars(), trace_facets(), many(), noisy()] {
        let _ = png(&f);
        let start = Instant::now();
        let bytes = png(&f).unwrap();
        let drawn = start.elapsed();
        let start = Instant::now();
        let text = svg(&f);
        println!(
            "{:10} png {:6.1} ms {:7} bytes   svg {:6.1} ms {:7} bytes",
            f.name,
            drawn.as_secs_f64() * 1e3,
            bytes.len(),
            start.elapsed().as_secs_f64() * 1e3,
            text.len()
        );
        std::fs::write(format!("{folder}/{}.png", f.name), bytes).unwrap();
        std::fs::write(format!("{folder}/{}.svg", f.name), text).unwrap();
        std::fs::write(format!("{folder}/{}.txt", f.name), describe(&f)).unwrap();
    }
}
