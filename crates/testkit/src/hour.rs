//! An office-hour at random.
