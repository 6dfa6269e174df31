//! (room: data)
