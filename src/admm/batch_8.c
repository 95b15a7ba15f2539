/* AVX-512: 32 registers of 8 doubles. */
#define LANES 8
#define TILE 8
#define TABLE batch_kernels_8
#include "admm/batch_template.h"
