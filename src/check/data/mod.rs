//! Datasets: files are read once (`read`), columns are computed for a context (`compute`), rows fall into parts (`split`).
//!
//! What a column is as an expression, in which part, is in `parts`; functions that know columns are in `columns`.

mod columns;
mod compute;
mod parts;
mod read;
mod rows;
mod split;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::ArrayD;

pub(crate) use columns::{codes, fill, observed, standardize};
pub(crate) use compute::compute;
pub(crate) use read::read;
pub(crate) use text::code_of;

use crate::check::decls::Decls;
use crate::data::Tokens;
use crate::expr::graph::Id;
use crate::shape::{DataId, Dim, Shape};
use crate::source::Span;
use crate::syntax::ast::{DataLine, Ident};

/// A dataset as it is on disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) columns: Vec<ColumnInfo>,
    /// The number of rows of the file.
    pub(crate) rows: Option<usize>,
    /// The line that says where the rows come from.
    pub(crate) source: Option<Span>,
    /// The file and a hash of the bytes read, for the receipt.
    pub(crate) file: Option<(String, String)>,
    /// The file could not be read, which has been reported.
    pub(crate) unread: bool,
    /// The text that `text` reads.
    pub(crate) text: Option<Arc<Tokens>>,
}

/// What datasets and draws depend on besides the text: the cell for which they are made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    /// Values of hypers that are not their defaults.
    pub(crate) hypers: BTreeMap<String, f64>,
    /// Which fold judges.
    pub(crate) fold: usize,
    pub(crate) replicate: u64,
    /// The datasets that each replicate draws anew.
    pub(crate) redraw: Vec<String>,
}

impl Context {
    /// Whether it is the one for which the file is checked.
    pub(crate) fn is_usual(&self) -> bool {
        self.hypers.is_empty() && self.fold == 0 && self.replicate == 0
    }
}

/// A column of a dataset.
#[derive(Debug, Clone)]
pub(crate) struct ColumnInfo {
    pub(crate) name: String,
    /// Where it was declared, if in the spec.
    pub(crate) span: Span,
    pub(crate) content: Content,
    /// Its input in the graph, once used.
    pub(crate) input: Option<Id>,
}

/// What a column holds, in all rows of its dataset.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// Numbers; the first axis is the rows unless it is the same for all rows.
    Numbers { values: Arc<ArrayD<f64>>, by_row: bool },
    /// Numbers, some of which are missing (row numbers from 0).
    Missing { values: Arc<Vec<f64>>, missing: Vec<u32> },
    /// Texts; and, when most cells are numbers, the first that is not (row from 0, its text, how many).
    Texts { values: Arc<Vec<String>>, missing: Vec<u32>, mostly: Option<(usize, String, usize)> },
    /// It could not be made, which has been reported.
    Broken,
}

impl Content {
    /// The rows of these numbers only, in this order.
    fn select(&self, rows: &[u32]) -> Content {
        let gone = |missing: &[u32]| {
            let places = rows.iter().enumerate().filter(|(_, row)| missing.binary_search(row).is_ok());
            places.map(|(place, _)| place as u32).collect::<Vec<u32>>()
        };
        match self {
            Content::Numbers { values, by_row: true } => Content::Numbers { values: Arc::new(chosen(values, rows)), by_row: true },
            Content::Missing { values, missing } => {
                let kept: Vec<f64> = rows.iter().map(|&row| values[row as usize]).collect();
                match gone(missing) {
                    none if none.is_empty() => Content::Numbers { values: Arc::new(ndarray::Array1::from(kept).into_dyn()), by_row: true },
                    missing => Content::Missing { values: Arc::new(kept), missing },
                }
            }
            Content::Texts { values, missing, mostly } => Content::Texts {
                values: Arc::new(rows.iter().map(|&row| values[row as usize].clone()).collect()),
                missing: gone(missing),
                mostly: mostly.as_ref().and_then(|(row, text, count)| {
                    let place = rows.iter().position(|&kept| kept as usize == *row)?;
                    Some((place, text.clone(), *count))
                }),
            },
            Content::Numbers { .. } | Content::Broken => self.clone(),
        }
    }

    /// The rows, from 0, without an entry.
    fn missing(&self) -> &[u32] {
        match self {
            Content::Missing { missing, .. } | Content::Texts { missing, .. } => missing,
            Content::Numbers { .. } | Content::Broken => &[],
        }
    }
}

/// Some rows of an array.
fn chosen(values: &ArrayD<f64>, rows: &[u32]) -> ArrayD<f64> {
    let places: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
    values.select(ndarray::Axis(0), &places)
}

/// The shape of a column: rows first, where it has any.
pub(crate) fn shape_of(values: &ArrayD<f64>, by_row: bool, data: DataId) -> Shape {
    let mut shape = Shape::fixed(values.shape());
    if by_row {
        shape.0[0] = Dim::Rows(data);
    }
    shape
}

/// A dataset whose columns have been made.
#[derive(Debug, Clone)]
pub(crate) struct DataInfo {
    pub(crate) name: Ident,
    pub(crate) columns: Vec<ColumnInfo>,
    /// Its file could not be read, which has been reported: any name may be one of its columns.
    pub(crate) unread: bool,
    /// Its parts, those rows first that train, which the dataset's own number stands for. None without a `split`.
    pub(crate) parts: Vec<Part>,
    /// The number of folds.
    pub(crate) folds: Option<usize>,
    /// The text that its rows are pieces of.
    pub(crate) text: Option<Arc<Tokens>>,
}

/// A part of the rows of a dataset.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) id: DataId,
    pub(crate) rows: Arc<Vec<u32>>,
}

/// The rows over which reductions run while a dataset is computed.
#[derive(Debug, Clone)]
pub(crate) struct Training {
    pub(crate) data: DataId,
    /// What stands for them.
    pub(crate) id: DataId,
    pub(crate) rows: Arc<Vec<u32>>,
}

/// Which datasets have a column of a name: those of their files, and those that the spec declares.
pub(crate) fn holders(decls: &Decls, tables: &[Table]) -> BTreeMap<String, Vec<String>> {
    let mut holders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (decl, table) in decls.datasets.iter().zip(tables) {
        let declared = decl.lines.iter().filter_map(|line| match line {
            DataLine::Column { name, .. } | DataLine::Draw { name, .. } => Some(name.name.as_str()),
            _ => None,
        });
        let of_text = table.text.iter().flat_map(|_| text::COLUMNS);
        for name in table.columns.iter().map(|c| c.name.as_str()).chain(declared).chain(of_text) {
            let list = holders.entry(name.to_owned()).or_default();
            if list.last() != Some(&decl.name.name) {
                list.push(decl.name.name.clone());
            }
        }
    }
    holders
}
