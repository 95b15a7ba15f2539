/* A set as its implementations see it. */
#ifndef ADMM_SET_CLASS_H
#define ADMM_SET_CLASS_H

#include "admm/set.h"

/* Every set starts with an admm_set. v holds finite values when project is
 * called; z may be v. */
typedef struct admm_set_class {
    const char *name;
    admmnn_status (*project)(admm_set *set, const float *v, float *z, size_t count,
                             admmnn_error *err);
    void (*free)(admm_set *set);
} admm_set_class;

struct admm_set {
    const admm_set_class *class;
};

#endif
