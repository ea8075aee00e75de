//! Every chore: set-up, demo, build, test, bench, tidy.

fn main() {}
