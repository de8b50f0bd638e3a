// The version, in one place: both programs, `status` and the packages take it from here.

/// The version of both programs, as in Changes.md.
public let softtokenVersion = "0.2.0"
