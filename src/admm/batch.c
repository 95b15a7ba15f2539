#include "admm/batch.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

/* Iterations between two looks at a block: whether runs repeat, diverge or end. */
#define CHUNK 64U
/* No run. */
#define IDLE SIZE_MAX

/* What a lane is at. */
typedef struct lane {
    size_t run;
    uint64_t done, most;
    bool repeats;
} lane;

typedef struct batch {
    const batch_problem *problem;
    const batch_kernels *kernels;
    batch_system system;
    double *matrices; /* the system's */
    batch_block block;
    double *columns;         /* the block's */
    double *x_mark, *u_mark; /* what later iterates are compared with */
    double *values;          /* [width] */
    double *best;            /* [width] */
    uint64_t *draws;         /* the block's */
    lane *lanes;             /* [width] */
    const admmnn_context *context;
    batch_run *runs;
    size_t run_count, next; /* next: the first that no lane has had */
} batch;

/* ---- the system ---- */

/* inverse[d * d] := (Q + rho I)^-1. */
static admmnn_status invert(const batch_problem *p, double *inverse, admmnn_error *err) {
    const size_t d = p->d;
    const lapack_int n = (lapack_int)d;
    memcpy(inverse, p->q, d * d * sizeof *inverse);
    for (size_t i = 0; i < d; i++)
        inverse[i * d + i] += p->rho;
    /* Symmetric: rows of the upper triangle are columns of the lower. */
    lapack_int info = LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', n, inverse, n);
    if (info == 0)
        info = LAPACKE_dpotri(LAPACK_COL_MAJOR, 'L', n, inverse, n);
    if (info < 0)
        return base_fail_memory(err, "LAPACK");
    if (info > 0)
        return base_fail(err, ADMMNN_USAGE,
                         "Q + %g I is not positive definite; a larger rho is needed", p->rho);
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < i; j++)
            inverse[i * d + j] = inverse[j * d + i];
    return ADMMNN_OK;
}

static admmnn_status fill_admm(const batch_problem *p, double *matrix, double *offset,
                               admmnn_error *err) {
    const size_t d = p->d;
    BASE_TRY(invert(p, matrix, err));
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) {
            offset[i] += matrix[i * d + j] * p->b[j];
            matrix[i * d + j] *= p->rho;
        }
    }
    return ADMMNN_OK;
}

static void fill_gradient(const batch_problem *p, double *matrix, double *offset) {
    const size_t d = p->d;
    for (size_t i = 0; i < d; i++) {
        offset[i] = p->b[i] / p->rho;
        for (size_t j = 0; j < d; j++)
            matrix[i * d + j] = (i == j ? 1 : 0) - p->q[i * d + j] / p->rho;
    }
}

static admmnn_status make_system(batch *s, admmnn_error *err) {
    const batch_problem *p = s->problem;
    const size_t d = p->d;
    const size_t padded = (d + s->kernels->tile - 1) / s->kernels->tile * s->kernels->tile;
    size_t entries;
    if (!base_multiply(padded, d, &entries) || !base_multiply(entries + padded, 2, &entries) ||
        (s->matrices = base_array(entries, sizeof *s->matrices)) == NULL)
        return base_fail_memory(err, "a batch of runs");
    double *matrix = s->matrices;
    double *q = matrix + padded * d;
    double *offset = q + padded * d;
    double *b = offset + padded;
    memcpy(q, p->q, d * d * sizeof *q);
    memcpy(b, p->b, d * sizeof *b);
    s->system = (batch_system){.d = d,
                               .padded = padded,
                               .matrix = matrix,
                               .offset = offset,
                               .q = q,
                               .b = b,
                               .spacing = p->spacing,
                               .inverse_spacing = 1 / p->spacing};
    if (p->method == BATCH_SOFT || p->method == BATCH_RANDOMISED)
        return fill_admm(p, matrix, offset, err);
    fill_gradient(p, matrix, offset);
    return ADMMNN_OK;
}

static admmnn_status make_block(batch *s, admmnn_error *err) {
    const size_t width = s->kernels->width;
    const size_t column = s->system.padded * width;
    double **const arrays[] = {&s->block.x,     &s->block.u, &s->block.y, &s->block.projected,
                               &s->block.right, &s->x_mark,  &s->u_mark};
    const size_t count = sizeof arrays / sizeof arrays[0];
    s->columns = base_array(count * column + 3 * width, sizeof *s->columns);
    s->draws = base_array(3 * width, sizeof *s->draws);
    s->lanes = base_array(width, sizeof *s->lanes);
    if (s->columns == NULL || s->draws == NULL || s->lanes == NULL)
        return base_fail_memory(err, "a batch of runs");
    for (size_t i = 0; i < count; i++)
        *arrays[i] = s->columns + i * column;
    s->block.most = s->columns + count * column;
    s->values = s->block.most + width;
    s->best = s->values + width;
    s->block.threshold = s->draws;
    s->block.random[0] = s->draws + width;
    s->block.random[1] = s->draws + 2 * width;
    return ADMMNN_OK;
}

static void free_batch(batch *s) {
    base_free(s->matrices);
    base_free(s->columns);
    base_free(s->draws);
    base_free(s->lanes);
}

/* ---- lanes ---- */

static double nearest_level(const batch_problem *p, double v) {
    return nearbyint(v / p->spacing) * p->spacing;
}

static void fill_lane(batch *s, size_t l) {
    const size_t width = s->kernels->width;
    const batch_run *run = &s->runs[s->next];
    base_random random = base_random_at(run->seed, 0x61646d6dU, run->number);
    s->lanes[l] = (lane){.run = s->next++, .most = s->problem->iterations};
    s->best[l] = INFINITY;
    s->block.most[l] = run->beta / s->problem->rho;
    s->block.threshold[l] = (uint64_t)(run->probability * 0x1p32);
    s->block.random[0][l] = base_random_next(&random);
    s->block.random[1][l] = base_random_next(&random);
    for (size_t i = 0; i < s->problem->d; i++) {
        s->block.x[i * width + l] = run->start[i];
        s->block.u[i * width + l] = 0;
        s->block.y[i * width + l] = nearest_level(s->problem, run->start[i]);
    }
}

/* A lane without a run stays at 0. */
static void clear_lane(batch *s, size_t l) {
    const size_t width = s->kernels->width;
    s->lanes[l] = (lane){.run = IDLE, .most = UINT64_MAX};
    s->block.most[l] = 0;
    s->block.threshold[l] = 0;
    for (size_t i = 0; i < s->problem->d; i++)
        s->block.x[i * width + l] = s->block.u[i * width + l] = s->block.y[i * width + l] = 0;
}

static void next_run(batch *s, size_t l) {
    if (s->next < s->run_count)
        fill_lane(s, l);
    else
        clear_lane(s, l);
}

static void end_run(batch *s, size_t l, double value) {
    batch_run *run = &s->runs[s->lanes[l].run];
    run->value = value;
    run->iterations = s->lanes[l].done;
    s->lanes[l].run = IDLE;
}

static bool is_finite(const batch *s, size_t l) {
    const size_t width = s->kernels->width;
    double sum = 0;
    for (size_t i = 0; i < s->problem->d; i++)
        sum += fabs(s->block.x[i * width + l]) + fabs(s->block.u[i * width + l]);
    return isfinite(sum);
}

/* Whether the state that all later ones follow from is the marked one. ADMM-R has no such
 * state while another draw would change y. */
static bool is_marked(const batch *s, size_t l) {
    const size_t width = s->kernels->width;
    const batch_block *b = &s->block;
    const bool random = s->problem->method == BATCH_RANDOMISED;
    for (size_t k = l; k < s->problem->d * width; k += width)
        if (b->x[k] != s->x_mark[k] || b->u[k] != s->u_mark[k] ||
            (random && b->y[k] != b->projected[k]))
            return false;
    return true;
}

static void mark(batch *s, size_t l) {
    const size_t width = s->kernels->width;
    for (size_t k = l; k < s->problem->d * width; k += width) {
        s->x_mark[k] = s->block.x[k];
        s->u_mark[k] = s->block.u[k];
    }
}

/* Iterations since a lane's mark. Marks are set at powers of two; ADMM-R's before the last
 * iteration of each chunk, since what lies between two states is drawn. */
static uint64_t since_mark(const batch *s, const lane *at) {
    if (s->problem->method == BATCH_RANDOMISED)
        return 1;
    uint64_t power = CHUNK;
    while (power * 2 < at->done)
        power *= 2;
    return at->done - power;
}

/* A run that is where it was at its mark leaves out whole rounds. */
static void look_at(batch *s, size_t l) {
    lane *at = &s->lanes[l];
    if (!is_finite(s, l)) {
        end_run(s, l, INFINITY);
        return;
    }
    const uint64_t round = since_mark(s, at);
    const uint64_t left = at->most - at->done;
    if (!at->repeats && round > 0 && is_marked(s, l)) {
        at->repeats = true;
        if (left > s->problem->last)
            at->most = at->done + s->problem->last + (left - s->problem->last) % round;
    }
    if (s->problem->method != BATCH_RANDOMISED && (at->done & (at->done - 1)) == 0)
        mark(s, l);
}

/* ---- blocks ---- */

static const double *points_of(const batch *s) {
    switch (s->problem->method) {
    case BATCH_SOFT:
    case BATCH_DESCENT:
        return s->block.projected;
    case BATCH_RANDOMISED:
        return s->block.y;
    default:
        return s->block.x;
    }
}

static void iterate(batch *s) {
    switch (s->problem->method) {
    case BATCH_SOFT:
        s->kernels->soft(&s->system, &s->block);
        break;
    case BATCH_RANDOMISED:
        s->kernels->randomised(&s->system, &s->block);
        break;
    case BATCH_DESCENT:
        s->kernels->descent(&s->system, &s->block);
        break;
    default:
        s->kernels->gradient(&s->system, &s->block);
        break;
    }
}

/* Whether an iterate of the next chunk is one of some run's last. */
static bool near_end(const batch *s) {
    for (size_t l = 0; l < s->kernels->width; l++) {
        const lane *at = &s->lanes[l];
        if (at->run != IDLE && at->done + CHUNK + s->problem->last > at->most)
            return true;
    }
    return false;
}

static void offer(batch *s) {
    s->kernels->evaluate(&s->system, points_of(s), s->block.right, s->values);
    for (size_t l = 0; l < s->kernels->width; l++) {
        const lane *at = &s->lanes[l];
        if (at->run == IDLE || at->done + s->problem->last <= at->most)
            continue;
        /* Products of a run that diverges overflow to both infinities. */
        if (isfinite(s->values[l]) && s->values[l] < s->best[l])
            s->best[l] = s->values[l];
        if (at->done == at->most)
            end_run(s, l, s->best[l]);
    }
}

static void do_chunk(batch *s) {
    const bool offers = near_end(s);
    for (unsigned k = 0; k < CHUNK; k++) {
        if (k + 1 == CHUNK && s->problem->method == BATCH_RANDOMISED)
            for (size_t l = 0; l < s->kernels->width; l++)
                mark(s, l);
        iterate(s);
        for (size_t l = 0; l < s->kernels->width; l++)
            s->lanes[l].done++;
        if (offers)
            offer(s);
    }
}

/* False when no lane has a run any more. */
static bool look_at_all(batch *s) {
    bool any = false;
    for (size_t l = 0; l < s->kernels->width; l++) {
        if (s->lanes[l].run != IDLE)
            look_at(s, l);
        if (s->lanes[l].run == IDLE)
            next_run(s, l);
        any |= s->lanes[l].run != IDLE;
    }
    return any;
}

static admmnn_status do_runs(batch *s, admmnn_error *err) {
    for (size_t l = 0; l < s->kernels->width; l++)
        next_run(s, l);
    do {
        if (base_cancelled(s->context))
            return base_fail(err, ADMMNN_CANCELLED, "stopped on request");
        do_chunk(s);
    } while (look_at_all(s));
    return ADMMNN_OK;
}

admmnn_status batch_solve(const batch_problem *problem, const batch_kernels *kernels,
                          const admmnn_context *context, batch_run *runs, size_t count,
                          admmnn_error *err) {
    batch s = {.problem = problem,
               .kernels = kernels == NULL ? batch_kernels_get(0) : kernels,
               .context = context,
               .runs = runs,
               .run_count = count};
    admmnn_status status = make_system(&s, err);
    if (status == ADMMNN_OK)
        status = make_block(&s, err);
    if (status == ADMMNN_OK)
        status = do_runs(&s, err);
    free_batch(&s);
    return status;
}
