/* AVX-512F: 32 registers of 16 floats. */
#define LANES 16
#define TILE_F 5
#define TILE_SPARSE_X 8
#define TILE_SPARSE_WIDE 8
#define TILE_DW_F 5
#define TILE_DX_C 2
#define TILE_P 12
#define TILE_OUTER 4
#define TABLE lanes_kernels_16
#include "engine/lanes_template.h"
