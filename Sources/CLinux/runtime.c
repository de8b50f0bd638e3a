// In place of parts of Swift's runtime, in the release alone (.ci/build-release; the note StaticPIE).
#ifdef RUNTIME_STAND_INS
#include "CLinux.h"
#include <stdlib.h>

// The runtime looks for the argument vector in /proc/self/maps and on the stack, at each start.
char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
    *count = st_argument_count();
    return st_arguments();
}

// Nobody sets CommandLine.arguments.
_Noreturn void _swift_stdlib_overrideUnsafeArgvArgc(void) { abort(); }

// argument-parser's asynchronous commands bring in the concurrency library and libdispatch with these
// three names alone. No command here is asynchronous, so that nothing calls them.
_Noreturn void swift_task_alloc(void) { abort(); }
_Noreturn void swift_task_dealloc(void) { abort(); }
_Noreturn void swift_task_switch(void) { abort(); }
#endif
