//! The embedded queue does what SQS does, seen through the real SDK.
//!
//! With `TOPUP_SQS_ENDPOINT` the checks of `messages`, `queues` and `refusals` run against another
//! SQS, in real time. Those of `embedded` need its clock or its file, or pin what SQS leaves open.
//! They assert what the documentation of SQS says, so the stand-ins that exist fail some:
//! - moto 5.2.5 takes an empty body, characters outside XML, alone and in a batch, a delay that
//!   is out of range, and a new visibility timeout for a visible message;
//! - ministack 1.5.33 takes the last too and corrects numbers out of range, and it refuses to
//!   delete by a stale handle or twice, which SQS allows.

mod embedded;
mod messages;
mod queues;
mod refusals;
mod world;
