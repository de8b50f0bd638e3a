// What the process may not do, and what is not left of it. Bound by DESIGN §1.7, §3.
internal import Linux

let processChecks: [Check] = [
    Check("a socket to the Internet can't be opened") { (_, home) throws(SystemError) in
        // The sandbox of this very process, which each command closes in the same way.
        let isRefused = Sandbox.isNetworkBlocked
        let isTold = try home.status(has: "\"network\":\"blocked\"")
        return .init(isRefused && isTold, isRefused ? "refused by the kernel" : "it was opened")
    },
    Check("a process that dies leaves no core file") { (_, home) throws(SystemError) in
        let isTold = try home.status(has: "\"coreDumps\":false")
        return .init(
            isTold && !ProcessGuard.allowsMemoryImages, "limit 0, and not to be read by others")
    },
    Check("secrets are locked in memory") { (_, home) throws(SystemError) in
        let isTold = try home.status(has: "\"locked\":true")
        return .init(isTold, isTold ? "locked" : "not locked: RLIMIT_MEMLOCK may be too small")
    },
]
