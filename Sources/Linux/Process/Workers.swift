// Work that is spread over the cores: threads that come and go with one call, because nothing else
// here has more than one. Bound by RECORDS.md §5.
internal import Glibc

package enum Workers {
    /// How many cores there are, one at least.
    package static var count: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Runs `body` once for each worker, each on a thread of its own, and waits for all of them.
    ///
    /// - Parameter body: its argument is the worker's number, from 0.
    package static func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        var threads: [pthread_t] = []
        for number in 1..<max(1, count) {
            let work = unsafe Unmanaged.passRetained(Work { body(number) }).toOpaque()
            var thread = pthread_t()
            let result = unsafe pthread_create(
                &thread, nil,
                { work in
                    guard let work = unsafe work else { return nil }
                    unsafe Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body()
                    return nil
                }, work)
            if result == 0 {
                threads.append(thread)
            } else {
                // Without a thread it is done here.
                unsafe Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body()
            }
        }
        body(0)
        for thread in threads { _ = pthread_join(thread, nil) }
    }
}

private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
