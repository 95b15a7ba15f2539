/* AVX2 and FMA: 16 registers of 8 floats. */
#define LANES 8
#define TILE_F 3
#define TILE_SPARSE_X 6
#define TILE_SPARSE_WIDE 7
#define TILE_DW_F 2
#define TILE_DX_C 1
#define TILE_P 6
#define TILE_OUTER 3
#define TABLE lanes_kernels_8
#include "engine/lanes_template.h"
