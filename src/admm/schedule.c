/* How rho moves. u = y / rho in scaled form, so u is rescaled with it. */
#include <math.h>

#include "admm/admm.h"

/* Where a residual is zero, balancing would go on for ever. */
#define RHO_LEAST 1e-9F
#define RHO_MOST 1e6F

static float balanced(const admm_schedule *s, float rho, const admm_residual *r) {
    double ratio = s->ratio > 0 ? (double)s->ratio : 10.0;
    float factor = s->factor > 0 ? s->factor : 2.0F;
    if (r->primal > ratio * r->dual)
        return fminf(rho * factor, RHO_MOST);
    if (r->dual > ratio * r->primal)
        return fmaxf(rho / factor, RHO_LEAST);
    return rho;
}

static float scheduled(const admm_schedule *s, uint32_t k, float rho, const admm_residual *r) {
    switch (s->kind) {
    case ADMM_RHO_GEOMETRIC: {
        if (s->iterations < 2)
            return s->first;
        float done = (float)k / (float)(s->iterations - 1);
        return s->first * powf(s->last / s->first, done < 1.0F ? done : 1.0F);
    }
    case ADMM_RHO_BALANCING:
        return k == 0 || r == NULL ? s->first : balanced(s, rho, r);
    default:
        return s->first;
    }
}

void admm_set_rho(admm_problem *p, const admm_schedule *schedule, uint32_t k,
                  const admm_residual *residuals) {
    float *u = admm_u_mutable(p);
    for (size_t i = 0; i < admm_block_count(p); i++) {
        const admm_block *b = admm_block_at(p, i);
        float rho = scheduled(schedule, k, b->rho, residuals == NULL ? NULL : &residuals[i]);
        float rescale = b->rho / rho;
        for (size_t j = b->offset; rescale != 1.0F && j < b->offset + b->count; j++)
            u[j] *= rescale;
        admm_block_rho_set(p, i, rho);
    }
}
