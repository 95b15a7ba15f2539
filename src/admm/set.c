#include <math.h>

#include "admm/set_class.h"

admmnn_status admm_set_project(admm_set *set, const float *v, float *z, size_t count,
                               admmnn_error *err) {
    for (size_t i = 0; i < count; i++)
        if (!isfinite(v[i]))
            return base_fail(err, ADMMNN_DIVERGED, "value %zu of %zu is not finite", i, count);
    return set->class->project(set, v, z, count, err);
}

void admm_set_free(admm_set *set) {
    if (set != NULL)
        set->class->free(set);
}
