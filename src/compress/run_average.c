/* Stochastic weight averaging (Izmailov et al. 2018): the mean of the weights at the
 * ends of the last epochs of a stretch lies flatter than any of them. */
#include <math.h>
#include <string.h>

#include "compress/run.h"

static void add(compress_run *run) {
    const float share = 1.0F / (float)++run->averaged;
    for (size_t i = 0; i < run->network->active_count; i++)
        run->average[i] += share * (run->network->params[i] - run->average[i]);
}

void run_average(compress_run *run, const recipe_training *training) {
    const uint32_t left = training->epochs - run->at.epoch;
    /* Not one more for the rounding of the product. */
    if ((double)left >= ceil(training->average * training->epochs - 1e-9))
        return;
    add(run);
    if (left == 0)
        memcpy(run->network->params, run->average, run->network->active_count * sizeof(float));
}
