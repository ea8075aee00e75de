//! Parts of pages that know neither API nor domain.

mod announcer;
mod code;
mod copy;
mod dialog;
mod icon;
mod menu;
mod notice;
mod number;
mod part;
mod rows;
mod save;
mod skeleton;
mod time;

pub(crate) use announcer::{Announcer, live_region};
pub(crate) use code::code;
pub(crate) use copy::{copy_button, copyable};
pub(crate) use dialog::{Layer, layer};
pub(crate) use icon::icon;
pub(crate) use menu::{CellMenu, Item};
pub(crate) use notice::{Notice, Tone, empty, notice};
pub(crate) use number::grouped;
pub(crate) use part::{Part, badge, button, classed, foreign, link, live, part, value_of};
pub(crate) use rows::{Row, rows};
pub(crate) use save::save;
pub(crate) use skeleton::{loading, skeleton_lines};
pub(crate) use time::{relative_time, stacked_time, written_time};
