// Argon2id's memory in huge pages. libsodium maps it inside crypto_pwhash and has no argument for
// where, so that mmap is answered here: libc's own is a weak symbol, and programs may have theirs.
// Unless st_use_huge_pages asked for them it is the system call and nothing else. Why: the catalogue's note
// HugePagesForArgon2.
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "CLinux.h"

enum { huge = 2 << 20 };

static _Thread_local int wants_huge_pages;

static void *map(void *address, size_t length, int protection, int flags, int file, off_t offset) {
    return (void *)syscall(SYS_mmap, address, length, protection, flags, file, offset);
}

// Maps so that it begins at a huge page, and asks the kernel for huge pages there. Where it has none
// the memory is there all the same.
static void *map_huge(size_t length, int protection, int flags) {
    char *base = map(NULL, length + huge, protection, flags & ~MAP_POPULATE, -1, 0);
    if (base == MAP_FAILED) return base;
    size_t before = -(uintptr_t)base % huge;
    if (before > 0) munmap(base, before);
    if (before < huge) munmap(base + before + length, huge - before);
    madvise(base + before, length, MADV_HUGEPAGE);
    return base + before;
}

void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
    int isPrivateMemory = (flags & MAP_ANONYMOUS) != 0 && (flags & MAP_PRIVATE) != 0;
    if (wants_huge_pages && address == NULL && isPrivateMemory && length >= 16 * huge &&
        length % (size_t)sysconf(_SC_PAGESIZE) == 0)
        return map_huge(length, protection, flags);
    return map(address, length, protection, flags, file, offset);
}

void st_use_huge_pages(int isWanted) { wants_huge_pages = isWanted; }
