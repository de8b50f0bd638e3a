// The kernel's two sandboxes: a seccomp filter (which system calls) and Landlock (which files). Both
// are written out here, number by number, because the machine that builds may have older headers
// than the one that runs. Bound by DESIGN §8 ("Order at start") and §1.7.
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define REFUSE(call, error) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), RETURN(SECCOMP_RET_ERRNO | (error))

// These numbers are the same on every architecture.
enum { call_io_uring_setup = 425, call_io_uring_enter = 426, call_io_uring_register = 427 };
enum { call_pidfd_getfd = 438 };

int st_install_seccomp_filter(void) {
    struct sock_filter filter[] = {
        // Another ABI's numbers mean other calls, i386's socketcall among them.
        LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0),
        RETURN(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
#if defined(__x86_64__)
        // x32: the same architecture to seccomp, bit 30 in the number.
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1), RETURN(SECCOMP_RET_KILL_PROCESS),
#endif
        // io_uring opens sockets without socket(2).
        REFUSE(call_io_uring_setup, ENOSYS), REFUSE(call_io_uring_enter, ENOSYS),
        REFUSE(call_io_uring_register, ENOSYS),
        // What takes an open socket, or memory, out of another process.
        REFUSE(call_pidfd_getfd, EPERM), REFUSE(SYS_ptrace, EPERM),
        REFUSE(SYS_process_vm_readv, EPERM), REFUSE(SYS_process_vm_writev, EPERM),
        // Sockets: none is made, AF_UNIX's neither, whose other end can be a program that is online
        // (D-Bus starts one).
        REFUSE(SYS_socket, EACCES), REFUSE(SYS_socketpair, EACCES),
        // Nor is one reached through what was inherited: standard input may be a socket. read(2) and
        // write(2) go on working; who sends names no address, who reads is handed no descriptor.
        REFUSE(SYS_connect, EACCES), REFUSE(SYS_bind, EACCES), REFUSE(SYS_listen, EACCES),
        REFUSE(SYS_accept, EACCES), REFUSE(SYS_accept4, EACCES), REFUSE(SYS_sendto, EACCES),
        REFUSE(SYS_sendmsg, EACCES), REFUSE(SYS_sendmmsg, EACCES), REFUSE(SYS_recvmsg, EACCES),
        REFUSE(SYS_recvmmsg, EACCES),
        RETURN(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    return result == 0 ? 0 : -1;
}

// Landlock's numbers, as Documentation/userspace-api/landlock.rst gives them up to ABI 7.
enum { call_create_ruleset = 444, call_add_rule = 445, call_restrict_self = 446 };
enum { ask_version = 1, rule_path_beneath = 1 };
enum {
    write_file = 1 << 1, read_file = 1 << 2, read_folder = 1 << 3, remove_folder = 1 << 4,
    remove_file = 1 << 5, make_file = 1 << 8, move_between_folders = 1 << 13, truncate_file = 1 << 14,
    control_device = 1 << 15, since_abi_1 = (1 << 13) - 1,
};
enum { bind_tcp = 1, connect_tcp = 2, abstract_sockets = 1, signals = 2 };

struct ruleset {
    uint64_t files, network, scopes;
};
struct path_rule {
    uint64_t allowed;
    int32_t folder;
} __attribute__((packed));

int st_landlock_abi(void) {
    return (int)syscall(call_create_ruleset, NULL, (size_t)0, ask_version);
}

// All that this ABI can refuse; what it can't is left out, so that an old kernel does what it can.
static struct ruleset all_that_can_be_refused(int abi) {
    struct ruleset all = {since_abi_1, 0, 0};
    if (abi >= 2) all.files |= move_between_folders;
    if (abi >= 3) all.files |= truncate_file;
    if (abi >= 5) all.files |= control_device;
    if (abi >= 4) all.network = bind_tcp | connect_tcp;
    if (abi >= 6) all.scopes = abstract_sockets | signals;
    return all;
}

int st_landlock_create(int abi) {
    struct ruleset all = all_that_can_be_refused(abi);
    // An older kernel takes a longer structure whose end is zero.
    return (int)syscall(call_create_ruleset, &all, sizeof all, 0u);
}

int st_landlock_allow_folder(int ruleset, int folder, int abi) {
    // An empty folder in place of a file is removed: it would stop a writer.
    uint64_t allowed =
        write_file | read_file | read_folder | remove_folder | remove_file | make_file;
    if (abi >= 3) allowed |= truncate_file;
    struct path_rule rule = {allowed, folder};
    return (int)syscall(call_add_rule, ruleset, rule_path_beneath, &rule, 0u);
}

int st_landlock_restrict(int ruleset) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return (int)syscall(call_restrict_self, ruleset, 0u);
}
