//! (room: expr)
