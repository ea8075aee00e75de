//! What breaks by itself: the power, the disk, the clock, the way to the database.

mod clock;
mod disk;
mod drain;
mod kill;
mod line;
