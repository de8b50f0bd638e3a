// The argument vector before the Swift runtime copies it: a link may stand in it (CONTRACT §1), and
// has to be taken out before anything else reads it. glibc hands argc and argv to constructors.
#include "CLinux.h"

#include <stdlib.h>

// The Swift runtime would start whatever program SWIFT_BACKTRACE names when this process crashes,
// and lend it this process's memory. Priority 101: before the runtime's own constructors.
__attribute__((constructor(101))) static void forbid_backtraces(void) {
    unsetenv("SWIFT_BACKTRACE");
}

static int argument_count;
static char **arguments;

__attribute__((constructor)) static void remember(int argc, char **argv) {
    argument_count = argc;
    arguments = argv;
}

int st_argument_count(void) { return argument_count; }
char **st_arguments(void) { return arguments; }
