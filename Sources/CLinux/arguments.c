// The argument vector before the Swift runtime copies it: a link may stand in it (CONTRACT §1), and
// has to be taken out before anything else reads it. glibc hands argc and argv to constructors.
#include "CLinux.h"

#include <stdlib.h>

// The Swift runtime would start whatever program SWIFT_BACKTRACE names when this process crashes,
// and lend it this process's memory. Without a name it looks for its own one beside this program, by
// /proc/self/exe, and aborts where there is no /proc. Priority 101: before the runtime's own
// constructors; ProcessGuard takes the variable away, so that no other program gets it.
//
// setenv moves the environment away from the stack, where a statically linked runtime looks for the
// arguments beside it: it is told where they are. The release has that function of ours (runtime.c).
#ifndef RUNTIME_STAND_INS
extern void _swift_stdlib_overrideUnsafeArgvArgc(char **argv, int argc);
#endif

__attribute__((constructor(101))) static void forbid_backtraces(int argc, char **argv) {
    (void)argc, (void)argv;
    setenv("SWIFT_BACKTRACE", "enable=no,swift-backtrace=/dev/null", 1);
#ifndef RUNTIME_STAND_INS
    _swift_stdlib_overrideUnsafeArgvArgc(argv, argc);
#endif
}

static int argument_count;
static char **arguments;

__attribute__((constructor)) static void remember(int argc, char **argv) {
    argument_count = argc;
    arguments = argv;
}

int st_argument_count(void) { return argument_count; }
char **st_arguments(void) { return arguments; }
