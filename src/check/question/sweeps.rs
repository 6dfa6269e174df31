//! What outputs need to know of a sweep: its axes, their values, and what it is to evaluate.
//!
//! The sweep itself is checked in `check::sweep`.

use crate::check::program::{Bind, OptimizerSpec, StageSpec, SweepSpec, Want, WantExpr};
use crate::results::view::Cond;
use crate::results::{Fold, Setting};
use crate::syntax::print;

impl SweepSpec {
    /// The names of all arguments and hypers that the sweep sets anywhere, in the order written.
    pub(crate) fn axis_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut add = |name: &String| {
            if !names.contains(name) {
                names.push(name.clone());
            }
        };
        for bind in self.axes.iter().flat_map(|a| a.points.iter().flatten()) {
            match bind {
                Bind::Named { name, .. } => add(name),
                Bind::Optimizer(o) => o.stages.iter().for_each(|s| s.args.keys().for_each(&mut add)),
                Bind::Loss(_) => {}
            }
        }
        names
    }

    /// The names that an output must account for: those with several values, `optimizer` and `loss` among them.
    pub(crate) fn varying(&self) -> Vec<String> {
        self.varying_among(&|_| true)
    }

    /// Those with several values among the cells of some optimizers.
    pub(crate) fn varying_among(&self, chosen: &dyn Fn(&OptimizerSpec) -> bool) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for axis in &self.axes {
            if axis.points.len() < 2 {
                continue;
            }
            let mut rules: Vec<String> = Vec::new();
            for bind in axis.points.iter().flatten() {
                match bind {
                    Bind::Named { name, .. } if !names.contains(name) => names.push(name.clone()),
                    Bind::Loss(_) if !names.contains(&"loss".to_string()) => names.push("loss".to_string()),
                    Bind::Optimizer(o) if !chosen(o) => {}
                    Bind::Optimizer(o) => {
                        let text = o.identity();
                        if !rules.contains(&text) {
                            rules.push(text);
                        }
                        for name in o.stages.iter().flat_map(|s| &s.varying) {
                            if !names.contains(name) {
                                names.push(name.clone());
                            }
                        }
                    }
                    Bind::Named { .. } | Bind::Loss(_) => {}
                }
            }
            if rules.len() > 1 {
                names.insert(0, "optimizer".to_string());
            }
        }
        names
    }

    /// The values that an axis takes.
    pub(crate) fn values_of(&self, name: &str) -> Vec<Setting> {
        let mut found: Vec<Setting> = Vec::new();
        let mut add = |setting: &Setting| {
            if !found.contains(setting) {
                found.push(setting.clone());
            }
        };
        for bind in self.axes.iter().flat_map(|a| a.points.iter().flatten()) {
            match bind {
                Bind::Named { name: n, value, .. } if n == name => add(&value.setting),
                Bind::Optimizer(o) => o.stages.iter().filter_map(|s| s.args.get(name)).for_each(|v| add(&v.setting)),
                Bind::Named { .. } | Bind::Loss(_) => {}
            }
        }
        found
    }

    /// The rules of the optimizers, by name.
    pub(crate) fn rules(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for bind in self.axes.iter().flat_map(|a| a.points.iter().flatten()) {
            if let Bind::Optimizer(o) = bind
                && !names.contains(&o.rule)
            {
                names.push(o.rule.clone());
            }
        }
        names
    }

    /// The stages of all its optimizers.
    pub(crate) fn stages(&self) -> impl Iterator<Item = &StageSpec> {
        let binds = self.axes.iter().flat_map(|a| a.points.iter().flatten());
        binds.filter_map(|bind| if let Bind::Optimizer(o) = bind { Some(&o.stages) } else { None }).flatten()
    }

    /// The losses that are minimized.
    pub(crate) fn losses(&self) -> Vec<String> {
        let binds = self.axes.iter().flat_map(|a| a.points.iter().flatten());
        binds.filter_map(|b| if let Bind::Loss(name) = b { Some(name.clone()) } else { None }).collect()
    }

    /// The place of a quantity among the wants; new ones are added. It is shown where these conditions hold.
    pub(crate) fn want(&mut self, text: &str, expr: &WantExpr, sizes: &[usize], only: &[Cond]) -> usize {
        let at = self.wants.iter().position(|w| w.text == text).unwrap_or_else(|| {
            self.wants.push(Want { text: text.to_string(), expr: expr.clone(), sizes: sizes.to_vec(), traced: false, shown: Vec::new() });
            self.wants.len() - 1
        });
        self.wants[at].shown.push(only.to_vec());
        at
    }

    /// Asks for a fold.
    pub(crate) fn fold(&mut self, fold: Fold) {
        if !self.folds.contains(&fold) {
            self.folds.push(fold);
        }
    }
}

impl crate::check::program::OptimizerSpec {
    /// What tells this entry of a list of optimizers from the others, whatever its own axes.
    pub(crate) fn identity(&self) -> String {
        let stage = |s: &StageSpec| {
            let fixed: Vec<String> =
                s.args.iter().filter(|(n, _)| !s.varying.contains(n)).map(|(n, v)| format!("{n} = {}", print::expr(&v.expr))).collect();
            if fixed.is_empty() { s.rule.clone() } else { format!("{}({})", s.rule, fixed.join(", ")) }
        };
        self.stages.iter().map(stage).collect::<Vec<_>>().join(" |> ")
    }
}
