#include "admm/solver.h"

#include <math.h>
#include <string.h>

#include "admm/lattice.h"
#include "admm/soft.h"
#include "base/context.h"
#include "base/memory.h"

/* Coordinates stepped over between two questions whether to stop. */
#define PATIENCE ((size_t)1 << 16)
/* What the augmented Lagrangian may grow by, of its size, without having grown. */
#define ROUNDING 1e-9

/* How far a run is. */
typedef struct course {
    uint64_t done, most; /* iterations */
    uint64_t mark;       /* the iteration of x_mark and l_mark */
    bool settled;        /* no y has wanted to change since the mark */
    bool fixed;
    double lagrangian; /* of the last iteration */
} course;

/* Steps between two such questions: of a function one, since it may be a network's loss. */
static size_t patience_of(const admmnn_solver *s) {
    return s->quadratic == NULL ? 1 : 1 + PATIENCE / (1 + s->d);
}

static double squared_gap(const double *v, const double *w, size_t d) {
    double sum = 0;
    for (size_t i = 0; i < d; i++)
        sum += (v[i] - w[i]) * (v[i] - w[i]);
    return sum;
}

/* f(x) and its gradient. */
static admmnn_status evaluate(const admmnn_solver *s, const double *x, double *value,
                              double *gradient, admmnn_error *err) {
    if (s->quadratic != NULL)
        BASE_TRY(admm_quadratic_value(s->quadratic, x, value, gradient, err));
    else
        *value = s->problem.f(s->problem.user, x, gradient);
    return isfinite(*value) ? ADMMNN_OK
                            : base_fail(err, ADMMNN_DIVERGED, "f is not finite: %g", *value);
}

static admmnn_status check_finite(const double *v, size_t d, admmnn_error *err) {
    for (size_t i = 0; i < d; i++)
        if (!isfinite(v[i]))
            return base_fail(err, ADMMNN_DIVERGED, "x is not finite in coordinate %zu", i);
    return ADMMNN_OK;
}

/* ---- y := P(x + l / rho), or what a variant has in its place ---- */

static void project_shifted(admmnn_solver *s) {
    solver_iterate *at = &s->at;
    for (size_t i = 0; i < s->d; i++)
        at->z[i] = at->x[i] + at->l[i] / s->rho;
    admm_product_project(s->set, at->z, at->projected);
}

static void soften(admmnn_solver *s) {
    solver_iterate *at = &s->at;
    const double distance = sqrt(squared_gap(at->z, at->projected, s->d));
    const double share = admm_soft_share(distance, s->settings.beta, s->rho);
    memcpy(at->y, at->projected, s->d * sizeof *at->y);
    for (size_t i = 0; i < s->d && share < 1; i++)
        at->y[i] = at->z[i] + share * (at->projected[i] - at->z[i]);
}

/* Coordinates that share a scale are renewed together, so that y stays in A. */
static void renew_some(admmnn_solver *s) {
    solver_iterate *at = &s->at;
    const size_t group = admm_product_group(s->set);
    for (size_t i = 0; i < s->d; i += group) {
        const size_t count = s->d - i < group ? s->d - i : group;
        if ((double)base_random_uniform(&at->random) < s->settings.probability)
            memcpy(at->y + i, at->projected + i, count * sizeof *at->y);
    }
}

static void step_y(admmnn_solver *s) {
    project_shifted(s);
    switch (s->settings.method) {
    case ADMMNN_METHOD_ADMM_S:
        soften(s);
        break;
    case ADMMNN_METHOD_ADMM_R:
        renew_some(s);
        break;
    default:
        memcpy(s->at.y, s->at.projected, s->d * sizeof *s->at.y);
        break;
    }
}

/* ---- x := argmin L(x, y, l) ---- */

static admmnn_status step_x_exactly(admmnn_solver *s, const admmnn_context *context,
                                    admmnn_error *err) {
    solver_iterate *at = &s->at;
    const double *b = s->problem.b;
    for (size_t i = 0; i < s->d; i++)
        at->right[i] = s->rho * at->y[i] - at->l[i] - (b == NULL ? 0 : b[i]);
    return admm_quadratic_solve(s->quadratic, at->right, s->settings.tolerance, at->x, context,
                                err);
}

static admmnn_status step_x_by_gradient(admmnn_solver *s, const admmnn_context *context,
                                        admmnn_error *err) {
    solver_iterate *at = &s->at;
    const size_t patience = patience_of(s);
    double first = 0;
    for (uint32_t k = 0; k < s->settings.gradient_steps; k++) {
        if (k % patience == patience - 1 && base_cancelled(context))
            return base_fail(err, ADMMNN_CANCELLED, "stopped on request");
        double value;
        double length2 = 0;
        BASE_TRY(evaluate(s, at->x, &value, at->gradient, err));
        for (size_t i = 0; i < s->d; i++) {
            at->gradient[i] += at->l[i] + s->rho * (at->x[i] - at->y[i]);
            length2 += at->gradient[i] * at->gradient[i];
        }
        first = k == 0 ? sqrt(length2) : first;
        if (sqrt(length2) <= s->settings.tolerance * first)
            return ADMMNN_OK;
        for (size_t i = 0; i < s->d; i++)
            at->x[i] -= at->gradient[i] / (s->lipschitz + s->rho);
    }
    return ADMMNN_OK;
}

/* With f's tangent at x in f's place: x := y - (gradient + l) / rho. */
static admmnn_status step_x_by_tangent(admmnn_solver *s, admmnn_error *err) {
    solver_iterate *at = &s->at;
    double value;
    BASE_TRY(evaluate(s, at->x, &value, at->gradient, err));
    for (size_t i = 0; i < s->d; i++)
        at->x[i] = at->y[i] - (at->gradient[i] + at->l[i]) / s->rho;
    return ADMMNN_OK;
}

static admmnn_status step_x(admmnn_solver *s, const admmnn_context *context, admmnn_error *err) {
    switch (s->settings.x_step) {
    case ADMMNN_X_STEP_GRADIENT:
        return step_x_by_gradient(s, context, err);
    case ADMMNN_X_STEP_LINEAR:
        return step_x_by_tangent(s, err);
    default:
        return step_x_exactly(s, context, err);
    }
}

/* ---- one iteration ---- */

static admmnn_status iterate_admm(admmnn_solver *s, const admmnn_context *context,
                                  admmnn_error *err) {
    solver_iterate *at = &s->at;
    memcpy(at->y_before, at->y, s->d * sizeof *at->y);
    step_y(s);
    BASE_TRY(step_x(s, context, err));
    for (size_t i = 0; i < s->d; i++)
        at->l[i] += s->rho * (at->x[i] - at->y[i]);
    return ADMMNN_OK;
}

/* x := x - gradient / rho, projected but by gd-round. */
static admmnn_status iterate_gradient(admmnn_solver *s, admmnn_error *err) {
    solver_iterate *at = &s->at;
    double value;
    BASE_TRY(evaluate(s, at->x, &value, at->gradient, err));
    for (size_t i = 0; i < s->d; i++)
        at->z[i] = at->x[i] - at->gradient[i] / s->rho;
    BASE_TRY(check_finite(at->z, s->d, err));
    admm_product_project(s->set, at->z, at->projected);
    memcpy(at->x, s->settings.method == ADMMNN_METHOD_PGD ? at->projected : at->z,
           s->d * sizeof *at->x);
    return ADMMNN_OK;
}

static bool is_gradient(const admmnn_solver *s) {
    return s->settings.method == ADMMNN_METHOD_PGD || s->settings.method == ADMMNN_METHOD_GD_ROUND;
}

/* The point of A that the iterate stands for. */
static const double *candidate_of(const admmnn_solver *s) {
    return s->settings.method == ADMMNN_METHOD_ADMM_R ? s->at.y : s->at.projected;
}

static admmnn_status offer(admmnn_solver *s, admmnn_error *err) {
    solver_iterate *at = &s->at;
    double value;
    BASE_TRY(evaluate(s, candidate_of(s), &value, at->gradient, err));
    if (value < at->best_value) {
        at->best_value = value;
        memcpy(at->best, candidate_of(s), s->d * sizeof *at->best);
    }
    return ADMMNN_OK;
}

/* L, with ADMM-S's beta times y's distance to A in place of A's indicator. */
static admmnn_status lagrangian_of(admmnn_solver *s, double *value, admmnn_error *err) {
    solver_iterate *at = &s->at;
    BASE_TRY(evaluate(s, at->x, value, at->gradient, err));
    for (size_t i = 0; i < s->d; i++)
        *value += at->l[i] * (at->x[i] - at->y[i]);
    *value += s->rho / 2 * squared_gap(at->x, at->y, s->d);
    const double distance = sqrt(squared_gap(at->y, at->projected, s->d));
    if (s->settings.method == ADMMNN_METHOD_ADMM_S && distance > 0)
        *value += s->settings.beta * distance;
    return ADMMNN_OK;
}

static admmnn_status check_decrease(admmnn_solver *s, course *c, int *decreased,
                                    admmnn_error *err) {
    double value;
    BASE_TRY(lagrangian_of(s, &value, err));
    if (c->done > 1 && *decreased != 0)
        *decreased = value <= c->lagrangian + ROUNDING * fmax(1, fabs(c->lagrangian));
    c->lagrangian = value;
    return ADMMNN_OK;
}

/* ---- when iterates repeat ---- */

/* Whether the state that all later ones follow from is the marked one. */
static bool repeats(const admmnn_solver *s) {
    const solver_iterate *at = &s->at;
    const size_t bytes = s->d * sizeof *at->x;
    return memcmp(at->x, at->x_mark, bytes) == 0 && memcmp(at->l, at->l_mark, bytes) == 0;
}

/* Iterates in a circle (found as Brent 1980 does, by a mark that is set anew at powers of
 * two) leave out all whole rounds but those in which the answer is looked for. */
static void watch(admmnn_solver *s, course *c) {
    solver_iterate *at = &s->at;
    if (s->settings.stochastic)
        return;
    if (s->settings.method == ADMMNN_METHOD_ADMM_R) /* another draw would have changed y */
        c->settled &= memcmp(at->y_before, at->projected, s->d * sizeof *at->y) == 0;
    const uint64_t round = c->done - c->mark;
    if (!c->fixed && c->settled && round > 0 && repeats(s)) {
        const uint64_t left = c->most - c->done;
        c->fixed = true;
        if (s->settings.last == 0)
            c->most = c->done;
        else if (left > s->settings.last)
            c->most = c->done + s->settings.last + (left - s->settings.last) % round;
    }
    if ((c->done & (c->done - 1)) == 0) {
        memcpy(at->x_mark, at->x, s->d * sizeof *at->x);
        memcpy(at->l_mark, at->l, s->d * sizeof *at->l);
        c->mark = c->done;
        c->settled = true;
    }
}

/* ---- whether a point is stationary ---- */

/* By how much less than a nearest point's a coordinate's squared distance to z would have to
 * be, beside what rounding of the two may come to. */
static bool is_nearest(const double *point, const double *nearest, const double *z, size_t count) {
    double excess = 0;
    double rounding = 0;
    for (size_t i = 0; i < count; i++) {
        const double gap = point[i] - nearest[i];
        excess += gap * (point[i] + nearest[i] - 2 * z[i]);
        rounding += fabs(gap) * (fabs(point[i]) + fabs(nearest[i]) + 2 * fabs(z[i]));
    }
    return excess <= ROUNDING * rounding;
}

/* A limit of the iterates is as near to itself - gradient / rho as any point of A (Huang
 * et al. 2020, section 2). */
static admmnn_status check_stationary(admmnn_solver *s, const double *point, int *stationary,
                                      admmnn_error *err) {
    solver_iterate *at = &s->at;
    const size_t group = admm_product_group(s->set);
    double value;
    BASE_TRY(evaluate(s, point, &value, at->gradient, err));
    for (size_t i = 0; i < s->d; i++)
        at->z[i] = point[i] - at->gradient[i] / s->rho;
    admm_product_project(s->set, at->z, at->right);
    *stationary = 1;
    for (size_t i = 0; i < s->d; i += group)
        *stationary &=
            is_nearest(point + i, at->right + i, at->z + i, s->d - i < group ? s->d - i : group);
    return ADMMNN_OK;
}

/* ---- a run ---- */

static void report_progress(const admmnn_solver *s, const course *c,
                            const admmnn_context *context) {
    base_progress(context, &(admmnn_progress){
                               .task = admmnn_method_text(s->settings.method),
                               .unit = "iterations",
                               .done = c->done,
                               .total = c->most,
                               .run_done = -1,
                           });
}

static admmnn_status iterate_once(admmnn_solver *s, course *c, const admmnn_context *context,
                                  admmnn_solver_info *info, admmnn_error *err) {
    const uint32_t last = s->settings.stochastic ? 1 : s->settings.last;
    BASE_TRY(is_gradient(s) ? iterate_gradient(s, err) : iterate_admm(s, context, err));
    BASE_TRY(check_finite(s->at.x, s->d, err));
    c->done++;
    if (!is_gradient(s) && s->settings.check && !s->settings.stochastic)
        BASE_TRY(check_decrease(s, c, &info->decreased, err));
    watch(s, c);
    return last == 0 || c->most - c->done < last ? offer(s, err) : ADMMNN_OK;
}

static admmnn_status iterate_all(admmnn_solver *s, course *c, const admmnn_context *context,
                                 admmnn_solver_info *info, admmnn_error *err) {
    const size_t patience = patience_of(s);
    while (c->done < c->most) {
        if (c->done % patience == 0) {
            report_progress(s, c, context);
            if (base_cancelled(context))
                return base_fail(err, ADMMNN_CANCELLED, "stopped in iteration %llu",
                                 (unsigned long long)c->done);
        }
        admmnn_status status = iterate_once(s, c, context, info, err);
        if (status != ADMMNN_OK)
            return base_fail_within(err, status, "iteration %llu", (unsigned long long)c->done + 1);
    }
    report_progress(s, c, context);
    return ADMMNN_OK;
}

/* What there is of a run that ended early: the last point of A that was finite, though f
 * may not be known there. */
static void keep_last(admmnn_solver *s) {
    const double *last = candidate_of(s);
    double value;
    if (s->at.best_value < INFINITY || check_finite(last, s->d, NULL) != ADMMNN_OK)
        return;
    memcpy(s->at.best, last, s->d * sizeof *last);
    s->at.best_value = evaluate(s, last, &value, s->at.gradient, NULL) == ADMMNN_OK ? value : NAN;
}

static void start_run(admmnn_solver *s, const double *start, uint64_t number) {
    solver_iterate *at = &s->at;
    memset(at->l, 0, s->d * sizeof *at->l);
    memset(at->x, 0, s->d * sizeof *at->x);
    if (start != NULL)
        memcpy(at->x, start, s->d * sizeof *start);
    admm_product_project(s->set, at->x, at->projected);
    memcpy(at->y, at->projected, s->d * sizeof *at->y);
    memcpy(at->x_mark, at->x, s->d * sizeof *at->x);
    memcpy(at->l_mark, at->l, s->d * sizeof *at->l);
    at->best_value = INFINITY;
    at->random = base_random_at(s->settings.seed, 0x61646d6dU, number);
}

static admmnn_status run_iterations(admmnn_solver *s, const admmnn_context *context,
                                    admmnn_solver_info *info, admmnn_error *err) {
    course c = {.most = s->settings.iterations, .settled = true};
    admmnn_status status = iterate_all(s, &c, context, info, err);
    info->iterations = c.done;
    info->outcome = c.fixed ? ADMMNN_OUTCOME_REPEATS : ADMMNN_OUTCOME_ITERATION_LIMIT;
    if (!is_gradient(s) && status == ADMMNN_OK) {
        info->primal = sqrt(squared_gap(s->at.x, s->at.y, s->d));
        info->dual = s->rho * sqrt(squared_gap(s->at.y, s->at.y_before, s->d));
    }
    if (status != ADMMNN_OK)
        keep_last(s);
    else if (c.fixed)
        status = check_stationary(s, candidate_of(s), &info->limit_stationary, err);
    return status;
}

/* ---- without iterations ---- */

static admmnn_status round_minimum(admmnn_solver *s, const admmnn_context *context,
                                   admmnn_solver_info *info, admmnn_error *err) {
    solver_iterate *at = &s->at;
    for (size_t i = 0; i < s->d; i++)
        at->right[i] = s->problem.b == NULL ? 0 : -s->problem.b[i];
    BASE_TRY(
        admm_quadratic_solve(s->quadratic, at->right, s->settings.tolerance, at->x, context, err));
    admm_product_project(s->set, at->x, at->projected);
    info->outcome = ADMMNN_OUTCOME_ROUNDED;
    return offer(s, err);
}

/* f = ||R x - t||^2 / 2 + a constant, Q = R'R and R't = -b. */
static admmnn_status search_tree(admmnn_solver *s, const admmnn_context *context,
                                 admmnn_solver_info *info, admmnn_error *err) {
    double *r = base_array(s->d * s->d, sizeof *r);
    lattice_answer answer = {.distance2 = INFINITY};
    admmnn_status status = r == NULL ? base_fail_memory(err, "a lattice")
                                     : admm_quadratic_triangle(s->quadratic, r, s->at.right, err);
    if (status == ADMMNN_OK)
        status = lattice_closest(r, s->at.right, s->d, admm_product_ladders(s->set),
                                 s->settings.nodes, context, s->at.projected, &answer, err);
    base_free(r);
    info->iterations = answer.nodes;
    info->outcome = answer.proven ? ADMMNN_OUTCOME_OPTIMAL : ADMMNN_OUTCOME_NODE_LIMIT;
    if (answer.distance2 == INFINITY && status == ADMMNN_OK)
        return base_fail(err, ADMMNN_DIVERGED, "f is not finite at any point that was tried");
    if (answer.distance2 == INFINITY)
        return status;
    admmnn_status offered = offer(s, status == ADMMNN_OK ? err : NULL);
    return status == ADMMNN_OK ? offered : status;
}

static admmnn_status run_method(admmnn_solver *s, const admmnn_context *context,
                                admmnn_solver_info *info, admmnn_error *err) {
    switch (s->settings.method) {
    case ADMMNN_METHOD_EXACT:
        return search_tree(s, context, info, err);
    case ADMMNN_METHOD_ROUND:
        return round_minimum(s, context, info, err);
    default:
        return run_iterations(s, context, info, err);
    }
}

static bool rho_suffices(const admmnn_solver *s) {
    return s->rho * (s->rho + s->smallest - s->residual) >= 2 * s->bound * s->bound;
}

admmnn_status admmnn_solver_solve(admmnn_solver *s, const double *start, uint64_t number,
                                  const admmnn_context *context, double *x,
                                  admmnn_solver_info *info, admmnn_error *err) {
    *info = (admmnn_solver_info){.outcome = ADMMNN_OUTCOME_NOT_RUN,
                                 .objective = NAN,
                                 .rho = s->rho,
                                 .lipschitz = s->lipschitz,
                                 .primal = NAN,
                                 .dual = NAN,
                                 .rho_suffices = -1,
                                 .decreased = -1,
                                 .stationary = -1,
                                 .limit_stationary = -1};
    for (size_t i = 0; start != NULL && i < s->d; i++)
        if (!isfinite(start[i]))
            return base_fail(err, ADMMNN_USAGE, "the start is not finite in coordinate %zu", i);
    start_run(s, start, number);
    if (solver_is_admm(s->settings.method) && s->settings.x_step == ADMMNN_X_STEP_EXACT)
        info->rho_suffices = rho_suffices(s);
    admmnn_status status = run_method(s, context, info, err);
    if (s->at.best_value != INFINITY) {
        info->objective = s->at.best_value;
        memcpy(x, s->at.best, s->d * sizeof *x);
    }
    if (status == ADMMNN_OK)
        return s->settings.stochastic ? ADMMNN_OK
                                      : check_stationary(s, s->at.best, &info->stationary, err);
    info->outcome = status == ADMMNN_CANCELLED  ? ADMMNN_OUTCOME_STOPPED
                    : status == ADMMNN_DIVERGED ? ADMMNN_OUTCOME_DIVERGED
                                                : ADMMNN_OUTCOME_NOT_RUN;
    return status;
}
