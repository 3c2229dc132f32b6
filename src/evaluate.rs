//! How good detection is, on calls the model has not seen: by time, by family, in money.
