#include "admmnn/admmq.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "admm/solver.h"
#include "admmq/crew.h"
#include "admmq/problem.h"
#include "admmq/statistics.h"
#include "base/context.h"
#include "base/memory.h"
#include "base/pool.h"

/* What the threads share; each has a start at a time. */
typedef struct work {
    const admmnn_admmq_settings *settings;
    admmq_problem problem;
    admmnn_solver *solver;     /* that the threads' own share */
    double *x;                 /* [starts][dimension] */
    admmnn_solver_info *infos; /* [starts] */
    admmnn_error first_error;  /* of the first start */
    atomic_uint next, done;
} work;

static void report_starts(work *w, const admmnn_context *context) {
    base_progress(context, &(admmnn_progress){
                               .task = admmnn_method_text(w->settings->solver.method),
                               .unit = "starts",
                               .done = atomic_load(&w->done),
                               .total = w->problem.start_count,
                               .run_done = -1,
                           });
}

/* A run that diverges is one of the answer's figures; why, of the first. */
static admmnn_status solve_start(work *w, admmnn_solver *solver, uint32_t s,
                                 const admmnn_context *context, admmnn_error *err) {
    const size_t d = w->problem.dimension;
    admmnn_error own;
    admmnn_status status = admmnn_solver_solve(solver, w->problem.starts + s * d, s, context,
                                               w->x + s * d, &w->infos[s], &own);
    atomic_fetch_add(&w->done, 1);
    if (status == ADMMNN_OK)
        return ADMMNN_OK;
    if (s == 0)
        w->first_error = own;
    return status == ADMMNN_DIVERGED ? ADMMNN_OK : base_fail(err, status, "%s", own.message);
}

static admmnn_status solve_starts(work *w, admmnn_solver *solver, const admmnn_context *context,
                                  admmnn_error *err) {
    admmnn_context inner = *context;
    if (w->problem.start_count > 1) /* whole starts are what is told of */
        inner.progress = NULL;
    for (uint32_t s; (s = atomic_fetch_add(&w->next, 1)) < w->problem.start_count;) {
        BASE_TRY(solve_start(w, solver, s, &inner, err));
        if (w->problem.start_count > 1)
            report_starts(w, context);
    }
    return ADMMNN_OK;
}

static admmnn_status solve_share(void *work_, const admmnn_context *context, admmnn_error *err) {
    work *w = work_;
    admmnn_solver *solver;
    BASE_TRY(solver_share(w->solver, &solver, err));
    admmnn_status status = solve_starts(w, solver, context, err);
    admmnn_solver_free(solver);
    return status;
}

static admmnn_status make_solver(work *w, const admmnn_context *context, admmnn_error *err) {
    const admmnn_problem problem = {.dimension = w->problem.dimension,
                                    .q = &w->problem.matrix,
                                    .b = w->problem.b,
                                    .set = w->problem.set,
                                    .levels = w->problem.levels,
                                    .first = w->problem.first};
    return admmnn_solver_create(&problem, &w->settings->solver, context, &w->solver, err);
}

/* ---- what is said of all starts ---- */

/* Without a point, or with one of a run that diverged: that may be any. */
static bool is_lost(const admmnn_solver_info *info) {
    return !isfinite(info->objective) || info->outcome == ADMMNN_OUTCOME_DIVERGED;
}

static bool is_better(const admmnn_solver_info *info, const admmnn_solver_info *best) {
    if (!isfinite(info->objective) || is_lost(info) != is_lost(best))
        return !is_lost(info);
    return !(info->objective >= best->objective);
}

static admmnn_status summarise(const work *w, admmnn_admmq_result *r, admmnn_error *err) {
    const uint32_t starts = w->problem.start_count;
    double *values = base_array(starts, sizeof *values);
    size_t good = 0;
    uint32_t runs = 0;
    double iterations = 0;
    if (values == NULL)
        return base_fail_memory(err, "the starts");
    for (uint32_t s = 0; s < starts; s++) {
        const admmnn_solver_info *info = &w->infos[s];
        if (info->outcome == ADMMNN_OUTCOME_NOT_RUN) /* stopped before it began */
            continue;
        runs++;
        iterations += (double)info->iterations;
        r->diverged += info->outcome == ADMMNN_OUTCOME_DIVERGED;
        if (!is_lost(info))
            values[good++] = info->objective;
        if (is_better(info, &w->infos[r->best]))
            r->best = s;
    }
    r->starts = runs;
    r->iterations = iterations / (double)runs;
    r->objective = statistics_quartiles(values, good);
    r->info = w->infos[r->best];
    base_free(values);
    if (r->info.outcome == ADMMNN_OUTCOME_NOT_RUN || !isfinite(w->x[r->best * r->dimension]))
        return ADMMNN_OK;
    r->x = base_array_copy(w->x + r->best * r->dimension, r->dimension, sizeof *r->x);
    return r->x != NULL ? ADMMNN_OK : base_fail_memory(err, "the answer");
}

static admmnn_status solve(work *w, const admmnn_context *context, admmnn_admmq_result *r,
                           admmnn_error *err) {
    unsigned threads = base_pool_resolve(context == NULL ? 0 : context->threads);
    BASE_TRY(admmq_problem_open(w->settings, &w->problem, err));
    BASE_TRY(make_solver(w, context, err));
    const uint32_t starts = w->problem.start_count;
    r->dimension = w->problem.dimension;
    size_t count;
    if (base_multiply(starts, r->dimension, &count))
        w->x = base_array(count, sizeof *w->x);
    w->infos = base_array(starts, sizeof *w->infos);
    if (w->x == NULL || w->infos == NULL)
        return base_fail_memory(err, "the starts");
    for (size_t i = 0; i < count; i++)
        w->x[i] = NAN; /* until there is a point */
    for (uint32_t s = 0; s < starts; s++)
        w->infos[s] = (admmnn_solver_info){.outcome = ADMMNN_OUTCOME_NOT_RUN, .objective = NAN};
    threads = threads < starts ? threads : starts;
    admmnn_status status = crew_run(context, threads, solve_share, w, err);
    if (status != ADMMNN_OK && status != ADMMNN_CANCELLED)
        return status;
    BASE_TRY(summarise(w, r, status == ADMMNN_OK ? err : NULL));
    if (status == ADMMNN_OK && r->diverged == starts)
        return base_fail(err, ADMMNN_DIVERGED,
                         "%s diverged from every start: %s (rho %g, %g of the Lipschitz "
                         "constant)",
                         admmnn_method_text(w->settings->solver.method), w->first_error.message,
                         r->info.rho, r->info.rho / r->info.lipschitz);
    return status;
}

admmnn_status admmnn_admmq_solve(const admmnn_admmq_settings *settings,
                                 const admmnn_context *context, admmnn_admmq_result *result,
                                 admmnn_error *err) {
    const admmnn_method method = settings->solver.method;
    admmnn_admmq_settings own = *settings;
    work w = {.settings = &own};
    if (method == ADMMNN_METHOD_ROUND || method == ADMMNN_METHOD_EXACT) { /* start nowhere */
        own.starts = 1;
        own.start = NULL;
    }
    *result = (admmnn_admmq_result){0};
    admmnn_status status = solve(&w, context, result, err);
    admmnn_solver_free(w.solver);
    admmq_problem_free(&w.problem);
    base_free(w.x);
    base_free(w.infos);
    return status;
}

void admmnn_admmq_free(admmnn_admmq_result *result) {
    base_free(result->x);
    result->x = NULL;
}
