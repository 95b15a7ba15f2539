/* The portable width: SSE2, NEON, or whatever the compiler makes of it. */
#define LANES 2
#define TILE 4
#define TABLE batch_kernels_2
#include "admm/batch_template.h"
