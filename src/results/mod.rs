//! (room: results)
