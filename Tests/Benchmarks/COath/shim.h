// liboath, which the benchmark compares with; the product doesn't use it.
#include <liboath/oath.h>
