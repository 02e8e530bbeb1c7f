//! The commands, a module each.

pub(crate) mod catalogue;
pub(crate) mod dead_letters;
pub(crate) mod erase;
pub(crate) mod keys;
pub(crate) mod reconcile;
pub(crate) mod redrive;
pub(crate) mod verify;
