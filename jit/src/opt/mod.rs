//! The passes that make a recorded tree a good one, a file each.
//!
//! A tree is *closed* first ([`close_loop`], [`close_bridge`]); what is closed is kept by its owner, since later
//! bridges are recorded and closed on it. A copy is optimized and lowered.

mod apart;
mod close;
mod dead;
mod facts;
mod fold;
mod forward;
mod phis;
mod ranges;
mod strengthen;
mod virtuals;

use crate::ir::Tree;
use crate::verify::verify;

pub use apart::{Bridge, Shown, set_apart};
pub use close::{Closed, close_bridge, close_loop};
pub use dead::remove_dead;
pub use forward::forward;
pub use phis::remove_unchanging;
pub use strengthen::strengthen;
pub use virtuals::remove_allocations;

/// All passes on a closed tree.
pub fn optimize(tree: &mut Tree) {
    strengthen(tree);
    remove_unchanging(tree);
    forward(tree);
    // What turned out to be the same in each round lets more turn out so.
    while remove_unchanging(tree) {
        forward(tree);
    }
    if remove_allocations(tree) {
        // Words that objects held are values now.
        forward(tree);
        remove_unchanging(tree);
    }
    remove_dead(tree);
    debug_assert_eq!(verify(tree), Ok(()), "{tree}");
}
