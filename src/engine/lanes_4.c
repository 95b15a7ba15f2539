/* The portable width: SSE2, NEON, or whatever the compiler makes of it. */
#define LANES 4
#define TILE_F 2
#define TILE_SPARSE_X 6
#define TILE_SPARSE_WIDE 7
#define TILE_DW_F 2
#define TILE_DX_C 1
#define TILE_P 4
#define TILE_OUTER 3
#define TABLE lanes_kernels_4
#include "engine/lanes_template.h"
