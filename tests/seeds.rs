//! Every number that the seeds' own code gives, recomputed elsewhere: the line (001), the
//! curves and bowls (002), the post about RMSProp and Adam (000), the
//! Wisconsin course (004), each within the tolerance that its own sensitivity to rounding allows.
//!
//! The expected numbers are data; nothing here prints its own.

#[path = "seeds/support.rs"]
mod support;

#[path = "seeds/bowl.rs"]
mod bowl;
#[path = "seeds/formulas.rs"]
mod formulas;
#[path = "seeds/line.rs"]
mod line;
#[path = "seeds/wdbc.rs"]
mod wdbc;
#[path = "seeds/wisconsin.rs"]
mod wisconsin;
