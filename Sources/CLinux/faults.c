// A trap is told in one line and ends with 70, instead of a signal that a script takes for a kill.
// What runs in a signal handler has to be async-signal-safe, which Swift can't promise; so this is
// C. Bound by CONTRACT §2 (70). It reads nothing and writes to standard error alone.
#include "CLinux.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const int faults[] = {SIGABRT, SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE};
static char report[256];
// A stack that overflowed has no room for a handler.
static char handler_stack[16384];

static void end(int number) {
    (void)number;
    ssize_t ignored = write(2, report, strlen(report));
    (void)ignored;
    _exit(70);
}

void st_report_faults(const char *text) {
    strncpy(report, text, sizeof report - 1);
    stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
    sigaltstack(&stack, NULL);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = end;
    action.sa_flags = SA_ONSTACK;
    for (unsigned i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigaction(faults[i], &action, NULL);
}
