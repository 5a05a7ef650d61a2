//! imputation.
