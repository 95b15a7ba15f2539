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
    float step; /* q of the last projection of a level set */
};

/* Keeps the `kept` entries of largest score, ties towards the lower index:
 * keep[i] is 1 or 0. scores[count] >= 0. O(count). */
admmnn_status admm_select_largest(const float *scores, size_t count, size_t kept, uint8_t *keep,
                                  admmnn_error *err);

#endif
