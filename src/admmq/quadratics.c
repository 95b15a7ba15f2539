#include "admmq/quadratics.h"

#include <stdio.h>

#include "admm/quadratic.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

/* Streams of random numbers. */
#define STREAM_MATRIX 0x71756164U
#define STREAM_START 0x73746172U

static void draw_matrix(const admmnn_quadratics_settings *s, uint32_t number, double *g,
                        quadratics_instance *p) {
    const size_t d = s->dimension;
    base_random random = base_random_at(s->seed, STREAM_MATRIX, number);
    double *direction = g + d * d;
    for (size_t i = 0; i < d * d + d; i++)
        g[i] = (double)base_random_normal(&random);
    for (size_t i = 0; i < d; i++)
        p->b[i] = 20 * (double)base_random_normal(&random);
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = s->condition * s->condition * direction[i] * direction[j];
            for (size_t k = 0; k < d; k++)
                sum += g[k * d + i] * g[k * d + j];
            p->q[i * d + j] = p->q[j * d + i] = sum;
        }
}

static void draw_starts(const admmnn_quadratics_settings *s, uint32_t number,
                        quadratics_instance *p) {
    base_random random = base_random_at(s->seed, STREAM_START, number);
    for (size_t i = 0; i < (size_t)s->starts * s->dimension; i++)
        p->starts[i] = 10 * (double)base_random_normal(&random);
}

static admmnn_status solve(const admmnn_quadratics_settings *s, const quadratics_instance *p,
                           admmnn_method method, const admmnn_context *context, double *x,
                           admmnn_solver_info *info, admmnn_error *err) {
    char set[64];
    const admmnn_matrix q = {.dense = p->q};
    const admmnn_problem problem = {.dimension = s->dimension, .q = &q, .b = p->b, .set = set};
    admmnn_solver_settings settings;
    admmnn_solver *solver;
    admmnn_solver_defaults(method, &settings);
    settings.nodes = s->nodes;
    snprintf(set, sizeof set, "grid:%.17g", s->spacing);
    BASE_TRY(admmnn_solver_create(&problem, &settings, context, &solver, err));
    admmnn_status status = admmnn_solver_solve(solver, NULL, 0, context, x, info, err);
    admmnn_solver_free(solver);
    return status;
}

/* f's minimum without the levels: b'x / 2 at Qx = -b. */
static admmnn_status find_continuous(const admmnn_quadratics_settings *s, quadratics_instance *p,
                                     double *x, admmnn_error *err) {
    const admmnn_matrix q = {.dense = p->q};
    admm_quadratic *f;
    BASE_TRY(admm_quadratic_create(&q, p->b, s->dimension, &f, err));
    admmnn_status status = admm_quadratic_shift(f, 0, err);
    if (status == ADMMNN_OK)
        status = admm_quadratic_solve(f, p->b, 0, x, NULL, err);
    admm_quadratic_free(f);
    for (size_t i = 0; i < s->dimension; i++) /* x is minus the minimum */
        p->continuous -= 0.5 * p->b[i] * x[i];
    return status;
}

static admmnn_status find_optimum(const admmnn_quadratics_settings *s,
                                  const admmnn_context *context, quadratics_instance *p, double *x,
                                  admmnn_error *err) {
    admmnn_solver_info info;
    BASE_TRY(find_continuous(s, p, x, err));
    BASE_TRY(solve(s, p, ADMMNN_METHOD_ROUND, NULL, x, &info, err));
    p->rounded = info.objective;
    p->lipschitz = info.lipschitz;
    BASE_TRY(solve(s, p, ADMMNN_METHOD_EXACT, context, x, &info, err));
    p->optimum = info.objective;
    p->nodes = info.iterations;
    p->proven = info.outcome == ADMMNN_OUTCOME_OPTIMAL;
    return ADMMNN_OK;
}

admmnn_status quadratics_create(const admmnn_quadratics_settings *s, uint32_t number,
                                const admmnn_context *context, quadratics_instance *p,
                                admmnn_error *err) {
    const size_t d = s->dimension;
    *p = (quadratics_instance){.q = base_array(d * d, sizeof *p->q),
                               .b = base_array(d, sizeof *p->b),
                               .starts = base_array(s->starts * d, sizeof *p->starts)};
    double *scratch = base_array(d * d + d, sizeof *scratch);
    admmnn_status status = ADMMNN_OK;
    if (p->q == NULL || p->b == NULL || p->starts == NULL || scratch == NULL) {
        status = base_fail_memory(err, "an instance");
    } else {
        draw_matrix(s, number, scratch, p);
        draw_starts(s, number, p);
        status = find_optimum(s, context, p, scratch, err);
    }
    base_free(scratch);
    return status;
}

void quadratics_free(quadratics_instance *p) {
    base_free(p->q);
    base_free(p->b);
    base_free(p->starts);
}
