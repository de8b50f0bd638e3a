// How long to wait, as people say it.

/// "30 seconds", "4 minutes", rounded up.
public func durationWords(_ seconds: Int) -> String {
    guard seconds >= 120 else { return seconds == 1 ? "1 second" : "\(seconds) seconds" }
    return "\((seconds + 59) / 60) minutes"
}
