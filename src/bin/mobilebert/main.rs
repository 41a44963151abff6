//! The command line of `mobilebert`.

fn main() {}
