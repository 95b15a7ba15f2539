#include "admm/admm.h"

#include <math.h>
#include <string.h>

#include "admm/soft.h"
#include "base/memory.h"
#include "base/random.h"

struct admm_problem {
    admm_block *blocks;
    size_t block_count, size;
    size_t largest; /* block */
    float *z, *u;   /* [size] */
    admm_variant variant;
};

void admm_free(admm_problem *p) {
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->block_count; i++)
        admm_set_free(p->blocks[i].set);
    base_free(p->blocks);
    base_free(p->z);
    base_free(p->u);
    base_free(p);
}

static void free_sets(const admm_block *blocks, size_t count) {
    for (size_t i = 0; i < count; i++)
        admm_set_free(blocks[i].set);
}

admmnn_status admm_create(const admm_block *blocks, size_t block_count, size_t size,
                          admm_problem **out, admmnn_error *err) {
    for (size_t i = 0; i < block_count; i++) {
        const admm_block *b = &blocks[i];
        if (b->offset > size || b->count > size - b->offset || !(b->rho > 0) || !isfinite(b->rho)) {
            free_sets(blocks, block_count);
            return base_fail(err, ADMMNN_USAGE,
                             "block %s: places %zu to %zu of %zu with rho %g make no sense",
                             b->name, b->offset, b->offset + b->count, size, (double)b->rho);
        }
    }
    admm_problem *p = base_array(1, sizeof *p);
    admm_block *copy = base_array_copy(blocks, block_count, sizeof *blocks);
    if (p == NULL || copy == NULL) {
        free_sets(blocks, block_count);
        base_free(p);
        base_free(copy);
        return base_fail_memory(err, "an ADMM problem");
    }
    *p = (admm_problem){.blocks = copy, .block_count = block_count, .size = size};
    for (size_t i = 0; i < block_count; i++)
        p->largest = copy[i].count > p->largest ? copy[i].count : p->largest;
    p->z = base_array(size, sizeof *p->z);
    p->u = base_array(size, sizeof *p->u);
    if (p->z == NULL || p->u == NULL) {
        admm_free(p);
        return base_fail_memory(err, "an ADMM problem");
    }
    *out = p;
    return ADMMNN_OK;
}

admmnn_status admm_start(admm_problem *p, const float *x, admmnn_error *err) {
    memset(p->u, 0, p->size * sizeof *p->u);
    for (size_t i = 0; i < p->block_count; i++) {
        const admm_block *b = &p->blocks[i];
        admmnn_status status =
            admm_set_project(b->set, x + b->offset, p->z + b->offset, b->count, err);
        if (status != ADMMNN_OK)
            return base_fail_within(err, status, "%s", b->name);
    }
    return ADMMNN_OK;
}

static double norm_of(const float *v, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)v[i] * (double)v[i];
    return sqrt(sum);
}

void admm_set_variant(admm_problem *p, const admm_variant *variant) {
    p->variant = *variant;
}

/* sum[b->count] is x + u, and to what z becomes. */
static void soften(const admm_problem *p, const admm_block *b, const float *sum, float *to) {
    double distance2 = 0;
    for (size_t i = 0; i < b->count; i++) {
        const double gap = (double)sum[i] - (double)to[i];
        distance2 += gap * gap;
    }
    const double share = admm_soft_share(sqrt(distance2), (double)p->variant.beta, (double)b->rho);
    for (size_t i = 0; i < b->count && share < 1; i++)
        to[i] = (float)((double)sum[i] + share * ((double)to[i] - (double)sum[i]));
}

/* What stays beside what is renewed need be no point of the set: levels may have another
 * interval by now, and supports more places. The nearest point is taken. */
static admmnn_status renew_some(const admm_problem *p, const admm_block *b, float *to,
                                admmnn_error *err) {
    base_random random = base_random_at(p->variant.seed, b->offset, p->variant.step);
    const float *z = p->z + b->offset;
    for (size_t i = 0; i < b->count; i++)
        if (base_random_uniform(&random) >= p->variant.probability)
            to[i] = z[i];
    return admm_set_project(b->set, to, to, b->count, err);
}

/* to: room for the block. x + u stands in the place of u, which it becomes. */
static admmnn_status update_block(admm_problem *p, const admm_block *b, const float *x, float *to,
                                  admm_residual *residual, admmnn_error *err) {
    float *z = p->z + b->offset;
    float *u = p->u + b->offset;
    x += b->offset;
    for (size_t i = 0; i < b->count; i++)
        u[i] = x[i] + u[i];
    admmnn_status status = admm_set_project(b->set, u, to, b->count, err);
    if (status == ADMMNN_OK && p->variant.kind == ADMM_VARIANT_R)
        status = renew_some(p, b, to, err);
    if (status != ADMMNN_OK)
        return base_fail_within(err, status, "%s", b->name);
    if (p->variant.kind == ADMM_VARIANT_S)
        soften(p, b, u, to);
    double primal = 0;
    double moved = 0;
    for (size_t i = 0; i < b->count; i++) {
        double gap = (double)x[i] - (double)to[i];
        double step = (double)to[i] - (double)z[i];
        primal += gap * gap;
        moved += step * step;
        z[i] = to[i];
        u[i] -= to[i];
    }
    if (residual != NULL)
        *residual = (admm_residual){.primal = sqrt(primal),
                                    .dual = (double)b->rho * sqrt(moved),
                                    .x_norm = norm_of(x, b->count),
                                    .z_norm = norm_of(z, b->count),
                                    .u_norm = norm_of(u, b->count)};
    return ADMMNN_OK;
}

admmnn_status admm_update(admm_problem *p, const float *x, admm_residual *residuals,
                          admmnn_error *err) {
    float *to = base_array(p->largest, sizeof *to);
    admmnn_status status = to == NULL ? base_fail_memory(err, "the z step") : ADMMNN_OK;
    for (size_t i = 0; i < p->block_count && status == ADMMNN_OK; i++)
        status =
            update_block(p, &p->blocks[i], x, to, residuals == NULL ? NULL : &residuals[i], err);
    base_free(to);
    return status;
}

bool admm_converged(const admm_problem *p, const admm_residual *residuals, double relative) {
    for (size_t i = 0; i < p->block_count; i++) {
        const admm_residual *r = &residuals[i];
        double reference = r->x_norm > r->z_norm ? r->x_norm : r->z_norm;
        if (r->primal > relative * reference ||
            r->dual > relative * (double)p->blocks[i].rho * r->u_norm)
            return false;
    }
    return true;
}

size_t admm_block_count(const admm_problem *p) {
    return p->block_count;
}

const admm_block *admm_block_at(const admm_problem *p, size_t i) {
    return &p->blocks[i];
}

const float *admm_z(const admm_problem *p) {
    return p->z;
}

const float *admm_u(const admm_problem *p) {
    return p->u;
}

float *admm_z_mutable(admm_problem *p) {
    return p->z;
}

float *admm_u_mutable(admm_problem *p) {
    return p->u;
}

void admm_block_replace_set(admm_problem *p, size_t i, admm_set *set) {
    admm_set_free(p->blocks[i].set);
    p->blocks[i].set = set;
}

void admm_block_rho_set(admm_problem *p, size_t i, float rho) {
    p->blocks[i].rho = rho;
}

void admm_anchor(const admm_problem *p, const size_t *places, size_t count, float *anchor) {
    for (size_t i = 0; i < count; i++) {
        const size_t at = places == NULL ? i : places[i];
        anchor[i] = p->z[at] - p->u[at];
    }
}
