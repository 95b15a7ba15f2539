/* A quadratic from files. */
#ifndef ADMMQ_PROBLEM_H
#define ADMMQ_PROBLEM_H

#include "admmnn/admmq.h"
#include "admmq/market.h"

typedef struct admmq_problem {
    size_t dimension;
    double *dense; /* [dimension * dimension], or NULL: sparse */
    market_matrix sparse;
    admmnn_matrix matrix; /* one of the two */
    double *b;            /* [dimension] */
    const char *set;      /* NULL: lists, as admmnn_problem has them */
    double *levels;
    size_t *first;
    double *starts; /* [start_count][dimension] */
    uint32_t start_count;
} admmq_problem;

/* Reads what the settings name and draws what they do not; freed with
 * admmq_problem_free also after a failure. Statuses: admmnn_admmq_solve's. */
admmnn_status admmq_problem_open(const admmnn_admmq_settings *settings, admmq_problem *problem,
                                 admmnn_error *err);
void admmq_problem_free(admmq_problem *problem);

#endif
