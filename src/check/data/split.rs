//! `split`: which rows train, and which judge.
//!
//! It knows no columns but the one whose labels are spread evenly.

use super::compute::{Parts, Pass};
use crate::check::lower::R;
use crate::check::messages;
use crate::diag::Diagnostic;
use crate::numeric::format::shortest;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Ident};

/// How large a part is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Size {
    Share(f64),
    Count(usize),
    Rest,
}

/// A `split` line that has been understood.
struct Wanted<'w> {
    parts: Vec<(&'w Ident, Size)>,
    folds: Option<(usize, Span)>,
    shuffle: bool,
    stratify: Option<&'w Expr>,
}

impl Pass<'_, '_> {
    /// The parts of `n` rows, and the number of folds.
    pub(super) fn split(&mut self, span: Span, list: &[(Ident, Expr)], n: usize, kept: Option<&[u32]>) -> R<(Parts, Option<usize>)> {
        let wanted = self.wanted(span, list)?;
        let mut order: Vec<u32> = (0..n as u32).collect();
        if wanted.shuffle {
            self.numbers("split", &self.own.decl.name.name).shuffle(&mut order);
        }
        let labels = match wanted.stratify {
            Some(e) => self.labels(e, kept)?,
            None => vec![0; n],
        };
        let mut classes: Vec<u64> = labels.clone();
        classes.sort_unstable();
        classes.dedup();
        let class_of: Vec<usize> = labels.iter().map(|label| classes.binary_search(label).unwrap_or(0)).collect();
        let members = counted(class_of.iter().copied(), classes.len());
        let sizes: Vec<Size> = wanted.parts.iter().map(|(_, size)| *size).collect();
        // Of each class, how many rows each part takes.
        let quota = self.quota(span, &wanted, &sizes, &members, n)?;
        let mut parts: Parts = wanted.parts.iter().map(|(name, _)| (name.name.clone(), Vec::new())).collect();
        if wanted.folds.is_some() {
            parts.insert(0, (String::new(), Vec::new()));
        }
        let mut left = quota;
        for row in order {
            let class = &mut left[class_of[row as usize]];
            if let Some(part) = class.iter().position(|&count| count > 0) {
                class[part] -= 1;
                parts[part].1.push(row);
            }
        }
        let Some((folds, folds_span)) = wanted.folds else {
            parts.sort_by_key(|(name, _)| name != "train");
            return match parts.iter().find(|(_, rows)| rows.is_empty()) {
                Some((name, _)) => {
                    self.fail(Diagnostic::error("E0533", span, format!("no row is left for `{name}`")).here(format!("{n} rows")))
                }
                None => Ok((parts, None)),
            };
        };
        let pool = parts.remove(0).1;
        if pool.len() < folds {
            let message = format!("{folds} folds of {} rows", pool.len());
            return self.fail(Diagnostic::error("E0533", folds_span, message).here("more folds than rows"));
        }
        let fold = self.own.context.fold;
        let (train, validation) = folded(&pool, &class_of, classes.len(), folds, fold);
        let mut all = vec![("train".to_string(), train), ("validation".to_string(), validation)];
        all.extend(parts);
        Ok((all, Some(folds)))
    }

    fn wanted<'w>(&mut self, span: Span, list: &'w [(Ident, Expr)]) -> R<Wanted<'w>> {
        let mut wanted = Wanted { parts: Vec::new(), folds: None, shuffle: false, stratify: None };
        for (name, value) in list {
            match name.name.as_str() {
                "shuffle" => wanted.shuffle = self.number(value, "`shuffle`")? != 0.0,
                "stratify" => wanted.stratify = Some(value),
                "folds" => {
                    let k = self.number(value, "`folds`")?;
                    if k.fract() != 0.0 || !(2.0..=9.0e15).contains(&k) {
                        return self.fail(messages::not_whole(value.span, "a number of folds", Some(2.0), k));
                    }
                    wanted.folds = Some((k as usize, value.span));
                }
                _ => {
                    if let Some((first, _)) = wanted.parts.iter().find(|(first, _)| first.name == name.name) {
                        let message = format!("part `{}` is said twice", name.name);
                        return self.fail(messages::declared_twice(name.span, message, first.span));
                    }
                    wanted.parts.push((name, self.size(name, value)?));
                }
            }
        }
        if wanted.shuffle && self.own.decls.rng.is_none() {
            return self.fail(messages::needs_seed(span, "shuffled"));
        }
        let named = |part: &str| wanted.parts.iter().find(|(name, _)| name.name == part).map(|(name, _)| name.span);
        match wanted.folds {
            Some(_) => {
                if let Some(span) = named("train").or(named("validation")) {
                    let d = Diagnostic::error("E0536", span, "folds make `train` and `validation` themselves").here("said twice");
                    return self.fail(d.help("only `test = ..` may stand beside `folds`"));
                }
            }
            None if named("train").is_none() => {
                let mut d = Diagnostic::error("E0537", span, "which rows train?").here("no `train = ..`");
                if let Some((name, _)) = wanted.parts.first() {
                    d = d.replace(Span { hi: name.span.lo, ..name.span }, "train = rest, ", "all the others");
                }
                return self.fail(d);
            }
            None => {}
        }
        Ok(wanted)
    }

    fn size(&mut self, name: &Ident, value: &Expr) -> R<Size> {
        if name.name == "batch" {
            let d = Diagnostic::error("E0536", name.span, "`on batch` means the rows of a step").here("taken");
            return self.fail(d.replace(name.span, "batch_rows", "call it"));
        }
        if matches!(&value.kind, ExprKind::Name(word) if word == "rest") {
            return Ok(Size::Rest);
        }
        let x = self.number(value, "the size of a part")?;
        if x > 0.0 && x < 1.0 {
            return Ok(Size::Share(x));
        }
        if x >= 1.0 && x.fract() == 0.0 && x <= 9.0e15 {
            return Ok(Size::Count(x as usize));
        }
        let d = Diagnostic::error("E0534", value.span, format!("`{}` is no size of a part", shortest(x))).here("how many rows?");
        self.fail(d.help("a fraction (`0.8`), a number of rows (`1200`), or `rest`"))
    }

    /// Rows that each part takes of each class; with folds, their rows stand first.
    fn quota(&mut self, span: Span, wanted: &Wanted<'_>, sizes: &[Size], members: &[usize], n: usize) -> R<Vec<Vec<usize>>> {
        let mut sizes = sizes.to_vec();
        if wanted.folds.is_some() {
            sizes.insert(0, Size::Rest);
        }
        let rests = sizes.iter().filter(|s| **s == Size::Rest).count();
        let shares = sizes.iter().any(|s| matches!(s, Size::Share(_)));
        let counts = sizes.iter().any(|s| matches!(s, Size::Count(_)));
        let bad = if rests > 1 {
            Some(if wanted.folds.is_some() { "the folds take the rest".to_string() } else { "`rest` is said twice".to_string() })
        } else if shares && counts {
            Some("fractions and numbers of rows do not go together".to_string())
        } else {
            None
        };
        if let Some(message) = bad {
            return self.fail(Diagnostic::error("E0536", span, message).here("which sizes?"));
        }
        if counts {
            let said: usize = sizes.iter().map(|s| if let Size::Count(k) = s { *k } else { 0 }).sum();
            if said > n || said < n && rests == 0 {
                let d =
                    Diagnostic::error("E0533", span, format!("the parts have {said} rows, the dataset {n}")).here(format!("{said} rows"));
                return self.fail(if said < n { d.help("give one part the `rest`") } else { d });
            }
            let totals: Vec<usize> = sizes.iter().map(|s| if let Size::Count(k) = s { *k } else { n - said }).collect();
            return Ok(spread(members, &totals));
        }
        let said: f64 = sizes.iter().map(|s| if let Size::Share(x) = s { *x } else { 0.0 }).sum();
        if said > 1.0 + 1e-9 || (said - 1.0).abs() > 1e-9 && rests == 0 {
            let d = Diagnostic::error("E0533", span, format!("the parts are {} of all rows", shortest(said))).here("adds up to 1?");
            return self.fail(if said < 1.0 { d.help("give one part the `rest`") } else { d });
        }
        let shares: Vec<f64> = sizes.iter().map(|s| if let Size::Share(x) = s { *x } else { (1.0 - said).max(0.0) }).collect();
        Ok(members.iter().map(|&n| apportioned(n, &shares)).collect())
    }
}

/// How many there are of each class.
fn counted(list: impl Iterator<Item = usize>, classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for class in list {
        counts[class] += 1;
    }
    counts
}

/// Whole numbers in the proportion of the shares: the largest remainders are rounded up, of equal ones the earlier.
fn apportioned(n: usize, shares: &[f64]) -> Vec<usize> {
    // Shares are decimals: what differs by less than this is a tie.
    let exact: Vec<f64> = shares.iter().map(|share| (share * n as f64 * 1e9).round() / 1e9).collect();
    let mut counts: Vec<usize> = exact.iter().map(|x| x.floor() as usize).collect();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    let remainder = |part: usize| ((exact[part] - exact[part].floor()) * 1e6).round();
    order.sort_by(|&a, &b| remainder(b).total_cmp(&remainder(a)).then(a.cmp(&b)));
    let missing = n.saturating_sub(counts.iter().sum());
    order.iter().cycle().take(missing).for_each(|&part| counts[part] += 1);
    counts
}

/// Parts of given sizes that take of each class as evenly as whole numbers can: the largest remainders are rounded up, of equal ones
/// those of the earlier part, then class, as long as class and part have room.
fn spread(members: &[usize], totals: &[usize]) -> Vec<Vec<usize>> {
    let n: usize = members.iter().sum();
    // Exact: a class and a part share members*total/n rows.
    let exact = |class: usize, part: usize| (members[class] as u128) * (totals[part] as u128);
    let whole = n.max(1) as u128;
    let mut quota: Vec<Vec<usize>> =
        (0..members.len()).map(|class| (0..totals.len()).map(|part| (exact(class, part) / whole) as usize).collect()).collect();
    let mut pairs: Vec<(usize, usize)> = (0..totals.len()).flat_map(|part| (0..members.len()).map(move |class| (class, part))).collect();
    pairs.sort_by_key(|&(class, part)| std::cmp::Reverse(exact(class, part) % whole));
    let mut class_room: Vec<usize> = quota.iter().zip(members).map(|(quota, &n)| n - quota.iter().sum::<usize>()).collect();
    let mut part_room: Vec<usize> =
        totals.iter().enumerate().map(|(part, &n)| n - quota.iter().map(|quota| quota[part]).sum::<usize>()).collect();
    // The first round is enough but for rare ties of what has room.
    while class_room.iter().any(|&room| room > 0) {
        for &(class, part) in &pairs {
            if class_room[class] > 0 && part_room[part] > 0 {
                quota[class][part] += 1;
                class_room[class] -= 1;
                part_room[part] -= 1;
            }
        }
    }
    quota
}

/// The rows that train and those that judge in a fold: of each class a contiguous share, the first folds longer by a row.
fn folded(pool: &[u32], class_of: &[usize], classes: usize, folds: usize, fold: usize) -> (Vec<u32>, Vec<u32>) {
    let members = counted(pool.iter().map(|&row| class_of[row as usize]), classes);
    let bounds: Vec<std::ops::Range<usize>> = members
        .iter()
        .map(|&n| {
            let first = |fold: usize| fold * (n / folds) + fold.min(n % folds);
            first(fold)..first(fold + 1)
        })
        .collect();
    let mut seen = vec![0usize; classes];
    pool.iter().partition(|&&row| {
        let class = class_of[row as usize];
        seen[class] += 1;
        !bounds[class].contains(&(seen[class] - 1))
    })
}
