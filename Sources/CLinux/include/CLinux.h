// What the Glibc module lacks, as thin inline wrappers: each is one system call or one instruction
// sequence, named as the kernel or the manual names it. Sources/Linux gives them types; Keystore
// uses the register scrub. Bound by DESIGN §2 ("header-only shims") and §3 (scrub after the KDF).
#pragma once
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>

// The real argument vector, as the kernel laid it out (arguments.c).
int st_argument_count(void);
char *_Nullable *_Nullable st_arguments(void);

// The terminal's modes, put back whatever ends the process (terminal.c). One terminal at a time.
int st_terminal_adopt(int descriptor);
int st_terminal_silence(int drops);  // drops: what was typed ahead too
void st_terminal_enter_alternate_screen(void);
void st_terminal_request_bracketed_paste(void);
void st_terminal_end_bracketed_paste(void);
void st_terminal_restore(void);
void st_terminal_stop(void);
void st_terminal_release(void);

// A trap of our own ends with this text and 70 (faults.c).
void st_report_faults(const char *_Nonnull text);

// seccomp and Landlock (sandbox.c): 0 or a descriptor, or -1 and errno.
int st_install_seccomp_filter(void);
int st_landlock_abi(void);
int st_landlock_create(int abi);
int st_landlock_allow_folder(int ruleset, int folder, int abi);
int st_landlock_restrict(int ruleset);

// Whether large mappings of this thread are to lie in huge pages (hugepages.c).
void st_use_huge_pages(int isWanted);

// No core file, and no raising of that limit later.
static inline int st_forbid_core_files(void) {
    struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none);
}
static inline long st_core_file_limit(void) {
    struct rlimit limit = {1, 1};
    getrlimit(RLIMIT_CORE, &limit);
    return (long)limit.rlim_cur;
}
// Raises the limit on how long files may get (ulimit -f) as far as it goes, and tells where it is then.
static inline uint64_t st_raise_file_size_limit(void) {
    struct rlimit limit = {0, 0};
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0) return UINT64_MAX;
    struct rlimit raised = {limit.rlim_max, limit.rlim_max};
    if (limit.rlim_cur != limit.rlim_max && setrlimit(RLIMIT_FSIZE, &raised) == 0) limit = raised;
    return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : (uint64_t)limit.rlim_cur;
}
// fallocate(2) with FALLOC_FL_KEEP_SIZE, whose names need _GNU_SOURCE.
static inline int st_reserve_space(int descriptor, long offset, long length) {
    return (int)syscall(SYS_fallocate, descriptor, 1, offset, length);
}
// close_range(2), Linux 5.9; glibc's own name for it needs _GNU_SOURCE.
static inline int st_close_range(unsigned first, unsigned last) {
#ifdef SYS_close_range
    return (int)syscall(SYS_close_range, first, last, 0u);
#else
    return (int)syscall(436, first, last, 0u);
#endif
}
// pidfd_open(2), Linux 5.3; 434 on every architecture.
static inline int st_pidfd_open(int process) { return (int)syscall(434, process, 0u); }
// openat2(2), Linux 5.6; 437 on every architecture. Over no mount, no link, and no way up. 0 to 2 are
// open already: a filter that answers with one of them hands over a file of its own.
static inline int st_open_beneath(int folder, const char *_Nonnull path, int flags) {
    struct {
        uint64_t flags, mode, resolve;
    } how = {(uint64_t)flags, 0, 0x01 | 0x02 | 0x04 | 0x08};
    int number = (int)syscall(437, folder, path, &how, sizeof how);
    return number > 2 ? number : -1;
}
// The magic number of the file system that a file lies on; 0 if it can't be told.
static inline long st_file_system(int descriptor) {
    struct statfs s = {0};
    return fstatfs(descriptor, &s) == 0 ? (long)s.f_type : 0;
}
// The window's size; both 0 where the terminal doesn't know.
static inline int st_window_size(int descriptor, int *_Nonnull columns, int *_Nonnull rows) {
    struct winsize size = {0};
    int result = ioctl(descriptor, TIOCGWINSZ, &size);
    *columns = size.ws_col;
    *rows = size.ws_row;
    return result;
}

static inline int st_set_dumpable(int value) { return prctl(PR_SET_DUMPABLE, value, 0, 0, 0); }
static inline int st_get_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }

// STA_UNSYNC and the clock's state, as adjtimex(2) tells them without changing anything.
static inline int st_clock_state(int *_Nonnull status) {
    struct timex t = {0};
    int state = adjtimex(&t);
    *status = t.status;
    return state;
}

#if defined(__x86_64__)
__attribute__((target("avx"))) static inline void st_scrub_avx(void) {
    __asm__ volatile("vzeroall" ::: "memory");
}
__attribute__((target("avx512f"))) static inline void st_scrub_avx512(void) {
#define ST_Z(n) "vpxorq %%zmm" #n ",%%zmm" #n ",%%zmm" #n "\n"
    __asm__ volatile(ST_Z(16) ST_Z(17) ST_Z(18) ST_Z(19) ST_Z(20) ST_Z(21) ST_Z(22) ST_Z(23)
                         ST_Z(24) ST_Z(25) ST_Z(26) ST_Z(27) ST_Z(28) ST_Z(29) ST_Z(30) ST_Z(31)
                     ::: "memory");
#undef ST_Z
}
static inline void st_scrub_sse(void) {
#define ST_X(n) "pxor %%xmm" #n ",%%xmm" #n "\n"
    __asm__ volatile(ST_X(0) ST_X(1) ST_X(2) ST_X(3) ST_X(4) ST_X(5) ST_X(6) ST_X(7) ST_X(8)
                         ST_X(9) ST_X(10) ST_X(11) ST_X(12) ST_X(13) ST_X(14) ST_X(15)::: "memory");
#undef ST_X
}
// Zeroes every vector register: crypto_pwhash leaves its output in them (found 1 to 6 times).
static inline void st_scrub_vector_registers(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) st_scrub_avx512();
    if (__builtin_cpu_supports("avx")) st_scrub_avx();
    else st_scrub_sse();
}
#elif defined(__aarch64__)
static inline void st_scrub_vector_registers(void) {
#define ST_V(n) "movi v" #n ".2d, #0\n"
    __asm__ volatile(ST_V(0) ST_V(1) ST_V(2) ST_V(3) ST_V(4) ST_V(5) ST_V(6) ST_V(7)
                         ST_V(16) ST_V(17) ST_V(18) ST_V(19) ST_V(20) ST_V(21) ST_V(22) ST_V(23)
                         ST_V(24) ST_V(25) ST_V(26) ST_V(27) ST_V(28) ST_V(29) ST_V(30) ST_V(31)
                     ::: "memory");
#undef ST_V
}
#else
#error "SoftToken is built for x86_64 and aarch64: the register scrub and the seccomp filter name them"
#endif
