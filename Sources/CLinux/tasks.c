// In place of Swift's concurrency library and libdispatch, which argument-parser's asynchronous
// commands bring in with these three names alone. No command here is asynchronous, so that nothing
// calls them. The release alone has these (.ci/build-release; the note StaticPIE).
#ifdef NO_TASKS
#include <stdlib.h>

_Noreturn void swift_task_alloc(void) { abort(); }
_Noreturn void swift_task_dealloc(void) { abort(); }
_Noreturn void swift_task_switch(void) { abort(); }
#endif
