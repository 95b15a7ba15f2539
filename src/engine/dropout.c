#include "engine/dropout.h"

#include "base/random.h"

/* Two elements from one number, 32 bits each. They are multiplied by what a table says,
 * since a branch that chance decides is guessed wrong half of the time. */
void engine_dropout_apply(const graph *g, uint32_t node, const engine_batch *batch, size_t sample,
                          size_t count, float *x) {
    const double ratio = (double)g->nodes[node].ratio;
    const uint32_t least = (uint32_t)(ratio * 0x1p32);
    const float factors[2] = {0.0F, (float)(1.0 / (1.0 - ratio))};
    base_random random = base_random_at(batch->seed, (UINT64_C(0x64726f70) << 32) + node,
                                        (batch->step << 32) + sample);
    uint64_t drawn = 0;
    for (size_t i = 0; i < count; i++) {
        drawn = i % 2 == 0 ? base_random_next(&random) : drawn >> 32;
        x[i] *= factors[(uint32_t)drawn >= least];
    }
}
