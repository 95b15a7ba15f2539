/* Stochastic weight averaging (Izmailov et al. 2018): the mean of the weights at the
 * ends of the last epochs of a stretch lies flatter than any of them. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "compress/run.h"

static admmnn_status add(compress_run *run, admmnn_error *err) {
    const train_network *n = run->network;
    if (run->average == NULL)
        run->average = base_array(n->active_count, sizeof *run->average);
    if (run->average == NULL)
        return base_fail_memory(err, "the mean of the weights");
    const float share = 1.0F / (float)++run->averaged;
    for (size_t i = 0; i < n->active_count; i++)
        run->average[i] += share * (n->params[i] - run->average[i]);
    return ADMMNN_OK;
}

admmnn_status run_average(compress_run *run, double share, uint32_t epochs, uint32_t left,
                          admmnn_error *err) {
    /* Not one more for the rounding of the product. */
    if ((double)left >= ceil(share * epochs - 1e-9))
        return ADMMNN_OK;
    BASE_TRY(add(run, err));
    if (left > 0)
        return ADMMNN_OK;
    memcpy(run->network->params, run->average, run->network->active_count * sizeof(float));
    run->averaged = 0;
    base_free(run->average);
    run->average = NULL;
    return ADMMNN_OK;
}
