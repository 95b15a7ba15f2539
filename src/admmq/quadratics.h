/* The quadratics of Huang et al. (2020, section 5.1), and their optima. */
#ifndef ADMMQ_QUADRATICS_H
#define ADMMQ_QUADRATICS_H

#include "admmnn/admmq.h"

typedef struct quadratics_instance {
    double *q, *b;  /* [d * d], [d] */
    double *starts; /* [starts][d] */
    double lipschitz;
    double continuous, rounded; /* f of the minimum without the levels, and of its rounding */
    double optimum;
    bool proven;    /* that it is the optimum; else the best that was found */
    uint64_t nodes; /* of branch and bound */
} quadratics_instance;

/* Instance `number` of the settings' seed; freed with quadratics_free also after a
 * failure. ADMMNN_MEMORY; ADMMNN_CANCELLED. */
admmnn_status quadratics_create(const admmnn_quadratics_settings *settings, uint32_t number,
                                const admmnn_context *context, quadratics_instance *instance,
                                admmnn_error *err);
void quadratics_free(quadratics_instance *instance);

#endif
