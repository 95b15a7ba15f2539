/* AVX2 and FMA: 16 registers of 4 doubles. */
#define LANES 4
#define TILE 4
#define TABLE batch_kernels_4
#include "admm/batch_template.h"
