// The terminal's modes, put back whatever ends the process: a return, exit(3), a signal, a trap.
// What runs in a signal handler has to be async-signal-safe, which Swift can't promise; so this is
// C. Bound by DESIGN §8. It touches one terminal's modes and its screen, nothing else.
#include "CLinux.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>

static int terminal = -1;
static struct termios usual, silent;
static volatile sig_atomic_t is_silent, is_alternate, is_bracketing;

// What ends a process while a prompt or the display is up. The last six are our own faults.
static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE,
                              SIGABRT, SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE};
enum { ending_count = sizeof endings / sizeof endings[0] };
static struct sigaction former[ending_count], former_stop;

static void put(const char *text) {
    ssize_t ignored = write(terminal, text, strlen(text));
    (void)ignored;
}

// A process in the background must not change what the shell has set since.
static int is_in_background(void) {
    pid_t front = tcgetpgrp(terminal);
    return front > 0 && front != getpgrp();
}

// What was typed and not read may be half a PIN: it is not for the shell. Who is in the middle of
// typing it is waited for, as long as a key follows within half a second, and 40 keys at most.
static void drop_input(void) {
    struct pollfd typed = {terminal, POLLIN, 0};
    for (int keys = 0; keys < 40 && poll(&typed, 1, keys == 0 ? 0 : 500) == 1; keys++) {
        if (typed.revents != POLLIN) return;
        tcflush(terminal, TCIFLUSH);
    }
}

void st_terminal_restore(void) {
    if (terminal < 0) return;
    int kept = errno;
    sigset_t output, mask;
    sigemptyset(&output);
    sigaddset(&output, SIGTTOU);  // blocked: setting the modes can't stop a process that ends
    sigprocmask(SIG_BLOCK, &output, &mask);
    if (is_bracketing) put("\033[?2004l");
    if (is_alternate) put("\033[0m\033[H\033[2J\033[?25h\033[?1049l");
    if (is_silent && !is_in_background()) {
        drop_input();
        tcsetattr(terminal, TCSANOW, &usual);
        tcflush(terminal, TCIFLUSH);  // a key between the two
    }
    is_bracketing = is_alternate = is_silent = 0;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    errno = kept;
}

static void end(int number) {
    st_terminal_restore();
    for (int i = 0; i < ending_count; i++)
        if (endings[i] == number) sigaction(number, &former[i], NULL);
    raise(number);  // delivered when the handler returns: the parent sees the real reason
}

void st_terminal_stop(void) {
    struct sigaction standard, before;
    memset(&standard, 0, sizeof standard);
    standard.sa_handler = SIG_DFL;
    st_terminal_restore();
    sigset_t stop, mask;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    sigaction(SIGTSTP, &standard, &before);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stop, &mask);  // stops here; goes on after SIGCONT
    sigprocmask(SIG_SETMASK, &mask, NULL);
    // Where a queue holds SIGCONT back, this one has been answered: all is drawn again anyway.
    sigset_t resume;
    sigemptyset(&resume);
    sigaddset(&resume, SIGCONT);
    struct timespec now = {0, 0};
    sigtimedwait(&resume, NULL, &now);
    sigaction(SIGTSTP, &before, NULL);
}

static void stop(int number) {
    (void)number;
    int kept = errno, was_silent = is_silent;
    st_terminal_stop();
    if (was_silent && !is_in_background()) st_terminal_silence(0);
    errno = kept;
}

static void install(int number, void (*handler)(int), struct sigaction *before) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART | SA_ONSTACK;  // a fault's own stack may be used up
    sigaction(number, NULL, before);
    if (before->sa_handler != SIG_IGN) sigaction(number, &action, NULL);
}

int st_terminal_adopt(int descriptor) {
    static int is_registered;
    if (tcgetattr(descriptor, &usual) != 0) return -1;
    silent = usual;
    // ISIG stays: Ctrl-C, Ctrl-\ and Ctrl-Z go on being signals.
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    // A Ctrl-C right behind a key must not take back the input that poll(2) has announced: the read
    // would wait with every signal held back.
    silent.c_lflag |= NOFLSH;
    silent.c_iflag &= ~(tcflag_t)IXON;
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    terminal = descriptor;
    if (!is_registered) is_registered = atexit(st_terminal_restore) == 0;
    for (int i = 0; i < ending_count; i++) install(endings[i], end, &former[i]);
    install(SIGTSTP, stop, &former_stop);
    return 0;
}

int st_terminal_silence(int drops) {
    // What was typed before was echoed, and meant for someone else: the first time drops it. Later
    // times keep what was typed since, unless told otherwise, and set again what a shell may have
    // changed meanwhile. The flag goes first, so that a signal between the two restores.
    int when = is_silent && !drops ? TCSANOW : TCSAFLUSH;
    is_silent = 1;
    return tcsetattr(terminal, when, &silent);
}

void st_terminal_enter_alternate_screen(void) {
    is_alternate = 1;
    put("\033[?1049h\033[?25l\033[H\033[2J");
}

void st_terminal_request_bracketed_paste(void) {
    is_bracketing = 1;
    put("\033[?2004h");
}

void st_terminal_end_bracketed_paste(void) {
    if (is_bracketing) put("\033[?2004l");
    is_bracketing = 0;
}

void st_terminal_release(void) {
    if (terminal < 0) return;
    st_terminal_restore();
    for (int i = 0; i < ending_count; i++) sigaction(endings[i], &former[i], NULL);
    sigaction(SIGTSTP, &former_stop, NULL);
    terminal = -1;
}
