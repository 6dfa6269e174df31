//! (room: numeric)
