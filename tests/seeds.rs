//! Every number that the seeds' own code gives, recomputed elsewhere: the line (001), the
//! curves and bowls (002), the post about RMSProp and Adam (000), the formulas, the recurrent cell and the autoencoder (003), the
//! Wisconsin course and its network (004), each within the tolerance that its own sensitivity to rounding allows.
//!
//! The expected numbers are data; nothing here prints its own.

#[path = "seeds/support.rs"]
mod support;

#[path = "seeds/ackley.rs"]
mod ackley;
#[path = "seeds/autoencoder.rs"]
mod autoencoder;
#[path = "seeds/bowl.rs"]
mod bowl;
#[path = "seeds/cell.rs"]
mod cell;
#[path = "seeds/formulas.rs"]
mod formulas;
#[path = "seeds/line.rs"]
mod line;
#[path = "seeds/network.rs"]
mod network;
#[path = "seeds/wdbc.rs"]
mod wdbc;
#[path = "seeds/wisconsin.rs"]
mod wisconsin;
