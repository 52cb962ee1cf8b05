//! tmp
pub mod constraint;
pub mod draw;
pub mod edge;
pub mod fakes;
pub mod fit;
pub mod generator;
pub mod moment;
