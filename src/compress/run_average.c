/* Stochastic weight averaging (Izmailov et al. 2018): the mean of the weights at the
 * ends of the last epochs of a stretch lies flatter than any of them. */
#include <math.h>
#include <string.h>

#include "compress/run.h"

static void add(compress_run *run) {
    if (run->averaged == 0)
        memset(run->average, 0, run->network->active_count * sizeof *run->average);
    const float share = 1.0F / (float)++run->averaged;
    for (size_t i = 0; i < run->network->active_count; i++)
        run->average[i] += share * (run->network->params[i] - run->average[i]);
}

void run_average(compress_run *run, double share, uint32_t epochs, uint32_t left) {
    /* Not one more for the rounding of the product. */
    if ((double)left >= ceil(share * epochs - 1e-9))
        return;
    add(run);
    if (left > 0)
        return;
    memcpy(run->network->params, run->average, run->network->active_count * sizeof(float));
    run->averaged = 0;
}
