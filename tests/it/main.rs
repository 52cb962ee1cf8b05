//! The one integration binary.

mod props;
