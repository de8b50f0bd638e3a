// The environment and the process's end, in one place. No secret comes from the environment.
internal import Glibc

/// An environment variable's value; nil if it is not set, or not UTF-8: a repaired path would be
/// another one. Never a secret (CONTRACT §1).
public func environmentVariable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(validatingCString: value)
}

public func endProcess(_ code: Int32) -> Never { exit(code) }
