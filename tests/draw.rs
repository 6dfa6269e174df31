//! Figures drawn from outside: what comes out is a picture, has ink where the data is, and survives any input.

use optrun::report::figure::{
    Axis, CellInk, ColorBar, ColorMap, Figure, Ink, Layer, LegendEntry, LegendGroup, LegendKind, MarkKind, Panel, Scale, Style, Tick, ticks,
};
use optrun::report::png::{DrawError, png};
use optrun::report::svg::svg;
use optrun::report::text::describe;
use proptest::prelude::*;
use tiny_skia::Pixmap;

fn axis(label: &str, scale: Scale, range: (f64, f64)) -> Axis {
    let (ticks, minor) = ticks(scale, range, 6);
    Axis { label: label.into(), scale, range, ticks, minor }
}

fn figure(x: (Scale, (f64, f64)), y: (Scale, (f64, f64)), layers: Vec<Layer>) -> Figure {
    let panel = Panel { title: String::new(), x: axis("step", x.0, x.1), y: axis("loss", y.0, y.1), layers };
    Figure {
        name: "test".into(),
        title: String::new(),
        caption: String::new(),
        size: None,
        panels: vec![panel],
        columns: 1,
        legend: vec![],
        color_bar: None,
        aspect: None,
    }
}

const UNIT: (Scale, (f64, f64)) = (Scale::Linear, (0.0, 1.0));

fn line(points: &[(f64, f64)]) -> Layer {
    Layer::Line { points: points.to_vec(), style: Style::default(), width: 2.0 }
}

fn entry(label: &str, i: usize, kind: LegendKind) -> LegendEntry {
    LegendEntry { label: label.into(), style: Style { color: Ink::Series(i), dash: i, marker: i }, kind }
}

fn decoded(figure: &Figure) -> Pixmap {
    let bytes = png(figure).expect("it is drawn");
    assert_eq!(Ok(&bytes), png(figure).as_ref(), "drawn twice, it has the same bytes");
    Pixmap::decode_png(&bytes).expect("it is a PNG")
}

/// The smallest box around pixels of a colour: left, top, right, bottom.
fn extent(pixmap: &Pixmap, wanted: impl Fn(u8, u8, u8) -> bool) -> Option<(u32, u32, u32, u32)> {
    let mut found: Option<(u32, u32, u32, u32)> = None;
    for y in 0..pixmap.height() {
        for x in 0..pixmap.width() {
            let p = pixmap.pixel(x, y).expect("inside");
            if wanted(p.red(), p.green(), p.blue()) {
                let (l, t, r, b) = found.unwrap_or((x, y, x, y));
                found = Some((l.min(x), t.min(y), r.max(x), b.max(y)));
            }
        }
    }
    found
}

/// The blue of the first series.
fn blue(r: u8, g: u8, b: u8) -> bool {
    (r, g, b) == (0x00, 0x72, 0xb2)
}

/// An element of an XML file is closed in order, and its texts hold no bare signs: enough of a parser for our own files.
fn is_well_formed(xml: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").ok_or("no declaration")?;
    while let Some(start) = rest.find('<') {
        let text = &rest[..start];
        for piece in text.split('&').skip(1) {
            if !["amp;", "lt;", "gt;", "quot;"].iter().any(|e| piece.starts_with(e)) {
                return Err(format!("bare &: {piece}"));
            }
        }
        if text.contains('>') {
            return Err(format!("bare >: {text}"));
        }
        let end = rest[start..].find('>').ok_or("an element does not end")? + start;
        let element = &rest[start + 1..end];
        if let Some(name) = element.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("closes {name}"));
            }
        } else {
            let name = element.split([' ', '/']).next().unwrap_or("");
            if name.is_empty() || !name.chars().all(char::is_alphanumeric) {
                return Err(format!("element `{element}`"));
            }
            if element.matches('"').count() % 2 != 0 {
                return Err(format!("quotes of `{element}`"));
            }
            if !element.ends_with('/') {
                open.push(name);
            }
        }
        rest = &rest[end + 1..];
    }
    let illegal = xml.chars().find(|&c| (c.is_control() && c != '\n') || c == '\u{fffe}' || c == '\u{ffff}');
    if !open.is_empty() || illegal.is_some() {
        return Err(format!("open {open:?}, illegal {illegal:?}"));
    }
    Ok(())
}

/// Draws it in every way there is.
fn survives(figure: &Figure) {
    let bytes = png(figure).expect("it is drawn");
    Pixmap::decode_png(&bytes).expect("it is a PNG");
    is_well_formed(&svg(figure)).expect("it is XML");
    assert!(describe(figure).lines().count() < 400);
}

/// The figure in a size that is drawn fast.
fn small(figure: Figure) -> Figure {
    Figure { size: Some((320, 240)), ..figure }
}

#[test]
fn a_line_is_where_its_points_are() {
    let mut f = figure(UNIT, UNIT, vec![line(&[(0.25, 0.5), (0.75, 0.5)])]);
    f.size = Some((600, 400));
    let pixmap = decoded(&f);
    assert_eq!((pixmap.width(), pixmap.height()), (1200, 800));
    // The frame is the extent of its gray; ticks reach out of it on the left and below.
    let (_, top, right, _) = extent(&pixmap, |r, g, b| r == 0x4d && g == 0x4d && b == 0x4d).unwrap();
    let corners = figure(UNIT, UNIT, vec![line(&[(0.0, 0.0), (1.0, 1.0)])]);
    let whole = extent(&decoded(&Figure { size: f.size, ..corners }), blue).unwrap();
    assert!(whole.2.abs_diff(right) <= 4 && whole.1.abs_diff(top) <= 4, "{whole:?} {right} {top}");
    let (left, top, right, bottom) = extent(&pixmap, blue).unwrap();
    let (width, height) = (f64::from(whole.2 - whole.0), f64::from(whole.3 - whole.1));
    assert!((f64::from(left - whole.0) / width - 0.25).abs() < 0.01, "{left} {whole:?}");
    assert!((f64::from(right - whole.0) / width - 0.75).abs() < 0.01, "{right} {whole:?}");
    assert!((f64::midpoint(f64::from(top), f64::from(bottom)) - f64::from(whole.1) - height / 2.0).abs() < 4.0, "{top} {bottom} {whole:?}");
    assert!(bottom - top <= 4, "a line of width 2 covers 4 pixels");
}

#[test]
fn a_logarithmic_axis_is_even_in_decades_far_below_epsilon() {
    // Plotters' own axis has no place below 2.2e-16.
    let y = (Scale::Log, (1e-30, 1.0));
    let place = |v: f64| {
        let (_, top, _, bottom) = extent(&decoded(&figure(UNIT, y, vec![line(&[(0.2, v), (0.8, v)])])), blue).unwrap();
        f64::midpoint(f64::from(top), f64::from(bottom))
    };
    let (high, middle, low) = (place(1e-5), place(1e-15), place(1e-25));
    assert!((middle - high - (low - middle)).abs() < 2.0 && low - high > 200.0, "{high} {middle} {low}");
    let text = describe(&figure(UNIT, y, vec![]));
    assert!(text.contains("10⁻³⁰ | 10⁻²⁰ | 10⁻¹⁰ | 1") || text.contains("10⁻²⁵"), "{text}");
}

#[test]
fn nothing_is_drawn_outside_the_frame() {
    let wild: Vec<(f64, f64)> = (0..200).map(|i| (f64::from(i) / 100.0 - 0.5, if i % 2 == 0 { -3.0 } else { 4.0 })).collect();
    let frame = extent(&decoded(&figure(UNIT, UNIT, vec![line(&[(0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0)])])), blue).unwrap();
    let bars = Layer::Bars { points: wild.clone(), style: Style::default(), width: 0.3 };
    for layer in [line(&wild), bars] {
        let (left, top, right, bottom) = extent(&decoded(&figure(UNIT, UNIT, vec![layer])), blue).unwrap();
        assert!(left + 4 >= frame.0 && top + 4 >= frame.1 && right <= frame.2 + 4 && bottom <= frame.3 + 4);
    }
}

#[test]
fn cells_have_no_seams() {
    let edges: Vec<f64> = (0..=37).map(|i| f64::from(i) / 37.0).collect();
    let values: Vec<CellInk> = (0..37 * 37).map(|i| CellInk::Ink(Ink::Map(if i % 2 == 0 { 0.0 } else { 1.0 }))).collect();
    let f = figure(UNIT, UNIT, vec![Layer::Cells { x_edges: edges.clone(), y_edges: edges, values }]);
    let pixmap = decoded(&f);
    let dark = |r: u8, g: u8, b: u8| (r, g, b) == (68, 1, 84);
    let (left, top, right, bottom) = extent(&pixmap, dark).unwrap();
    for y in top + 4..bottom - 4 {
        for x in left + 4..right - 4 {
            let p = pixmap.pixel(x, y).unwrap();
            let rgb = (p.red(), p.green(), p.blue());
            assert!(rgb == (68, 1, 84) || rgb == (253, 231, 37), "{rgb:?} at {x}, {y}");
        }
    }
}

#[test]
fn absurd_sizes_are_refused() {
    let mut f = figure(UNIT, UNIT, vec![]);
    for size in [(0, 0), (0, 100), (100_000, 10), (u32::MAX, u32::MAX), (8000, 8000)] {
        f.size = Some(size);
        assert!(matches!(png(&f), Err(DrawError::Size { .. })), "{size:?}");
        is_well_formed(&svg(&f)).unwrap();
    }
    f.size = None;
    f.panels = vec![f.panels[0].clone(); 500];
    let refusal = png(&f).unwrap_err().to_string();
    assert!(refusal.contains("pixels"), "{refusal}");
    for tiny in [(1, 1), (5, 300), (40, 30)] {
        f.size = Some(tiny);
        survives(&f);
    }
}

#[test]
fn extreme_figures_are_drawn() {
    let nan = f64::NAN;
    let inf = f64::INFINITY;
    let points = [(nan, nan), (0.0, inf), (-inf, 1.0), (0.5, nan), (1e300, -1e300), (0.1, 0.2)];
    let log = (Scale::Log, (1e-320, 1e300));
    let every_layer = |points: &[(f64, f64)]| {
        let style = Style { color: Ink::Map(nan), dash: usize::MAX, marker: usize::MAX };
        let mut layers = vec![
            line(points),
            Layer::Line { points: points.to_vec(), style, width: nan },
            Layer::Points { points: points.to_vec(), style },
            Layer::Bars { points: points.to_vec(), style, width: 0.1 },
            Layer::Bars { points: points.to_vec(), style, width: nan },
            Layer::Band { points: points.iter().map(|p| (p.0, p.1, -p.1)).collect(), style },
            Layer::Isoline { level: nan, lines: vec![points.to_vec(), vec![]], ink: Ink::Gray },
            Layer::Cells { x_edges: vec![], y_edges: vec![0.0], values: vec![CellInk::Hatched] },
            Layer::Cells {
                x_edges: vec![0.0, nan, 1.0],
                y_edges: vec![0.0, inf, 1.0],
                values: vec![CellInk::Hatched, CellInk::Blank, CellInk::Ink(Ink::Black)],
            },
            Layer::Cells { x_edges: vec![-1e300, 1e300], y_edges: vec![-1e300, 1e300], values: vec![CellInk::Hatched] },
        ];
        for at in points {
            layers.push(Layer::Ruler { vertical: true, at: at.0, text: "x".into() });
            layers.push(Layer::Ruler { vertical: false, at: at.1, text: String::new() });
            layers.push(Layer::Note { at: *at, text: "note ".repeat(100) });
            layers.extend([MarkKind::Start, MarkKind::End, MarkKind::Diverged].map(|kind| Layer::Mark { at: *at, kind, style }));
        }
        layers
    };
    for x in [
        UNIT,
        log,
        (Scale::Linear, (-1e300, 1e300)),
        (Scale::Categorical, (-0.5, 2.5)),
        (Scale::Linear, (nan, inf)),
        (Scale::Log, (-1.0, 0.0)),
    ] {
        for y in [UNIT, log, (Scale::Linear, (1.0, 1.0))] {
            survives(&small(figure(x, y, every_layer(&points))));
            survives(&small(figure(x, y, every_layer(&[]))));
            survives(&small(figure(x, y, every_layer(&[(0.5, 0.5)]))));
            survives(&small(figure(x, y, every_layer(&vec![(nan, nan); 3000]))));
        }
    }
    let mut none = figure(UNIT, UNIT, vec![]);
    none.panels.clear();
    none.columns = 0;
    survives(&none);
}

#[test]
fn names_of_any_kind_are_drawn() {
    let names = [
        "a < b && c > \"d\"",
        "\u{1b}[31mred\u{0}\u{7}",
        "\u{202e}abc\u{2066}",
        "שלום مرحبا 你好 🙂",
        "two\nlines\tand tab",
        "\u{fffe}\u{ffff}",
    ];
    let long = "momentum_with_a_very_long_name_".repeat(400);
    for name in names.into_iter().chain([long.as_str()]) {
        let mut f = figure(
            UNIT,
            UNIT,
            vec![Layer::Note { at: (0.5, 0.5), text: name.into() }, Layer::Ruler { vertical: false, at: 0.2, text: name.into() }],
        );
        let ticks = (0..3).map(|i| Tick { at: f64::from(i), label: name.into() }).collect();
        f.panels[0].x = Axis { label: name.into(), scale: Scale::Categorical, range: (-0.5, 2.5), ticks, minor: vec![] };
        f.panels[0].y.label = name.into();
        f.panels[0].title = name.into();
        f.name = name.into();
        f.title = name.into();
        f.caption = name.into();
        f.legend = vec![LegendGroup { title: name.into(), entries: vec![entry(name, 0, LegendKind::Line)] }];
        f.color_bar = Some(ColorBar { axis: Axis { label: name.into(), ..axis("", Scale::Log, (1e-9, 1.0)) }, map: ColorMap::Plain });
        survives(&f);
        let text = svg(&f);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains("b && c"));
        f.panels = vec![f.panels[0].clone(); 6];
        f.columns = 3;
        survives(&f);
        f.size = Some((300, 200));
        survives(&f);
    }
}

#[test]
fn a_legend_of_forty_is_wholly_on_the_paper() {
    let mut f = figure(UNIT, UNIT, vec![line(&[(0.0, 0.0), (1.0, 1.0)])]);
    f.legend = vec![LegendGroup {
        title: "rate".into(),
        entries: (0..40).map(|i| entry(&format!("0.00{i}"), i, LegendKind::LinePoint)).collect(),
    }];
    survives(&f);
    let text = svg(&f);
    let attribute = |line: &str, name: &str| -> f64 {
        let from = line.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
        line[from..].split('"').next().unwrap().parse().unwrap()
    };
    let (width, height) = (attribute(&text, "width"), attribute(&text, "height"));
    for i in 0..40 {
        let line = text.lines().find(|l| l.contains(&format!(">0.00{i}<"))).unwrap_or_else(|| panic!("entry {i}"));
        let (x, y) = (attribute(line, "x"), attribute(line, "y"));
        assert!(x > 0.0 && x + attribute(line, "textLength") <= width && y > 0.0 && y < height, "{line}");
    }
}

#[test]
fn tick_labels_never_overlap() {
    let mut f = figure((Scale::Linear, (0.0, 1e6)), (Scale::Log, (1e-300, 1e300)), vec![]);
    let ticks = (0..60).map(|i| Tick { at: f64::from(i), label: format!("category {i}") }).collect();
    f.panels.push(f.panels[0].clone());
    f.panels[1].x = Axis { label: "x".into(), scale: Scale::Categorical, range: (-0.5, 59.5), ticks, minor: vec![] };
    f.columns = 2;
    let text = svg(&f);
    let mut boxes: Vec<(f64, f64, f64, f64)> = Vec::new();
    for line in text.lines().filter(|l| l.starts_with("<text") && !l.contains("matrix")) {
        let attribute = |name: &str| -> f64 {
            let from = line.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
            line[from..].split('"').next().unwrap().parse().unwrap()
        };
        let (x, y, wide, size) = (attribute("x"), attribute("y"), attribute("textLength"), attribute("font-size"));
        let left = if line.contains("\"end\"") {
            x - wide
        } else if line.contains("\"middle\"") {
            x - wide / 2.0
        } else {
            x
        };
        boxes.push((left, y - size * 0.7, left + wide, y));
    }
    assert!(boxes.len() > 10);
    for (i, a) in boxes.iter().enumerate() {
        for b in &boxes[i + 1..] {
            assert!(a.0 >= b.2 || b.0 >= a.2 || a.1 >= b.3 || b.1 >= a.3, "{a:?} {b:?}");
        }
    }
}

#[test]
fn the_text_of_a_figure_shows_its_meaning() {
    let mut f = figure(
        (Scale::Linear, (0.0, 20_000.0)),
        (Scale::Log, (1e-9, 1.0)),
        vec![line(&[(0.0, 0.1 + 0.2), (5.0, 1e-9), (20_000.0, 1.0 / 3.0)])],
    );
    f.legend = vec![LegendGroup { title: "optimizer".into(), entries: vec![entry("adam", 1, LegendKind::Line)] }];
    let text = describe(&f);
    assert_eq!(
        text,
        "figure `test`\n\
         legend `optimizer`: `adam` (line color 1 dash 1)\n\
         panel\n  \
           x `step` linear 0..20000: 0 | 5,000 | 10,000 | 15,000 | 20,000\n  \
           y `loss` log 1e-9..1: 10⁻⁸ | 10⁻⁶ | 10⁻⁴ | 10⁻² | 1\n  \
           line 2 wide color 0: 3, (0, 0.3) .. (20000, 0.333333)\n"
    );
    let nudge = |by: f64| {
        let mut other = f.clone();
        let Layer::Line { points, .. } = &mut other.panels[0].layers[0] else { unreachable!() };
        points[2].1 *= 1.0 + by;
        describe(&other)
    };
    assert_eq!(nudge(1e-13), text);
    assert_ne!(nudge(1e-4), text);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_numbers_are_drawn(
        points in prop::collection::vec((any::<f64>(), any::<f64>()), 0..40),
        x in (any::<f64>(), any::<f64>()),
        y in (any::<f64>(), any::<f64>()),
        log in any::<bool>(),
    ) {
        let scale = if log { Scale::Log } else { Scale::Linear };
        let style = Style::default();
        let layers = vec![
            line(&points),
            Layer::Points { points: points.clone(), style },
            Layer::Bars { points: points.clone(), style, width: x.0 },
            Layer::Band { points: points.iter().map(|p| (p.0, p.1, x.1)).collect(), style },
            Layer::Note { at: x, text: "here".into() },
        ];
        survives(&small(figure((scale, x), (scale, y), layers)));
    }
}
