// The pages that secrets lie in: each secret has its own, between two that can never be opened, locked
// and kept out of core dumps. One mapping serves many secrets one after another, because making and
// unmaking a mapping for each was a third of the system calls of `status`.
// Bound by DESIGN §3 ("Guarded memory").
internal import CSodium
internal import Glibc
internal import Synchronization

/// A run of pages for one secret; given back, zeroized, when the value ends.
///
/// It is open for writing until it is first closed: until then it holds zeros.
@safe struct GuardedPages: ~Copyable {
    private enum Access {
        case none, read, write
    }

    let start: UnsafeMutableRawPointer
    let byteCount: Int
    private var isOpen = true

    /// Takes pages for so many bytes.
    ///
    /// - Throws: `KeystoreError.outOfMemory`.
    init(holding bytes: Int) throws(KeystoreError) {
        let size = (bytes + pageBytes - 1) / pageBytes * pageBytes
        let address =
            size == pageBytes
            ? Pool.shared.withLock { pool in pool.take() }
            : mapped(size, of: 1).flatMap { region in opened(region + UInt(pageBytes), size) }
        guard let address, let pointer = unsafe UnsafeMutableRawPointer(bitPattern: address) else {
            throw .outOfMemory
        }
        unsafe start = pointer
        byteCount = size
    }

    deinit {
        if !isOpen { change(.write) }
        unsafe sodium_memzero(start, byteCount)
        guard byteCount == pageBytes else {
            unsafe munmap(start - pageBytes, byteCount + 2 * pageBytes)
            return
        }
        let address = unsafe UInt(bitPattern: start)
        Pool.shared.withLock { pool in pool.free.append(address) }
    }

    /// Opens closed pages for as long as `body` lasts; open ones stay so.
    func whileReadable<R: ~Copyable, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        if !isOpen { change(.read) }
        defer { if !isOpen { change(.none) } }
        return try body()
    }

    /// Opens the pages for writing, and closes them after `body`.
    mutating func whileWritable<R: ~Copyable, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        if !isOpen { change(.write) }
        isOpen = false
        defer { change(.none) }
        return try body()
    }

    private func change(_ access: Access) {
        let protection =
            switch access {
            case .none: PROT_NONE
            case .read: PROT_READ
            case .write: PROT_READ | PROT_WRITE
            }
        let isChanged = unsafe mprotect(start, byteCount, protection) == 0
        precondition(isChanged, "guarded memory can be opened and closed")
    }

    /// Whether the pages are really locked: `RLIMIT_MEMLOCK` may be too small.
    var isLocked: Bool { unsafe mlock(start, byteCount) == 0 }
}

private let pageBytes = Int(sysconf(Int32(_SC_PAGESIZE)))

/// The single pages: one mapping, in which every other page is never opened.
private struct Pool {
    static let shared = Mutex(Pool())
    static let pagesPerMapping = 32

    /// Addresses of pages that held secrets before; locked, open, and zeros.
    var free: [UInt] = []
    private var fresh: [UInt] = []

    /// The address of an open page of zeros; nil if there is no memory.
    mutating func take() -> UInt? {
        if let page = free.popLast() { return page }
        if fresh.isEmpty, let region = mapped(pageBytes, of: Pool.pagesPerMapping) {
            fresh = (0..<Pool.pagesPerMapping).reversed().map { index in
                region + UInt((2 * index + 1) * pageBytes)
            }
        }
        return fresh.popLast().flatMap { page in opened(page, pageBytes) }
    }
}

/// Maps `count` runs of so many bytes, with a page before, between and behind them, all closed.
private func mapped(_ size: Int, of count: Int) -> UInt? {
    let total = count * (size + pageBytes) + pageBytes
    guard sodium_init() >= 0,
        let region = unsafe mmap(nil, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        unsafe region != MAP_FAILED
    else { return nil }
    unsafe madvise(region, total, MADV_DONTDUMP)
    return UInt(bitPattern: region)
}

/// Opens new pages and locks them. A lock that fails is told by `status`, and no reason to stop.
private func opened(_ address: UInt, _ size: Int) -> UInt? {
    let start = unsafe UnsafeMutableRawPointer(bitPattern: address)
    guard unsafe mprotect(start, size, PROT_READ | PROT_WRITE) == 0 else { return nil }
    _ = unsafe mlock(start, size)
    return address
}
