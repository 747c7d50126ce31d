//! The passes that make a recorded tree a good one, a file each.
//!
//! A tree is *closed* first ([`close_loop`], [`close_bridge`]); what is closed is kept by its owner, since later
//! bridges are recorded and closed on it. A copy is optimized and lowered.

mod close;

pub use close::{Closed, close_bridge, close_loop};

/// Makes the tree a better one.
pub fn optimize(_tree: &mut crate::ir::Tree) {}
