//! Two agents against each other, through a queue that loses.
