//! Load rigs: Cloakroom and its peers side by side.

fn main() {}
