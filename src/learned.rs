//! What the stream itself teaches: candidates for the system's lists, their witnesses, and when
//! they are enough.
